#include "carveout_port/aarch64.hpp"

#include <gtest/gtest.h>

#include "line_machine.hpp"
#include "lines.hpp"

namespace carveout::test {
namespace {

struct AArch64Registers : LineRegisters {
  std::uint64_t stated;

  std::uint64_t ctr() const noexcept { return stated; }
  void dmb() const noexcept { note("dmb"); }
  void dsb() const noexcept { note("dsb"); }
  void dmb_loads() const noexcept { note("dmb_loads"); }
  void dsb_stores() const noexcept { note("dsb_stores"); }
};

using TestPort = aarch64::BasicPort<AArch64Registers>;
static_assert(carveout::Port<TestPort>);
static_assert(PortWithSyncTable<TestPort> && PortWithPhysOf<TestPort>);

constexpr std::uint64_t kCtrOfCortexA53 = 0x8444'8004;  // CWG and DminLine: 16 words
constexpr PhysRange kMemory[]{{PhysAddr{0x40'0000'0000}, 0x1000}};

struct AArch64Port : testing::Test {
  LineMachine machine;
  TestPort port(std::uint64_t ctr = kCtrOfCortexA53) {
    return TestPort{kMemory, {{.machine = &machine}, ctr}};
  }
};

TEST_F(AArch64Port, TheLineComesFromCtrWhateverItSaysOfInstructions) {
  constexpr std::uint64_t kIdc = 1ULL << 28;
  constexpr std::uint64_t kDic = 1ULL << 29;
  constexpr std::uint64_t kTminLine = 4ULL << 32;
  EXPECT_EQ(port().cache_line_bytes(), 64U);
  EXPECT_EQ(port(kCtrOfCortexA53 | kIdc | kDic | kTminLine).cache_line_bytes(), 64U);
}

TEST_F(AArch64Port, AWriteBackGranuleThatIsNotStatedIsTheLongestThatTheArchitectureAllows) {
  EXPECT_EQ(port(0x8004'8004).cache_line_bytes(), 2048U);
}

TEST_F(AArch64Port, AWalkIsOrderedByADmbAndCompletedByADsb) {
  auto port = this->port();
  port.clean(pointer_to(0x1000'0040), 65);
  EXPECT_EQ(machine.walked("clean", {"dmb"}, {"dsb"}),
            (std::vector<std::uintptr_t>{0x1000'0040, 0x1000'0080}));
}

TEST_F(AArch64Port, PublishingCompletesStoresObservingOrdersLoadsAndTheFullBarrierCompletesAll) {
  auto port = this->port();
  port.publish_barrier();
  port.observe_barrier();
  port.full_barrier();
  EXPECT_EQ(machine.names(), (std::vector<std::string>{"dsb_stores", "dmb_loads", "dsb"}));
}

TEST_F(AArch64Port, MemoryAbove4GibHasAViewAtItsOwnAddressAndBack) {
  auto port = this->port();
  auto* const view = port.cpu_view({PhysAddr{0x40'0000'0100}, 0x100});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view), 0x40'0000'0100U);
  EXPECT_EQ(port.phys_of(view, 0x100), PhysAddr{0x40'0000'0100});
  EXPECT_EQ(port.cpu_view({PhysAddr{0x40'0000'0f01}, 0x100}), nullptr);
}

TEST_F(AArch64Port, BuffersAreMaintainedAsLinuxDoesOnArm64) {
  EXPECT_EQ(port().sync_table(), sync_tables::arm64);
}

}  // namespace
}  // namespace carveout::test
