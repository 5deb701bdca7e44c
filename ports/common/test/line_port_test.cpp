#include "carveout_port/line_port.hpp"

#include <gtest/gtest.h>

#include "carveout_port/identity.hpp"
#include "line_machine.hpp"
#include "lines.hpp"

namespace carveout::test {
namespace {

using ports::DataLines;

struct Registers : LineRegisters {
  void before() const noexcept { note("before"); }
  void after() const noexcept { note("after"); }
};

struct WalkingPort : ports::LinePort<WalkingPort, Registers> {
  WalkingPort(LineMachine& machine, DataLines lines)
      : LinePort{Registers{{.machine = &machine}}, lines} {}
  void before_lines() { registers().before(); }
  void after_lines() { registers().after(); }
};

struct LinePort : testing::Test {
  LineMachine machine;
  WalkingPort port{machine, {.granule_bytes = 128, .step_bytes = 32}};

  std::vector<std::uintptr_t> walked(const std::string& operation) {
    return machine.walked(operation, {"before"}, {"after"});
  }
};

TEST_F(LinePort, EachLineOfARangeIsCleanedOnceAndNoOtherBetweenItsBarriers) {
  for (std::uint32_t offset = 0; offset < 64; ++offset) {
    for (std::size_t size = 1; size < 130; ++size) {
      const std::uint32_t at = 0x2000'0000 + offset;
      port.clean(pointer_to(at), size);
      const auto touched = lines_touched(at, size, 32);
      ASSERT_EQ(walked("clean"), std::vector<std::uintptr_t>(touched.begin(), touched.end()))
          << offset << "+" << size;
    }
  }
}

TEST_F(LinePort, EachVerbDoesItsOwnOperation) {
  const std::vector<std::uintptr_t> two{0x2000'0020, 0x2000'0040};
  port.clean(pointer_to(0x2000'003f), 2);
  EXPECT_EQ(walked("clean"), two);
  port.invalidate(pointer_to(0x2000'003f), 2);
  EXPECT_EQ(walked("invalidate"), two);
  port.clean_invalidate(pointer_to(0x2000'003f), 2);
  EXPECT_EQ(walked("clean_invalidate"), two);
}

TEST_F(LinePort, OwnersKeepTheGranuleApartAndWalksTakeTheShortestLine) {
  EXPECT_EQ(port.cache_line_bytes(), 128U);
  port.clean(pointer_to(0x2000'0000), 128);
  EXPECT_EQ(walked("clean").size(), 4U);
}

TEST_F(LinePort, WithoutADataCacheThereIsTheFirstBarrierAndNoMaintenance) {
  WalkingPort without{machine, ports::kNoDataCache};
  EXPECT_EQ(without.cache_line_bytes(), 1U);
  without.clean_invalidate(pointer_to(0x2000'0000), 4096);
  EXPECT_EQ(machine.names(), std::vector<std::string>{"before"});
}

TEST_F(LinePort, LocksNestAndTheOutermostUnlockOpensInterrupts) {
  machine.mask = 0x13;
  LockWord a;
  LockWord b;
  const LockState outer = port.lock(a);
  const LockState inner = port.lock(b);
  port.unlock(b, inner);
  EXPECT_EQ(machine.mask, Registers::kMasked);
  port.unlock(a, outer);
  EXPECT_EQ(machine.mask, 0x13U);
}

using ports::identity_phys;
using ports::identity_view;

TEST(IdentityView, OneEntryServesTheWholeRangeAlsoWhereEntriesOverlap) {
  constexpr PhysRange kMemory[]{
      {PhysAddr{0x1000}, 0x1000}, {PhysAddr{0x1800}, 0x1000}, {PhysAddr{0x2800}, 0x1000}};
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0x1900}, 0x100}), pointer_to(0x1900)) << "in two";
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0x1900}, 0x800}), pointer_to(0x1900)) << "in one";
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0x1000}, 0x1800}), nullptr) << "in none alone";
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0x2700}, 0x200}), nullptr) << "across a seam";
}

TEST(IdentityView, MemoryThatBeginsAtZeroHasNoViewOfItsFirstByte) {
  constexpr PhysRange kMemory[]{{PhysAddr{0}, 0x1000}};
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0}, 1}), nullptr);
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{1}, 1}), pointer_to(1));
}

TEST(IdentityView, ThereIsNoneAboveWhatAPointerHolds) {
  constexpr PhysRange kMemory[]{{PhysAddr{0xffff'f000}, 0x2000}};
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0xffff'f000}, 0x1000}, UINT32_MAX),
            pointer_to(0xffff'f000));
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0xffff'f000}, 0x1001}, UINT32_MAX), nullptr);
}

TEST(IdentityView, BytesOfTheCpusLieAtTheirOwnAddressWhereAllOfThemAreOfOneEntry) {
  constexpr PhysRange kMemory[]{{PhysAddr{0x1000}, 0x1000}};
  EXPECT_EQ(identity_phys(kMemory, pointer_to(0x1ff0), 0x10), PhysAddr{0x1ff0});
  EXPECT_EQ(identity_phys(kMemory, pointer_to(0x1ff0), 0x11), std::nullopt);
}

}  // namespace
}  // namespace carveout::test
