// Regions of the memory protection unit of ARMv7-M (PMSAv7): which of them make a range not cached,
// and what more they take where none makes just that. Arithmetic only; the registers are the
// port's.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/core/size.hpp"

namespace carveout::pmsa_v7 {

// Source for all of it: ARMv7-M Architecture Reference Manual (DDI 0403E), B3.5.8 and B3.5.9.
inline constexpr std::uint64_t kShortestBytes = 32;
/// Shorter regions have no eighths.
inline constexpr std::uint64_t kShortestWithEighths = 256;
/// Beginning and end of the address space, which one region can hold whole.
inline constexpr std::uint64_t kLongestBytes = std::uint64_t{1} << 32;

/// Who may use a region, privileged or not; what somebody may not do is a MemManage fault.
enum class Access : std::uint8_t { nobody, readers, everybody };

/// A region as the hardware holds it: what goes into MPU_RBAR and MPU_RASR.
struct Region {
  std::uint32_t rbar;
  std::uint32_t rasr;

  constexpr bool operator==(const Region&) const = default;

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

  /// From the first eighth that is on to the last; empty where none is. No region made here has a
  /// hole between them.
  [[nodiscard]] constexpr PhysRange covered() const {
    const std::uint64_t eighth = size_bytes() / 8;
    const unsigned on = ~subregions_off() & 0xff;
    if (size_bytes() < kShortestWithEighths) return {PhysAddr{rbar}, size_bytes()};
    if (on == 0) return {PhysAddr{rbar}, 0};
    const auto first = static_cast<unsigned>(std::countr_zero(on));
    const auto end = static_cast<unsigned>(std::bit_width(on));
    return {PhysAddr{rbar + first * eighth}, (end - first) * eighth};
  }

  /// Whether an eighth between the first and the last that are on is off.
  [[nodiscard]] constexpr bool has_hole() const {
    return size_bytes() >= kShortestWithEighths &&
           covered().size_bytes !=
               static_cast<unsigned>(8 - std::popcount(subregions_off())) * (size_bytes() / 8);
  }

