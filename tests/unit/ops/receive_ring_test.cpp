// Buffers that a device fills and the CPU reads, over and over.
#include "carveout/ops/receive_ring.hpp"

#include <gtest/gtest.h>

#include "carveout/ops/quarantine.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::error_of;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

class Receive : public testing::Test {
 protected:
  using Ring = ReceiveRing<4>;

  [[nodiscard]] std::uint64_t used() const { return pool_.usage().used_bytes; }
  void device_writes(DmaAddr to, const Bytes& bytes) {
    ASSERT_TRUE(board_.engine(device_).write(to, bytes));
  }
  Bytes read(Ring::Packet& packet) {
    return board_.load(packet.bytes().data(), packet.bytes().size());
  }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("ram", ram(0x2000, 0x1000), Role::ordinary);
  Device& device_ = board_.device("eth", {.quarantine_blocks = 4});
};

TEST_F(Receive, TheCpuReadsWhatTheDeviceWrote) {
  Ring ring = must(Ring::create(device_, 0x80));
  device_writes(ring.dma(2), pattern(0x80));
  auto packet = ring.finish(2, 0x60);
  EXPECT_EQ(packet.index(), 2U);
  EXPECT_EQ(read(packet), Bytes(pattern(0x60)));
}

TEST_F(Receive, AgainAndAgainInTheSamePlace) {
  Ring ring = must(Ring::create(device_, 0x80));
  const DmaAddr place = ring.dma(1);
  for (unsigned round = 1; round < 5; ++round) {
    device_writes(ring.dma(1), pattern(0x80, round));
    auto packet = ring.finish(1, 0x80);
    EXPECT_EQ(read(packet), pattern(0x80, round));
    EXPECT_EQ(ring.give_back(std::move(packet)), place);
  }
}

TEST_F(Receive, ALengthOfTheDevicesIsCutToTheBuffer) {
  Ring ring = must(Ring::create(device_, 100));
  EXPECT_EQ(ring.size_bytes(0), 100U);
  auto packet = ring.finish(0, 0xffff'ffff);
  EXPECT_EQ(packet.bytes().size(), 100U);
}

TEST_F(Receive, AnEmptyPacketHasNoBytes) {
  Ring ring = must(Ring::create(device_, 100));
  auto packet = ring.finish(0, 0);
  EXPECT_TRUE(packet.bytes().empty());
  ring.give_back(std::move(packet));
}

TEST_F(Receive, StoppingGivesTheBuffersBack) {
  {
    Ring ring = must(Ring::create(device_, 0x80));
    EXPECT_EQ(used(), 4U * 0x80);
    std::move(ring).stop();
  }
  EXPECT_EQ(used(), 0U);
}

TEST_F(Receive, WithoutThatTheyWaitUntilTheDeviceIsQuiet) {
  {
    const Ring ring = must(Ring::create(device_, 0x80));
  }
  EXPECT_EQ(used(), 4U * 0x80);
  must(quiesced(device_));
  EXPECT_EQ(used(), 0U);
}

TEST_F(Receive, ThatCannotBeMadeWholeTakesNothing) {
  EXPECT_EQ(error_of(Ring::create(device_, 0x500)), Error::exhausted);
  EXPECT_EQ(used(), 0U);
  EXPECT_EQ(error_of(Ring::create(device_, 0)), Error::zero_size);
}

TEST_F(Receive, ABufferIsFinishedOnceUntilItIsGivenBack) {
  Ring ring = must(Ring::create(device_, 0x80));
  auto packet = ring.finish(3, 1);
  EXPECT_DEATH(static_cast<void>(ring.finish(3, 1)), "");
  EXPECT_DEATH(static_cast<void>(ring.dma(3)), "");
  EXPECT_DEATH(static_cast<void>(ring.dma(4)), "");
}

TEST_F(Receive, MapsWithTheAttributesOfTheRequest) {
  static unsigned heard = 0;
  SimBoard board{{}, [](Platform& platform) {
                   platform.log = Log{[](void*, const Failure&, std::string_view) { ++heard; }};
                 }};
  board.default_pool("ram", ram(0x2000, 0x1000), Role::ordinary);
  Device& tiny = board.device("tiny", {.streaming = {.max_segment_bytes = 0x20}});
  EXPECT_EQ(error_of(Ring::create(tiny, 0x80, {.attributes = Attributes::no_warn})),
            Error::too_long);
  EXPECT_EQ(heard, 0U);
}

}  // namespace
}  // namespace carveout
