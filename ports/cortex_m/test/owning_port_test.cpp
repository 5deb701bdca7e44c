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

TEST_F(OwningPortTest, LeavesReadableWhatTheDeviceOnlyReads) {
  port.device_owns(kBuffer, Direction::to_device);
  EXPECT_TRUE(machine.events.empty());
  EXPECT_EQ(port.not_enforced(), 0U);
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
