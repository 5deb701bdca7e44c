// DescriptorRing: who sees what when, on the machine model, with a device that plays its part and
// one that cheats. The port runs the device in the middle of a call: at a barrier, which is where
// the order of what comes before and after is decided.
#include "carveout/ops/ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "carveout/core/endian.hpp"
#include "carveout/setup/system.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::k32Bits;
using test::must;
using test::ram;

constexpr std::uint32_t kDevices = 0x8000'0000;  // the device has it

// The ownership word in the middle, and narrower than the widest member: nothing may rely on it
// being the first or the last, or on a machine word of its own.
struct Descriptor {
  LittleEndian<std::uint64_t> address;
  LittleEndian<std::uint32_t> status;
  LittleEndian<std::uint32_t> cookie;

  bool operator==(const Descriptor&) const = default;
};
using Ring = DescriptorRing<&Descriptor::status>;

bool is_cpus(LittleEndian<std::uint32_t> status) { return (status.value() & kDevices) == 0; }

/// The model's port, which lets a device act at the CPU's barriers.
class PortWithADevice : public sim::HostPort {
 public:
  using HostPort::HostPort;
  void publish_barrier() noexcept {
    HostPort::publish_barrier();
    if (at_publish) at_publish();
  }
  void observe_barrier() noexcept {
    HostPort::observe_barrier();
    if (at_observe) at_observe();
  }

  std::function<void()> at_publish;
  std::function<void()> at_observe;
};

class RingTest : public testing::Test {
 protected:
  static constexpr std::size_t kCount = 4;

  RingTest() {
    const PhysRange range = ram(0, 0x1000);
    Pool& pool = *must(system_->declare({.name = "d", .chunks = {&range, 1}}));
    must(system_->set_default(Role::default_pool, pool));
    ring_.emplace(must(alloc_coherent<Descriptor[]>(device_, kCount)));
  }

  [[nodiscard]] DmaAddr at(std::size_t index) const {
    return DmaAddr{ring_->dma().raw() + index * sizeof(Descriptor)};
  }
  Descriptor device_reads(std::size_t index) {
    std::array<std::byte, sizeof(Descriptor)> bytes{};
    EXPECT_TRUE(engine_.read(at(index), bytes));
    return std::bit_cast<Descriptor>(bytes);
  }
  void device_writes(std::size_t index, const Descriptor& descriptor) {
    EXPECT_TRUE(engine_.write(at(index), std::as_bytes(std::span{&descriptor, 1})));
  }
  static std::vector<sim::PortOp> ops_of(const std::vector<sim::PortCall>& calls) {
    std::vector<sim::PortOp> ops;
    for (const sim::PortCall& call : calls) ops.push_back(call.op);
    return ops;
  }

  sim::Machine machine_;
  test::UnderChecker under_checker_{machine_};
  PortWithADevice port_{machine_};
  alignas(8) std::array<std::byte, 16 * 1024> storage_{};
  System* system_ = must(System::create({.port = port_, .aliases = machine_.aliases()}, storage_));
  std::array<Window, 1> windows_{sim::kOddWindow};
  Device& device_ = *must(system_->add_device(
      {.name = "eth", .coherent_mask = k32Bits, .translation = Translation::through(windows_)}));
  sim::DmaEngine engine_{machine_, device_.translation, device_.coherent_mask};
  std::optional<Ring> ring_;
};

TEST_F(RingTest, TakesWhatTheDeviceHandedBack) {
  ring_->write(0, {0x1000, kDevices | 1536, 7});
  device_writes(0, {0x1000, 60, 7});
  const auto taken = ring_->take(is_cpus);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->index, 0U);
  EXPECT_EQ(taken->descriptor, (Descriptor{0x1000, 60, 7}));
}

TEST_F(RingTest, TakesNothingThatIsTheDevices) {
  ring_->write(0, {0x1000, kDevices | 1536, 7});
  EXPECT_FALSE(ring_->take(is_cpus));
}

TEST_F(RingTest, LooksAgainAtTheSameDescriptorUntilItIsTheCpus) {
  for (std::size_t i = 0; i < kCount; ++i) ring_->write(i, {0, kDevices, 0});
  EXPECT_FALSE(ring_->take(is_cpus));
  device_writes(1, {0, 61, 0});  // out of order: not before descriptor 0
  EXPECT_FALSE(ring_->take(is_cpus));
  device_writes(0, {0, 60, 0});
  EXPECT_EQ(ring_->take(is_cpus)->index, 0U);
  EXPECT_EQ(ring_->take(is_cpus)->index, 1U);
  EXPECT_FALSE(ring_->take(is_cpus));
}

TEST_F(RingTest, GoesRound) {
  for (std::size_t i = 0; i < 3 * kCount; ++i) {
    EXPECT_EQ(ring_->take(is_cpus)->index, i % kCount);
  }
  EXPECT_EQ(ring_->after(0), 1U);
  EXPECT_EQ(ring_->after(kCount - 1), 0U);
}

TEST_F(RingTest, BeginsAnewWithADeviceThatWasReset) {
  static_cast<void>(ring_->take(is_cpus));
  ring_->restart();
  EXPECT_EQ(ring_->take(is_cpus)->index, 0U);
}

TEST_F(RingTest, ObservesBetweenTheOwnershipWordAndTheRest) {
  port_.record();
  static_cast<void>(ring_->take(is_cpus));
  EXPECT_EQ(ops_of(port_.recorded()), std::vector{sim::PortOp::observe_barrier});
}

