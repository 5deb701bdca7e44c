// The pool for callers that must not wait: cut out of the default pool or standing alone, used from
// interrupts, grown by a worker.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "tests/support/port_of_threads.hpp"
#include "tests/support/route_world.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::brief;
using test::error_of;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

constexpr Options kMustNotWait{.context = Context::must_not_wait};
constexpr std::uint64_t kPiece = 0x400;
constexpr AtomicSettings kOne{
    .name = "atomic", .size_bytes = kPiece, .store = TagStore::sparse(16)};
constexpr AtomicSettings kThree{.name = "atomic",
                                .size_bytes = kPiece,
                                .store = TagStore::sparse(16),
                                .most_pieces = 3,
                                .low_water_bytes = 0x100};

class Carved : public testing::Test {
 protected:
  Pool& carve(const AtomicSettings& settings = kOne) {
    return *must(board_.system->carve_atomic(settings));
  }
  Result<Block> alloc(std::uint64_t size_bytes) {
    return alloc_coherent(eth_, size_bytes, kMustNotWait);
  }

  SimBoard board_;
  Pool& default_ = board_.default_pool("d", ram(0, 0x4000));
  Device& eth_ = board_.device("eth");
};

TEST_F(Carved, IsMemoryOfTheDefaultPoolAndOfNobodyElse) {
  Pool& atomic = carve();
  EXPECT_EQ(default_.usage().used_bytes, kPiece);
  EXPECT_TRUE(default_.chunks()[0].range.contains(atomic.chunks()[0].range));
  EXPECT_EQ(atomic.usage().total_bytes, kPiece);
}

TEST_F(Carved, ServesWhoMustNotWait) {
  Pool& atomic = carve();
  const Block block = must(alloc(64));
  EXPECT_EQ(block.pool, &atomic);
  EXPECT_EQ(must(alloc_coherent(eth_, 64)).pool, &default_);
}

TEST_F(Carved, IsCoherentMemoryLikeAnyOther) {
  carve();
  const Block block = must(alloc(64));
  sim::DmaEngine engine = board_.engine(eth_);
  ASSERT_TRUE(engine.write(block.dma, pattern(64)));
  EXPECT_EQ((test::Bytes{block.cpu, block.cpu + 64}), pattern(64));
}

TEST_F(Carved, SharesNoByteWithWhatTheDefaultPoolHandsOut) {
  carve();
  const Block atomic = must(alloc(kPiece));
  for (int i = 0; i < 15; ++i) {
    const Block block = must(alloc_coherent(eth_, kPiece));
    EXPECT_FALSE((PhysRange{block.phys, kPiece}.overlaps({atomic.phys, kPiece})));
  }
  EXPECT_EQ(error_of(alloc_coherent(eth_, 64)), Error::exhausted);
}

TEST_F(Carved, IsFoundByItsName) {
  Pool& atomic = carve();
  EXPECT_EQ(board_.system->find_pool("atomic"), &atomic);
}

TEST_F(Carved, MayHaveASmallerGranuleThanTheDefaultPool) {
  SimBoard board{{}, [](Platform& platform) { platform.granule_bytes = 0x1000; }};
  board.default_pool("d", ram(0, 0x4000));
  AtomicSettings settings = kOne;
  settings.granule_bytes = 64;
  Pool& atomic = *must(board.system->carve_atomic(settings));
  EXPECT_EQ(atomic.usage().total_bytes, 0x1000U);
  EXPECT_EQ(must(alloc_coherent(board.device("eth"), 1, kMustNotWait)).size_bytes, 64U);
}

TEST_F(Carved, KeepsTheDefaultPoolFromBeingReleasedAndIsNamed) {
  carve();
  const auto refused = board_.system->release(default_);
  ASSERT_EQ(error_of(refused), Error::in_use);
  EXPECT_EQ(refused.error().other, "atomic");
}

TEST_F(Carved, GivesItsMemoryBackWhenItIsReleased) {
  must(board_.system->release(carve()));
  EXPECT_EQ(default_.usage().used_bytes, 0U);
  EXPECT_EQ(board_.system->roles().of(Role::atomic), nullptr);
  EXPECT_TRUE(board_.system->release(default_));
}

