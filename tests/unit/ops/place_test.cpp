// Where a block may lie: device addresses, alignment, boundaries, reach.
#include <gtest/gtest.h>

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

constexpr std::uint64_t kPoolBytes = 0x8000;

/// The window moves addresses by an odd number of granules: what is aligned on one side is not
/// aligned on the other.
class Place : public testing::Test {
 protected:
  static constexpr Window kWindow{DmaAddr{0x4c80'0060}, kCachedRam, test::kRamBytes};

  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0, kPoolBytes));
  Device& device_ = board_.device("eth", {.windows = {kWindow}});
};

TEST_F(Place, TheDeviceAddressComesOutOfTheWindow) {
  const Block block = must(alloc_coherent(device_, 64));
  EXPECT_EQ(block.dma, kWindow.to_dma(block.phys));
}

TEST_F(Place, AlignmentHoldsForTheDeviceAddress) {
  for (const std::uint64_t align : {64U, 256U, 4096U}) {
    const Block block = must(alloc_coherent(device_, 32, {.align_bytes = align}));
    EXPECT_EQ(block.dma.raw() % align, 0U) << align;
  }
}

TEST_F(Place, AlignmentIsNotThatOfThePhysicalAddress) {
  const Block block = must(alloc_coherent(device_, 32, {.align_bytes = 4096}));
  EXPECT_EQ(block.phys.raw() % 4096, 4096U - 0x60);
}

TEST_F(Place, TheCpuPointerIsAlignedToTheGranule) {
  const Block block = must(alloc_coherent(device_, 32, {.align_bytes = 4096}));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.cpu) % pool_.granule_bytes(), 0U);
}

TEST_F(Place, NoBlockCrossesItsBoundaryAtTheDevice) {
  constexpr std::uint64_t kBoundary = 0x200;
  for (int i = 0; i < 20; ++i) {
    const Block block = must(alloc_coherent(device_, 0xc0, {.boundary_bytes = kBoundary}));
    EXPECT_EQ(block.dma.raw() / kBoundary, (block.dma.raw() + 0xc0 - 1) / kBoundary) << i;
  }
}

TEST_F(Place, ARequestAsLongAsItsBoundaryIsServed) {
  const Block block = must(alloc_coherent(device_, 0x200, {.boundary_bytes = 0x200}));
  EXPECT_EQ(block.dma.raw() % 0x200, 0U);
}

TEST_F(Place, ARequestLongerThanItsBoundaryIsRefused) {
  EXPECT_EQ(error_of(alloc_coherent(device_, 0x201, {.boundary_bytes = 0x200})),
            Error::crosses_boundary);
}

TEST_F(Place, ABoundaryIsAPowerOfTwo) {
  EXPECT_EQ(error_of(alloc_coherent(device_, 8, {.boundary_bytes = 0x300})), Error::bad_boundary);
}

TEST_F(Place, AnAlignmentIsAPowerOfTwo) {
  EXPECT_EQ(error_of(alloc_coherent(device_, 8, {.align_bytes = 48})), Error::bad_alignment);
}

TEST_F(Place, AnAlignmentOfZeroIsNone) {
  EXPECT_EQ(error_of(alloc_coherent(device_, 8, {.align_bytes = 0})), Error::bad_alignment);
}

TEST_F(Place, ZeroBytesAreRefused) {
  EXPECT_EQ(error_of(alloc_coherent(device_, 0)), Error::zero_size);
}

TEST_F(Place, AMalformedRequestIsToldSoEvenWhereThereIsNoPool) {
  SimBoard bare;
  EXPECT_EQ(error_of(alloc_coherent(bare.device("eth"), 0)), Error::zero_size);
}

TEST_F(Place, AHostileSizeIsExhaustedOrAnOverflow) {
  EXPECT_EQ(error_of(alloc_coherent(device_, ~std::uint64_t{0} << 12)), Error::exhausted);
  EXPECT_EQ(error_of(alloc_coherent(device_, ~std::uint64_t{0})), Error::size_overflow);
}

TEST_F(Place, ARequestTakesWholeGranules) {
  EXPECT_EQ(must(alloc_coherent(device_, 33)).size_bytes, 64U);
}

TEST_F(Place, DeviceAddress0IsAddressLikeAnyOther) {
  Device& device = board_.device("usb", {.windows = {{DmaAddr{0}, kCachedRam, 0x1000}}});
  EXPECT_EQ(must(alloc_coherent(device, 0x1000)).dma, DmaAddr{0});
}

TEST_F(Place, ADefaultPoolServesFromThePartThatTheMaskReaches) {
  Device& narrow = board_.device(
      "isa", {.windows = {{DmaAddr{0}, kCachedRam, test::kRamBytes}}, .mask = DmaAddr{0xfff}});
  for (int i = 0; i < 2; ++i) {
    const Block block = must(alloc_coherent(narrow, 0x800));
    EXPECT_LE(block.dma.raw() + block.size_bytes, 0x1000U);
  }
  EXPECT_EQ(error_of(alloc_coherent(narrow, 32)), Error::exhausted);
}

TEST_F(Place, ADefaultPoolServesFromThePartThatAWindowShows) {
  Device& narrow = board_.device(
      "isa", {.windows = {{DmaAddr{0x9000}, PhysAddr{kCachedRam.raw() + 0x3000}, 0x1000}}});
  EXPECT_EQ(must(alloc_coherent(narrow, 0x1000)).phys, PhysAddr{kCachedRam.raw() + 0x3000});
}

TEST_F(Place, NoBlockSpansTwoWindowsThatTouchInMemory) {
  Device& split = board_.device(
      "split", {.windows = {{DmaAddr{0x1000}, kCachedRam, 0x1000},
                            {DmaAddr{0x3000}, PhysAddr{kCachedRam.raw() + 0x1000}, 0x1000}}});
  EXPECT_EQ(error_of(alloc_coherent(split, 0x1020)), Error::exhausted);
  EXPECT_TRUE(alloc_coherent(split, 0x1000));
}

TEST_F(Place, SeveralDevicesHaveAddressesOfTheirOwnForOnePool) {
  Device& other =
      board_.device("usb", {.windows = {{DmaAddr{0x8'0000'0000}, kCachedRam, test::kRamBytes}},
                            .mask = test::kAnyAddress});
  const Block first = must(alloc_coherent(device_, kPoolBytes));
  must(free_coherent(first));
  const Block second = must(alloc_coherent(other, kPoolBytes));
  ASSERT_EQ(second.phys, first.phys);
  EXPECT_EQ(first.dma, DmaAddr{0x4c80'0060});
  EXPECT_EQ(second.dma, DmaAddr{0x8'0000'0000});
}

TEST_F(Place, SeveralDevicesNeverGetTheSameBytes) {
  Device& other = board_.device("usb");
  const Block first = must(alloc_coherent(device_, 0x1000));
  const Block second = must(alloc_coherent(other, 0x1000));
  EXPECT_FALSE((PhysRange{first.phys, 0x1000}.overlaps({second.phys, 0x1000})));
}

TEST_F(Place, ADeclaredDeviceAddressIsUsedInsteadOfTheDevicesWindows) {
  Pool& own = board_.pool("own", ram(0x1'0000, 0x1000));
  must(board_.system->bind(
      device_, own,
      {.window = Window{DmaAddr{0x20}, PhysAddr{kCachedRam.raw() + 0x1'0000}, 0x1000}}));
  EXPECT_EQ(must(alloc_coherent(device_, 0x1000)).dma, DmaAddr{0x20});
}

}  // namespace
}  // namespace carveout
