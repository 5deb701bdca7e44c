// Memory that a device may still write is nobody's until the device is quiet.
#include "carveout/ops/quarantine.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "carveout/ops/buffer.hpp"
#include "tests/support/port_of_threads.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::must;
using test::ram;
using test::SimBoard;

class QuarantineTest : public testing::Test {
 protected:
  [[nodiscard]] Block block() { return must(alloc_coherent(device_, 0x40)); }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0x4000, 0x1000));
  Device& device_ = board_.device("eth", {.quarantine_blocks = 3});
};

TEST_F(QuarantineTest, ABlockStaysTakenUntilTheDeviceIsQuiet) {
  must(quarantine(device_, block()));
  must(quarantine(device_, block()));
  EXPECT_EQ(pool_.usage().blocks, 2U);
  must(quiesced(device_));
  EXPECT_EQ(pool_.usage().blocks, 0U);
}

TEST_F(QuarantineTest, OfAnotherDeviceIsNotTouched) {
  Device& other = board_.device("usb", {.quarantine_blocks = 3});
  must(quarantine(device_, block()));
  must(quiesced(other));
  EXPECT_EQ(pool_.usage().blocks, 1U);
}

TEST_F(QuarantineTest, FullIsRefusedAndTheBlockIsTheCallersAsBefore) {
  for (int i = 0; i < 3; ++i) must(quarantine(device_, block()));
  const Block fourth = block();
  const auto refused = quarantine(device_, fourth);
  ASSERT_EQ(error_of(refused), Error::table_full);
  EXPECT_EQ(refused.error().pool, "d");
  EXPECT_EQ(refused.error().other, "eth");
  EXPECT_TRUE(free_coherent(fourth));
}

TEST_F(QuarantineTest, HasRoomAgainAfterwards) {
  for (int i = 0; i < 3; ++i) must(quarantine(device_, block()));
  must(quiesced(device_));
  EXPECT_TRUE(quarantine(device_, block()));
}

TEST_F(QuarantineTest, OfADeviceThatHasNoneIsFullAndQuiet) {
  Device& without = board_.device("usb");
  EXPECT_EQ(error_of(quarantine(without, block())), Error::table_full);
  EXPECT_TRUE(quiesced(without));
}

TEST_F(QuarantineTest, ABlockThatSomebodyFreedIsToldAndTheOthersAreGivenBack) {
  const Block freed = block();
  must(quarantine(device_, block()));
  must(quarantine(device_, freed));
  must(quarantine(device_, block()));
  must(free_coherent(freed));
  EXPECT_EQ(error_of(quiesced(device_)), Error::double_free);
  EXPECT_EQ(pool_.usage().blocks, 0U);
  EXPECT_TRUE(quiesced(device_));
}

TEST_F(QuarantineTest, KeepsItsPoolInUse) {
  must(quarantine(device_, block()));
  EXPECT_EQ(error_of(board_.system->release(pool_)), Error::in_use);
}

TEST_F(QuarantineTest, AnOwnerOfCoherentMemoryGoesThereInsteadOfBack) {
  {
    auto ring = must(alloc_coherent<std::uint32_t[]>(device_, 16));
    must(std::move(ring).quarantine(device_));
  }
  EXPECT_EQ(pool_.usage().blocks, 1U);
  must(quiesced(device_));
  EXPECT_EQ(pool_.usage().blocks, 0U);
}

TEST_F(QuarantineTest, AnOwnerThatFindsNoRoomIsAnOwnerStill) {
  for (int i = 0; i < 3; ++i) must(quarantine(device_, block()));
  auto ring = must(alloc_coherent<std::uint32_t[]>(device_, 16));
  EXPECT_EQ(error_of(std::move(ring).quarantine(device_)), Error::table_full);
  ring.store(15, 7);  // NOLINT(bugprone-use-after-move): it was not moved
  EXPECT_EQ(ring.load(15), 7U);
}

