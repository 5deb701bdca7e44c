// map() and its fellows: what is lent, at which device address, and what is refused.
#include <gtest/gtest.h>

#include <array>

#include "carveout/ops/streaming.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::kCachedRam;
using test::must;
using test::ram;
using test::SimBoard;

constexpr std::uint64_t kLine = sim::CacheGeometry{}.line_bytes;

class Map : public testing::Test {
 protected:
  [[nodiscard]] Result<MappedBytes> map_of(const Device& device, PhysRange range,
                                           Direction direction = Direction::bidirectional,
                                           Attributes attributes = Attributes::none) const {
    return map(device, board_.cpu_bytes(range), direction, {.attributes = attributes});
  }

  SimBoard board_;
  Device& device_ = board_.device("eth");
};

TEST_F(Map, GivesTheDeviceItsAddressThroughTheWindow) {
  EXPECT_EQ(must(map_of(device_, ram(0x2000, 0x40))).dma,
            DmaAddr{sim::kOddWindow.dma.raw() + 0x2000});
}

TEST_F(Map, OfZeroBytesIsRefused) {
  EXPECT_EQ(error_of(map(
                device_,
                {.cpu = board_.machine.cached_view(ram(0, 1)), .phys = kCachedRam, .size_bytes = 0},
                Direction::to_device)),
            Error::zero_size);
}

TEST_F(Map, ThatPassesTheTopOfTheAddressSpaceIsRefused) {
  EXPECT_EQ(error_of(map(device_,
                         {.cpu = board_.machine.cached_view(ram(0, 1)),
                          .phys = PhysAddr{~std::uint64_t{0}},
                          .size_bytes = 2},
                         Direction::to_device)),
            Error::wraps);
}

TEST_F(Map, OutsideTheWindowsIsRefused) {
  Device& half = board_.device("half", {.windows = {{DmaAddr{0x100}, kCachedRam, 0x8000}}});
  EXPECT_EQ(error_of(map_of(half, ram(0x8000, 0x40))), Error::not_in_window);
}

