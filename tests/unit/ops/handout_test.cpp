// What a block is when it is handed out: zeroed, out of the caches, and in the right view.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::kCachedRam;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

constexpr std::size_t kLine = sim::CacheGeometry{}.line_bytes;
constexpr PhysRange kPool = ram(0x4000, 0x1000);
constexpr PhysRange kElsewhere = ram(0x8000, 0x1000);

class Handout : public testing::Test {
 protected:
  Handout() {
    board_.default_pool("d", kPool);
    board_.put_in_ram(PhysAddr{kPool.base.raw() - kLine}, pattern(kPool.size_bytes + 2 * kLine));
  }

  [[nodiscard]] static Bytes bytes_of(const Block& block) {
    return {block.cpu, block.cpu + block.size_bytes};
  }
  [[nodiscard]] static PhysRange range_of(const Block& block) {
    return {block.phys, block.size_bytes};
  }
  static bool all_zero(const Bytes& bytes) {
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
  }
  /// The device writes all of a block.
  void write_by_device(const Block& block, const Bytes& bytes) {
    ASSERT_TRUE(board_.engine(device_).write(block.dma, bytes));
  }

  SimBoard board_;
  Device& device_ = board_.device("eth");
};

TEST_F(Handout, IsZeroed) {
  const Block block = must(alloc_coherent(device_, 100));
  EXPECT_TRUE(all_zero({block.cpu, block.cpu + 100}));
}

TEST_F(Handout, IsZeroedToTheEndOfItsLastGranule) {
  const Block block = must(alloc_coherent(device_, 100));
  ASSERT_EQ(block.size_bytes, 128U);
  EXPECT_TRUE(all_zero(bytes_of(block)));
}

TEST_F(Handout, IsZeroInMemoryAndNotOnlyInACache) {
  const Block block = must(alloc_coherent(device_, 100));
  EXPECT_TRUE(all_zero(board_.in_ram(range_of(block))));
}

TEST_F(Handout, LeavesTheBytesAroundTheBlockAlone) {
  const Bytes before = board_.in_ram(ram(0x4000 - kLine, 0x1000 + 2 * kLine));
  const Block block = must(alloc_coherent(device_, 1));
  Bytes after = board_.in_ram(ram(0x4000 - kLine, 0x1000 + 2 * kLine));
  const auto at = static_cast<std::ptrdiff_t>(block.phys.raw() - (kPool.base.raw() - kLine));
  std::copy_n(before.begin() + at, block.size_bytes, after.begin() + at);
  EXPECT_EQ(after, before);
}

TEST_F(Handout, OwnsWholeCacheLinesAtBothEnds) {
  for (const std::uint64_t size : {1U, 31U, 33U, 100U}) {
    const Block block = must(alloc_coherent(device_, size));
    EXPECT_EQ(block.phys.raw() % kLine, 0U) << size;
    EXPECT_EQ(block.size_bytes % kLine, 0U) << size;
  }
}

TEST_F(Handout, IsUsedThroughTheUncachedView) {
  const Block block = must(alloc_coherent(device_, 64));
  const std::uint64_t offset = block.phys.raw() - kCachedRam.raw();
  EXPECT_EQ(block.cpu, board_.machine.cpu_view({PhysAddr{test::kUncachedRam.raw() + offset}, 64}));
}

TEST_F(Handout, TheDeviceAndTheCpuSeeTheSameFirstByte) {
  const Block block = must(alloc_coherent(device_, 64));
  write_by_device(block, pattern(64, 5));
  EXPECT_EQ(bytes_of(block), pattern(64, 5));
}

TEST_F(Handout, WhatTheCpuWritesTheDeviceReads) {
  const Block block = must(alloc_coherent(device_, 64));
  std::ranges::copy(pattern(64, 9), block.cpu);
  Bytes seen(64);
  ASSERT_TRUE(board_.engine(device_).read(block.dma, seen));
  EXPECT_EQ(seen, pattern(64, 9));
}

TEST_F(Handout, AReadThroughTheCachedTwinIsStale) {
  board_.under_checker.expect({sim::Mistake::missing_sync_after_device_wrote});
  const Block block = must(alloc_coherent(device_, 64));
  ASSERT_EQ(board_.machine.load(board_.twin(block)), std::byte{0});
  write_by_device(block, pattern(64, 5));
  EXPECT_EQ(board_.machine.load(board_.twin(block)), std::byte{0});
}

TEST_F(Handout, ADirtyLineOfTheTwinIsNotWrittenBackOverWhatTheDeviceWrote) {
  std::byte* const twin = board_.machine.cached_view(kPool);
  board_.machine.write(twin, pattern(0x80, 7));
  const Block block = must(alloc_coherent(device_, 0x80));
  ASSERT_EQ(block.phys, kPool.base) << "the test dirtied the lines of another place";
  write_by_device(block, pattern(0x80, 5));
  board_.push_everything_out_of_the_cache(kElsewhere);
  EXPECT_EQ(bytes_of(block), pattern(0x80, 5));
}

