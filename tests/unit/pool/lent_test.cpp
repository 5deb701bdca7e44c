// Contiguous memory that ordinary users hold until a device wants it: take_lent() and
// take_reclaiming(), over a pool whose board is played here.
#include "carveout/pool/lent.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::kCachedRam;
using test::must;
using test::ram;
using test::SimBoard;

constexpr std::uint64_t kPool = 0x1000;
constexpr std::uint64_t kUnit = 0x100;  ///< the pool's granule

/// A board whose users move their data away when they are asked, unless they are pinned.
class Lent : public testing::Test {
 protected:
  Lent() { must(board_.system->lend(pool_, reclaim_)); }

  struct Asked {
    PhysRange lent;
    Holder user;
    PhysRange wanted;
  };

  Vacated vacate(const Held& lent, PhysRange wanted) {
    asked_.push_back({lent.range, lent.holder, wanted});
    if (during_) during_();
    if (pinned_.contains(lent.holder)) return Vacated::pinned;
    const auto at = std::ranges::find_if(
        borrowed_, [&](const Block& block) { return block.phys == lent.range.base; });
    if (at != borrowed_.end()) {
      if (move_inside_) {
        const auto elsewhere = take_lent(pool_, at->size_bytes, lent.holder, View::cached, wanted);
        if (!elsewhere) return Vacated::pinned;
        must(pool_.give_back(*at));
        *at = *elsewhere;
      } else {
        must(pool_.give_back(*at));
        borrowed_.erase(at);
      }
    }
    return Vacated::yes;
  }

  Block borrow(std::uint64_t units, Holder user = 1) {
    return borrowed_.emplace_back(must(take_lent(pool_, units * kUnit, user, View::cached)));
  }
  Result<Block> take(std::uint64_t units, Context context = Context::may_wait) {
    return take_reclaiming(pool_, {.size_bytes = units * kUnit, .holder = 7, .context = context},
                           std::span{&everything_, 1}, View::uncached);
  }
  /// The unit of the pool at which a block begins.
  [[nodiscard]] static std::uint64_t at(const Block& block) {
    return (block.phys.raw() - kCachedRam.raw()) / kUnit;
  }

  SimBoard board_;
  Pool& pool_ = board_.pool("cma", ram(0, kPool), Memory::contiguous, kUnit);
  const Reclaim reclaim_{
      .vacate = [](void* context, const Held& lent,
                   PhysRange wanted) { return static_cast<Lent*>(context)->vacate(lent, wanted); },
      .context = this};
  const Reach everything_ = Reach::everything();
  std::vector<Block> borrowed_;
  std::set<Holder> pinned_;
  bool move_inside_ = false;
  std::function<void()> during_;
  std::vector<Asked> asked_;
};

// ---- borrowing
// -----------------------------------------------------------------------------------

TEST_F(Lent, IsFilledFromTheTopSoThatDevicesHaveTheBottom) {
  EXPECT_EQ(at(borrow(1)), 15U);
  EXPECT_EQ(at(borrow(2)), 13U);
  EXPECT_EQ(at(must(take(1))), 0U);
  EXPECT_EQ(at(borrow(1)), 12U);
}

TEST_F(Lent, KeepsALongRunHoweverUsersComeAndGo) {
  for (int round = 0; round < 8; ++round) {
    borrow(1);
    borrow(1);
    must(pool_.give_back(borrowed_.front()));
    borrowed_.erase(borrowed_.begin());
  }
  // Eight units are lent, at the top, and eight are free in one run or next to it.
  EXPECT_GE(pool_.usage().largest_run_bytes, 7 * kUnit);
}

TEST_F(Lent, FillsAHoleAtTheTopBeforeItGoesFurtherDown) {
  const Block top = borrow(1);
  borrow(1);
  must(pool_.give_back(top));
  EXPECT_EQ(at(borrow(1)), 15U);
}

TEST_F(Lent, HasThePhysicalAddressForADeviceAddress) {
  const Block block = borrow(1);
  EXPECT_EQ(block.dma.raw(), block.phys.raw());
  EXPECT_EQ(block.cpu, pool_.pointer(block, View::cached));
}

