// The memory protection unit of ARMv8-M (PMSAv8). Which regions: carveout/port/pmsa_v8.hpp.
#pragma once

#include <cstdint>

#include "carveout/port/pmsa_v8.hpp"
#include "carveout_port/cortex_m_registers.hpp"
#include "carveout_port/mpu.hpp"

namespace carveout::cortex_m {

// Source: Armv8-M Architecture Reference Manual (DDI 0553), MPU_MAIR0, and MPU_MAIR1 behind it.
inline constexpr std::uint32_t kMair0 = 0xe000'edc0;

/// The unit. Regions must not overlap: an access to an address that two have faults, where PMSAv7
/// takes the higher number.
template <class R>
class BasicMpuV8 : public MpuUnit<R> {
 public:
  using MpuUnit<R>::MpuUnit;

  /// Says what an attribute means, 0 to 7, by a byte (pmsa_v8::kNonCacheable); one that no region
  /// in force names.
  void set_attribute(unsigned attribute, std::uint32_t kind) noexcept {
    R& registers = this->registers();
    const std::uint32_t others = registers.read(mair_of(attribute)) & ~(0xffU << shift(attribute));
    registers.write(mair_of(attribute), others | kind << shift(attribute));
    this->synchronize();
  }
  [[nodiscard]] std::uint32_t attribute(unsigned attribute) noexcept {
    return (this->registers().read(mair_of(attribute)) >> shift(attribute)) & 0xff;
  }

  /// Puts a region in force.
  void set(unsigned number, pmsa_v8::Region region) noexcept {
    this->write_region(number, region.rbar, region.rlar);
  }

  /// A region as the hardware has it now.
  [[nodiscard]] pmsa_v8::Region get(unsigned number) noexcept {
    R& registers = this->registers();
    registers.write(kMpuRnr, number);
    const std::uint32_t rbar = registers.read(kMpuRbar);
    return {.rbar = rbar, .rlar = registers.read(kMpuRlar)};
  }

 private:
  static constexpr std::uint32_t mair_of(unsigned attribute) { return kMair0 + (attribute & 4); }
  static constexpr unsigned shift(unsigned attribute) { return 8 * (attribute & 3); }
};

using MpuV8 = BasicMpuV8<Registers>;

extern template class BasicMpuV8<Registers>;  // in the port's archive

}  // namespace carveout::cortex_m
