// The memory protection unit of ARMv7-M (PMSAv7): the one place where a Cortex-M without an MMU can
// say that memory is not cached.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <expected>

#include "carveout/core/address.hpp"
#include "carveout_port/cortex_m_registers.hpp"

namespace carveout::cortex_m {

// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), B3.5.5 to B3.5.9.
inline constexpr std::uint32_t kMpuType = 0xe000'ed90;
inline constexpr std::uint32_t kMpuCtrl = 0xe000'ed94;
inline constexpr std::uint32_t kMpuRnr = 0xe000'ed98;
inline constexpr std::uint32_t kMpuRbar = 0xe000'ed9c;
inline constexpr std::uint32_t kMpuRasr = 0xe000'eda0;

/// Who may use a region. Nobody: also not privileged code; a touch is a MemManage fault.
enum class MpuAccess : std::uint8_t { nobody, everybody };

/// A region as the hardware holds it: what goes into MPU_RBAR and MPU_RASR.
struct MpuRegion {
  std::uint32_t rbar;
  std::uint32_t rasr;

  constexpr bool operator==(const MpuRegion&) const = default;

  // The fields of MPU_RASR, for whoever reads a region back.
  [[nodiscard]] constexpr bool enabled() const { return (rasr & 1) != 0; }
  [[nodiscard]] constexpr bool execute_never() const { return ((rasr >> 28) & 1) != 0; }
  [[nodiscard]] constexpr unsigned ap() const { return (rasr >> 24) & 7; }
  [[nodiscard]] constexpr unsigned tex() const { return (rasr >> 19) & 7; }
  [[nodiscard]] constexpr bool shareable() const { return ((rasr >> 18) & 1) != 0; }
  [[nodiscard]] constexpr bool c() const { return ((rasr >> 17) & 1) != 0; }
  [[nodiscard]] constexpr bool b() const { return ((rasr >> 16) & 1) != 0; }
  [[nodiscard]] constexpr unsigned subregions_off() const { return (rasr >> 8) & 0xff; }  ///< SRD
  [[nodiscard]] constexpr unsigned size_field() const { return (rasr >> 1) & 0x1f; }
  [[nodiscard]] constexpr std::uint64_t size_bytes() const { return 2ULL << size_field(); }
};

/// Why one region does not hold a range.
enum class MpuRefusal : std::uint8_t {
  below_32_bytes,
  no_such_region,  ///< none begins and ends where the range does, sub-regions counted
  above_4_gib,
};

/// The region that makes exactly `range` normal memory that is not cached and never executed
/// (TEX=1, C=0, B=0, XN=1). It is the smallest that holds the range; where that is longer, the
/// eighths of it that lie outside are switched off (SRD), which regions of 256 bytes and more have.
///
/// Not shareable: that says nothing about caching for such memory, and the barriers of ARMv7-M have
/// one scope only.
[[nodiscard]] constexpr std::expected<MpuRegion, MpuRefusal> non_cacheable_region(
    PhysRange range, MpuAccess access = MpuAccess::everybody) {
  constexpr std::uint64_t kShortestWithSubregions = 256;
  constexpr std::uint64_t kLongest = std::uint64_t{1} << 32;
  if (range.size_bytes < 32) return std::unexpected{MpuRefusal::below_32_bytes};
  if (range.last().raw() >= kLongest) return std::unexpected{MpuRefusal::above_4_gib};
  std::uint64_t size = std::bit_ceil(range.size_bytes);
  while ((range.base.raw() & (size - 1)) + range.size_bytes > size) size *= 2;
  const std::uint64_t offset = range.base.raw() & (size - 1);
  std::uint32_t off = 0;
  if (range.size_bytes != size) {
    // A longer region has longer eighths: what is not whole in these is not whole in any.
    const std::uint64_t eighth = size / 8;
    const bool whole = ((offset | range.size_bytes) & (eighth - 1)) == 0;
    if (size < kShortestWithSubregions || !whole)
      return std::unexpected{MpuRefusal::no_such_region};
    const int shift = std::countr_zero(eighth);
    const auto on = ((1U << (range.size_bytes >> shift)) - 1) << (offset >> shift);
    off = ~on & 0xff;
  }
  const auto size_field = static_cast<std::uint32_t>(std::bit_width(size)) - 2;
  const std::uint32_t ap = access == MpuAccess::everybody ? 3 : 0;
  return MpuRegion{.rbar = static_cast<std::uint32_t>(range.base.raw() - offset),
                   .rasr = 1U << 28 | ap << 24 | 1U << 19 | off << 8 | size_field << 1 | 1U};
}

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