TEST_F(Map, AcrossTwoWindowsIsRefusedEvenWhereTheyTouch) {
  Device& two = board_.device(
      "two", {.windows = {{DmaAddr{0x10'0000}, kCachedRam, 0x8000},
                          {DmaAddr{0x80'0000}, PhysAddr{kCachedRam.raw() + 0x8000}, 0x8000}}});
  EXPECT_EQ(error_of(map_of(two, ram(0x7fe0, 0x40))), Error::not_in_window);
  EXPECT_TRUE(map_of(two, ram(0x7fc0, 0x40)));
}

TEST_F(Map, IsHeldAgainstTheStreamingMaskAndNotTheCoherentOne) {
  const DmaAddr low{sim::kOddWindow.dma.raw() + 0x2fff};
  Device& narrow = board_.device("narrow", {.streaming = {.mask = low}});
  EXPECT_TRUE(map_of(narrow, ram(0x2fc0, 0x40)));
  EXPECT_EQ(error_of(map_of(narrow, ram(0x2fe0, 0x40))), Error::unreachable);
  Device& wide = board_.device("wide", {.mask = low, .streaming = {.mask = test::k32Bits}});
  EXPECT_TRUE(map_of(wide, ram(0x2fe0, 0x40)));
}

TEST_F(Map, WithoutAStreamingMaskIsHeldAgainstTheCoherentOne) {
  Device& narrow = board_.device("narrow", {.mask = DmaAddr{sim::kOddWindow.dma.raw() + 0x2fff}});
  EXPECT_EQ(error_of(map_of(narrow, ram(0x3000, 0x40))), Error::unreachable);
}

TEST_F(Map, OfADeviceBehindAnIommuIsRefused) {
  Device& gpu = board_.device("gpu", {.behind_iommu = true});
  EXPECT_EQ(error_of(map_of(gpu, ram(0, 0x40))), Error::needs_iommu);
}

TEST_F(Map, OfPartOfACacheLineThatTheDeviceMayWriteIsRefused) {
  for (const Direction direction : {Direction::from_device, Direction::bidirectional}) {
    EXPECT_EQ(error_of(map_of(device_, ram(0x2010, 0x40), direction)), Error::partial_line);
    EXPECT_EQ(error_of(map_of(device_, ram(0x2000, 0x41), direction)), Error::partial_line);
    EXPECT_EQ(error_of(map_of(device_, ram(0x2001, kLine - 1), direction)), Error::partial_line);
    EXPECT_TRUE(map_of(device_, ram(0x2000, kLine), direction));
  }
}

TEST_F(Map, OfPartOfACacheLineThatTheDeviceOnlyReadsIsServed) {
  EXPECT_TRUE(map_of(device_, ram(0x2013, 0x41), Direction::to_device));
}

TEST_F(Map, OfPartOfACacheLineIsServedWhereTheDeviceSeesTheCaches) {
  Device& coherent = board_.device("coherent", {.coherent = true});
  EXPECT_TRUE(map_of(coherent, ram(0x2013, 0x41), Direction::from_device));
}

TEST_F(Map, OfPartOfALastLineIsServedWhereTheRestIsPadding) {
  CpuBytes bytes = board_.cpu_bytes(ram(0x2000, kLine + 1));
  bytes.padding_bytes = kLine - 2;
  EXPECT_EQ(error_of(map(device_, bytes, Direction::from_device)), Error::partial_line);
  bytes.padding_bytes = kLine - 1;
  EXPECT_TRUE(map(device_, bytes, Direction::from_device));
}

TEST_F(Map, SkippingTheCacheWorkDoesNotMakeAPartialLineSafe) {
  EXPECT_EQ(error_of(map_of(device_, ram(0x2010, 0x40), Direction::from_device,
                            Attributes::skip_cpu_sync)),
            Error::partial_line);
}

TEST_F(Map, LongerThanTheDevicesSegmentIsRefusedWithTheLimit) {
  Device& short_segments = board_.device("s", {.streaming = {.max_segment_bytes = 0x100}});
  EXPECT_TRUE(map_of(short_segments, ram(0, 0x100)));
  const auto refused = map_of(short_segments, ram(0, 0x120));
  ASSERT_EQ(error_of(refused), Error::too_long);
  EXPECT_EQ(refused.error().stated, 0x100U);
  EXPECT_EQ(refused.error().asked_bytes, 0x120U);
}

TEST_F(Map, AcrossTheBoundaryOfSegmentsIsRefusedWithTheBoundary) {
  Device& bounded = board_.device("b", {.streaming = {.segment_boundary_bytes = 0x1000}});
  EXPECT_TRUE(map_of(bounded, ram(0x1000, 0x1000)));
  const auto refused = map_of(bounded, ram(0x1fe0, 0x40));
  ASSERT_EQ(error_of(refused), Error::crosses_boundary);
  EXPECT_EQ(refused.error().stated, 0x1000U);
}

TEST_F(Map, BeginsAndEndsAtTheBoundaryOfTheDeviceAddressAndNotOfMemory) {
  Device& askew = board_.device("b", {.windows = {{DmaAddr{0x10'0800}, kCachedRam, 0x8000}},
                                      .streaming = {.segment_boundary_bytes = 0x1000}});
  EXPECT_TRUE(map_of(askew, ram(0x800, 0x1000)));
  EXPECT_EQ(error_of(map_of(askew, ram(0x1000, 0x1000))), Error::crosses_boundary);
}

TEST_F(Map, OfAnAliasUncachedSideIsTheWrongView) {
  const PhysRange uncached{test::kUncachedRam, 0x40};
  EXPECT_EQ(
      error_of(
          map(device_,
              {.cpu = board_.machine.cpu_view(uncached), .phys = uncached.base, .size_bytes = 0x40},
              Direction::to_device)),
      Error::wrong_view);
}

TEST_F(Map, OfCoherentMemoryIsTheWrongViewByEitherOfItsAddresses) {
  board_.default_pool("d", ram(0x4000, 0x1000));
  const Block block = must(alloc_coherent(device_, 0x40));
  EXPECT_EQ(error_of(map(device_, {block.cpu, block.phys, 0x40}, Direction::to_device)),
            Error::wrong_view);
  const PhysRange low = ram(0x3fe0, 0x40);  // its second half is the pool's
  EXPECT_EQ(error_of(map_of(device_, low, Direction::to_device)), Error::wrong_view);
}

TEST_F(Map, OfMemoryThatACoherentPoolLeftIsServed) {
  Pool& pool = board_.pool("d", ram(0x4000, 0x1000));
  ASSERT_EQ(error_of(map_of(device_, ram(0x4000, 0x40))), Error::wrong_view);
  must(board_.system->release(pool));
  EXPECT_TRUE(map_of(device_, ram(0x4000, 0x40)));
}

TEST_F(Map, OfNoPointerIsTheWrongView) {
  EXPECT_EQ(error_of(map(device_, {nullptr, kCachedRam, 0x40}, Direction::to_device)),
            Error::wrong_view);
}

TEST_F(Map, ThatMustBeCoherentIsRefusedWhereTheCachesWouldNeedWork) {
  EXPECT_EQ(
      error_of(map_of(device_, ram(0, 0x40), Direction::to_device, Attributes::require_coherent)),
      Error::needs_copy);
  Device& coherent = board_.device("coherent", {.coherent = true});
  EXPECT_TRUE(map_of(coherent, ram(0, 0x40), Direction::to_device, Attributes::require_coherent));
}

TEST_F(Map, ThatMustBeCoherentAndMustNotIsRefused) {
  EXPECT_EQ(error_of(map_of(device_, ram(0, 0x40), Direction::to_device,
                            Attributes::require_coherent | Attributes::non_coherent)),
            Error::bad_attributes);
}

TEST_F(Map, OnABoardThatIsOnlyDescribedIsRefused) {
  SimBoard described{{}, [](Platform& platform) { platform.described_only = true; }};
  Device& device = described.device("eth");
  EXPECT_EQ(error_of(map(device, described.cpu_bytes(ram(0, 0x40)), Direction::to_device)),
            Error::unknown_memory);
  EXPECT_EQ(error_of(bytes_at(device, described.machine.cached_view(ram(0, 1)), 1)),
            Error::unknown_memory);
}

TEST_F(Map, TouchesNoCacheWhereItRefuses) {
  board_.port.record();
  ASSERT_FALSE(map_of(device_, ram(0x2010, 0x40), Direction::from_device));
  EXPECT_TRUE(board_.port.recorded().empty());
}

TEST_F(Map, OfABlocksBytesKnowsHowTheyAreUsed) {
  board_.default_pool("ram", ram(0x4000, 0x1000), Role::ordinary);
  const Block cached = must(alloc_coherent(device_, 100, {.attributes = Attributes::non_coherent}));
  EXPECT_EQ(bytes_of(cached, 100).view, View::cached);
  EXPECT_EQ(bytes_of(cached, 100).padding_bytes, 28U);
  EXPECT_TRUE(map(device_, bytes_of(cached, 100), Direction::from_device));
  board_.default_pool("d", ram(0x6000, 0x1000));
  const Block uncached = must(alloc_coherent(device_, 100));
  EXPECT_EQ(bytes_of(uncached, 100).view, View::uncached);
  EXPECT_TRUE(map(device_, bytes_of(uncached, 100), Direction::from_device));
}

TEST_F(Map, OfMemoryWithoutACpuMappingNeedsNoCacheWork) {
  board_.default_pool("ram", ram(0x4000, 0x1000), Role::ordinary);
  const Block opaque =
      must(alloc_coherent(device_, 100, {.attributes = Attributes::no_cpu_mapping}));
  board_.port.record();
  EXPECT_TRUE(map(device_, bytes_of(opaque, 100), Direction::from_device));
  for (const sim::PortCall& call : board_.port.recorded()) EXPECT_EQ(call.at, nullptr);
}

TEST_F(Map, OfOneAddressThatAnMpuMadeUncachedIsTheWrongView) {
  constexpr PhysAddr kBase{0x5'0030'0000};
  SimBoard board{{.ram = {{.size_bytes = 0x1'0000, .cached = kBase, .uncached = kBase}}}};
  Device& device = board.device("eth", {.windows = {{DmaAddr{0x70'0000}, kBase, 0x1'0000}}});
  EXPECT_EQ(error_of(map(device, board.cpu_bytes({kBase, 0x40}), Direction::to_device)),
            Error::wrong_view);
}

// ---- syncs

TEST_F(Map, ASyncOutsideOfItIsRefusedAndDoesNothing) {
  const MappedBytes mapped = must(map_of(device_, ram(0x2000, 0x40)));
  board_.port.record();
  for (const Part part :
       {Part{0x40, 1}, Part{0x20, 0x21}, Part{0, 0x41}, Part{~0ULL, 2}, Part{2, ~0ULL}}) {
    EXPECT_EQ(error_of(sync_for_cpu(device_, mapped, part)), Error::outside_mapping);
    EXPECT_EQ(error_of(sync_for_device(device_, mapped, part)), Error::outside_mapping);
  }
  EXPECT_TRUE(board_.port.recorded().empty());
}

TEST_F(Map, ASyncOfNothingIsRefused) {
  const MappedBytes mapped = must(map_of(device_, ram(0x2000, 0x40)));
  EXPECT_EQ(error_of(sync_for_cpu(device_, mapped, {0x10, 0})), Error::zero_size);
  EXPECT_EQ(error_of(sync_for_device(device_, mapped, {0x10, 0})), Error::zero_size);
}

TEST_F(Map, ASyncOfItsLastByteIsServed) {
  const MappedBytes mapped = must(map_of(device_, ram(0x2000, 0x40)));
  EXPECT_TRUE(sync_for_cpu(device_, mapped, {0x3f, 1}));
}

// ---- lists

TEST_F(Map, AListIsMappedEntryByEntryAndNothingIsMerged) {
  const std::array list{board_.cpu_bytes(ram(0x2000, 0x40)), board_.cpu_bytes(ram(0x2040, 0x40))};
  std::array<std::optional<MappedBytes>, 2> mapped;
  must(map_each(device_, list, Direction::from_device, mapped));
  EXPECT_EQ(mapped[0]->dma, DmaAddr{sim::kOddWindow.dma.raw() + 0x2000});
  EXPECT_EQ(mapped[1]->dma, DmaAddr{sim::kOddWindow.dma.raw() + 0x2040});
  EXPECT_EQ(mapped[1]->bytes.size_bytes, 0x40U);
  must(unmap_each(device_, mapped));
  EXPECT_FALSE(mapped[0] || mapped[1]);
}

TEST_F(Map, AListWithAnEntryThatIsRefusedIsRefusedWholeAndGivesItsCopiesBack) {
  Pool& pool = board_.default_pool("bounce", ram(0x8000, 0x1000), Role::bounce);
  const std::array list{board_.cpu_bytes(ram(0x2010, 0x40)), board_.cpu_bytes(ram(0x2040, 0x40)),
                        board_.cpu_bytes({PhysAddr{0x9'0000'0000}, 0})};
  std::array<std::optional<MappedBytes>, 3> mapped;
  EXPECT_EQ(error_of(map_each(device_, list, Direction::from_device, mapped)), Error::zero_size);
  EXPECT_FALSE(mapped[0] || mapped[1] || mapped[2]);
  EXPECT_EQ(pool.usage().blocks, 0U);
}

// ---- what is no memory

TEST_F(Map, AResourceHasItsAddressThroughTheWindowAndNeedsNoCacheWork) {
  const Window fifo{DmaAddr{0x7e00'0000}, PhysAddr{0x3f00'0000}, 0x1000};
  Device& dma = board_.device("dma", {.windows = {fifo}});
  board_.port.record();
  EXPECT_EQ(map_resource(dma, {PhysAddr{0x3f00'0010}, 4}), DmaAddr{0x7e00'0010});
  EXPECT_TRUE(board_.port.recorded().empty());
}

TEST_F(Map, AResourceOutOfReachIsRefused) {
  const Window fifo{DmaAddr{0x7e00'0000}, PhysAddr{0x3f00'0000}, 0x1000};
  Device& dma =
      board_.device("dma", {.windows = {fifo}, .streaming = {.mask = DmaAddr{0x7e00'00ff}}});
  EXPECT_EQ(error_of(map_resource(dma, {PhysAddr{0x3f00'0ffd}, 4})), Error::not_in_window);
  EXPECT_EQ(error_of(map_resource(dma, {PhysAddr{0x3f00'00fd}, 4})), Error::unreachable);
  EXPECT_EQ(error_of(map_resource(dma, {PhysAddr{0x3f00'0000}, 0})), Error::empty_range);
  EXPECT_EQ(error_of(map_resource(dma, {PhysAddr{~0ULL}, 4})), Error::wraps);
}

TEST_F(Map, AResourceOfADeviceBehindAnIommuIsRefused) {
  Device& gpu = board_.device("gpu", {.behind_iommu = true});
  EXPECT_EQ(error_of(map_resource(gpu, ram(0, 4))), Error::needs_iommu);
}

TEST_F(Map, AResourceThatIsAPoolsMemoryIsRefusedByEitherOfItsAddresses) {
  board_.pool("d", ram(0x4000, 0x1000), Memory::ordinary);
  const auto refused = map_resource(device_, ram(0x4fff, 1));
  ASSERT_EQ(error_of(refused), Error::overlaps);
  EXPECT_EQ(refused.error().other, "d");
  EXPECT_EQ(error_of(map_resource(device_, {PhysAddr{test::kUncachedRam.raw() + 0x4000}, 4})),
            Error::overlaps);
}

// ---- pointers alone

TEST_F(Map, BytesAtAPointerLieWhereThePortSays) {
  std::byte* const at = board_.machine.cached_view(ram(0x2040, 0x40));
  const CpuBytes bytes = must(bytes_at(device_, at, 0x40));
  EXPECT_EQ(bytes.cpu, at);
  EXPECT_EQ(bytes.phys, ram(0x2040, 1).base);
  EXPECT_EQ(bytes.size_bytes, 0x40U);
}

TEST_F(Map, BytesThatThePortDoesNotKnowAreRefused) {
  std::byte on_the_stack{};
  EXPECT_EQ(error_of(bytes_at(device_, &on_the_stack, 1)), Error::unknown_memory);
  EXPECT_EQ(error_of(bytes_at(device_, &on_the_stack, 0)), Error::zero_size);
}

// ---- limits

TEST_F(Map, OfAnyLengthIsMadeWhereNothingLimitsIt) {
  EXPECT_EQ(largest_mapping_bytes(device_), ~std::uint64_t{0});
}

TEST_F(Map, TheLargestIsTheDevicesSegmentAndBoundary) {
  EXPECT_EQ(largest_mapping_bytes(board_.device("s", {.streaming = {.max_segment_bytes = 600}})),
            600U);
  EXPECT_EQ(
      largest_mapping_bytes(board_.device("b", {.streaming = {.segment_boundary_bytes = 0x1000}})),
      0x1000U);
}

TEST_F(Map, LimitsThatAreNoLimitsAreRefusedWhenTheDeviceIsAdded) {
  const auto add = [&](const StreamingLimits& limits) {
    return error_of(board_.system->add_device(
        {.name = "bad", .coherent_mask = test::k32Bits, .streaming = limits}));
  };
  EXPECT_EQ(add({.segment_boundary_bytes = 0x1800}), Error::bad_boundary);
  EXPECT_EQ(add({.keep_low_bits = 0x800}), Error::bad_alignment);
  EXPECT_EQ(board_.system->find_device("bad"), nullptr);
  EXPECT_EQ(add({.segment_boundary_bytes = 0x1000, .keep_low_bits = 0xfff}), std::nullopt);
}

}  // namespace
}  // namespace carveout
