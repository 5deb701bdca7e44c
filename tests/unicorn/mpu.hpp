// The memory protection unit of ARMv7-M, as far as it decides what is cached, and when.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "carveout_port/pmsa_v7.hpp"

namespace carveout::test {

/// Its registers can be read back at once. What they say is in force after a DSB and then an ISB,
/// and not before: any access until then may still go by the old regions.
/// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), A3.7.3 and B3.5.
class ModelledMpu {
 public:
  static constexpr std::uint32_t kRegions = 8;

  /// Nothing for what is no register of the unit.
  [[nodiscard]] std::optional<std::uint32_t> read(std::uint32_t address) const {
    switch (address) {
      case cortex_m::kMpuType:
        return kRegions << 8;
      case cortex_m::kMpuCtrl:
        return written_.ctrl;
      case cortex_m::kMpuRnr:
        return number_;
      case cortex_m::kMpuRbar:
        return written_.regions.at(number_).rbar;
      case cortex_m::kMpuRasr:
        return written_.regions.at(number_).rasr;
      default:
        return std::nullopt;
    }
  }
  /// False for what is no register of the unit.
  bool write(std::uint32_t address, std::uint32_t value) {
    switch (address) {
      case cortex_m::kMpuCtrl:
        written_.ctrl = value;
        return true;
      case cortex_m::kMpuRnr:
        number_ = value % kRegions;
        return true;
      case cortex_m::kMpuRbar:
        written_.regions.at(number_).rbar = value & ~0x1fU;
        return true;
      case cortex_m::kMpuRasr:
        written_.regions.at(number_).rasr = value;
        return true;
      default:
        return false;
    }
  }

  void dsb() { completed_ = written_; }
  void isb() { in_force_ = completed_; }

  /// Whether an access to RAM goes through the cache. Of two regions the higher number wins; where
  /// there is none, the default memory map has SRAM cached.
  [[nodiscard]] bool caches(std::uint32_t address) const {
    bool cached = true;
    if ((in_force_.ctrl & 1) == 0) return cached;
    for (const cortex_m::MpuRegion& region : in_force_.regions) {
      if (!region.enabled() || address - region.rbar >= region.size_bytes()) continue;
      const std::uint64_t eighth = region.size_bytes() / 8;
      if (((region.subregions_off() >> ((address - region.rbar) / eighth)) & 1) != 0) continue;
      cached = region.c();
    }
    return cached;
  }

 private:
  struct State {
    std::uint32_t ctrl = 0;
    std::array<cortex_m::MpuRegion, kRegions> regions{};
  };

  State written_, completed_, in_force_;
  std::uint32_t number_ = 0;
};

}  // namespace carveout::test