TEST_F(Handout, NoLineOfTheTwinIsLeftInTheCache) {
  Bytes ignored(kPool.size_bytes);
  board_.machine.read(board_.machine.cached_view(kPool), ignored);
  const Block block = must(alloc_coherent(device_, 0x100));
  for (std::size_t at = 0; at < block.size_bytes; at += kLine) {
    EXPECT_EQ(board_.machine.line(board_.twin(block) + at), sim::LineState{}) << at;
  }
}

TEST_F(Handout, ANeighboursDirtyLineSurvives) {
  const Block first = must(alloc_coherent(device_, kLine));
  std::byte* const neighbour = board_.twin(first) + kLine;
  board_.machine.store(neighbour, std::byte{0x5a});
  must(free_coherent(first));
  const Block again = must(alloc_coherent(device_, kLine));
  ASSERT_EQ(again.phys, first.phys);
  EXPECT_EQ(board_.machine.load(neighbour), std::byte{0x5a});
}

TEST_F(Handout, FreedMemoryIsNotReadableByTheNextOwner) {
  const Block first = must(alloc_coherent(device_, 0x1000));
  std::ranges::copy(pattern(0x1000, 3), first.cpu);
  must(free_coherent(first));
  EXPECT_TRUE(all_zero(bytes_of(must(alloc_coherent(device_, 0x1000)))));
}

TEST_F(Handout, WhatTheLastOwnerLeftInTheCacheIsNotReadableByTheNext) {
  const Block first = must(alloc_coherent(device_, 0x100));
  board_.machine.write(board_.twin(first), pattern(0x100, 3));
  must(free_coherent(first));
  const Block next = must(alloc_coherent(device_, 0x100));
  Bytes seen(0x100);
  board_.machine.read(board_.twin(next), seen);
  EXPECT_TRUE(all_zero(seen));
}

TEST_F(Handout, UninitializedSkipsZeroing) {
  const Block block =
      must(alloc_coherent(device_, 0x100, {.attributes = Attributes::uninitialized}));
  EXPECT_FALSE(all_zero(bytes_of(block)));
}

TEST_F(Handout, UninitializedMemoryIsOutOfTheCacheAllTheSame) {
  board_.machine.write(board_.machine.cached_view(kPool), pattern(0x80, 7));
  const Block block =
      must(alloc_coherent(device_, 0x80, {.attributes = Attributes::uninitialized}));
  EXPECT_EQ(board_.machine.line(board_.twin(block)), sim::LineState{});
}

TEST_F(Handout, NamesThePoolAndAnAllocation) {
  const Block block = must(alloc_coherent(device_, 64));
  EXPECT_EQ(block.pool, board_.system->find_pool("d"));
  EXPECT_NE(block.serial, 0U);
}

TEST_F(Handout, TheLockIsNotHeldDuringCacheWork) {
  board_.port.record();
  must(alloc_coherent(device_, 0x200));
  bool locked = false;
  bool cache_work = false;
  for (const sim::PortCall& call : board_.port.recorded()) {
    if (call.op == sim::PortOp::lock) locked = true;
    if (call.op == sim::PortOp::unlock) locked = false;
    if (call.at != nullptr) cache_work = true;
    EXPECT_FALSE(locked && call.at != nullptr);
  }
  EXPECT_TRUE(cache_work);
}

TEST_F(Handout, TakesThePoolsLockOnce) {
  const auto before = board_.port.count(sim::PortOp::lock);
  must(alloc_coherent(device_, 0x200));
  EXPECT_EQ(board_.port.count(sim::PortOp::lock), before + 1);
}

TEST_F(Handout, EndsWithABarrierBehindTheCacheWork) {
  board_.port.record();
  must(alloc_coherent(device_, 0x200));
  const auto calls = board_.port.recorded();
  ASSERT_FALSE(calls.empty());
  EXPECT_EQ(calls.back().op, sim::PortOp::publish_barrier);
}

TEST_F(Handout, ARefusedRequestTouchesNeitherCacheNorMemory) {
  const Bytes before = board_.in_ram(kPool);
  board_.port.record();
  ASSERT_FALSE(alloc_coherent(device_, kPool.size_bytes + 1));
  for (const sim::PortCall& call : board_.port.recorded()) EXPECT_EQ(call.at, nullptr);
  EXPECT_EQ(board_.in_ram(kPool), before);
}

TEST_F(Handout, APoolStatedByItsUncachedAddressIsCleanedByItsCachedTwin) {
  const PhysRange uncached{PhysAddr{test::kUncachedRam.raw() + 0xa000}, 0x1000};
  const PhysRange cached = ram(0xa000, 0x1000);
  Pool& pool = board_.pool("high", uncached);
  const Window window{DmaAddr{0x100'0000}, uncached.base, 0x1000};
  must(board_.system->bind(device_, pool, {.window = window}));
  board_.machine.write(board_.machine.cached_view(cached), pattern(0x80, 7));
  const Block block = must(alloc_coherent(device_, 0x80));
  EXPECT_EQ(block.cpu, board_.machine.cpu_view(uncached));
  board_.push_everything_out_of_the_cache(kElsewhere);
  EXPECT_TRUE(all_zero(bytes_of(block)));
}

}  // namespace
}  // namespace carveout