  /// This region, whose memory is of another one's kind: cached as there, executed as there.
  [[nodiscard]] constexpr Region with_memory_of(const Region& other) const {
    constexpr std::uint32_t kKind = 1U << 28 | 0x3fU << 16;  // XN; TEX, S, C, B
    return {.rbar = rbar, .rasr = (rasr & ~kKind) | (other.rasr & kKind)};
  }
};

/// The half of a gibibyte around an address, of the kind that it is where no region says otherwise;
/// nothing for the last, whose kind is not one.
///
/// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), B3.1; the shareability of devices:
/// Cortex-M7 Devices Generic User Guide (DUI 0646C), table 2.12.
[[nodiscard]] constexpr std::optional<Region> default_memory(PhysAddr at) {
  constexpr std::uint32_t kWriteThrough = 1U << 17;             // C
  constexpr std::uint32_t kWriteBack = 1U << 19 | 3U << 16;     // TEX=1, C, B
  constexpr std::uint32_t kSharedDevice = 1U << 28 | 1U << 16;  // XN, B
  constexpr std::uint32_t kDevice = 1U << 28 | 2U << 19;        // XN, TEX=2
  constexpr std::array kKinds{kWriteThrough, kWriteBack,    kDevice, kWriteBack,
                              kWriteThrough, kSharedDevice, kDevice};
  constexpr std::uint32_t kWhole = 3U << 24 | 28U << 1 | 1U;  // for everybody, 512 MiB
  const std::uint64_t eighth = at.raw() >> 29;
  if (eighth >= kKinds.size()) return {};
  return Region{.rbar = static_cast<std::uint32_t>(eighth << 29),
                .rasr = kWhole | kKinds[static_cast<std::size_t>(eighth)]};
}

/// Why a range has no region.
enum class Refusal : std::uint8_t {
  empty_range,
  no_such_region,  ///< none begins and ends where the range does, eighths counted
  above_4_gib,
};

/// The region that takes all of a range and the fewest bytes beside it: normal memory that is not
/// cached and never executed (TEX=1, C=0, B=0, XN=1). Region::covered() says what it takes.
///
/// It is the shortest block (a power of two, at a multiple of itself) that holds the range, without
/// those of its eighths that lie outside. A block that has no eighths stands aside for the one of
/// 256 bytes, whose eighths are as short as a region can be.
///
/// Not shareable: that says nothing about caching for such memory, and the barriers of ARMv7-M have
/// one scope only.
///
/// Fails with: empty_range, above_4_gib.
[[nodiscard]] constexpr std::expected<Region, Refusal> non_cacheable_around(
    PhysRange range, Access access = Access::everybody) {
  if (range.empty()) return std::unexpected{Refusal::empty_range};
  if (range.last().raw() >= kLongestBytes) return std::unexpected{Refusal::above_4_gib};
  const std::uint64_t first = align_down(range.base.raw(), kShortestBytes);
  const std::uint64_t end = align_down(range.last().raw(), kShortestBytes) + kShortestBytes;
  std::uint64_t block = std::bit_ceil(end - first);
  while ((first & (block - 1)) + (end - first) > block) block *= 2;
  std::uint32_t off = 0;
  if (block != end - first) {
    block = std::max(block, kShortestWithEighths);
    // A longer block has longer eighths, and so takes no less.
    const std::uint64_t eighth = block / 8;
    const auto begin_on = static_cast<unsigned>((first & (block - 1)) / eighth);
    const auto last_on = static_cast<unsigned>(((end - 1) & (block - 1)) / eighth);
    off = ~((2U << last_on) - (1U << begin_on)) & 0xff;
  }
  const auto size_field = static_cast<std::uint32_t>(std::bit_width(block)) - 2;
  const std::uint32_t ap = access == Access::everybody ? 3 : access == Access::readers ? 6 : 0;
  return Region{.rbar = static_cast<std::uint32_t>(align_down(first, block)),
                .rasr = 1U << 28 | ap << 24 | 1U << 19 | off << 8 | size_field << 1 | 1U};
}

/// The region that makes exactly `range` what non_cacheable_around() makes of it.
///
/// Fails with: empty_range, no_such_region, above_4_gib.
[[nodiscard]] constexpr std::expected<Region, Refusal> non_cacheable_region(
    PhysRange range, Access access = Access::everybody) {
  const auto region = non_cacheable_around(range, access);
  if (region && region->covered() != range) return std::unexpected{Refusal::no_such_region};
  return region;
}

/// Regions that together make exactly `range` what non_cacheable_around() makes of it, as few as
/// can be. They may overlap each other, which is nothing to hardware: they say the same.
///
/// @param regions  receives the first of them, in ascending order, as far as there is room.
/// @return how many there are.
///
/// Fails with: empty_range, no_such_region (an end that is no multiple of 32), above_4_gib.
[[nodiscard]] constexpr std::expected<std::size_t, Refusal> non_cacheable_regions(
    PhysRange range, std::span<Region> regions, Access access = Access::everybody) {
  if (range.empty()) return std::unexpected{Refusal::empty_range};
  if (range.last().raw() >= kLongestBytes) return std::unexpected{Refusal::above_4_gib};
  const std::uint64_t first = range.base.raw();
  const std::uint64_t end = first + range.size_bytes;
  if (((first | end) & (kShortestBytes - 1)) != 0) return std::unexpected{Refusal::no_such_region};
  std::size_t count = 0;
  // What leads furthest from where the last one ended: no other choice needs fewer.
  for (std::uint64_t at = first; at != end; ++count) {
    std::uint64_t best_begin = 0;
    std::uint64_t best_end = at;
    for (std::uint64_t unit = kShortestBytes; unit <= kLongestBytes / 8; unit *= 2) {
      const std::uint64_t begin = align_down(at, unit);
      const std::uint64_t until =
          std::min(align_down(end, unit), align_down(at, unit * 8) + unit * 8);
      if (begin < first || until <= best_end) continue;
      best_begin = begin;
      best_end = until;
    }
    if (count < regions.size()) {
      regions[count] = *non_cacheable_region({PhysAddr{best_begin}, best_end - best_begin}, access);
    }
    at = best_end;
  }
  return count;
}

/// Whether regions like the ones above hold every byte of a range between them.
[[nodiscard]] constexpr bool cover(std::span<const Region> regions, PhysRange range) {
  if (range.empty() || range.wraps()) return range.empty();
  for (std::uint64_t at = range.base.raw();;) {
    const auto holds = [at](const Region& region) {
      return region.enabled() && region.covered().contains(PhysAddr{at});
    };
    const auto found = std::ranges::find_if(regions, holds);
    if (found == regions.end()) return false;
    const std::uint64_t last = found->covered().last().raw();
    if (last >= range.last().raw()) return true;
    at = last + 1;
  }
}

}  // namespace carveout::pmsa_v7
