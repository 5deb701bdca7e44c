#include "carveout_port/cortex_a.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lines.hpp"

namespace carveout::test {
namespace {

/// An ARMv7-A that writes down what is done to it.
struct CortexAMachine {
  enum class What : std::uint8_t { clean, invalidate, clean_invalidate, dsb, dmb };
  struct Event {
    What what;
    std::uint32_t mva = 0;
    bool operator==(const Event&) const = default;
  };

  std::uint32_t ctr = 0x8444'8003;  // Cortex-A7: CWG and DminLine 16 words
  std::vector<Event> events;
  std::uint32_t cpsr = 0x13;
};

struct CortexARegisters {
  using What = CortexAMachine::What;
  static constexpr std::uint32_t kMasked = 0x80;
  CortexAMachine* machine;

  std::uint32_t ctr() const noexcept { return machine->ctr; }
  void clean_line(std::uint32_t mva) const noexcept { note(What::clean, mva); }
  void invalidate_line(std::uint32_t mva) const noexcept { note(What::invalidate, mva); }
  void clean_invalidate_line(std::uint32_t mva) const noexcept {
    note(What::clean_invalidate, mva);
  }
  void dsb() const noexcept { note(What::dsb, 0); }
  void dmb() const noexcept { note(What::dmb, 0); }
  std::uint32_t mask_interrupts() const noexcept {
    const std::uint32_t before = machine->cpsr;
    machine->cpsr |= kMasked;
    return before;
  }
  void restore_interrupts(std::uint32_t cpsr) const noexcept {
    if ((cpsr & kMasked) == 0) machine->cpsr &= ~kMasked;
  }
  void note(What what, std::uint32_t mva) const noexcept { machine->events.push_back({what, mva}); }
};

using What = CortexAMachine::What;
using TestPort = cortex_a::BasicPort<CortexARegisters>;
static_assert(carveout::Port<TestPort>);

constexpr std::array kMemory{PhysRange{PhysAddr{0}, 0x1000},
                             PhysRange{PhysAddr{0x1000'0000}, 0x1000}};

struct CortexAPort : testing::Test {
  TestPort port() { return TestPort{kMemory, CortexARegisters{&machine}}; }
  /// The lines that one operation was done to; fails where anything else was done, or where it did
  /// not begin with a DMB and end with a DSB.
  std::vector<std::uint32_t> operated(What operation) {
    std::vector<std::uint32_t> lines;
    EXPECT_GE(machine.events.size(), 2U);
    EXPECT_EQ(machine.events.front().what, What::dmb);
    EXPECT_EQ(machine.events.back().what, What::dsb);
    for (std::size_t i = 1; i + 1 < machine.events.size(); ++i) {
      EXPECT_EQ(machine.events[i].what, operation);
      lines.push_back(machine.events[i].mva);
    }
    machine.events.clear();
    return lines;
  }

  CortexAMachine machine;
};

TEST_F(CortexAPort, EachLineOfARangeIsInvalidatedOnceAndNoOther) {
  auto port = this->port();
  for (std::uint32_t offset = 0; offset < 128; ++offset) {
    for (std::size_t size = 0; size < 200; ++size) {
      const std::uint32_t at = 0x1000'0000 + offset;
      port.invalidate(pointer_to(at), size);
      ASSERT_EQ(operated(What::invalidate), lines_touched(at, size, 64)) << offset << "+" << size;
    }
  }
}

TEST_F(CortexAPort, EachVerbUsesItsOwnOperation) {
  auto port = this->port();
  const std::vector<std::uint32_t> two{0x1000'0000, 0x1000'0040};
  port.clean(pointer_to(0x1000'003f), 2);
  EXPECT_EQ(operated(What::clean), two);
  port.invalidate(pointer_to(0x1000'003f), 2);
  EXPECT_EQ(operated(What::invalidate), two);
  port.clean_invalidate(pointer_to(0x1000'003f), 2);
  EXPECT_EQ(operated(What::clean_invalidate), two);
}

TEST_F(CortexAPort, OwnersKeepTheWriteBackGranuleApartAndWalksTakeTheShortestLine) {
  machine.ctr = 0x8543'8003;  // CWG 32 words, DminLine 8 words
  auto port = this->port();
  EXPECT_EQ(port.cache_line_bytes(), 128U);
  port.clean(pointer_to(0x1000'0000), 128);
  EXPECT_EQ(operated(What::clean).size(), 4U);
}

TEST_F(CortexAPort, OwnersAreALineApartWhereTheWriteBackGranuleIsLess) {
  machine.ctr = 0x8204'8004;  // Cortex-A8: CWG 4 words, DminLine 16 words
  auto port = this->port();
  EXPECT_EQ(port.cache_line_bytes(), 64U);
  port.clean(pointer_to(0x1000'0000), 128);
  EXPECT_EQ(operated(What::clean), (std::vector<std::uint32_t>{0x1000'0000, 0x1000'0040}));
}

TEST_F(CortexAPort, AWriteBackGranuleThatIsNotStatedIsTheLongestThatTheArchitectureAllows) {
  machine.ctr = 0x8004'8003;
  EXPECT_EQ(port().cache_line_bytes(), 2048U);
}

TEST_F(CortexAPort, TheViewIsTheAddressItselfInsideOneOfTheBoardsRangesAndNothingElse) {
  auto port = this->port();
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1000'0ff0}, 0x10}), pointer_to(0x1000'0ff0));
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1000'0ff0}, 0x11}), nullptr);
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1000}, 1}), nullptr);
}

TEST_F(CortexAPort, LocksNestAndTheOutermostUnlockOpensInterrupts) {
  auto port = this->port();
  LockWord a;
  LockWord b;
  const LockState outer = port.lock(a);
  const LockState inner = port.lock(b);
  port.unlock(b, inner);
  EXPECT_EQ(machine.cpsr, 0x93U);
  port.unlock(a, outer);
  EXPECT_EQ(machine.cpsr, 0x13U);
}

TEST_F(CortexAPort, PublishingAndFullBarriersCompleteAndObservingOnesOrder) {
  auto port = this->port();
  port.publish_barrier();
  port.observe_barrier();
  port.full_barrier();
  EXPECT_EQ(machine.events, (std::vector<CortexAMachine::Event>{
                                {.what = What::dsb}, {.what = What::dmb}, {.what = What::dsb}}));
}

}  // namespace
}  // namespace carveout::test