TEST_F(Carved, IsNotReleasedWhileABlockOfItLives) {
  Pool& atomic = carve();
  must(alloc(64));
  const auto refused = board_.system->release(atomic);
  ASSERT_EQ(error_of(refused), Error::in_use);
  EXPECT_EQ(refused.error().other, "eth");
}

// ---- what cannot be carved
// -----------------------------------------------------------------------

TEST_F(Carved, WithoutADefaultPoolThereIsNoneToCut) {
  SimBoard bare;
  EXPECT_EQ(error_of(bare.system->carve_atomic(kOne)), Error::no_pool);
}

TEST_F(Carved, ASecondOneIsRefusedAndTheFirstStays) {
  Pool& first = carve();
  const auto again = board_.system->carve_atomic({.name = "b", .size_bytes = kPiece});
  ASSERT_EQ(error_of(again), Error::already_declared);
  EXPECT_EQ(again.error().other, "atomic");
  EXPECT_EQ(board_.system->roles().of(Role::atomic), &first);
}

TEST_F(Carved, TheNameOfAnotherPoolIsRefused) {
  EXPECT_EQ(error_of(board_.system->carve_atomic({.name = "d", .size_bytes = kPiece})),
            Error::already_declared);
}

TEST_F(Carved, WhatTheDefaultPoolHasNotIsRefusedInItsName) {
  const auto refused = board_.system->carve_atomic({.name = "a", .size_bytes = 0x8000});
  ASSERT_EQ(error_of(refused), Error::exhausted);
  EXPECT_EQ(refused.error().pool, "d");
}

TEST_F(Carved, NoBytesAndNoPiecesAreRefused) {
  EXPECT_EQ(error_of(board_.system->carve_atomic({.name = "a", .size_bytes = 0})),
            Error::zero_size);
  EXPECT_EQ(
      error_of(board_.system->carve_atomic({.name = "a", .size_bytes = kPiece, .most_pieces = 0})),
      Error::table_full);
}

TEST_F(Carved, AGranuleThatIsNoPowerOfTwoOrLongerThanThePieceIsRefused) {
  EXPECT_EQ(error_of(board_.system->carve_atomic(
                {.name = "a", .size_bytes = kPiece, .granule_bytes = 48})),
            Error::bad_granule);
  EXPECT_EQ(error_of(board_.system->carve_atomic(
                {.name = "a", .size_bytes = kPiece, .granule_bytes = 0x4000})),
            Error::below_granule);
}

TEST_F(Carved, ThatWasRefusedTakesNeitherMemoryNorStorage) {
  const std::size_t before = board_.system->storage_used_bytes();
  ASSERT_FALSE(
      board_.system->carve_atomic({.name = "a", .size_bytes = kPiece, .granule_bytes = 0x4000}));
  ASSERT_FALSE(board_.system->carve_atomic({.name = "a", .size_bytes = 0x8000}));
  EXPECT_EQ(board_.system->storage_used_bytes(), before);
  EXPECT_EQ(default_.usage().used_bytes, 0U);
}

// ---- exhaustion
// ----------------------------------------------------------------------------------

TEST_F(Carved, ExhaustedSaysHowLargeItWouldHaveHadToBe) {
  carve();
  must(alloc(0x300));
  const auto refused = alloc(0x200);
  ASSERT_EQ(error_of(refused), Error::exhausted);
  EXPECT_EQ(refused.error().pool, "atomic");
  EXPECT_EQ(refused.error().needed_bytes, 0x500U);
}

TEST_F(Carved, ThatIsLongEnoughButInPiecesDoesNotSayThatItIsTooSmall) {
  carve();
  std::vector<Block> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(must(alloc(0x80)));
  for (std::size_t i = 0; i < blocks.size(); i += 2) must(free_coherent(blocks[i]));
  const auto refused = alloc(0x100);
  ASSERT_EQ(error_of(refused), Error::exhausted);
  EXPECT_EQ(refused.error().free_bytes, 0x200U);
  EXPECT_EQ(refused.error().needed_bytes, 0U);
}

