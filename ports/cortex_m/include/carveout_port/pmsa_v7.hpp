// The memory protection unit of ARMv7-M (PMSAv7): the one place where a Cortex-M without an MMU can
// say that memory is not cached. Which regions: carveout/port/pmsa_v7.hpp.
#pragma once

#include <cstdint>

#include "carveout/port/pmsa_v7.hpp"
#include "carveout_port/cortex_m_registers.hpp"
#include "carveout_port/mpu.hpp"

namespace carveout::cortex_m {

using MpuAccess = pmsa_v7::Access;
using MpuRegion = pmsa_v7::Region;
using pmsa_v7::non_cacheable_region;

/// The unit. Of two regions over one address the higher number wins.
template <class R>
class BasicMpu : public MpuUnit<R> {
 public:
  using MpuUnit<R>::MpuUnit;

  /// Puts a region in force.
  void set(unsigned number, MpuRegion region) noexcept {
    this->write_region(number, region.rbar, region.rasr);
  }

  /// A region as the hardware has it now.
  [[nodiscard]] MpuRegion get(unsigned number) noexcept {
    R& registers = this->registers();
    registers.write(kMpuRnr, number);
    const std::uint32_t rbar = registers.read(kMpuRbar) & ~0x1fU;  // without REGION and VALID
    return {.rbar = rbar, .rasr = registers.read(kMpuRasr)};
  }
};

using Mpu = BasicMpu<Registers>;

extern template class BasicMpu<Registers>;  // in the port's archive

}  // namespace carveout::cortex_m
