// What processors that share a pool do without its lock, on one thread: the steps in which they can
// meet are the model checker's (tests/model) and the stress test's (tests/threads).
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "carveout/pool/pool.hpp"
#include "carveout/port/locks.hpp"
#include "carveout/port/no_machine.hpp"
#include "tests/support/audit.hpp"

namespace carveout {
namespace {

constexpr std::uint64_t kBase = 0x8000'0000;
constexpr std::uint64_t kGranule = 64;
constexpr std::uint64_t kGranules = 256;  // blocks of four and less are parked

/// Two processors, of which the test says which one runs, and whether in an interrupt.
struct TwoProcessors : NoMachine {
  std::uint32_t running = 0;
  bool interrupted = false;
  int locks = 0;

  [[nodiscard]] std::uint32_t processor() const noexcept { return running; }
  [[nodiscard]] bool may_lock() const noexcept { return !interrupted; }
  LockState lock(LockWord& /*word*/) noexcept {
    EXPECT_FALSE(interrupted) << "waits for what it interrupted";
    ++locks;
    return 0;
  }
  void unlock(LockWord& /*word*/, LockState /*state*/) noexcept {}
};
static_assert(PortWithMayLock<TwoProcessors> && PortWithProcessor<TwoProcessors>);

class SharedPool : public ::testing::TestWithParam<TagStore> {
 protected:
  Result<Block> try_take(std::uint64_t granules) {
    return pool_.take({.size_bytes = granules * kGranule, .holder = 7}, kReaches, View::uncached);
  }
  Block take(std::uint64_t granules) { return *try_take(granules); }
  void give_back(const Block& block) { EXPECT_TRUE(pool_.give_back(block)); }
  Error refusal(const Block& block) { return pool_.give_back(block).error().code; }
  /// How often the lock was taken since the last call of it.
  int locks() { return std::exchange(port_.locks, 0); }

  static constexpr std::array kReaches{Reach{PhysAddr{0}, PhysAddr{~std::uint64_t{0}}, DmaAddr{0}}};