TEST_F(Carved, ExhaustedIsFinal) {
  carve();
  EXPECT_EQ(error_of(alloc(0x800)), Error::exhausted);
  EXPECT_EQ(default_.usage().used_bytes, kPiece);
}

// ---- growth
// --------------------------------------------------------------------------------------

TEST_F(Carved, DoesNotGrowAboveItsLowWaterMark) {
  carve(kThree);
  must(alloc(0x300));
  EXPECT_FALSE(board_.system->atomic_is_low());
  EXPECT_EQ(must(board_.system->grow_atomic()), 0U);
}

TEST_F(Carved, GrowsByAPieceBelowItsLowWaterMark) {
  carve(kThree);
  must(alloc(0x320));
  EXPECT_TRUE(board_.system->atomic_is_low());
  EXPECT_EQ(must(board_.system->grow_atomic()), kPiece);
  EXPECT_FALSE(board_.system->atomic_is_low());
  EXPECT_EQ(default_.usage().used_bytes, 2 * kPiece);
}

TEST_F(Carved, ThePieceItGrewByStandsInForTheFirst) {
  Pool& first = carve(kThree);
  must(alloc(0x380));
  must(board_.system->grow_atomic());
  const Block block = must(alloc(0x200));
  EXPECT_NE(block.pool, &first);
  EXPECT_EQ(block.pool->name(), "atomic");
  EXPECT_EQ(must(alloc(0x80)).pool, &first);
}

TEST_F(Carved, EveryPieceIsACandidateOfTheRoute) {
  carve(kThree);
  must(alloc(0x380));
  must(board_.system->grow_atomic());
  std::vector<Candidate> route_taken;
  route(eth_, kMustNotWait, [&](const Candidate& candidate) {
    route_taken.push_back(candidate);
    return Step::next;
  });
  const auto names = brief(route_taken);
  EXPECT_EQ((std::vector(names.begin(), names.begin() + 5)),
            (std::vector<std::string>{"-device", "-bounce", "atomic:atomic", "atomic:atomic",
                                      "default:d"}));
  EXPECT_TRUE(route_taken[2].has_stand_in);
  EXPECT_FALSE(route_taken[3].has_stand_in);
}

TEST_F(Carved, GrowsToItsMostPiecesAndNoFurther) {
  carve(kThree);
  for (int i = 0; i < 3; ++i) {
    must(alloc(kPiece));
    EXPECT_EQ(must(board_.system->grow_atomic()), i < 2 ? kPiece : 0U);
  }
  EXPECT_FALSE(board_.system->atomic_is_low());
}

TEST_F(Carved, OfSeveralPiecesSaysHowLargeAllWouldHaveHadToBe) {
  carve(kThree);
  must(alloc(kPiece));
  must(board_.system->grow_atomic());
  must(alloc(0x300));
  EXPECT_EQ(alloc(0x200).error().needed_bytes, kPiece + 0x300 + 0x200);
}

TEST_F(Carved, ThatCannotGrowSaysWhyAndWorksOn) {
  carve(kThree);
  must(alloc(kPiece - 0x80));
  must(alloc_coherent(eth_, 0x4000 - kPiece));
  const auto refused = board_.system->grow_atomic();
  ASSERT_EQ(error_of(refused), Error::exhausted);
  EXPECT_EQ(refused.error().pool, "d");
  EXPECT_TRUE(alloc(0x80));
}

TEST_F(Carved, CanGrowLaterThoughItCouldNotBefore) {
  carve(kThree);
  must(alloc(kPiece));
  const Block rest = must(alloc_coherent(eth_, 0x4000 - kPiece));
  ASSERT_FALSE(board_.system->grow_atomic());
  must(free_coherent(rest));
  EXPECT_EQ(must(board_.system->grow_atomic()), kPiece);
}

