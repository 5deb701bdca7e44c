#include "carveout_port/owning_port.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>

#include "cortex_m_machine.hpp"

namespace carveout::test {
namespace {

constexpr auto kFrom = Direction::from_device;
constexpr std::array kMemory{PhysRange{PhysAddr{0x2000'0000}, 0x40'0000}};
constexpr PhysRange kBuffer{PhysAddr{0x2010'0000}, 0x400};

/// What the registers were last told of each region: whether it is on, and where.
struct OwningPortTest : testing::Test {
  CortexMMachine machine;
  cortex_m::BasicMpu<CortexMRegisters> mpu{CortexMRegisters{&machine}};
  cortex_m::BasicOwningPort<CortexMRegisters> port{
      cortex_m::BasicPort<CortexMRegisters>{kMemory, 32, CortexMRegisters{&machine}}, mpu, 5, 2};

  struct Now {
    std::uint32_t rbar = 0;
    std::uint32_t rasr = 0;
  };
  [[nodiscard]] std::map<std::uint32_t, Now> regions() const {
    std::map<std::uint32_t, Now> now;
    std::uint32_t number = 0;
    for (const CortexMMachine::Event& event : machine.events) {
      if (event.address == cortex_m::kMpuRnr) number = event.value;
      if (event.address == cortex_m::kMpuRbar) now[number].rbar = event.value;
      if (event.address == cortex_m::kMpuRasr) now[number].rasr = event.value;
    }
    return now;
  }
  [[nodiscard]] bool shut(std::uint32_t number, PhysRange range) {
    const Now now = regions()[number];
    const cortex_m::MpuRegion region{now.rbar, now.rasr};
    return region.enabled() && region.ap() == 0 && region.covered() == range;
  }
  [[nodiscard]] bool open(std::uint32_t number) { return (regions()[number].rasr & 1) == 0; }
};

TEST_F(OwningPortTest, ShutsExactlyWhatTheDeviceWritesUntilItIsGivenBack) {
  port.device_owns(kBuffer, kFrom);
  EXPECT_TRUE(shut(5, kBuffer));
  port.cpu_owns(kBuffer);
  EXPECT_TRUE(open(5));
  EXPECT_EQ(port.not_enforced(), 0U);
}

TEST_F(OwningPortTest, WhatTheDeviceOnlyReadsMayBeReadAndNotWritten) {
  port.device_owns(kBuffer, Direction::to_device);
  const auto region = mpu.get(5);
  EXPECT_TRUE(region.enabled());
  EXPECT_EQ(region.covered(), kBuffer);
  EXPECT_EQ(region.ap(), 6U);
  EXPECT_EQ(port.not_enforced(), 0U);
  port.cpu_owns(kBuffer);
  EXPECT_TRUE(open(5));
}

TEST_F(OwningPortTest, LeavesTheKindOfMemoryAsItIsWithoutARegion) {
  port.device_owns(kBuffer, Direction::to_device);
  EXPECT_EQ(mpu.get(5).with_memory_of(*pmsa_v7::default_memory(kBuffer.base)), mpu.get(5));
  EXPECT_TRUE(mpu.get(5).c());
}

struct OwningPortAmongRegions : OwningPortTest {
  OwningPortAmongRegions() { machine.registers[cortex_m::kMpuType] = 8U << 8; }

  /// Lends the buffer while there is one region more, of a kind that the default map has not.
  void lend_over(unsigned number, PhysRange range, std::uint32_t eighths_off = 0) {
    constexpr cortex_m::MpuRegion kKind{.rbar = 0, .rasr = 5U << 16};  // S, B
    auto region = cortex_m::non_cacheable_region(range)->with_memory_of(kKind);
    region.rasr |= eighths_off << 8;
    mpu.set(number, region);
    port.device_owns(kBuffer, Direction::to_device);
  }
  [[nodiscard]] bool of_that_kind() {
    const auto region = mpu.get(5);
    return region.enabled() && region.shareable() && region.b() && !region.c();
  }
};

TEST_F(OwningPortAmongRegions, LeavesTheKindOfMemoryThatTheRegionBeneathSays) {
  lend_over(2, {PhysAddr{0x2010'0000}, 0x1000});
  EXPECT_TRUE(of_that_kind());
  EXPECT_EQ(mpu.get(5).covered(), kBuffer);
  EXPECT_EQ(mpu.get(5).ap(), 6U);
}

TEST_F(OwningPortAmongRegions, TheHighestRegionBeneathIsTheOneThatSaysIt) {
  mpu.set(1, *cortex_m::non_cacheable_region({PhysAddr{0x2010'0000}, 0x2000}));
  lend_over(4, {PhysAddr{0x2010'0000}, 0x1000});
  EXPECT_TRUE(of_that_kind());
}

TEST_F(OwningPortAmongRegions, ARegionBesideTheBufferSaysNothing) {
  lend_over(2, {PhysAddr{0x2010'0400}, 0x400});
  EXPECT_FALSE(of_that_kind());
  EXPECT_EQ(port.not_enforced(), 0U);
}

TEST_F(OwningPortAmongRegions, ARegionThatIsOffSaysNothing) {
  mpu.set(2, {.rbar = 0x2010'0000, .rasr = 9U << 1});
  mpu.set(7, {.rbar = 0x2010'0000, .rasr = 9U << 1});
  port.device_owns(kBuffer, Direction::to_device);
  EXPECT_EQ(port.not_enforced(), 0U);
}

TEST_F(OwningPortAmongRegions, ARegionThatTakesHalfOfTheBufferLeavesItNotEnforced) {
  lend_over(2, {PhysAddr{0x2010'0200}, 0x200});
  EXPECT_EQ(port.not_enforced(), 1U);
  EXPECT_FALSE(mpu.get(5).enabled());
}

TEST_F(OwningPortAmongRegions, ARegionWithAHoleLeavesItNotEnforced) {
  lend_over(2, {PhysAddr{0x2010'0000}, 0x1000}, 1U << 1);
  EXPECT_EQ(port.not_enforced(), 1U);
}

TEST_F(OwningPortAmongRegions, AHigherRegionWouldWinAndLeavesItNotEnforced) {
  lend_over(7, {PhysAddr{0x2010'0000}, 0x1000});
  EXPECT_EQ(port.not_enforced(), 1U);
}

TEST_F(OwningPortAmongRegions, WhatIsLentUnderAHigherRegionOfThePortSaysNothing) {
  constexpr PhysRange kOther{PhysAddr{0x2020'0000}, 0x400};
  port.device_owns(kOther, Direction::to_device);
  port.device_owns({PhysAddr{0x2010'0000}, 0x1000}, Direction::to_device);
  port.cpu_owns(kOther);
  port.device_owns(kBuffer, Direction::to_device);
  EXPECT_EQ(mpu.get(5).covered(), kBuffer);
  EXPECT_EQ(port.not_enforced(), 0U);
}

TEST_F(OwningPortTest, MemoryOfTwoKindsLeavesItNotEnforced) {
  port.device_owns({PhysAddr{0x4000'0000}, 0x4000'0000}, Direction::to_device);
  EXPECT_EQ(port.not_enforced(), 1U);
  EXPECT_FALSE(mpu.get(5).enabled());
}

TEST_F(OwningPortTest, APartThatIsGivenBackOpensAllOfTheMapping) {
  port.device_owns(kBuffer, kFrom);
  port.cpu_owns({PhysAddr{0x2010'0020}, 32});
  EXPECT_TRUE(open(5));
}

TEST_F(OwningPortTest, GivingBackOneLeavesTheOtherShut) {
  constexpr PhysRange kOther{PhysAddr{0x2020'0000}, 0x800};
  port.device_owns(kBuffer, kFrom);
  port.device_owns(kOther, kFrom);
  port.cpu_owns(kBuffer);
  EXPECT_TRUE(open(5));
  EXPECT_TRUE(shut(6, kOther));
}

TEST_F(OwningPortTest, CountsWhatIsNoRegionAndWhatHasNoneLeft) {
  port.device_owns({PhysAddr{0x2010'0000}, 0x420}, kFrom);
  EXPECT_EQ(port.not_enforced(), 1U);
  EXPECT_TRUE(machine.events.empty()) << "never more than what the device has";
  for (std::uint64_t i = 0; i < 3; ++i) {
    port.device_owns({PhysAddr{0x2010'0000 + i * 0x400}, 0x400}, kFrom);
  }
  EXPECT_EQ(port.not_enforced(), 2U);
}

TEST_F(OwningPortTest, LeavesInterruptsAsTheyWere) {
  port.device_owns(kBuffer, kFrom);
  EXPECT_EQ(machine.primask, 0U);
  machine.primask = 1;
  port.cpu_owns(kBuffer);
  EXPECT_EQ(machine.primask, 1U);
}

}  // namespace
}  // namespace carveout::test
