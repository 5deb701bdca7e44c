#include "carveout_port/mips.hpp"

#include <gtest/gtest.h>

#include "carveout/map/known_aliases.hpp"
#include "line_machine.hpp"
#include "lines.hpp"

namespace carveout::test {
namespace {

struct MipsRegisters : LineRegisters {
  std::uint32_t stated;

  std::uint32_t config1() const noexcept { return stated; }
  void sync() const noexcept { note("sync"); }
};

using TestPort = mips32::BasicPort<MipsRegisters>;
static_assert(carveout::Port<TestPort>);
static_assert(PortWithSyncTable<TestPort> && PortWithPhysOf<TestPort>);

constexpr std::uint32_t kDl = 10;          // where Config1 has DL
constexpr std::uint32_t k24Kc = 4 << kDl;  // lines of 32 bytes
constexpr PhysRange kMemory[]{{PhysAddr{0}, 0x1000'0000}, {PhysAddr{0x1fff'f000}, 0x2000}};

struct MipsPort : testing::Test {
  LineMachine machine;
  TestPort port(std::uint32_t config1 = k24Kc) {
    return TestPort{kMemory, sync_tables::mips_not_speculating, {{.machine = &machine}, config1}};
  }
};

TEST_F(MipsPort, TheLineIsTwoToTheFieldsPowerTwice) {
  for (std::uint32_t dl = 1; dl < 7; ++dl) {
    EXPECT_EQ(port(dl << kDl).cache_line_bytes(), std::size_t{2} << dl) << dl;
  }
}

TEST_F(MipsPort, ACoreWithoutADataCacheIsNotMaintained) {
  auto port = this->port(0x9e19'008a);
  EXPECT_EQ(port.cache_line_bytes(), 1U);
  port.clean(pointer_to(0x8000'0000), 4096);
  EXPECT_EQ(machine.names(), std::vector<std::string>{"sync"});
}

TEST_F(MipsPort, AWalkStandsBetweenTwoSyncs) {
  auto port = this->port();
  port.invalidate(pointer_to(0x8000'0021), 32);
  EXPECT_EQ(machine.walked("invalidate", {"sync"}, {"sync"}),
            (std::vector<std::uintptr_t>{0x8000'0020, 0x8000'0040}));
}

TEST_F(MipsPort, EveryBarrierIsASync) {
  auto port = this->port();
  port.publish_barrier();
  EXPECT_EQ(machine.names().size(), 1U);
  port.observe_barrier();
  EXPECT_EQ(machine.names().size(), 2U);
  port.full_barrier();
  EXPECT_EQ(machine.names(), (std::vector<std::string>{"sync", "sync", "sync"}));
}

TEST_F(MipsPort, PhysicalMemoryIsSeenThroughKseg0FromItsFirstByteOn) {
  auto port = this->port();
  EXPECT_EQ(port.cpu_view({PhysAddr{0}, 0x100}), pointer_to(0x8000'0000));
  EXPECT_EQ(port.cpu_view({PhysAddr{0x0fff'ff00}, 0x100}), pointer_to(0x8fff'ff00));
  EXPECT_EQ(port.cpu_view({PhysAddr{0x0fff'ff00}, 0x101}), nullptr);
}

TEST_F(MipsPort, WhatTheKnownAliasNamesIsSeenThroughKseg1) {
  auto port = this->port();
  constexpr Alias kAliases[]{known_aliases::mips32};
  const auto views = views_of(kAliases, {PhysAddr{0x123'4000}, 0x100});
  ASSERT_TRUE(views.has_value());
  EXPECT_EQ(port.cpu_view(views->uncached), pointer_to(0xa123'4000));
  EXPECT_EQ(port.cpu_view(views->cached), pointer_to(0x8123'4000));
}

TEST_F(MipsPort, TheSegmentsEndAt512Mebibytes) {
  auto port = this->port();
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1fff'f000}, 0x1000}), pointer_to(0x9fff'f000));
  EXPECT_EQ(port.cpu_view({PhysAddr{0x1fff'f000}, 0x1001}), nullptr);
  EXPECT_EQ(port.cpu_view({PhysAddr{0xbfff'f000}, 0x1001}), nullptr);
}

TEST_F(MipsPort, APointerOfEitherSegmentSaysWhichViewItIs) {
  auto port = this->port();
  EXPECT_EQ(port.phys_of(pointer_to(0x8123'4000), 4), PhysAddr{0x123'4000});
  EXPECT_EQ(port.phys_of(pointer_to(0xa123'4000), 4), PhysAddr{0xa123'4000});
  EXPECT_EQ(port.phys_of(pointer_to(0x7fff'f000), 4), std::nullopt) << "a mapped segment";
  EXPECT_EQ(port.phys_of(pointer_to(0xc000'0000), 4), std::nullopt) << "beyond KSEG1";
}

TEST_F(MipsPort, ACoreMayFetchBySpeculationUnlessTheBoardSaysThatItDoesNot) {
  TestPort silent{kMemory, sync_tables::mips_speculating, {{.machine = &machine}, k24Kc}};
  EXPECT_EQ(port().sync_table(), sync_tables::mips_not_speculating);
  EXPECT_EQ(silent.sync_table(), sync_tables::mips_speculating);
}

}  // namespace
}  // namespace carveout::test
