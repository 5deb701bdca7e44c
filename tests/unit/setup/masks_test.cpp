// System::set_masks(): a driver that learns its mask late, and what may not be taken from it.
#include <gtest/gtest.h>

#include <array>
#include <span>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::kCachedRam;
using test::must;
using test::ram;
using test::SimBoard;

/// The device sees the RAM from 4c800000 on: 0x4c80'7fff is the end of its first half of 64 KiB.
constexpr DmaAddr kHalf{0x4c80'7fff};
constexpr DmaAddr kWhole{0x4c80'ffff};
constexpr DmaAddr kNothing{0xffff};

class SetMasks : public testing::Test {
 protected:
  Result<void> set(DmaAddr mask) { return board_.system->set_masks(eth_, {.coherent = mask}); }

  SimBoard board_;
  Device& eth_ = board_.device("eth", {.mask = kHalf});
  Device& other_ = board_.device("other");
};

TEST_F(SetMasks, AWiderMaskReachesMore) {
  Pool& pool = board_.default_pool("d", ram(0x8000, 0x1000));
  EXPECT_EQ(error_of(alloc_coherent(eth_, 64)), Error::unreachable);
  must(set(kWhole));
  EXPECT_EQ(must(alloc_coherent(eth_, 64)).pool, &pool);
  EXPECT_EQ(eth_.coherent_mask, kWhole);
}

TEST_F(SetMasks, ANarrowerMaskReachesLess) {
  board_.default_pool("d", ram(0, 0x1000));
  must(set(kNothing));
  EXPECT_EQ(error_of(alloc_coherent(eth_, 64)), Error::unreachable);
  EXPECT_TRUE(eth_.reaches.empty());
}

TEST_F(SetMasks, AMaskThatTakesEverythingCanBeWidenedAgain) {
  board_.default_pool("d", ram(0, 0x1000));
  must(set(kNothing));
  must(set(kHalf));
  EXPECT_EQ(must(alloc_coherent(eth_, 64)).dma, DmaAddr{0x4c80'0000});
}

TEST_F(SetMasks, ANarrowerMaskServesFromThePartOfADefaultPoolThatIsLeft) {
  board_.default_pool("d", ram(0x4000, 0x8000));
  must(set(DmaAddr{0x4c80'4fff}));
  EXPECT_TRUE(alloc_coherent(eth_, 0x1000));
  EXPECT_EQ(error_of(alloc_coherent(eth_, 64)), Error::exhausted);
}

TEST_F(SetMasks, OfADeviceWithoutWindowsCutTheIdentity) {
  Device& plain = board_.device("plain", {.windows = {}, .mask = DmaAddr{kCachedRam.raw() - 1}});
  board_.default_pool("d", ram(0, 0x1000));
  EXPECT_EQ(error_of(alloc_coherent(plain, 64)), Error::unreachable);
  must(board_.system->set_masks(plain, {.coherent = test::kAnyAddress}));
  EXPECT_EQ(must(alloc_coherent(plain, 64)).dma.raw(), kCachedRam.raw());
}

TEST_F(SetMasks, CutStreamingMapsByAMaskOfTheirOwn) {
  must(board_.system->set_masks(eth_, {.coherent = kWhole, .streaming = kHalf}));
  EXPECT_EQ(streaming_address(eth_, ram(0x8000, 0x1000)).error(), Error::unreachable);
  EXPECT_TRUE(streaming_address(eth_, ram(0, 0x1000)).has_value());
  must(set(kWhole));
  EXPECT_TRUE(streaming_address(eth_, ram(0x8000, 0x1000)).has_value());
}

TEST_F(SetMasks, AreOneDevicesOwn) {
  must(set(kNothing));
  EXPECT_EQ(other_.coherent_mask, test::k32Bits);
  EXPECT_FALSE(other_.reaches.empty());
}

// ---- bindings
// ------------------------------------------------------------------------------------

TEST_F(SetMasks, AWiderMaskMendsABindingThatWasRefusedForWantOfReach) {
  Pool& own = board_.pool("own", ram(0x8000, 0x1000));
  ASSERT_EQ(error_of(board_.system->bind(eth_, own)), Error::unreachable);
  must(set(kWhole));
  EXPECT_EQ(must(alloc_coherent(eth_, 64)).pool, &own);
}

TEST_F(SetMasks, AWiderMaskDoesNotMendWhatWasRefusedForAnotherReason) {
  must(board_.system->bind_refused(eth_, "gone", Memory::coherent, Error::overlaps));
  must(set(kWhole));
  EXPECT_EQ(error_of(alloc_coherent(eth_, 64)), Error::overlaps);
}

TEST_F(SetMasks, ABindingStaysRefusedWhileThePoolIsOutOfReach) {
  ASSERT_FALSE(board_.system->bind(eth_, board_.pool("own", ram(0xf000, 0x2000))));
  must(set(kWhole));
  EXPECT_EQ(error_of(alloc_coherent(eth_, 64)), Error::unreachable);
}

TEST_F(SetMasks, ThatTakeAnOwnPoolAwayAreRefusedAndNothingChanges) {
  Pool& own = board_.pool("own", ram(0x4000, 0x1000));
  must(board_.system->bind(eth_, own));
  const auto refused = set(DmaAddr{0x4c80'4ffe});
  ASSERT_EQ(error_of(refused), Error::unreachable);
  EXPECT_EQ(refused.error().pool, "own");
  EXPECT_EQ(refused.error().other, "eth");
  EXPECT_EQ(eth_.coherent_mask, kHalf);
  EXPECT_EQ(must(alloc_coherent(eth_, 0x1000)).pool, &own);
}

TEST_F(SetMasks, ThatLeaveAnOwnPoolWholeAreTaken) {
  must(board_.system->bind(eth_, board_.pool("own", ram(0x4000, 0x1000))));
  EXPECT_TRUE(set(DmaAddr{0x4c80'4fff}));
}

TEST_F(SetMasks, APoolSeenThroughAWindowOfItsOwnIsJudgedByThatWindow) {
  Pool& own = board_.pool("own", ram(0x8000, 0x1000));
  const Window window{DmaAddr{0x5000'0000}, ram(0x8000, 1).base, 0x1000};
  ASSERT_EQ(error_of(board_.system->bind(eth_, own, {.window = window})), Error::unreachable);
  must(set(DmaAddr{0x5000'0fff}));
  EXPECT_EQ(must(alloc_coherent(eth_, 64)).dma, DmaAddr{0x5000'0000});
  const auto refused = set(DmaAddr{0x5000'0ffe});
  EXPECT_EQ(error_of(refused), Error::unreachable);
}

// ---- live blocks
// ---------------------------------------------------------------------------------

TEST_F(SetMasks, ThatTakeALiveBlockAwayAreRefusedAndNameThePool) {
  board_.default_pool("d", ram(0, 0x8000));
  must(alloc_coherent(eth_, 0x1000));
  const Block high = must(alloc_coherent(eth_, 0x1000));
  const DmaAddr under{high.dma.raw() + 0xffe};
  const auto refused = set(under);
  ASSERT_EQ(error_of(refused), Error::in_use);
  EXPECT_EQ(refused.error().pool, "d");
  EXPECT_EQ(refused.error().other, "eth");
  must(free_coherent(high));
  EXPECT_TRUE(set(under));
}

TEST_F(SetMasks, DoNotCareForBlocksOfOtherDevices) {
  board_.default_pool("d", ram(0, 0x8000));
  must(alloc_coherent(other_, 0x8000));
  EXPECT_TRUE(set(kNothing));
}

TEST_F(SetMasks, WhereTheTablesKeepNoHoldersAnyBlockMayBeTheDevices) {
  Pool& pool = board_.pool("d", ram(0, 0x1000), Memory::coherent, 0x100, TagStore::bitmap());
  must(board_.system->set_default(Role::default_pool, pool));
  must(alloc_coherent(other_, 0x100));
  EXPECT_EQ(error_of(set(kNothing)), Error::in_use);
}

TEST_F(SetMasks, ThatTakeALiveCopyFromTheStreamingMaskAloneAreRefused) {
  board_.default_pool("bounce", ram(0x8000, 0x1000), Role::bounce);
  must(board_.system->set_masks(eth_, {.coherent = kHalf, .streaming = kWhole}));
  const MappedBytes mapped =
      must(map(eth_, board_.cpu_bytes(ram(0x10000, 0x40)), Direction::to_device));
  ASSERT_TRUE(mapped.copy);
  EXPECT_EQ(error_of(board_.system->set_masks(eth_, {.coherent = kHalf, .streaming = kHalf})),
            Error::in_use);
  must(unmap(eth_, mapped));
  EXPECT_TRUE(board_.system->set_masks(eth_, {.coherent = kHalf, .streaming = kHalf}));
}

}  // namespace
}  // namespace carveout
