#include "carveout_port/cortex_m.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cortex_m_machine.hpp"
#include "lines.hpp"

namespace carveout::test {
namespace {

using What = CortexMMachine::What;
using TestPort = cortex_m::BasicPort<CortexMRegisters>;
static_assert(carveout::Port<TestPort>);

// Source: Cortex-M7 TRM (DDI 0489), table 4-1. CWG and DminLine: 8 words.
constexpr std::uint32_t kCtrOfCortexM7 = 0x8303'c003;

constexpr std::array kMemory{PhysRange{PhysAddr{0x2000'0000}, 0x1000},
                             PhysRange{PhysAddr{0x2000'1000}, 0x1000},
                             PhysRange{PhysAddr{0xffff'f000}, 0x2000}};

struct CortexMPort : testing::Test {
  TestPort port(std::uint32_t ctr, std::size_t fallback = cortex_m::kCortexM7LineBytes) {
    machine.registers[cortex_m::kCtr] = ctr;
    return TestPort{kMemory, fallback, CortexMRegisters{&machine}};
  }
  /// The lines that one cache operation was written for; fails where anything else was done, or
  /// where it did not both begin and end with a DSB.
  std::vector<std::uint32_t> operated(std::uint32_t operation) {
    std::vector<std::uint32_t> lines;
    EXPECT_GE(machine.events.size(), 2U);
    EXPECT_EQ(machine.events.front().what, What::dsb);
    EXPECT_EQ(machine.events.back().what, What::dsb);
    for (std::size_t i = 1; i + 1 < machine.events.size(); ++i) {
      EXPECT_EQ(machine.events[i].what, What::write);
      EXPECT_EQ(machine.events[i].address, operation);
      lines.push_back(machine.events[i].value);
    }
    machine.events.clear();
    return lines;
  }

  CortexMMachine machine;
};

TEST_F(CortexMPort, EachLineOfARangeIsCleanedOnceAndNoOther) {
  auto port = this->port(kCtrOfCortexM7);
  for (std::uint32_t offset = 0; offset < 64; ++offset) {
    for (std::size_t size = 0; size < 130; ++size) {
      const std::uint32_t at = 0x2000'0000 + offset;
      port.clean(pointer_to(at), size);
      ASSERT_EQ(operated(cortex_m::kDccmvac), lines_touched(at, size, 32)) << offset << "+" << size;
    }
  }
}

TEST_F(CortexMPort, EachVerbWritesItsOwnRegister) {
  auto port = this->port(kCtrOfCortexM7);
  const std::vector<std::uint32_t> two{0x2000'0020, 0x2000'0040};
  port.clean(pointer_to(0x2000'003f), 2);
  EXPECT_EQ(operated(0xe000'ef68), two);
  port.invalidate(pointer_to(0x2000'003f), 2);
  EXPECT_EQ(operated(0xe000'ef5c), two);
  port.clean_invalidate(pointer_to(0x2000'003f), 2);
  EXPECT_EQ(operated(0xe000'ef70), two);
}

TEST_F(CortexMPort, AWalkEndsAtTheTopOfTheAddressSpace) {
  auto port = this->port(kCtrOfCortexM7);
  port.invalidate(pointer_to(0xffff'ffc8), 0x38);
  EXPECT_EQ(operated(cortex_m::kDcimvac), (std::vector<std::uint32_t>{0xffff'ffc0, 0xffff'ffe0}));
}

TEST_F(CortexMPort, TheLineComesFromTheCacheTypeRegister) {
  EXPECT_EQ(port(kCtrOfCortexM7, 64).cache_line_bytes(), 32U);
}

TEST_F(CortexMPort, ARegisterThatReadsZeroLeavesTheLineToTheBoard) {
  auto silent = port(0, 64);
  EXPECT_EQ(silent.cache_line_bytes(), 64U);
  silent.clean(pointer_to(0x2000'0000), 128);
  EXPECT_EQ(operated(cortex_m::kDccmvac).size(), 2U);
}

TEST_F(CortexMPort, OwnersKeepTheWriteBackGranuleApartAndWalksTakeTheShortestLine) {
  auto port = this->port(0x8402'c003);  // CWG 16 words, DminLine 4 words
  EXPECT_EQ(port.cache_line_bytes(), 64U);
  port.clean(pointer_to(0x2000'0000), 64);
  EXPECT_EQ(operated(cortex_m::kDccmvac).size(), 4U);
}

TEST_F(CortexMPort, AWriteBackGranuleThatIsNotStatedIsTheBoardsLineAndNeverLessThanAWalksStep) {
  EXPECT_EQ(port(0x8003'c003, 64).cache_line_bytes(), 64U);
  EXPECT_EQ(port(0x8003'c003, 1).cache_line_bytes(), 32U);
}

TEST_F(CortexMPort, ACoreWithoutADataCacheSeesBarriersAndNoMaintenance) {
  auto port = this->port(0, 1);
  EXPECT_EQ(port.cache_line_bytes(), 1U);
  port.clean_invalidate(pointer_to(0x2000'0000), 4096);
  EXPECT_EQ(machine.events, (std::vector<CortexMMachine::Event>{{.what = What::dsb}}));
}

TEST_F(CortexMPort, TheViewIsTheAddressItselfInsideOneOfTheBoardsRangesAndNothingElse) {
  auto port = this->port(kCtrOfCortexM7);
  EXPECT_EQ(port.cpu_view({PhysAddr{0x2000'0ff0}, 0x10}), pointer_to(0x2000'0ff0));
  EXPECT_EQ(port.cpu_view({PhysAddr{0x2000'0ff0}, 0x11}), nullptr) << "spans two ranges";
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1fff'fff0}, 0x20}), nullptr);
  EXPECT_EQ(port.cpu_view({PhysAddr{0x2000'0000}, 0}), nullptr);
  EXPECT_EQ(port.cpu_view({PhysAddr{0xffff'f000}, 0x1000}), pointer_to(0xffff'f000));
  EXPECT_EQ(port.cpu_view({PhysAddr{0xffff'f000}, 0x1001}), nullptr) << "passes 4 GiB";
}

TEST_F(CortexMPort, LocksNestAndTheOutermostUnlockOpensInterrupts) {
  auto port = this->port(kCtrOfCortexM7);
  LockWord a;
  LockWord b;
  const LockState outer = port.lock(a);
  const LockState inner = port.lock(b);
  EXPECT_EQ(machine.primask, 1U);
  port.unlock(b, inner);
  EXPECT_EQ(machine.primask, 1U);
  port.unlock(a, outer);
  EXPECT_EQ(machine.primask, 0U);
}

TEST_F(CortexMPort, PublishingAndFullBarriersCompleteAndObservingOnesOrder) {
  auto port = this->port(kCtrOfCortexM7);
  port.publish_barrier();
  port.observe_barrier();
  port.full_barrier();
  EXPECT_EQ(machine.events, (std::vector<CortexMMachine::Event>{
                                {.what = What::dsb}, {.what = What::dmb}, {.what = What::dsb}}));
}

}  // namespace
}  // namespace carveout::test
