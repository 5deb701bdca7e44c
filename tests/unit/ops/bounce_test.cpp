// Copies for devices that cannot use bytes as they lie: bounce pools and restricted devices.
#include <gtest/gtest.h>

#include <array>

#include "carveout/ops/streaming.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::error_of;
using test::kCachedRam;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

constexpr PhysRange kBounce = ram(0x8000, 0x1000);
constexpr std::array kDirections{Direction::to_device, Direction::from_device,
                                 Direction::bidirectional};

/// A device that reaches the bounce pool, and of other memory nothing.
class Bounce : public testing::Test {
 protected:
  static constexpr PhysRange kRange = ram(0x2000, 0x80);

  [[nodiscard]] MappedBytes map_far(Direction direction) {
    return must(map(device_, bytes_, direction));
  }
  [[nodiscard]] Bytes device_reads(DmaAddr from, std::size_t size_bytes) {
    Bytes seen(size_bytes);
    EXPECT_TRUE(board_.engine(device_).read(from, seen));
    return seen;
  }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("bounce", kBounce, Role::bounce);
  Device& device_ = board_.device("eth", {.windows = {{DmaAddr{0x40'0000}, kBounce.base, 0x1000}}});
  const CpuBytes bytes_ = board_.cpu_bytes(kRange);
};

TEST_F(Bounce, GivesTheDeviceAnAddressInThePool) {
  const MappedBytes mapped = map_far(Direction::to_device);
  ASSERT_TRUE(mapped.copy);
  EXPECT_EQ(mapped.copy->pool, &pool_);
  EXPECT_EQ(mapped.dma, DmaAddr{0x40'0000 + (mapped.copy->phys.raw() - kBounce.base.raw())});
}

TEST_F(Bounce, TheDeviceReadsWhatTheCpuWrote) {
  for (const Direction direction : kDirections) {
    const Bytes sent = pattern(0x80, 3 + static_cast<unsigned>(direction));
    board_.store(bytes_.cpu, sent);
    const MappedBytes mapped = map_far(direction);
    EXPECT_EQ(device_reads(mapped.dma, 0x80), sent) << name_of(direction);
    must(unmap(device_, mapped));
  }
}

TEST_F(Bounce, TheCpuReadsWhatTheDeviceWrote) {
  for (const Direction direction : {Direction::from_device, Direction::bidirectional}) {
    const Bytes sent = pattern(0x80, 30 + static_cast<unsigned>(direction));
    const MappedBytes mapped = map_far(direction);
    static_cast<void>(board_.load(mapped.copy->cpu, 0x80));  // as speculation may
    ASSERT_TRUE(board_.engine(device_).write(mapped.dma, sent));
    must(unmap(device_, mapped));
    EXPECT_EQ(board_.load(bytes_.cpu, 0x80), sent) << name_of(direction);
  }
}

TEST_F(Bounce, WhatADeviceThatMayNotWriteWritesDoesNotComeBack) {
  board_.store(bytes_.cpu, pattern(0x80, 3));
  const MappedBytes mapped = map_far(Direction::to_device);
  ASSERT_TRUE(board_.engine(device_).write(mapped.dma, pattern(0x80, 4)));
  must(unmap(device_, mapped));
  EXPECT_EQ(board_.load(bytes_.cpu, 0x80), pattern(0x80, 3));
}

TEST_F(Bounce, SyncsMoveAPartEachWay) {
  const MappedBytes mapped = map_far(Direction::bidirectional);
  board_.store(bytes_.cpu, pattern(0x80, 3));
  must(sync_for_device(device_, mapped, {.offset_bytes = 0x20, .size_bytes = 0x20}));
  Bytes expected(0x80);
  std::ranges::copy_n(pattern(0x80, 3).begin() + 0x20, 0x20, expected.begin() + 0x20);
  EXPECT_EQ(device_reads(mapped.dma, 0x80), expected);

  ASSERT_TRUE(board_.engine(device_).write(mapped.dma, pattern(0x80, 4)));
  must(sync_for_cpu(device_, mapped, {.offset_bytes = 0x40, .size_bytes = 0x40}));
  expected = pattern(0x80, 3);
  std::ranges::copy_n(pattern(0x80, 4).begin() + 0x40, 0x40, expected.begin() + 0x40);
  EXPECT_EQ(board_.load(bytes_.cpu, 0x80), expected);
}

TEST_F(Bounce, APartIsWidenedToTheLinesOfItsCopyAndNotToThoseOfTheBytes) {
  // The bytes begin in the middle of a line, and their copy 2 bytes into one.
  const CpuBytes odd = board_.cpu_bytes(ram(0x2012, 0x80));
  const MappedBytes mapped = must(map(device_, odd, Direction::bidirectional));
  ASSERT_EQ(mapped.dma.raw() % 32, 2U);
  const Part wide = whole_lines(device_, mapped, {.offset_bytes = 0x20, .size_bytes = 1});
  EXPECT_EQ(wide.offset_bytes, 0x1eU);
  EXPECT_EQ(wide.size_bytes, 0x20U);
  const Part first = whole_lines(device_, mapped, {.offset_bytes = 1, .size_bytes = 1});
  EXPECT_EQ(first.offset_bytes, 0U) << "not beyond the mapping";
  EXPECT_EQ(first.size_bytes, 0x1eU);
  const Part last = whole_lines(device_, mapped, {.offset_bytes = 0x7f, .size_bytes = 1});
  EXPECT_EQ(last.offset_bytes, 0x7eU);
  EXPECT_EQ(last.size_bytes, 2U);
  const Part outside = whole_lines(device_, mapped, {.offset_bytes = 0x80, .size_bytes = 1});
  EXPECT_EQ(outside.offset_bytes, 0x80U);
  EXPECT_EQ(outside.size_bytes, 1U);
}

TEST_F(Bounce, APartOfWhatNoCacheIsBetweenIsNotWidened) {
  Device& coherent = board_.device("c", {.coherent = true});
  const MappedBytes mapped = must(map(coherent, bytes_, Direction::bidirectional));
  const Part part = whole_lines(coherent, mapped, {.offset_bytes = 0x21, .size_bytes = 1});
  EXPECT_EQ(part.offset_bytes, 0x21U);
  EXPECT_EQ(part.size_bytes, 1U);
}

TEST_F(Bounce, WithATableThatOnlyInvalidatesBeforeAReadNothingOfAnotherOwnerIsLeftToTheCpu) {
  for (const SyncTable& table : {sync_tables::arm, sync_tables::xtensa, sync_tables::hexagon,
                                 sync_tables::openrisc, sync_tables::mips_not_speculating}) {
    board_.port.use(table);
    board_.put_in_ram(kBounce.base, pattern(0x1000, 9));
    board_.store(bytes_.cpu, pattern(0x80, 3));
    const MappedBytes mapped = map_far(Direction::from_device);
    must(unmap(device_, mapped));  // the device wrote less than it promised
    EXPECT_EQ(board_.load(bytes_.cpu, 0x80), pattern(0x80, 3));
  }
}

TEST_F(Bounce, WorksWithATableThatDoesNothingForBidirectional) {
  board_.port.use(sync_tables::openrisc);
  board_.under_checker.use(sim::Speculation::never);  // or the table would be wrong
  board_.store(bytes_.cpu, pattern(0x80, 3));
  const MappedBytes mapped = map_far(Direction::bidirectional);
  EXPECT_EQ(device_reads(mapped.dma, 0x80), pattern(0x80, 3));
  ASSERT_TRUE(board_.engine(device_).write(mapped.dma, pattern(0x80, 4)));
  must(unmap(device_, mapped));
  EXPECT_EQ(board_.load(bytes_.cpu, 0x80), pattern(0x80, 4));
}

TEST_F(Bounce, SkippingTheWorkStillMovesTheBytes) {
  constexpr Attributes kSkip = Attributes::skip_cpu_sync;
  board_.store(bytes_.cpu, pattern(0x80, 3));
  const MappedBytes mapped =
      must(map(device_, bytes_, Direction::bidirectional, {.attributes = kSkip}));
  EXPECT_EQ(device_reads(mapped.dma, 0x80), pattern(0x80, 3));
  ASSERT_TRUE(board_.engine(device_).write(mapped.dma, pattern(0x80, 4)));
  must(unmap(device_, mapped, kSkip));
  EXPECT_EQ(board_.load(bytes_.cpu, 0x80), pattern(0x80, 4));
}

TEST_F(Bounce, GivesTheCopyBackAtUnmap) {
  const MappedBytes mapped = map_far(Direction::to_device);
  EXPECT_EQ(pool_.usage().blocks, 1U);
  must(unmap(device_, mapped));
  EXPECT_EQ(pool_.usage().blocks, 0U);
}

TEST_F(Bounce, ASecondUnmapIsRefused) {
  const MappedBytes mapped = map_far(Direction::to_device);
  must(unmap(device_, mapped));
  EXPECT_EQ(error_of(unmap(device_, mapped)), Error::double_free);
}

TEST_F(Bounce, WhatTheDeviceReachesIsNotCopied) {
  Device& near = board_.device("near");
  EXPECT_FALSE(must(map(near, bytes_, Direction::bidirectional)).copy);
}

TEST_F(Bounce, OverTheStreamingMaskIsCopied) {
  const DmaAddr mask{sim::kOddWindow.dma.raw() + 0x9000};
  Device& narrow = board_.device("narrow", {.streaming = {.mask = mask}});
  EXPECT_TRUE(must(map(narrow, board_.cpu_bytes(ram(0xa000, 0x40)), Direction::to_device)).copy);
}

TEST_F(Bounce, AcrossABoundaryOfSegmentsIsCopiedToWhereItFits) {
  Device& bounded = board_.device("b", {.streaming = {.segment_boundary_bytes = 0x100}});
  const auto block = must(pool_.take(Need{.size_bytes = 0xc0}, bounded.reaches, View::cached));
  const MappedBytes mapped =
      must(map(bounded, board_.cpu_bytes(ram(0x20c0, 0x80)), Direction::to_device));
  EXPECT_EQ(mapped.dma.raw() / 0x100, (mapped.dma.raw() + 0x7f) / 0x100);
  must(unmap(bounded, mapped));
  must(pool_.give_back(block));
}

TEST_F(Bounce, LongerThanABoundaryIsRefusedWithIt) {
  Device& bounded = board_.device("b", {.streaming = {.segment_boundary_bytes = 0x100}});
  const auto refused = map(bounded, board_.cpu_bytes(ram(0x2000, 0x120)), Direction::to_device);
  ASSERT_EQ(error_of(refused), Error::crosses_boundary);
  EXPECT_EQ(refused.error().stated, 0x100U);
}

TEST_F(Bounce, KeepsTheLowBitsOfTheAddressThatTheDeviceNeeds) {
  Device& nvme = board_.device("nvme", {.windows = {{DmaAddr{0x40'0000}, kBounce.base, 0x1000}},
                                        .streaming = {.keep_low_bits = 0x1ff}});
  const MappedBytes mapped =
      must(map(nvme, board_.cpu_bytes(ram(0x2123, 0x80)), Direction::to_device));
  EXPECT_EQ(mapped.dma.raw() & 0x1ff, 0x123U);
}

TEST_F(Bounce, KeepsThePlaceWithinAMachineWordSoThatWordsAreCopiedAsWords) {
  const MappedBytes mapped =
      must(map(device_, board_.cpu_bytes(ram(0x2122, 0x80)), Direction::to_device));
  EXPECT_EQ(mapped.dma.raw() % sizeof(std::uintptr_t), 2U);
}

TEST_F(Bounce, FullIsRefusedAndSaysHowFull) {
  for (int i = 0; i < 7; ++i)
    must(map(device_, board_.cpu_bytes(ram(0x2000, 0x200)), Direction::to_device));
  const auto refused = map(device_, board_.cpu_bytes(ram(0x2000, 0x400)), Direction::to_device);
  ASSERT_EQ(error_of(refused), Error::exhausted);
  EXPECT_EQ(refused.error().pool, "bounce");
  EXPECT_EQ(refused.error().asked_bytes, 0x400U);
  EXPECT_EQ(refused.error().free_bytes, 0x200U);
  EXPECT_EQ(refused.error().largest_run_bytes, 0x200U);
}

TEST_F(Bounce, NobodyIsCopiedForWhomOnlyCoherentMemoryWillDo) {
  Device& coherent = board_.device(
      "c", {.windows = {{DmaAddr{0x40'0000}, kBounce.base, 0x1000}}, .coherent = true});
  EXPECT_EQ(error_of(map(coherent, bytes_, Direction::to_device,
                         {.attributes = Attributes::require_coherent})),
            Error::needs_copy);
}

TEST_F(Bounce, ForACoherentDeviceNeedsNoCacheWork) {
  Device& coherent = board_.device(
      "c", {.windows = {{DmaAddr{0x40'0000}, kBounce.base, 0x1000}}, .coherent = true});
  board_.port.record();
  must(unmap(coherent, must(map(coherent, bytes_, Direction::bidirectional))));
  for (const sim::PortCall& call : board_.port.recorded()) {
    EXPECT_TRUE(call.at == nullptr || call.op == sim::PortOp::copy);
  }
}

TEST_F(Bounce, APoolThatTheDeviceDoesNotReachDoesNotHelp) {
  Device& elsewhere =
      board_.device("e", {.windows = {{DmaAddr{0x40'0000}, ram(0xc000, 1).base, 0x1000}}});
  EXPECT_EQ(error_of(map(elsewhere, bytes_, Direction::to_device)), Error::unreachable);
}

TEST_F(Bounce, OpaqueMemoryCannotBeCopied) {
  board_.default_pool("ram", ram(0x4000, 0x1000), Role::ordinary);
  Device& near = board_.device("near");
  const Block opaque = must(alloc_coherent(near, 0x80, {.attributes = Attributes::no_cpu_mapping}));
  EXPECT_EQ(error_of(map(device_, bytes_of(opaque, 0x80), Direction::to_device)),
            Error::not_in_window);
}

TEST_F(Bounce, IsNoPartOfTheRouteOfARequest) {
  Device& near = board_.device("near");
  board_.default_pool("d", ram(0x4000, 0x1000));
  EXPECT_EQ(must(alloc_coherent(near, 0x40)).pool->name(), "d");
}

TEST_F(Bounce, TheLargestMappingIsWhatThePoolCanHoldWhereverTheBytesBegin) {
  EXPECT_EQ(largest_mapping_bytes(device_), 0x1000 - (sizeof(std::uintptr_t) - 1));
  Device& nvme = board_.device("nvme", {.streaming = {.keep_low_bits = 0x1ff}});
  EXPECT_EQ(largest_mapping_bytes(nvme), 0x1000U - 0x1ff);
  Device& tiny = board_.device("tiny", {.streaming = {.segment_boundary_bytes = 0x100}});
  EXPECT_EQ(largest_mapping_bytes(tiny), 0x100U);
}

TEST_F(Bounce, TheLargestMappingIsServedFromTheWorstPlace) {
  const std::uint64_t largest = largest_mapping_bytes(device_);
  EXPECT_TRUE(map(device_, board_.cpu_bytes(ram(0x2007, largest)), Direction::from_device));
}

TEST(BounceOfABoard, StatesTheLargestMappingAndTheRefusalSaysIt) {
  SimBoard board{{}, [](Platform& platform) { platform.largest_bounce_bytes = 0x100; }};
  board.default_pool("bounce", kBounce, Role::bounce);
  Device& device = board.device("eth", {.windows = {{DmaAddr{0}, kBounce.base, 0x1000}}});
  EXPECT_EQ(largest_mapping_bytes(device), 0x100U);
  EXPECT_TRUE(map(device, board.cpu_bytes(ram(0, 0x100)), Direction::to_device));
  const auto refused = map(device, board.cpu_bytes(ram(0, 0x101)), Direction::to_device);
  ASSERT_EQ(error_of(refused), Error::too_long);
  EXPECT_EQ(refused.error().stated, 0x100U);
  EXPECT_EQ(refused.error().asked_bytes, 0x101U);
}

/// A pool whose memory is used past the cache, because an MPU made it so.
TEST(BounceOfABoard, WhosePoolIsNotCachedMovesTheBytesWithoutCacheWork) {
  constexpr PhysAddr kPool{0x5'0030'0000};
  SimBoard board{{.ram = {{.size_bytes = 0x10'0000, .cached = kCachedRam, .uncached = std::nullopt},
                          {.size_bytes = 0x1000, .cached = kPool, .uncached = kPool}}}};
  board.default_pool("bounce", {kPool, 0x1000}, Role::bounce);
  Device& device = board.device("eth", {.windows = {{DmaAddr{0x100}, kPool, 0x1000}}});
  const CpuBytes bytes = board.cpu_bytes(ram(0x2010, 0x40));
  board.store(bytes.cpu, pattern(0x40, 3));
  board.port.record();
  const MappedBytes mapped = must(map(device, bytes, Direction::bidirectional));
  Bytes seen(0x40);
  ASSERT_TRUE(board.engine(device).read(mapped.dma, seen));
  EXPECT_EQ(seen, pattern(0x40, 3));
  ASSERT_TRUE(board.engine(device).write(mapped.dma, pattern(0x40, 4)));
  must(unmap(device, mapped));
  EXPECT_EQ(board.load(bytes.cpu, 0x40), pattern(0x40, 4));
  for (const sim::PortCall& call : board.port.recorded()) {
    EXPECT_TRUE(call.at == nullptr || call.op == sim::PortOp::copy);
  }
}

/// A device whose own bounce pool is all that it may reach.
class Restricted : public testing::Test {
 protected:
  Restricted() { must(board_.system->bind(device_, pool_)); }

  SimBoard board_;
  Pool& pool_ = board_.pool("own", kBounce, Memory::bounce);
  Device& device_ = board_.device("wifi");
};

TEST_F(Restricted, EveryMappingIsCopied) {
  for (const Direction direction : kDirections) {
    const MappedBytes mapped = must(map(device_, board_.cpu_bytes(ram(0x2000, 0x40)), direction));
    ASSERT_TRUE(mapped.copy);
    EXPECT_EQ(mapped.copy->pool, &pool_);
  }
}

TEST_F(Restricted, TheDevicesOwnPoolGoesBeforeTheBoards) {
  board_.default_pool("board", ram(0xa000, 0x1000), Role::bounce);
  const MappedBytes mapped =
      must(map(device_, board_.cpu_bytes(ram(0x2000, 0x40)), Direction::to_device));
  EXPECT_EQ(mapped.copy->pool, &pool_);
}

TEST_F(Restricted, WhatLiesInItsPoolAlreadyIsNotCopied) {
  const Block block = must(alloc_coherent(device_, 0x40, {.attributes = Attributes::non_coherent}));
  ASSERT_EQ(block.pool, &pool_);
  const MappedBytes mapped = must(map(device_, bytes_of(block, 0x40), Direction::from_device));
  EXPECT_FALSE(mapped.copy);
  EXPECT_EQ(mapped.dma, block.dma);
}

TEST_F(Restricted, SeesItsPoolWhereItWasToldSo) {
  Device& told = board_.device("told");
  Pool& pool = board_.pool("told", ram(0xa000, 0x1000), Memory::bounce);
  must(board_.system->bind(
      told, pool, {.window = Window{DmaAddr{0x123'0000}, pool.chunks()[0].range.base, 0x1000}}));
  const MappedBytes mapped =
      must(map(told, board_.cpu_bytes(ram(0x2000, 0x40)), Direction::to_device));
  EXPECT_EQ(mapped.dma.raw() & ~std::uint64_t{0xfff}, 0x123'0000U);
}

TEST_F(Restricted, WhosePoolWasRefusedIsToldWhy) {
  Device& lost = board_.device("lost");
  must(board_.system->bind_refused(lost, "gone", Memory::bounce, Error::overlaps));
  const auto refused = map(lost, board_.cpu_bytes(ram(0x2000, 0x40)), Direction::to_device);
  ASSERT_EQ(error_of(refused), Error::overlaps);
  EXPECT_EQ(refused.error().pool, "gone");
}

TEST_F(Restricted, ReachesNoResource) {
  EXPECT_EQ(error_of(map_resource(device_, ram(0x2000, 4))), Error::unreachable);
}

TEST_F(Restricted, APoolOverTheStreamingMaskIsRefusedWhenItIsBound) {
  const DmaAddr mask{sim::kOddWindow.dma.raw() + 0x8fff};
  Device& narrow = board_.device("narrow", {.streaming = {.mask = mask}});
  Pool& high = board_.pool("high", ram(0xa000, 0x1000), Memory::bounce);
  EXPECT_EQ(error_of(board_.system->bind(narrow, high)), Error::unreachable);
  EXPECT_TRUE(board_.system->bind(narrow, pool_, {.index = 1}));
  const Window window{DmaAddr{mask.raw() + 1}, pool_.chunks()[0].range.base, 0x1000};
  EXPECT_EQ(error_of(board_.system->bind(narrow, pool_, {.index = 2, .window = window})),
            Error::unreachable);
}

TEST_F(Restricted, TheLargestMappingIsNoneWhereThePoolWasRefused) {
  Device& lost = board_.device("lost");
  must(board_.system->bind_refused(lost, "gone", Memory::bounce, Error::overlaps));
  EXPECT_EQ(largest_mapping_bytes(lost), 0U);
}

TEST_F(Bounce, TheLargestMappingCountsThePartOfThePoolThatTheDeviceReaches) {
  Device& half = board_.device("half", {.windows = {{DmaAddr{0}, kBounce.base, 0x800}}});
  EXPECT_EQ(largest_mapping_bytes(half), 0x800 - (sizeof(std::uintptr_t) - 1));
  Device& none = board_.device("none", {.windows = {{DmaAddr{0}, ram(0, 1).base, 0x800}}});
  EXPECT_EQ(largest_mapping_bytes(none), ~std::uint64_t{0});
}

}  // namespace
}  // namespace carveout
