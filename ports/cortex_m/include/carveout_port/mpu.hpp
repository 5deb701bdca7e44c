// What the memory protection units of ARMv7-M and ARMv8-M have in common: the registers, and the
// order in which they are written.
#pragma once

#include <cstdint>

#include "carveout_port/cortex_m_registers.hpp"

namespace carveout::cortex_m {

// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), B3.5.5 to B3.5.9; Armv8-M (DDI 0553),
// the descriptions of the registers of the same names, and of MPU_RLAR.
inline constexpr std::uint32_t kMpuType = 0xe000'ed90;
inline constexpr std::uint32_t kMpuCtrl = 0xe000'ed94;
inline constexpr std::uint32_t kMpuRnr = 0xe000'ed98;
inline constexpr std::uint32_t kMpuRbar = 0xe000'ed9c;
inline constexpr std::uint32_t kMpuRasr = 0xe000'eda0;
inline constexpr std::uint32_t kMpuRlar = kMpuRasr;  ///< its name since ARMv8-M

/// A unit. Not to be used from two contexts at once: a region is written in steps.
template <class R>
class MpuUnit {
 public:
  explicit MpuUnit(R registers = {}) noexcept : registers_{registers} {}

  /// How many regions the core has: 0 is no unit.
  [[nodiscard]] unsigned regions() noexcept { return (registers_.read(kMpuType) >> 8) & 0xff; }

  /// Switches the unit on. Privileged code keeps the default memory map where no region is
  /// (PRIVDEFENA); HardFault and NMI handlers run without the unit.
  void enable() noexcept {
    registers_.write(kMpuCtrl, kEnable | kPrivilegedDefault);
    synchronize();
  }
  [[nodiscard]] bool enabled() noexcept { return (registers_.read(kMpuCtrl) & kEnable) != 0; }

 protected:
  /// @param enabling  of MPU_RASR or MPU_RLAR, which bit 0 of puts the region in force.
  void write_region(unsigned number, std::uint32_t rbar, std::uint32_t enabling) noexcept {
    registers_.dsb();  // what was written under the old rules is written before the new ones
    registers_.write(kMpuRnr, number);
    registers_.write(kMpuRasr, 0);  // never the old end at the new base
    registers_.write(kMpuRbar, rbar);
    registers_.write(kMpuRasr, enabling);
    synchronize();
  }

  void synchronize() noexcept {
    registers_.dsb();
    registers_.isb();
  }

  [[nodiscard]] R& registers() noexcept { return registers_; }

 private:
  static constexpr std::uint32_t kEnable = 1U << 0;
  static constexpr std::uint32_t kPrivilegedDefault = 1U << 2;

  [[no_unique_address]] R registers_;
};

extern template class MpuUnit<Registers>;  // in the port's archive

}  // namespace carveout::cortex_m
