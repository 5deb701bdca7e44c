#include "carveout_port/cortex_a.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "line_machine.hpp"
#include "lines.hpp"

namespace carveout::test {
namespace {

struct CortexARegisters : LineRegisters {
  std::uint32_t stated;

  std::uint32_t ctr() const noexcept { return stated; }
  void dsb() const noexcept { note("dsb"); }
  void dmb() const noexcept { note("dmb"); }
};

using TestPort = cortex_a::BasicPort<CortexARegisters>;
static_assert(carveout::Port<TestPort>);

constexpr std::array kMemory{PhysRange{PhysAddr{0}, 0x1000},
                             PhysRange{PhysAddr{0x1000'0000}, 0x1000}};

struct CortexAPort : testing::Test {
  /// Unless stated, a Cortex-A7: CWG and DminLine 16 words.
  TestPort port(std::uint32_t ctr = 0x8444'8003) {
    return TestPort{kMemory, {{.machine = &machine}, ctr}};
  }
  std::vector<std::uintptr_t> cleaned() { return machine.walked("clean", {"dmb"}, {"dsb"}); }

  LineMachine machine;
};

TEST_F(CortexAPort, AWalkIsOrderedByADmbAndCompletedByADsb) {
  auto port = this->port();
  port.clean(pointer_to(0x1000'003f), 2);
  EXPECT_EQ(cleaned(), (std::vector<std::uintptr_t>{0x1000'0000, 0x1000'0040}));
}

TEST_F(CortexAPort, OwnersKeepTheWriteBackGranuleApartAndWalksTakeTheShortestLine) {
  auto port = this->port(0x8543'8003);  // CWG 32 words, DminLine 8 words
  EXPECT_EQ(port.cache_line_bytes(), 128U);
  port.clean(pointer_to(0x1000'0000), 128);
  EXPECT_EQ(cleaned().size(), 4U);
}

TEST_F(CortexAPort, OwnersAreALineApartWhereTheWriteBackGranuleIsLess) {
  auto port = this->port(0x8204'8004);  // Cortex-A8: CWG 4 words, DminLine 16 words
  EXPECT_EQ(port.cache_line_bytes(), 64U);
  port.clean(pointer_to(0x1000'0000), 128);
  EXPECT_EQ(cleaned(), (std::vector<std::uintptr_t>{0x1000'0000, 0x1000'0040}));
}

TEST_F(CortexAPort, AWriteBackGranuleThatIsNotStatedIsTheLongestThatTheArchitectureAllows) {
  EXPECT_EQ(port(0x8004'8003).cache_line_bytes(), 2048U);
}

TEST_F(CortexAPort, TheViewIsTheAddressItselfInsideOneOfTheBoardsRangesAndNothingElse) {
  auto port = this->port();
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1000'0ff0}, 0x10}), pointer_to(0x1000'0ff0));
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1000'0ff0}, 0x11}), nullptr);
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1000}, 1}), nullptr);
}

TEST_F(CortexAPort, PublishingAndFullBarriersCompleteAndObservingOnesOrder) {
  auto port = this->port();
  port.publish_barrier();
  port.observe_barrier();
  port.full_barrier();
  EXPECT_EQ(machine.names(), (std::vector<std::string>{"dsb", "dmb", "dsb"}));
}

}  // namespace
}  // namespace carveout::test