TEST_F(Lent, AvoidsTheRangeThatItIsToldToAvoid) {
  const Block block = must(take_lent(pool_, kUnit, 1, View::cached, ram(0xe10, 0x1f0)));
  EXPECT_EQ(at(block), 13U);
}

TEST_F(Lent, GoesAboveTheRangeThatItIsToldToAvoidWhereThereIsRoom) {
  const Block block = must(take_lent(pool_, kUnit, 1, View::cached, ram(0, 0xf00)));
  EXPECT_EQ(at(block), 15U);
  EXPECT_EQ(error_of(take_lent(pool_, kUnit, 1, View::cached, ram(0, 0xf00))), Error::exhausted);
}

TEST_F(Lent, MoreThanIsFreeIsExhaustedAndNobodyIsAsked) {
  borrow(10);
  const auto refused = take_lent(pool_, 7 * kUnit, 2, View::cached);
  ASSERT_EQ(error_of(refused), Error::exhausted);
  EXPECT_EQ(refused.error().asked_bytes, 7 * kUnit);
  EXPECT_EQ(refused.error().free_bytes, 6 * kUnit);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(Lent, NoBytesAreRefused) {
  EXPECT_EQ(error_of(take_lent(pool_, 0, 1, View::cached)), Error::zero_size);
}

TEST_F(Lent, AllOfMemoryIsExhausted) {
  EXPECT_EQ(error_of(take_lent(pool_, ~std::uint64_t{0}, 1, View::cached)), Error::exhausted);
}

TEST_F(Lent, NothingIsLentOfAPoolThatCouldNotHaveItBack) {
  Pool& plain = board_.pool("plain", ram(0x2000, kPool), Memory::contiguous);
  EXPECT_EQ(error_of(take_lent(plain, kUnit, 1, View::cached)), Error::wrong_kind);
}

// ---- taking back
// ---------------------------------------------------------------------------------

TEST_F(Lent, ARequestThatFindsFreeMemoryAsksNobody) {
  borrow(8);
  must(take(8));
  EXPECT_TRUE(asked_.empty());
}

TEST_F(Lent, ARequestThatFindsNoneHasWhatIsInTheWayVacated) {
  borrow(12, 5);
  const Block block = must(take(6));
  EXPECT_EQ(at(block), 0U);
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].user, 5U);
  EXPECT_EQ(asked_[0].lent, ram(4 * kUnit, 12 * kUnit));
  EXPECT_EQ(asked_[0].wanted, ram(0, 6 * kUnit));
}

TEST_F(Lent, OnlyWhatIsInTheWayIsAskedFor) {
  for (Holder user = 1; user <= 16; ++user) borrow(1, user);
  must(take(3));
  ASSERT_EQ(asked_.size(), 3U);
  // The users of the bottom, who came last.
  EXPECT_EQ(asked_[0].user, 16U);
  EXPECT_EQ(asked_[2].user, 14U);
  EXPECT_EQ(pool_.usage().blocks, 13U + 1U);
}

TEST_F(Lent, TheBlockIsTheDevicesAndNoLongerLent) {
  borrow(16, 5);
  must(take(16));
  EXPECT_EQ(pool_.any_holder(), 7U);
}

TEST_F(Lent, APinnedBlockSendsTheRequestToThePlaceBehindIt) {
  for (Holder user = 1; user <= 16; ++user) borrow(1, user);
  pinned_ = {15};  // unit 1
  const Block block = must(take(3));
  EXPECT_EQ(at(block), 2U);
}

TEST_F(Lent, WhereEverythingIsPinnedTheRequestIsExhausted) {
  for (Holder user = 1; user <= 16; ++user) {
    borrow(1, user);
    pinned_.insert(user);
  }
  const auto refused = take(2);
  ASSERT_EQ(error_of(refused), Error::exhausted);
  EXPECT_EQ(refused.error().asked_bytes, 2 * kUnit);
  EXPECT_EQ(pool_.usage().blocks, 16U);
}