  TwoProcessors port_;
  std::array<PhysRange, 1> ranges_{PhysRange{PhysAddr{kBase}, kGranules* kGranule}};
  std::array<Chunk, 1> chunks_{Chunk{ranges_[0], nullptr, nullptr}};
  std::vector<std::byte> storage_ = std::vector<std::byte>(GetParam().storage_bytes(1, kGranules));
  Pool pool_{
      {.name = "shared", .memory = Memory::coherent, .granule_bytes = kGranule, .chunks = chunks_},
      port_,
      *RangeAllocator::create(ranges_, kGranule, GetParam(), storage_)};
};
INSTANTIATE_TEST_SUITE_P(Stores, SharedPool,
                         ::testing::Values(TagStore::sparse(64).for_processors(2),
                                           TagStore::dense().for_processors(2)));

TEST_P(SharedPool, GivesABlockBackAndOutAgainWithoutTheLock) {
  const Block first = take(2);
  give_back(first);
  locks();
  const Block again = take(2);
  EXPECT_EQ(locks(), 0);
  EXPECT_EQ(again.phys, first.phys);
  EXPECT_NE(again.serial, first.serial);
  give_back(again);
  EXPECT_EQ(locks(), 0);
}

TEST_P(SharedPool, LeavesToEachProcessorWhatItGaveBack) {
  const Block one = take(2);
  const Block two = take(2);
  give_back(one);
  port_.running = 1;
  give_back(two);
  EXPECT_EQ(take(2).phys, two.phys);
  port_.running = 0;
  EXPECT_EQ(take(2).phys, one.phys);
}

TEST_P(SharedPool, TakesTheLockForARequestOfAnotherLength) {
  give_back(take(2));
  locks();
  take(3);
  EXPECT_EQ(locks(), 1);
}

TEST_P(SharedPool, MergesWhatAnotherBlockDrivesOutOfTheSlot) {
  const Block one = take(2);
  const Block two = take(3);
  give_back(one);
  locks();
  give_back(two);
  EXPECT_EQ(locks(), 1);
  EXPECT_EQ(take(3).phys, two.phys);
  EXPECT_EQ(locks(), 0);
}

TEST_P(SharedPool, TellsEveryMistakeOfWhoGivesBack) {
  const Block block = take(2);
  Block wrong = block;
  wrong.phys = PhysAddr{kBase + kGranule};
  EXPECT_EQ(refusal(wrong), Error::wrong_address);
  wrong = block;
  wrong.size_bytes += kGranule;
  EXPECT_EQ(refusal(wrong), Error::wrong_size);
  wrong = block;
  wrong.tag = 0xffff'ffff;
  EXPECT_EQ(refusal(wrong), Error::foreign_block);
  wrong = block;
  wrong.pool = nullptr;
  EXPECT_EQ(refusal(wrong), Error::foreign_block);
  give_back(block);
  EXPECT_EQ(refusal(block), Error::double_free);
  take(2);
  EXPECT_EQ(refusal(block), Error::stale_block);
}

TEST_P(SharedPool, FreesALongBlockAtOnceAndTellsASecondFree) {
  const Block block = take(100);
  give_back(block);
  EXPECT_EQ(refusal(block), Error::double_free);
  take(kGranules);
}

TEST_P(SharedPool, CountsWhatIsParkedAsFree) {
  const Block one = take(1);
  const Block two = take(1);
  give_back(one);
  port_.running = 1;
  give_back(two);
  const Usage usage = pool_.usage();
  EXPECT_EQ(usage.used_bytes, 0U);
  EXPECT_EQ(usage.blocks, 0U);
  EXPECT_EQ(usage.largest_run_bytes, kGranules * kGranule);
  EXPECT_EQ(usage.peak_bytes, 2 * kGranule);
  EXPECT_EQ(pool_.any_holder(), std::nullopt);
}

TEST_P(SharedPool, ServesTheWholePoolThoughEveryProcessorParksSome) {
  const Block one = take(1);
  const Block two = take(1);
  give_back(one);
  port_.running = 1;
  give_back(two);
  EXPECT_EQ(take(kGranules).phys, PhysAddr{kBase});
}

TEST_P(SharedPool, ClosesWithBlocksParkedAndNotWithBlocksAlive) {
  const Block block = take(1);
  EXPECT_EQ(pool_.close().error().code, Error::in_use);
  give_back(block);
  EXPECT_TRUE(pool_.close());
  EXPECT_EQ(try_take(1).error().code, Error::pool_gone);
  EXPECT_EQ(refusal(block), Error::pool_gone);
}

TEST_P(SharedPool, ServesAnInterruptFromTheSlotAndRefusesItWhatNeedsTheLock) {
  const Block block = take(2);
  give_back(block);
  port_.interrupted = true;
  EXPECT_EQ(try_take(3).error().code, Error::would_wait);
  const auto served = try_take(2);
  ASSERT_TRUE(served);
  EXPECT_EQ(try_take(2).error().code, Error::would_wait) << "the slot is empty now";
  EXPECT_EQ(refusal(*served), Error::would_wait);
  port_.interrupted = false;
  give_back(*served);
}

TEST_P(SharedPool, ServesFromTheSlotWhatRoundsUpToItsLength) {
  const auto plain = [&](std::uint64_t size_bytes) {
    return pool_.take({.size_bytes = size_bytes, .holder = 7}, kReaches, View::uncached);
  };
  const Block first = *plain(2 * kGranule);
  EXPECT_EQ(locks(), 1);
  give_back(first);
  locks();
  const Block again = *plain(kGranule + 1);
  EXPECT_EQ(locks(), 0);
  EXPECT_EQ(again.phys, first.phys);
  EXPECT_EQ(again.dma, first.dma);
  EXPECT_EQ(again.size_bytes, 2 * kGranule);
  EXPECT_EQ(again.pool, &pool_);
  EXPECT_EQ(pool_.any_holder(), 7U);
  give_back(again);
  EXPECT_EQ(plain(0).error().code, Error::zero_size);
  EXPECT_EQ(plain((kGranules + 1) * kGranule).error().code, Error::exhausted);
}

TEST_P(SharedPool, TakesNothingFromTheSlotThatTheDeviceDoesNotReach) {
  give_back(take(2));
  const Reach behind{PhysAddr{kBase + 4 * kGranule}, PhysAddr{~std::uint64_t{0}}, DmaAddr{0x1000}};
  const Block block =
      *pool_.take({.size_bytes = 2 * kGranule, .holder = 7}, {&behind, 1}, View::uncached);
  EXPECT_EQ(block.phys, PhysAddr{kBase + 4 * kGranule});
  EXPECT_EQ(block.dma, DmaAddr{0x1000});
}

TEST_P(SharedPool, TakesNoLongerBlockThanAskedForFromTheSlot) {
  give_back(take(2));
  locks();
  EXPECT_EQ(take(1).size_bytes, kGranule);
  EXPECT_EQ(locks(), 1);
}

template <class Store>
concept HasSlots = requires(const Store& store) { store.for_processors(2); };
static_assert(HasSlots<decltype(TagStore::sparse(1))> && HasSlots<decltype(TagStore::dense())>);
static_assert(!HasSlots<decltype(TagStore::bitmap())>);
static_assert(TagStore::dense().for_processors(1).slots() == 0);

// ---- locks ------------------------------------------------------------------------------------

/// Interrupts of a processor that has a mask.
struct Mask {
  LockState masked = 0;
  LockState mask_interrupts() noexcept { return std::exchange(masked, 1); }
  void restore_interrupts(LockState state) noexcept { masked = state; }
};

TEST(Locks, OfOneProcessorMaskInterruptsAndNest) {
  Mask mask;
  InterruptsOff lock{mask};
  LockWord one;
  LockWord two;
  const LockState outer = lock.lock(one);
  const LockState inner = lock.lock(two);
  EXPECT_EQ(mask.masked, 1U);
  lock.unlock(two, inner);
  EXPECT_EQ(mask.masked, 1U) << "as it was when the inner one was taken";
  lock.unlock(one, outer);
  EXPECT_EQ(mask.masked, 0U);
}

TEST(Locks, ThatSpinMaskInterruptsForAsLongAsTheyAreHeld) {
  Mask mask;
  SpinLock lock{mask};
  LockWord word;
  const LockState state = lock.lock(word);
  EXPECT_EQ(mask.masked, 1U);
  EXPECT_NE(word.word, 0U);
  lock.unlock(word, state);
  EXPECT_EQ(mask.masked, 0U);
  EXPECT_EQ(word.word, 0U);
}

/// A system's mutex, which knows whether it is asked in an interrupt.
struct SystemMutex {
  bool interrupt = false;
  bool held = false;
  void lock() { held = true; }
  void unlock() { held = false; }
  [[nodiscard]] bool in_interrupt() const noexcept { return interrupt; }
};

TEST(Locks, OfThreadsMayNotBeWaitedForInAnInterrupt) {
  SystemMutex system;
  Mutex lock{system};
  LockWord word;
  EXPECT_TRUE(lock.may_lock());
  const LockState state = lock.lock(word);
  EXPECT_TRUE(system.held);
  system.interrupt = true;
  EXPECT_FALSE(lock.may_lock());
  lock.unlock(word, state);
  EXPECT_FALSE(system.held);
}

}  // namespace
}  // namespace carveout
