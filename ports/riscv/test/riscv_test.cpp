#include "carveout_port/riscv.hpp"

#include <gtest/gtest.h>

#include "line_machine.hpp"
#include "lines.hpp"

namespace carveout::test {
namespace {

struct RiscvRegisters : LineRegisters {
  void complete_lines() const noexcept { note("complete_lines"); }
  void fence() const noexcept { note("fence"); }
  void fence_writes() const noexcept { note("fence_writes"); }
  void fence_reads() const noexcept { note("fence_reads"); }
};

using TestPort = riscv::BasicPort<RiscvRegisters>;
static_assert(carveout::Port<TestPort>);
static_assert(PortWithSyncTable<TestPort> && PortWithPhysOf<TestPort>);

constexpr PhysRange kMemory[]{{PhysAddr{0x8000'0000}, 0x1000}};

struct RiscvPort : testing::Test {
  LineMachine machine;
  RiscvRegisters registers{{.machine = &machine}};
};

TEST_F(RiscvPort, TheBlockIsWhatTheBoardStatesAndOtherwiseThatOfTheProfiles) {
  EXPECT_EQ((TestPort{kMemory, registers}.cache_line_bytes()), 64U);
  TestPort stated{kMemory, registers, 128};
  EXPECT_EQ(stated.cache_line_bytes(), 128U);
  stated.clean(pointer_to(0x8000'0000), 256);
  EXPECT_EQ(machine.walked("clean", {"fence"}, {"complete_lines", "fence"}),
            (std::vector<std::uintptr_t>{0x8000'0000, 0x8000'0080}));
}

TEST_F(RiscvPort, AHartWhoseCachesSeeDevicesIsFencedAndNotMaintained) {
  TestPort coherent{kMemory, registers, 1};
  coherent.invalidate(pointer_to(0x8000'0000), 4096);
  EXPECT_EQ(machine.names(), std::vector<std::string>{"fence"});
}

TEST_F(RiscvPort, PublishingFencesWritesObservingReadsAndTheFullBarrierAll) {
  TestPort port{kMemory, registers};
  port.publish_barrier();
  port.observe_barrier();
  port.full_barrier();
  EXPECT_EQ(machine.names(), (std::vector<std::string>{"fence_writes", "fence_reads", "fence"}));
}

TEST_F(RiscvPort, MemoryHasAViewAtItsOwnAddressAndBack) {
  TestPort port{kMemory, registers};
  EXPECT_EQ(port.cpu_view({PhysAddr{0x8000'0100}, 0x100}), pointer_to(0x8000'0100));
  EXPECT_EQ(port.phys_of(pointer_to(0x8000'0100), 0x100), PhysAddr{0x8000'0100});
  EXPECT_EQ(port.cpu_view({PhysAddr{0x8000'0f01}, 0x100}), nullptr);
  EXPECT_EQ(port.sync_table(), sync_tables::riscv);
}

std::vector<std::pair<char, std::uintptr_t>> row_calls;  // a row has functions and no object

TEST(RiscvRegistersOfARow, EachOperationIsTheRowsAndCompletionIsOptional) {
  constexpr riscv::CacheOperations kRow{
      .clean = [](std::uintptr_t at) noexcept { row_calls.emplace_back('c', at); },
      .invalidate = [](std::uintptr_t at) noexcept { row_calls.emplace_back('i', at); },
      .clean_invalidate = [](std::uintptr_t at) noexcept { row_calls.emplace_back('f', at); },
      .complete = [] noexcept { row_calls.emplace_back('s', 0); }};
  constexpr riscv::CacheOperations kWithout{.clean = kRow.clean,
                                            .invalidate = kRow.invalidate,
                                            .clean_invalidate = kRow.clean_invalidate,
                                            .complete = nullptr};
  row_calls.clear();
  riscv::Registers registers{kRow};
  registers.clean_line(1);
  registers.invalidate_line(2);
  registers.clean_invalidate_line(3);
  registers.complete_lines();
  riscv::Registers{kWithout}.complete_lines();
  EXPECT_EQ(row_calls,
            (std::vector<std::pair<char, std::uintptr_t>>{{'c', 1}, {'i', 2}, {'f', 3}, {'s', 0}}));
}

}  // namespace
}  // namespace carveout::test
