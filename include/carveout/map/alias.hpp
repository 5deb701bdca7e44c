// Cached and uncached views of the same bytes, and the one function that crosses between them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"

namespace carveout {

/// RAM that the CPU sees at two physical addresses: through the cache from `cached` on, and past it
/// from `uncached` on (MIPS KSEG0/KSEG1, JH7100, ESP32-P4, Xtensa, ...).
///
/// `cached == uncached` says that there is one address and that it is not cached: an MPU or MMU
/// makes it so (Cortex-M7). Lines from before that was switched on may still lie in the cache.
struct Alias {
  PhysAddr cached;
  PhysAddr uncached;
  std::uint64_t size_bytes;

  constexpr bool operator==(const Alias&) const = default;
};

/// The same bytes by both of their addresses.
struct Views {
  PhysRange uncached;
  PhysRange cached;
};

/// Both views of a range, whichever of the two it is stated in. An address on an alias's uncached
/// side is already uncached, and its twin is p - uncached + cached.
///
/// Nothing where no single alias holds the range whole on one of its sides: then the CPU has one
/// view of it, whose kind nobody stated.
[[nodiscard]] constexpr std::optional<Views> views_of(std::span<const Alias> aliases,
                                                      PhysRange range) {
  for (const Alias& alias : aliases) {
    const std::uint64_t size = alias.size_bytes;
    if (PhysRange{alias.uncached, size}.contains(range)) {
      const PhysAddr twin{range.base.raw() - alias.uncached.raw() + alias.cached.raw()};
      return Views{.uncached = range, .cached = {twin, range.size_bytes}};
    }
    if (PhysRange{alias.cached, size}.contains(range)) {
      const PhysAddr twin{range.base.raw() - alias.cached.raw() + alias.uncached.raw()};
      return Views{.uncached = {twin, range.size_bytes}, .cached = range};
    }
  }
  return std::nullopt;
}

/// Whether two ranges have a byte of RAM in common, by whichever of its addresses each is stated
/// in. Ranges may leave an alias: what lies in it counts.
[[nodiscard]] constexpr bool share_bytes(std::span<const Alias> aliases, PhysRange a, PhysRange b) {
  if (a.overlaps(b)) return true;
  // A twin lies in an alias. Of what touches none, as most that is lent does, there is none.
  const auto touches_a = [a](const Alias& alias) {
    return a.overlaps({alias.cached, alias.size_bytes}) ||
           a.overlaps({alias.uncached, alias.size_bytes});
  };
  if (std::ranges::none_of(aliases, touches_a)) return false;
  // Calls `seen(range)` for the range and for each twin of a part of it, until one answers yes.
  const auto by_any_address = [aliases](PhysRange range, auto seen) {
    if (seen(range)) return true;
    for (const Alias& alias : aliases) {
      const PhysRange sides[] = {{alias.cached, alias.size_bytes},
                                 {alias.uncached, alias.size_bytes}};
      for (const int side : {0, 1}) {
        const PhysRange part = range.intersection(sides[side]);
        const PhysAddr twin{part.base.raw() - sides[side].base.raw() + sides[1 - side].base.raw()};
        if (!part.empty() && seen(PhysRange{twin, part.size_bytes})) return true;
      }
    }
    return false;
  };
  return by_any_address(a, [&](PhysRange of_a) {
    return by_any_address(b, [&](PhysRange of_b) { return of_a.overlaps(of_b); });
  });
}

}  // namespace carveout
