// Aliases and windows of machines that fix them in hardware, so that a board need not look them up.
//
// The cached side is the address that a device tree states for the RAM. The uncached side is what
// the port's cpu_view() turns into a pointer past the cache: a physical address where the machine
// has two, and the address in the uncached segment where only the processor has two (MIPS, Xtensa,
// Nios II). There the port turns the RAM's physical address into the one in the cached segment.
#pragma once

#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/alias.hpp"

namespace carveout {

namespace known_aliases {

/// MIPS32: KSEG1 from 0xa0000000 on shows what KSEG0 shows, the first 512 MiB.
/// Source: MIPS32 Architecture for Programmers, volume III (MD00090); Linux v6.6
/// arch/mips/include/asm/mach-generic/spaces.h, UNCAC_BASE.
inline constexpr Alias mips32{PhysAddr{0}, PhysAddr{0xa000'0000}, 0x2000'0000};
/// MIPS64: XKPHYS with cache attribute 2 shows all physical addresses.
/// Source: the same, UNCAC_BASE for 64 bits.
inline constexpr Alias mips64{PhysAddr{0}, PhysAddr{0x9000'0000'0000'0000}, std::uint64_t{1} << 59};

/// Xtensa with an MMU: the segment past the cache, in the three layouts that Linux knows. Without
/// an MMU it is the board that says.
///
/// @param ram  the physical address that the segments show, 0 as a rule (XCHAL_KSEG_PADDR).
/// Source: Linux v6.6 arch/xtensa/include/asm/kmem_layout.h.
constexpr Alias xtensa_128m(PhysAddr ram = PhysAddr{0}) {
  return {ram, PhysAddr{0xd800'0000}, 0x0800'0000};
}
constexpr Alias xtensa_256m(PhysAddr ram = PhysAddr{0}) {
  return {ram, PhysAddr{0xc000'0000}, 0x1000'0000};
}
constexpr Alias xtensa_512m(PhysAddr ram = PhysAddr{0}) {
  return {ram, PhysAddr{0xc000'0000}, 0x2000'0000};
}

/// Nios II with an MMU: the I/O region shows what the kernel region shows.
/// Source: Linux v6.6 arch/nios2/mm/dma-mapping.c, arch_dma_set_uncached(), which computes this
/// address and returns the cached one.
inline constexpr Alias nios2{PhysAddr{0}, PhysAddr{0xe000'0000}, 0x2000'0000};

/// StarFive JH7100: RAM a second time, high up. Its DMA sees known_windows::jh7100.
/// Source: Linux, arch/riscv/boot/dts/starfive/jh7100.dtsi and jh7100-common.dtsi.
inline constexpr Alias jh7100{PhysAddr{0x8000'0000}, PhysAddr{0x10'0000'0000}, 0x8'0000'0000};

/// STM32 with the FMC as it is after reset: SDRAM has one address, and the processor's own map has
/// device memory there, which is not cached, until an MPU region says otherwise. With the banks
/// swapped (SWP_FMC, BMAP 01) it lies at 0x60000000 and is cached: then there is no alias.
/// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), table B3-1; RM0385, SYSCFG_MEMRMP.
inline constexpr Alias stm32_sdram{PhysAddr{0xc000'0000}, PhysAddr{0xc000'0000}, 0x2000'0000};
/// STM32H7 with BMAP 10: the second SDRAM bank at 0x70000000, cached, and still at its own place.
/// Source: RM0433, FMC_BCR1, BMAP.
inline constexpr Alias stm32h7_sdram2{PhysAddr{0x7000'0000}, PhysAddr{0xd000'0000}, 0x1000'0000};

/// ESP32-P4: the L2 memory a second time, 0x40000000 higher. Devices use the lower address.
/// Source: ESP32-P4 Technical Reference Manual, system and memory; early silicon.
inline constexpr Alias esp32_p4{PhysAddr{0x4ff0'0000}, PhysAddr{0x8ff0'0000}, 0xc'0000};

/// PolarFire SoC: DDR past the cache, for programs that leave the segment registers such that both
/// windows begin at the start of DDR. The windows below and above 4 GiB are each an alias.
/// Source: PolarFire SoC MSS Technical Reference Manual, memory map.
inline constexpr Alias polarfire_low{PhysAddr{0x8000'0000}, PhysAddr{0xc000'0000}, 0x1000'0000};
inline constexpr Alias polarfire_high{PhysAddr{0x10'0000'0000}, PhysAddr{0x14'0000'0000},
                                      0x4'0000'0000};

}  // namespace known_aliases

/// What buses show of memory. On a Raspberry Pi "bus alias" means one of these: VideoCore's
/// addresses for the RAM, with other cache behaviour of its own, and not a second address for the
/// CPU.
namespace known_windows {

/// Source: Linux v6.6 arch/arm/boot/dts/broadcom/bcm283*.dtsi and bcm2711.dtsi, soc, dma-ranges.
inline constexpr Window bcm2835{DmaAddr{0x4000'0000}, PhysAddr{0}, 0x2000'0000};
inline constexpr Window bcm2836{DmaAddr{0xc000'0000}, PhysAddr{0}, 0x3f00'0000};
inline constexpr Window bcm2837 = bcm2836;
inline constexpr Window bcm2711{DmaAddr{0xc000'0000}, PhysAddr{0}, 0x4000'0000};
/// The first revisions of the chip carry no more than 3 GiB over PCIe.
inline constexpr Window bcm2711_early_pcie{DmaAddr{0}, PhysAddr{0}, 0xc000'0000};

/// The pool of uncached memory is where its cached twin would be, and the rest at its own place.
inline constexpr Window jh7100[] = {{DmaAddr{0x8000'0000}, PhysAddr{0x8000'0000}, 0x7a00'0000},
                                    {DmaAddr{0xfa00'0000}, PhysAddr{0x10'7a00'0000}, 0x0100'0000},
                                    {DmaAddr{0xfb00'0000}, PhysAddr{0xfb00'0000}, 0x7'8500'0000}};

}  // namespace known_windows

}  // namespace carveout
