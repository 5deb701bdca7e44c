// Every machine whose alias is known: memory is handed out by its uncached address, the device gets
// the address of its bus, and the cached twin is out of the cache.
#include "carveout/map/known_aliases.hpp"

#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::must;
using test::pattern;
using test::SimBoard;

constexpr std::uint64_t kRam = 0x1'0000;

struct MachineRow {
  std::string_view name;
  Alias alias;
  std::uint64_t offset;  ///< of the RAM, from both sides of the alias on
  PhysAddr stated;       ///< where the pool is stated: on either side
  PhysAddr uncached;     ///< the address that the CPU uses
  PhysAddr cached;       ///< its twin
  std::span<const Window> windows;
  DmaAddr dma;
};
std::ostream& operator<<(std::ostream& out, const MachineRow& row) { return out << row.name; }

/// Devices that use physical addresses.
constexpr Window kIdentity[] = {{DmaAddr{0}, PhysAddr{0}, std::uint64_t{1} << 40}};

const std::array kMachines{
    MachineRow{"MipsKseg", known_aliases::mips32, 0x100'0000, PhysAddr{0x100'4000},
               PhysAddr{0xa100'4000}, PhysAddr{0x100'4000}, kIdentity, DmaAddr{0x100'4000}},
    MachineRow{"MipsXkphys", known_aliases::mips64, 0x100'0000, PhysAddr{0x100'4000},
               PhysAddr{0x9000'0000'0100'4000}, PhysAddr{0x100'4000}, kIdentity,
               DmaAddr{0x100'4000}},
    MachineRow{"Xtensa128M", known_aliases::xtensa_128m(), 0x10'0000, PhysAddr{0x10'4000},
               PhysAddr{0xd810'4000}, PhysAddr{0x10'4000}, kIdentity, DmaAddr{0x10'4000}},
    MachineRow{"Xtensa256M", known_aliases::xtensa_256m(), 0x10'0000, PhysAddr{0x10'4000},
               PhysAddr{0xc010'4000}, PhysAddr{0x10'4000}, kIdentity, DmaAddr{0x10'4000}},
    MachineRow{"Xtensa512MElsewhere", known_aliases::xtensa_512m(PhysAddr{0x6000'0000}), 0x10'0000,
               PhysAddr{0x6010'4000}, PhysAddr{0xc010'4000}, PhysAddr{0x6010'4000}, kIdentity,
               DmaAddr{0x6010'4000}},
    MachineRow{"Nios2", known_aliases::nios2, 0x20'0000, PhysAddr{0x20'4000}, PhysAddr{0xe020'4000},
               PhysAddr{0x20'4000}, kIdentity, DmaAddr{0x20'4000}},
    MachineRow{"Jh7100StatedUncached", known_aliases::jh7100, 0x7a00'0000, PhysAddr{0x10'7a00'4000},
               PhysAddr{0x10'7a00'4000}, PhysAddr{0xfa00'4000}, known_windows::jh7100,
               DmaAddr{0xfa00'4000}},
    MachineRow{"Jh7100StatedCached", known_aliases::jh7100, 0x1000'0000, PhysAddr{0x9000'4000},
               PhysAddr{0x10'1000'4000}, PhysAddr{0x9000'4000}, known_windows::jh7100,
               DmaAddr{0x9000'4000}},
    MachineRow{"Stm32Sdram", known_aliases::stm32_sdram, 0x10'0000, PhysAddr{0xc010'4000},
               PhysAddr{0xc010'4000}, PhysAddr{0xc010'4000}, kIdentity, DmaAddr{0xc010'4000}},
    MachineRow{"Stm32H7SecondSdram", known_aliases::stm32h7_sdram2, 0x10'0000,
               PhysAddr{0xd010'4000}, PhysAddr{0xd010'4000}, PhysAddr{0x7010'4000}, kIdentity,
               DmaAddr{0xd010'4000}},
    MachineRow{"Esp32P4", known_aliases::esp32_p4, 0x1'0000, PhysAddr{0x4ff1'4000},
               PhysAddr{0x8ff1'4000}, PhysAddr{0x4ff1'4000}, kIdentity, DmaAddr{0x4ff1'4000}},
    MachineRow{"PolarFireLow", known_aliases::polarfire_low, 0x400'0000, PhysAddr{0xc400'4000},
               PhysAddr{0xc400'4000}, PhysAddr{0x8400'4000}, kIdentity, DmaAddr{0xc400'4000}},
    MachineRow{"PolarFireHigh", known_aliases::polarfire_high, 0x1200'0000,
               PhysAddr{0x14'1200'4000}, PhysAddr{0x14'1200'4000}, PhysAddr{0x10'1200'4000},
               kIdentity, DmaAddr{0x14'1200'4000}},
};

class KnownAlias : public testing::TestWithParam<MachineRow> {
 protected:
  static sim::MachineFacts facts() {
    const MachineRow& row = GetParam();
    return {.ram = {{.size_bytes = kRam,
                     .cached = PhysAddr{row.alias.cached.raw() + row.offset},
                     .uncached = PhysAddr{row.alias.uncached.raw() + row.offset}}}};
  }
  SimBoard board_{facts(), [](Platform& platform) { platform.aliases = {&GetParam().alias, 1}; }};
  Device& device_ =
      board_.device("eth", {.windows = {GetParam().windows.begin(), GetParam().windows.end()},
                            .mask = test::kAnyAddress});
};

TEST_P(KnownAlias, HandsOutTheUncachedViewAndLeavesNoLineOfTheTwin) {
  const MachineRow& row = GetParam();
  const PhysRange twin{row.cached, 0x1000};
  std::byte* const through_cache = board_.machine.cached_view(twin);
  board_.machine.write(through_cache, pattern(0x1000, 3));  // dirty lines of an earlier use

  Pool& pool = board_.default_pool("d", {row.stated, 0x1000});
  const Block block = must(alloc_coherent(device_, 0x1000));
  EXPECT_EQ(block.pool, &pool);
  EXPECT_EQ(block.phys, row.stated);
  EXPECT_EQ(block.dma, row.dma);
  EXPECT_EQ(block.cpu, board_.machine.cpu_view({row.uncached, 0x1000}));
  EXPECT_EQ(pool.pointer(block, View::cached), board_.machine.cpu_view({row.cached, 0x1000}));
  for (std::size_t at = 0; at < 0x1000; at += board_.machine.line_bytes()) {
    const sim::LineState line = board_.machine.line(through_cache + at);
    EXPECT_FALSE(line.valid || line.dirty) << at;
  }

  ASSERT_TRUE(board_.engine(device_).write(block.dma, pattern(0x1000, 5)));
  EXPECT_EQ((Bytes{block.cpu, block.cpu + 0x1000}), pattern(0x1000, 5));
}

INSTANTIATE_TEST_SUITE_P(Machines, KnownAlias, testing::ValuesIn(kMachines),
                         [](const testing::TestParamInfo<MachineRow>& row) {
                           return std::string{row.param.name};
                         });

struct BusRow {
  std::string_view name;
  Window window;
  DmaAddr dma;  ///< of physical 0x1e000000
};
std::ostream& operator<<(std::ostream& out, const BusRow& row) { return out << row.name; }

class KnownWindow : public testing::TestWithParam<BusRow> {};

/// A Raspberry Pi's "bus alias" is an address of the device: the CPU has one address for the byte.
TEST_P(KnownWindow, GivesTheDeviceTheBusAddressAndTheCpuItsOwn) {
  const PhysAddr base{0x1e00'0000};
  SimBoard board{{.ram = {{.size_bytes = kRam, .cached = base, .uncached = base}}}};
  Device& device = board.device("vc", {.windows = {GetParam().window}, .mask = test::k32Bits});
  board.default_pool("d", {base, 0x1000});
  const Block block = must(alloc_coherent(device, 0x1000));
  EXPECT_EQ(block.phys, base);
  EXPECT_EQ(block.dma, GetParam().dma);
  ASSERT_TRUE(board.engine(device).write(block.dma, pattern(64)));
  EXPECT_EQ((Bytes{block.cpu, block.cpu + 64}), pattern(64));
}

constexpr std::array kBuses{
    BusRow{"Bcm2835", known_windows::bcm2835, DmaAddr{0x5e00'0000}},
    BusRow{"Bcm2836", known_windows::bcm2836, DmaAddr{0xde00'0000}},
    BusRow{"Bcm2837", known_windows::bcm2837, DmaAddr{0xde00'0000}},
    BusRow{"Bcm2711", known_windows::bcm2711, DmaAddr{0xde00'0000}},
    BusRow{"Bcm2711EarlyPcie", known_windows::bcm2711_early_pcie, DmaAddr{0x1e00'0000}},
};

INSTANTIATE_TEST_SUITE_P(Buses, KnownWindow, testing::ValuesIn(kBuses),
                         [](const testing::TestParamInfo<BusRow>& row) {
                           return std::string{row.param.name};
                         });

}  // namespace
}  // namespace carveout