TEST_F(Carved, WhoseFirstPieceIsReleasedGoesOnWithTheNext) {
  Pool& first = carve(kThree);
  const Block block = must(alloc(kPiece));
  must(board_.system->grow_atomic());
  must(free_coherent(block));
  must(board_.system->release(first));
  const Block next = must(alloc(64));
  EXPECT_EQ(next.pool->name(), "atomic");
  EXPECT_EQ(default_.usage().used_bytes, kPiece);
}

TEST_F(Carved, WhosePiecesAreAllReleasedMayBeCarvedAnew) {
  must(board_.system->release(carve(kThree)));
  EXPECT_FALSE(board_.system->atomic_is_low());
  EXPECT_TRUE(board_.system->carve_atomic(kOne));
}

TEST(Standing, AnAtomicPoolAloneServesAndDoesNotGrow) {
  SimBoard board;
  Pool& atomic = board.default_pool("atomic", ram(0, 0x100), Role::atomic);
  Device& eth = board.device("eth");
  EXPECT_EQ(must(alloc_coherent(eth, 0x100, kMustNotWait)).pool, &atomic);
  EXPECT_FALSE(board.system->atomic_is_low());
  EXPECT_EQ(must(board.system->grow_atomic()), 0U);
  EXPECT_EQ(error_of(board.system->carve_atomic(kOne)), Error::already_declared);
}

// ---- storage
// -------------------------------------------------------------------------------------

class CarvedStorage : public testing::Test {
 protected:
  static constexpr TagStore kStore = TagStore::sparse(16);

  /// A System that has so many bytes left when its default pool is declared.
  System& with_left(std::size_t left_bytes) {
    const std::size_t bytes = System::base_storage_bytes() +
                              System::pool_storage_bytes(1, TagStore::sparse(8)) + left_bytes - 7;
    storage_.assign(bytes / sizeof(std::uint64_t) + 1, 0);
    System& system =
        *must(System::create({.port = port_, .aliases = machine_.aliases()},
                             std::as_writable_bytes(std::span{storage_}).first(bytes)));
    const PhysRange range = ram(0, 0x4000);
    must(system.set_default(
        Role::default_pool,
        *must(system.declare({.name = "d", .chunks = {&range, 1}, .store = TagStore::sparse(8)}))));
    return system;
  }

  sim::Machine machine_;
  sim::HostPort port_{machine_};
  std::vector<std::uint64_t> storage_;
};

TEST_F(CarvedStorage, IsExactlyWhatItsMeasureSaysAndSetAsideForAllPieces) {
  System& system = with_left(System::atomic_storage_bytes(3, kStore));
  ASSERT_TRUE(system.carve_atomic(kThree));
  EXPECT_EQ(error_of(system.keep("a word")), Error::storage_too_small);
}

TEST_F(CarvedStorage, OfEightBytesLessIsTooSmallAndNothingIsTaken) {
  System& system = with_left(System::atomic_storage_bytes(3, kStore) - 8);
  const auto refused = system.carve_atomic(kThree);
  ASSERT_EQ(error_of(refused), Error::storage_too_small);
  EXPECT_EQ(refused.error().asked_bytes, System::atomic_storage_bytes(3, kStore));
  EXPECT_EQ(refused.error().free_bytes, System::atomic_storage_bytes(3, kStore) - 8);
  EXPECT_EQ(system.find_pool("d")->usage().used_bytes, 0U);
}

TEST_F(CarvedStorage, IsThereForEveryPieceHoweverFullTheRestIs) {
  System& system =
      with_left(System::atomic_storage_bytes(3, kStore) + System::device_storage_bytes(0));
  must(system.carve_atomic(kThree));
  Device& eth = *must(system.add_device({.name = "eth", .coherent_mask = test::kAnyAddress}));
  for (int i = 0; i < 2; ++i) {
    must(alloc_coherent(eth, kPiece, kMustNotWait));
    EXPECT_EQ(must(system.grow_atomic()), kPiece);
  }
}

// ---- interrupts
// ----------------------------------------------------------------------------------

/// A processor on which an interrupt comes at every moment at which it can: whenever a pool's lock
/// lets interrupts in again.
class InterruptedPort : public sim::HostPort {
 public:
  using sim::HostPort::HostPort;

