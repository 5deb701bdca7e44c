// The memory protection unit of ARMv7-M (PMSAv7): the one place where a Cortex-M without an MMU can
// say that memory is not cached. Which regions: carveout/port/pmsa_v7.hpp.
#pragma once

#include <cstdint>

#include "carveout/port/pmsa_v7.hpp"
#include "carveout_port/cortex_m_registers.hpp"

namespace carveout::cortex_m {

// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), B3.5.5 to B3.5.9.
inline constexpr std::uint32_t kMpuType = 0xe000'ed90;
inline constexpr std::uint32_t kMpuCtrl = 0xe000'ed94;
inline constexpr std::uint32_t kMpuRnr = 0xe000'ed98;
inline constexpr std::uint32_t kMpuRbar = 0xe000'ed9c;
inline constexpr std::uint32_t kMpuRasr = 0xe000'eda0;

using MpuAccess = pmsa_v7::Access;
using MpuRegion = pmsa_v7::Region;
using pmsa_v7::non_cacheable_region;

/// The unit itself. Not to be used from two contexts at once: a region is written in steps.
template <class R>
class BasicMpu {
 public:
  explicit BasicMpu(R registers = {}) noexcept : registers_{registers} {}

  /// How many regions the core has: 0 (no unit), 8 or 16.
  [[nodiscard]] unsigned regions() noexcept { return (registers_.read(kMpuType) >> 8) & 0xff; }

  /// Puts a region in force. Of two regions over one address the higher number wins.
  void set(unsigned number, MpuRegion region) noexcept {
    registers_.dsb();  // what was written under the old rules is written before the new ones
    registers_.write(kMpuRnr, number);
    registers_.write(kMpuRasr, 0);  // never the old size at the new base
    registers_.write(kMpuRbar, region.rbar);
    registers_.write(kMpuRasr, region.rasr);
    synchronize();
  }

  /// A region as the hardware has it now.
  [[nodiscard]] MpuRegion get(unsigned number) noexcept {
    registers_.write(kMpuRnr, number);
    const std::uint32_t rbar = registers_.read(kMpuRbar) & ~0x1fU;  // without REGION and VALID
    return {.rbar = rbar, .rasr = registers_.read(kMpuRasr)};
  }

  /// Switches the unit on. Privileged code keeps the default memory map where no region is
  /// (PRIVDEFENA); HardFault and NMI handlers run without the unit.
  void enable() noexcept {
    registers_.write(kMpuCtrl, kEnable | kPrivilegedDefault);
    synchronize();
  }
  [[nodiscard]] bool enabled() noexcept { return (registers_.read(kMpuCtrl) & kEnable) != 0; }

 private:
  static constexpr std::uint32_t kEnable = 1U << 0;
  static constexpr std::uint32_t kPrivilegedDefault = 1U << 2;

  void synchronize() noexcept {
    registers_.dsb();
    registers_.isb();
  }

  [[no_unique_address]] R registers_;
};

using Mpu = BasicMpu<Registers>;

extern template class BasicMpu<Registers>;  // in the port's archive

}  // namespace carveout::cortex_m