TEST_F(Lent, AfterAFailedTryWhatWasVacatedIsFree) {
  for (Holder user = 1; user <= 16; ++user) borrow(1, user);
  pinned_ = {1, 4, 7, 10, 13};  // units 15, 12, 9, 6, 3: no four together
  ASSERT_EQ(error_of(take(4)), Error::exhausted);
  // Three before each pinned one but the last, which nobody was asked about.
  EXPECT_EQ(pool_.usage().blocks, 16U - 9U);
  EXPECT_TRUE(take(3));
}

TEST_F(Lent, BlocksOfDevicesAreNeverInQuestion) {
  const Block first = must(take(1));
  borrow(8, 1);
  const Block device = must(take(3));
  must(pool_.give_back(first));
  must(take(8));
  for (const Asked& asked : asked_) {
    EXPECT_FALSE((asked.wanted.overlaps({device.phys, device.size_bytes})));
    EXPECT_FALSE((asked.lent.overlaps({device.phys, device.size_bytes})));
  }
}

TEST_F(Lent, WhoMustNotWaitAsksNobody) {
  borrow(12);
  EXPECT_EQ(error_of(take(6, Context::must_not_wait)), Error::exhausted);
  EXPECT_TRUE(asked_.empty());
  EXPECT_TRUE(take(4, Context::must_not_wait));
}

TEST_F(Lent, DataMayMoveInsideThePoolAroundThePlace) {
  move_inside_ = true;
  for (Holder user = 1; user <= 7; ++user) borrow(1, user);
  must(take(1));
  const Block hole = must(take(4));
  must(take(1));
  must(pool_.give_back(hole));
  // Free are 1 to 4 and 6 to 8, and lent 9 to 15: the data of three goes to the hole.
  const Block block = must(take(6));
  EXPECT_EQ(at(block), 6U);
  EXPECT_EQ(pool_.usage().blocks, 7U + 3U);
  for (const Block& moved : borrowed_) {
    EXPECT_FALSE((PhysRange{moved.phys, kUnit}.overlaps({block.phys, block.size_bytes})));
  }
}