  [[nodiscard]] LockState lock(LockWord& word) noexcept {
    ++depth_;
    return sim::HostPort::lock(word);
  }
  void unlock(LockWord& word, LockState state) noexcept {
    sim::HostPort::unlock(word, state);
    if (--depth_ != 0 || !handler || in_handler_) return;
    in_handler_ = true;
    handler();
    in_handler_ = false;
  }

  std::function<void()> handler;

 private:
  int depth_ = 0;
  bool in_handler_ = false;
};

class Interrupted : public testing::Test {
 protected:
  Interrupted() {
    const PhysRange range = ram(0, 0x4000);
    must(system_.set_default(Role::default_pool,
                             *must(system_.declare({.name = "d", .chunks = {&range, 1}}))));
    must(system_.carve_atomic(kThree));
  }

  sim::Machine machine_;
  InterruptedPort port_{machine_};
  std::vector<std::uint64_t> storage_ = std::vector<std::uint64_t>(4096);
  System& system_ = *must(System::create({.port = port_, .aliases = machine_.aliases()},
                                         std::as_writable_bytes(std::span{storage_})));
  Device& eth_ = *must(system_.add_device({.name = "eth",
                                           .coherent_mask = test::k32Bits,
                                           .translation = Translation::through(kWindows)}));
  static constexpr std::array kWindows{sim::kOddWindow};
};

TEST_F(Interrupted, AThreadsRequestLeavesTheAtomicPoolToItsInterrupts) {
  unsigned served = 0;
  port_.handler = [&] {
    const auto block = alloc_coherent(eth_, 64, kMustNotWait);
    ASSERT_TRUE(block);
    EXPECT_TRUE(free_coherent(*block));
    ++served;
  };
  for (int i = 0; i < 10; ++i) must(free_coherent(must(alloc_coherent(eth_, 0x100))));
  EXPECT_GE(served, 10U);
}

TEST_F(Interrupted, TheWorkerGrowsThePoolWhileInterruptsUseIt) {
  std::vector<Block> blocks;
  unsigned refused = 0;
  port_.handler = [&] {
    const auto block = alloc_coherent(eth_, 0x80, kMustNotWait);
    if (block) blocks.push_back(*block);
    if (!block) ++refused;
  };
  // The handler takes a block whenever it can; the worker looks again and again.
  for (int i = 0; i < 40; ++i) {
    must(system_.grow_atomic());
    must(free_coherent(must(alloc_coherent(eth_, 64))));  // somebody's work, with its own locks
  }
  port_.handler = nullptr;
  EXPECT_EQ(blocks.size(), 3 * kPiece / 0x80);
  EXPECT_NE(refused, 0U);
  for (const Block& block : blocks) must(free_coherent(block));
}

TEST_F(Carved, LeavesTheListThatVerbsWalkAsItIs) {
  const Roles::Member* const before = board_.system->roles().members;
  carve(kThree);
  must(alloc(kPiece));
  ASSERT_NE(must(board_.system->grow_atomic()), 0U);
  EXPECT_EQ(board_.system->roles().members, before);
  EXPECT_EQ(before->next, nullptr);
}

TEST(CarvedOfThreads, IsNotReleasedWhereTheMemoryCouldNotGoBack) {
  sim::Machine machine;
  test::PortOfThreads port{machine};
  std::vector<std::uint64_t> storage(1024);
  System& system = *must(System::create({.port = port, .aliases = machine.aliases()},
                                        std::as_writable_bytes(std::span{storage})));
  const PhysRange range = ram(0x4000, 0x1000);
  Pool& whole = *must(system.declare({.name = "d", .chunks = std::span{&range, 1}}));
  must(system.set_default(Role::default_pool, whole));
  Pool& atomic = *must(system.carve_atomic(kOne));
  port.in_interrupt = true;
  EXPECT_EQ(error_of(system.release(atomic)), Error::would_wait);
  port.in_interrupt = false;
  EXPECT_FALSE(atomic.closed());
  must(system.release(atomic));
  EXPECT_EQ(whole.usage().blocks, 0U);
}

}  // namespace
}  // namespace carveout
