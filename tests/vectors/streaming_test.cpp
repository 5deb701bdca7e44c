// Rows 60 to 63: streaming maps, on the modelled machine. No tree is involved.
#include <gtest/gtest.h>

#include <algorithm>

#include "carveout/ops/streaming.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::error_of;
using test::must;
using test::pattern;
using test::SimBoard;

constexpr PhysAddr kRam{0x2000'0000};
constexpr PhysRange kBuffer{PhysAddr{0x2000'1010}, 0x40};
constexpr PhysRange kLines{PhysAddr{0x2000'1000}, 0x60};

/// Lines of 32 bytes over RAM at 0x20000000; a device that sees it at its own addresses.
class StreamingRows : public testing::Test {
 protected:
  void evict_everything() {
    board_.push_everything_out_of_the_cache({PhysAddr{0x2000'4000}, 0x1000});
  }

  SimBoard board_{{.ram = {{.size_bytes = 0x10'0000, .cached = kRam, .uncached = std::nullopt}}}};
  Device& device_ = board_.device("eth", {.windows = {}});
  const CpuBytes buffer_ = board_.cpu_bytes(kBuffer);
  const CpuBytes lines_ = board_.cpu_bytes(kLines);
};

TEST_F(StreamingRows, Row60_ABufferThatSharesBothItsEdgesIsRefused) {
  EXPECT_EQ(error_of(map(device_, buffer_, Direction::from_device)), Error::partial_line);
}

TEST_F(StreamingRows, Row60_OrBouncedAndItsNeighboursKeepTheirBytes) {
  board_.default_pool("bounce", {PhysAddr{0x2000'8000}, 0x1000}, Role::bounce);
  const MappedBytes mapped = must(map(device_, buffer_, Direction::from_device));
  board_.machine.store(lines_.cpu, std::byte{0x5a});         // in the first line of the buffer
  board_.machine.store(lines_.cpu + 0x50, std::byte{0xa5});  // in its last one
  ASSERT_TRUE(board_.engine(device_).write(mapped.dma, pattern(0x40, 2)));
  evict_everything();
  must(unmap(device_, mapped));
  EXPECT_EQ(board_.load(buffer_.cpu, 0x40), pattern(0x40, 2));
  EXPECT_EQ(board_.machine.load(lines_.cpu), std::byte{0x5a});
  EXPECT_EQ(board_.machine.load(lines_.cpu + 0x50), std::byte{0xa5});
}

TEST_F(StreamingRows, Row61_TheDeviceReadsTheCpusDataBecauseItWasCleaned) {
  board_.under_checker.expect({sim::Mistake::missing_sync_before_device_reads});
  board_.store(lines_.cpu, pattern(0x60, 3));
  Bytes seen(0x60);
  ASSERT_TRUE(board_.engine(device_).read(DmaAddr{kLines.base.raw()}, seen));
  EXPECT_EQ(seen, Bytes(0x60)) << "dirty, and nobody cleaned";
  const MappedBytes mapped = must(map(device_, lines_, Direction::to_device));
  ASSERT_TRUE(board_.engine(device_).read(mapped.dma, seen));
  EXPECT_EQ(seen, pattern(0x60, 3));
}

TEST_F(StreamingRows, Row62_WhatIsPrefetchedMidwayIsStaleAndNewDataAfterUnmap) {
  board_.under_checker.expect({sim::Mistake::missing_sync_after_device_wrote});
  const MappedBytes mapped = must(map(device_, lines_, Direction::from_device));
  static_cast<void>(board_.load(lines_.cpu, 0x60));
  ASSERT_TRUE(board_.engine(device_).write(mapped.dma, pattern(0x60, 4)));
  EXPECT_EQ(board_.load(lines_.cpu, 0x60), Bytes(0x60));
  must(unmap(device_, mapped));
  EXPECT_EQ(board_.load(lines_.cpu, 0x60), pattern(0x60, 4));
}

TEST_F(StreamingRows, Row63_OneByteOver256KibibytesIsRefusedWithTheLimit) {
  constexpr std::uint64_t kLargest = std::uint64_t{256} * 1024;
  board_.default_pool("bounce", {PhysAddr{0x2008'0000}, 0x8'0000}, Role::bounce);
  Device& far =
      board_.device("far", {.windows = {{DmaAddr{0x40'0000}, PhysAddr{0x2008'0000}, 0x8'0000}}});
  EXPECT_TRUE(map(far, board_.cpu_bytes({kRam, kLargest}), Direction::to_device));
  const auto refused = map(far, board_.cpu_bytes({kRam, kLargest + 1}), Direction::to_device);
  ASSERT_EQ(error_of(refused), Error::too_long);
  EXPECT_EQ(refused.error().stated, kLargest);
}

}  // namespace
}  // namespace carveout