TEST_F(Lent, AlignmentBoundaryAndReachHoldForTheClearedPlace) {
  for (Holder user = 1; user <= 16; ++user) borrow(1, user);
  const Reach reach{ram(0x100, 1).base, ram(0xdff, 1).base, DmaAddr{0x3'0000}};
  const Block block = must(take_reclaiming(
      pool_,
      {.size_bytes = 3 * kUnit, .align_bytes = 2 * kUnit, .boundary_bytes = 4 * kUnit, .holder = 7},
      std::span{&reach, 1}, View::uncached));
  EXPECT_EQ(block.dma.raw() % (2 * kUnit), 0U);
  EXPECT_EQ(block.dma.raw() / (4 * kUnit), (block.dma.raw() + 3 * kUnit - 1) / (4 * kUnit));
  EXPECT_GE(block.phys, reach.first);
  EXPECT_EQ(asked_.size(), 3U);
}

TEST_F(Lent, APlaceOutsideTheReachIsNotVacated) {
  borrow(16);
  const Reach reach{ram(0x2000, 1).base, ram(0x2fff, 1).base, DmaAddr{0}};
  EXPECT_EQ(
      error_of(take_reclaiming(pool_, {.size_bytes = kUnit}, std::span{&reach, 1}, View::uncached)),
      Error::unreachable);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(Lent, IsAskedForWithNoLockHeld) {
  borrow(16);
  during_ = [&] { EXPECT_EQ(pool_.usage().blocks, 1U); };  // deadlocks under the lock
  must(take(1));
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(Lent, ABoardThatSaysYesAndDoesNotLeaveCountsAsPinned) {
  borrow(8, 1);
  borrow(8, 2);
  borrowed_.clear();  // so that vacate() finds nothing to give back
  EXPECT_EQ(error_of(take(4)), Error::exhausted);
  EXPECT_LE(asked_.size(), 4U);
}

TEST_F(Lent, APlaceThatSomebodyElseGotFirstIsLeftForAnother) {
  for (Holder user = 1; user <= 16; ++user) borrow(1, user);
  unsigned stolen = 0;
  during_ = [&] {
    // Whoever was asked before is gone: another device takes that unit.
    if (stolen == 0 && asked_.size() == 2)
      stolen += pool_.take({.size_bytes = kUnit, .holder = 9}, {&everything_, 1}, View::uncached)
                    ? 1U
                    : 0U;
  };
  const Block block = must(take(3));
  EXPECT_EQ(stolen, 1U);
  EXPECT_EQ(at(block), 1U);
}

TEST_F(Lent, APlaceThatIsAlwaysTakenByOthersIsGivenUp) {
  for (Holder user = 1; user <= 16; ++user) borrow(1, user);
  during_ = [&] {
    // An ordinary user comes back to whatever was vacated, as often as it is.
    for (Holder user = 1; user <= 16; ++user) {
      if (auto block = take_lent(pool_, kUnit, user, View::cached)) borrowed_.push_back(*block);
    }
  };
  EXPECT_EQ(error_of(take(3)), Error::exhausted);
  EXPECT_LE(asked_.size(), 3U * kReclaimTries);
}

TEST_F(Lent, EveryChunkIsLookedAt) {
  const PhysRange chunks[] = {ram(0x4000, 0x200), ram(0x2000, 0x400)};
  Pool& two = *must(board_.system->declare(
      {.name = "two", .memory = Memory::contiguous, .chunks = chunks, .granule_bytes = kUnit}));
  std::vector<Block> lent;
  const Reclaim reclaim{.vacate =
                            [](void* context, const Held& held, PhysRange) {
                              auto& blocks = *static_cast<std::vector<Block>*>(context);
                              for (const Block& block : blocks) {
                                if (block.phys == held.range.base)
                                  must(block.pool->give_back(block));
                              }
                              return Vacated::yes;
                            },
                        .context = &lent};
  must(board_.system->lend(two, reclaim));
  for (int i = 0; i < 6; ++i) lent.push_back(must(take_lent(two, kUnit, 1, View::cached)));
  const Block block = must(
      take_reclaiming(two, {.size_bytes = 4 * kUnit}, std::span{&everything_, 1}, View::uncached));
  EXPECT_EQ(block.phys, ram(0x2000, 1).base);
}

// ---- who lends
// -----------------------------------------------------------------------------------

TEST_F(Lent, OnlyContiguousMemoryIsLent) {
  for (const Memory memory : {Memory::coherent, Memory::bounce, Memory::ordinary}) {
    SimBoard board;
    EXPECT_EQ(error_of(board.system->lend(board.pool("p", ram(0, kPool), memory), reclaim_)),
              Error::wrong_kind);
  }
}

TEST_F(Lent, TablesThatKeepNoHoldersCannotLend) {
  Pool& pool =
      board_.pool("bits", ram(0x2000, kPool), Memory::contiguous, kUnit, TagStore::bitmap());
  EXPECT_EQ(error_of(board_.system->lend(pool, reclaim_)), Error::wrong_kind);
}

TEST_F(Lent, ASecondReclaimIsRefusedAndTheFirstStays) {
  const Reclaim other{.vacate = nullptr};
  EXPECT_EQ(error_of(board_.system->lend(pool_, other)), Error::already_declared);
  EXPECT_EQ(pool_.reclaim(), &reclaim_);
}

TEST_F(Lent, APoolThatWasReleasedLendsNothing) {
  Pool& pool = board_.pool("gone", ram(0x2000, kPool), Memory::contiguous);
  must(board_.system->release(pool));
  EXPECT_EQ(error_of(board_.system->lend(pool, reclaim_)), Error::pool_gone);
}

TEST_F(Lent, APoolOfWhichBlocksAreLentIsNotReleased) {
  borrow(1);
  const auto refused = board_.system->release(pool_);
  ASSERT_EQ(error_of(refused), Error::in_use);
  EXPECT_EQ(refused.error().other, "ordinary users");
}

}  // namespace
}  // namespace carveout
