// What CPU and device see of mapped bytes on a machine whose cache is not coherent.
#include <gtest/gtest.h>

#include "carveout/ops/streaming.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

constexpr std::size_t kSize = 0x80;

class Streaming : public testing::Test {
 protected:
  static constexpr PhysRange kRange = ram(0x2000, kSize);

  [[nodiscard]] Bytes device_reads(DmaAddr from) {
    Bytes seen(kSize);
    EXPECT_TRUE(board_.engine(device_).read(from, seen));
    return seen;
  }
  void device_writes(DmaAddr to, const Bytes& bytes) {
    ASSERT_TRUE(board_.engine(device_).write(to, bytes));
  }
  /// What speculation may do to bytes that the device has: lines of them come in.
  void prefetch(const CpuBytes& bytes) { static_cast<void>(board_.load(bytes.cpu, kSize)); }
  void evict_everything() { board_.push_everything_out_of_the_cache(ram(0x8000, 0x1000)); }
  [[nodiscard]] MappedBytes mapped(Direction direction) {
    return must(map(device_, bytes_, direction));
  }

  SimBoard board_;
  Device& device_ = board_.device("eth");
  const CpuBytes bytes_ = board_.cpu_bytes(kRange);
};

TEST_F(Streaming, TheDeviceReadsWhatTheCpuWroteBecauseMapCleans) {
  for (const Direction direction : {Direction::to_device, Direction::bidirectional}) {
    const Bytes sent = pattern(kSize, 3 + static_cast<unsigned>(direction));
    board_.store(bytes_.cpu, sent);
    const MappedBytes mapped = must(map(device_, bytes_, direction));
    EXPECT_EQ(device_reads(mapped.dma), sent) << name_of(direction);
    must(unmap(device_, mapped));
  }
}

TEST_F(Streaming, WhatWasPrefetchedMidwayIsStaleUntilUnmap) {
  board_.under_checker.expect({sim::Mistake::missing_sync_after_device_wrote});
  for (const Direction direction : {Direction::from_device, Direction::bidirectional}) {
    board_.put_in_ram(kRange.base, pattern(kSize, 1));
    const MappedBytes mapped = must(map(device_, bytes_, direction));
    prefetch(bytes_);
    device_writes(mapped.dma, pattern(kSize, 2));
    EXPECT_EQ(board_.load(bytes_.cpu, kSize), pattern(kSize, 1)) << "the model would be no test";
    must(unmap(device_, mapped));
    EXPECT_EQ(board_.load(bytes_.cpu, kSize), pattern(kSize, 2)) << name_of(direction);
  }
}

TEST_F(Streaming, WhatTheDeviceWroteIsStaleUntilSyncForCpu) {
  const MappedBytes mapped = this->mapped(Direction::from_device);
  prefetch(bytes_);
  device_writes(mapped.dma, pattern(kSize, 2));
  must(sync_for_cpu(device_, mapped));
  EXPECT_EQ(board_.load(bytes_.cpu, kSize), pattern(kSize, 2));
}

TEST_F(Streaming, ADirtyLineFromBeforeTheMapIsNotWrittenBackOverWhatTheDeviceWrote) {
  board_.store(bytes_.cpu, pattern(kSize, 7));
  const MappedBytes mapped = this->mapped(Direction::from_device);
  device_writes(mapped.dma, pattern(kSize, 2));
  evict_everything();
  EXPECT_EQ(board_.in_ram(kRange), pattern(kSize, 2));
}

TEST_F(Streaming, WhatTheDeviceDoesNotWriteIsWhatTheCpuHadThere) {
  board_.put_in_ram(kRange.base, pattern(kSize, 9));  // an earlier owner's
  board_.store(bytes_.cpu, pattern(kSize, 7));
  const MappedBytes mapped = this->mapped(Direction::from_device);
  must(unmap(device_, mapped));
  EXPECT_EQ(board_.load(bytes_.cpu, kSize), pattern(kSize, 7));
}

TEST_F(Streaming, WhatTheCpuWritesInItsTurnTheDeviceReadsAfterSyncForDevice) {
  const MappedBytes mapped = this->mapped(Direction::bidirectional);
  device_writes(mapped.dma, pattern(kSize, 2));
  must(sync_for_cpu(device_, mapped));
  ASSERT_EQ(board_.load(bytes_.cpu, kSize), pattern(kSize, 2));
  board_.store(bytes_.cpu, pattern(kSize, 3));
  must(sync_for_device(device_, mapped));
  EXPECT_EQ(device_reads(mapped.dma), pattern(kSize, 3));
}

TEST_F(Streaming, ABufferThatIsSentAgainIsCleanedAgain) {
  const MappedBytes mapped = this->mapped(Direction::to_device);
  must(sync_for_cpu(device_, mapped));
  board_.store(bytes_.cpu, pattern(kSize, 4));
  must(sync_for_device(device_, mapped));
  EXPECT_EQ(device_reads(mapped.dma), pattern(kSize, 4));
}

TEST_F(Streaming, ASyncOfAPartShowsTheCpuThatPart) {
  board_.under_checker.expect({sim::Mistake::missing_sync_after_device_wrote});
  const MappedBytes mapped = this->mapped(Direction::from_device);
  prefetch(bytes_);
  device_writes(mapped.dma, pattern(kSize, 2));
  must(sync_for_cpu(device_, mapped, {.offset_bytes = 0x20, .size_bytes = 0x20}));
  EXPECT_EQ(board_.machine.load(bytes_.cpu + 0x20), pattern(kSize, 2)[0x20]);
  EXPECT_NE(board_.machine.load(bytes_.cpu + 0x40), pattern(kSize, 2)[0x40]);
}

TEST_F(Streaming, ANeighboursDirtyLineSurvivesMapAndUnmap) {
  board_.machine.store(bytes_.cpu - 1, std::byte{0x5a});
  board_.machine.store(bytes_.cpu + kSize, std::byte{0xa5});
  for (const Direction direction :
       {Direction::to_device, Direction::from_device, Direction::bidirectional}) {
    must(unmap(device_, mapped(direction)));
  }
  EXPECT_EQ(board_.machine.load(bytes_.cpu - 1), std::byte{0x5a});
  EXPECT_EQ(board_.machine.load(bytes_.cpu + kSize), std::byte{0xa5});
}

TEST_F(Streaming, ANeighboursByteInALineThatIsOnlyReadSurvives) {
  const CpuBytes part = board_.cpu_bytes(ram(0x2008, 8));
  board_.store(bytes_.cpu, pattern(kSize, 6));
  const MappedBytes mapped = must(map(device_, part, Direction::to_device));
  must(unmap(device_, mapped));
  EXPECT_EQ(board_.load(bytes_.cpu, kSize), pattern(kSize, 6));
}

TEST_F(Streaming, SkippingTheWorkLeavesItToTheCaller) {
  board_.under_checker.expect({sim::Mistake::missing_sync_before_device_reads});
  board_.store(bytes_.cpu, pattern(kSize, 3));
  const MappedBytes mapped =
      must(map(device_, bytes_, Direction::to_device, {.attributes = Attributes::skip_cpu_sync}));
  EXPECT_NE(device_reads(mapped.dma), pattern(kSize, 3));
  must(sync_for_device(device_, mapped));
  EXPECT_EQ(device_reads(mapped.dma), pattern(kSize, 3));
}

}  // namespace
}  // namespace carveout
