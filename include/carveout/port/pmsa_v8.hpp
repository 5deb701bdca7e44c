// Regions of the memory protection unit of ARMv8-M (PMSAv8), and of the unit that says what of
// memory is not Secure. Arithmetic only; the registers are the port's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/core/size.hpp"

namespace carveout::pmsa_v8 {

// Source for all of it: Armv8-M Architecture Reference Manual (DDI 0553B), D1.2: MPU_RBAR,
// MPU_RLAR, MPU_MAIR0, SAU_RBAR, SAU_RLAR.

/// Regions begin and end at multiples of so many bytes. They must not overlap: an address in two of
/// them is a fault.
inline constexpr std::uint64_t kUnitBytes = 32;

/// What a field of MPU_MAIR0 or MPU_MAIR1 says of normal memory that no cache holds.
inline constexpr std::uint8_t kNonCacheable = 0x44;

/// A region as the hardware holds it: what goes into MPU_RBAR and MPU_RLAR.
struct Region {
  std::uint32_t rbar;
  std::uint32_t rlar;

  constexpr bool operator==(const Region&) const = default;

  [[nodiscard]] constexpr bool enabled() const { return (rlar & 1) != 0; }
  [[nodiscard]] constexpr bool execute_never() const { return (rbar & 1) != 0; }
  [[nodiscard]] constexpr unsigned ap() const { return (rbar >> 1) & 3; }
  [[nodiscard]] constexpr unsigned attribute() const { return (rlar >> 1) & 7; }
  [[nodiscard]] constexpr PhysRange covered() const {
    return PhysRange::from_to(PhysAddr{align_down(rbar, kUnitBytes)},
                              PhysAddr{rlar | (kUnitBytes - 1)});
  }
};

/// A region as the security attribution unit holds it: SAU_RBAR and SAU_RLAR. What is in none of
/// them is Secure.
struct NonSecure {
  std::uint32_t rbar;
  std::uint32_t rlar;

  constexpr bool operator==(const NonSecure&) const = default;

  [[nodiscard]] constexpr PhysRange covered() const {
    return PhysRange::from_to(PhysAddr{rbar}, PhysAddr{rlar | (kUnitBytes - 1)});
  }
};

/// Why a range has no region.
enum class Refusal : std::uint8_t {
  empty_range,
  not_in_steps_of_32_bytes,  ///< it begins or ends elsewhere
  above_4_gib,
};

/// A range outward to what regions begin and end at.
///
/// Fails with: empty_range, above_4_gib.
[[nodiscard]] constexpr std::expected<PhysRange, Refusal> outward(PhysRange range) {
  if (range.empty()) return std::unexpected{Refusal::empty_range};
  if (range.last().raw() >> 32 != 0) return std::unexpected{Refusal::above_4_gib};
  return PhysRange::from_to(PhysAddr{align_down(range.base.raw(), kUnitBytes)},
                            PhysAddr{range.last().raw() | (kUnitBytes - 1)});
}

/// The region that takes all of a range and the fewest bytes beside it: memory that everybody may
/// read and write and nobody executes. Region::covered() says what it takes. There is no region
/// for nobody: privileged code reads every one.
///
/// @param attribute  0 to 7: the field of MPU_MAIR0 or MPU_MAIR1 that says kNonCacheable.
///
/// Fails with: empty_range, above_4_gib.
[[nodiscard]] constexpr std::expected<Region, Refusal> region_around(PhysRange range,
                                                                     unsigned attribute) {
  const auto whole = outward(range);
  if (!whole) return std::unexpected{whole.error()};
  const auto last = static_cast<std::uint32_t>(whole->last().raw());
  return Region{.rbar = static_cast<std::uint32_t>(whole->base.raw()) | 1U << 1 | 1U,
                .rlar = (last & ~0x1fU) | (attribute & 7U) << 1 | 1U};
}

/// The region of exactly `range`, as region_around() makes it.
///
/// Fails with: empty_range, not_in_steps_of_32_bytes, above_4_gib.
[[nodiscard]] constexpr std::expected<Region, Refusal> region(PhysRange range, unsigned attribute) {
  const auto around = region_around(range, attribute);
  if (around && around->covered() != range) {
    return std::unexpected{Refusal::not_in_steps_of_32_bytes};
  }
  return around;
}

/// The region that makes a range, rounded as in region_around(), memory of the Non-secure world.
///
/// Fails with: empty_range, above_4_gib.
[[nodiscard]] constexpr std::expected<NonSecure, Refusal> non_secure_around(PhysRange range) {
  const auto whole = outward(range);
  if (!whole) return std::unexpected{whole.error()};
  const auto last = static_cast<std::uint32_t>(whole->last().raw());
  return NonSecure{.rbar = static_cast<std::uint32_t>(whole->base.raw()),
                   .rlar = (last & ~0x1fU) | 1U};
}

/// Whether one of these regions holds every byte of a range. Regions of the unit do not overlap,
/// so that one range needs no two.
[[nodiscard]] constexpr bool cover(std::span<const Region> regions, PhysRange range) {
  return std::ranges::any_of(regions, [range](const Region& region) {
    return region.enabled() && region.covered().contains(range);
  });
}

}  // namespace carveout::pmsa_v8