TEST_F(RingTest, HasTheRestAsItIsOnceTheOwnershipWordWasSeen) {
  // A device whose later write becomes visible between the two loads: the rest is read after it.
  ring_->write(0, {1, 0, 2});
  port_.at_observe = [&] { device_writes(0, {0x1111, 0, 0x2222}); };
  const auto taken = ring_->take(is_cpus);
  EXPECT_EQ(taken->descriptor.address.value(), 0x1111U);
  EXPECT_EQ(taken->descriptor.cookie.value(), 0x2222U);
}

TEST_F(RingTest, NeedsNoBarrierForWhatIsTheDevices) {
  ring_->write(0, {0, kDevices, 0});
  port_.record();
  static_cast<void>(ring_->take(is_cpus));
  EXPECT_TRUE(port_.recorded().empty());
}

TEST_F(RingTest, KeepsTheOwnershipWordThatWasLookedAtWhateverAHostileDeviceMakesOfIt) {
  device_writes(0, {0x1000, 60, 7});
  port_.at_observe = [&] { device_writes(0, {0x1000, 0x7fff'ffff, 7}); };
  EXPECT_EQ(ring_->take(is_cpus)->descriptor.status.value(), 60U);
}

TEST_F(RingTest, GivesACopyThatAHostileDeviceDoesNotChange) {
  device_writes(0, {0x1000, 60, 7});
  const auto taken = ring_->take(is_cpus);
  device_writes(0, {0xdead, kDevices, 0xdead});
  EXPECT_EQ(taken->descriptor, (Descriptor{0x1000, 60, 7}));
}

TEST_F(RingTest, WritesEverythingButTheOwnershipWordBeforeTheBarrier) {
  device_writes(2, {0, 0x123, 0});
  std::optional<Descriptor> seen;
  port_.at_publish = [&] { seen = device_reads(2); };
  ring_->write(2, {0x1000, kDevices | 1536, 7});
  EXPECT_EQ(seen, (Descriptor{0x1000, 0x123, 7}));
}

TEST_F(RingTest, WritesTheOwnershipWordAtLast) {
  ring_->write(2, {0x1000, kDevices | 1536, 7});
  EXPECT_EQ(device_reads(2), (Descriptor{0x1000, kDevices | 1536, 7}));
}

TEST_F(RingTest, LeavesTheNeighboursOfWhatItWrites) {
  device_writes(0, {1, 2, 3});
  device_writes(2, {4, 5, 6});
  ring_->write(1, {7, 8, 9});
  EXPECT_EQ(device_reads(0), (Descriptor{1, 2, 3}));
  EXPECT_EQ(device_reads(2), (Descriptor{4, 5, 6}));
}

TEST_F(RingTest, PublishesBeforeTheDoorbellRings) {
  std::vector<std::string> order;
  port_.at_publish = [&] { order.emplace_back("barrier"); };
  ring_->publish([&] { order.emplace_back("doorbell"); });
  EXPECT_EQ(order, (std::vector<std::string>{"barrier", "doorbell"}));
}

TEST_F(RingTest, GivesTheDeviceTheAddressOfItsFirstDescriptor) {
  ring_->write(0, {0x1234, 0, 0});
  std::array<std::byte, 8> bytes{};
  ASSERT_TRUE(engine_.read(ring_->dma(), bytes));
  EXPECT_EQ(std::bit_cast<LittleEndian<std::uint64_t>>(bytes).value(), 0x1234U);
}

TEST_F(RingTest, EndsAtAnIndexPastTheLast) { EXPECT_DEATH(ring_->write(kCount, {0, 0, 0}), ""); }

// Where the ownership word is the first or the only member, nothing lies before it or behind it.
struct StatusFirst {
  BigEndian<std::uint16_t> status;
  BigEndian<std::uint16_t> length;
};
struct StatusOnly {
  std::uint32_t status;
};

TEST_F(RingTest, FindsTheOwnershipWordWhereverItIs) {
  DescriptorRing<&StatusFirst::status> first{must(alloc_coherent<StatusFirst[]>(device_, 2))};
  first.write(0, {0x0102, 0x0304});
  std::array<std::byte, 4> bytes{};
  ASSERT_TRUE(engine_.read(first.dma(), bytes));
  EXPECT_EQ(bytes, (std::array{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}));
  EXPECT_EQ(first.take([](auto) { return true; })->descriptor.length.value(), 0x0304U);

  DescriptorRing<&StatusOnly::status> only{must(alloc_coherent<StatusOnly[]>(device_, 2))};
  only.write(0, {0x01020304});
  EXPECT_EQ(only.take([](std::uint32_t) { return true; })->descriptor.status, 0x01020304U);
}

TEST(Clamp, BelievesALengthOnlyUpToWhatTheDeviceWasGiven) {
  EXPECT_EQ(clamp(60, 1536), 60U);
  EXPECT_EQ(clamp(1536, 1536), 1536U);
  EXPECT_EQ(clamp(1537, 1536), 1536U);
  EXPECT_EQ(clamp(0xffff'ffff'ffff'ffff, 1536), 1536U);
  EXPECT_EQ(clamp(0, 1536), 0U);
}

TEST_F(RingTest, ThatWasMovedFromTraps) {
  DescriptorRing<&StatusOnly::status> ring{must(alloc_coherent<StatusOnly[]>(device_, 2))};
  const auto other = std::move(ring);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested
  EXPECT_DEATH(static_cast<void>(ring.take([](std::uint32_t) { return true; })), "");
}

}  // namespace
}  // namespace carveout