TEST_F(QuarantineTest, ThreadsGiveUpBlocksAndNoneIsLost) {
  constexpr std::size_t kEach = 15;
  Device& busy = board_.device("busy", {.quarantine_blocks = 2 * kEach});
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < 2 * kEach; ++i) blocks.push_back(must(alloc_coherent(busy, 0x20)));
  std::atomic<std::size_t> refused = 0;
  const auto give_up = [&](std::size_t first) {
    for (std::size_t i = first; i < first + kEach; ++i) {
      if (!quarantine(busy, blocks[i])) ++refused;
    }
  };
  {
    const std::jthread one{give_up, 0};
    const std::jthread other{give_up, kEach};
  }
  EXPECT_EQ(refused, 0U);
  must(quiesced(busy));
  EXPECT_EQ(pool_.usage().blocks, 0U);
}

TEST(QuarantineOfThreads, AnInterruptIsRefusedAndNothingHappens) {
  sim::Machine machine;
  test::PortOfThreads port{machine};
  std::vector<std::uint64_t> storage(1024);
  System& system = *must(System::create({.port = port, .aliases = machine.aliases()},
                                        std::as_writable_bytes(std::span{storage})));
  const PhysRange range = ram(0x4000, 0x1000);
  Pool& pool = *must(system.declare({.name = "d", .chunks = std::span{&range, 1}}));
  must(system.set_default(Role::default_pool, pool));
  Device& device = *must(system.add_device(
      {.name = "eth", .coherent_mask = test::kAnyAddress, .quarantine_blocks = 2}));
  const Block block = must(alloc_coherent(device, 0x40));
  port.in_interrupt = true;
  EXPECT_EQ(error_of(quarantine(device, block)), Error::would_wait);
  EXPECT_EQ(error_of(quiesced(device)), Error::would_wait);
  port.in_interrupt = false;
  EXPECT_EQ(device.quarantine->count, 0U);
  must(quarantine(device, block));
  must(quiesced(device));
  EXPECT_EQ(pool.usage().blocks, 0U);
}

TEST_F(QuarantineTest, ABlockOfABlockPoolIsRefused) {
  std::vector<std::uint64_t> storage(512);
  BlockPool blocks = must(create_block_pool(device_, {.size_bytes = 0x40, .page_bytes = 0x200},
                                            std::as_writable_bytes(std::span{storage})));
  const Block block = must(blocks.take());
  EXPECT_EQ(error_of(quarantine(device_, block)), Error::foreign_block);
  EXPECT_TRUE(blocks.give_back(block));
}

/// A port on which something else happens in the middle of a verb, as on another processor.
class PortWithAnother : public sim::HostPort {
 public:
  using sim::HostPort::HostPort;
  void unlock(LockWord& word, LockState state) noexcept {
    HostPort::unlock(word, state);
    if (auto now = std::exchange(at_unlock, nullptr)) now();
  }
  std::function<void()> at_unlock;
};

TEST(QuarantineOfThreads, ABlockThatIsGivenUpMeanwhileStays) {
  sim::Machine machine;
  PortWithAnother port{machine};
  std::vector<std::uint64_t> storage(1024);
  System& system = *must(System::create({.port = port, .aliases = machine.aliases()},
                                        std::as_writable_bytes(std::span{storage})));
  const PhysRange range = ram(0x4000, 0x1000);
  Pool& pool = *must(system.declare({.name = "d", .chunks = std::span{&range, 1}}));
  must(system.set_default(Role::default_pool, pool));
  Device& device = *must(system.add_device(
      {.name = "eth", .coherent_mask = test::kAnyAddress, .quarantine_blocks = 3}));
  must(quarantine(device, must(alloc_coherent(device, 0x40))));
  must(quarantine(device, must(alloc_coherent(device, 0x40))));
  const Block late = must(alloc_coherent(device, 0x40));
  port.at_unlock = [&] { must(quarantine(device, late)); };
  must(quiesced(device));
  EXPECT_EQ(pool.usage().blocks, 1U);
  must(quiesced(device));
  EXPECT_EQ(pool.usage().blocks, 0U);
}

}  // namespace
}  // namespace carveout
