// The CPU's view where memory lies at its own physical addresses: no MMU, or an identity map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"

namespace carveout::ports {

/// The pointer whose value is the physical address, where one of `memory` contains the whole range
/// and it ends at `highest` or below; else nullptr. A range across two entries has no view, even
/// where they touch. Neither has one that begins at address 0: its pointer is the null pointer.
///
/// @param highest  the highest address that a pointer of the processor holds.
[[nodiscard]] inline std::byte* identity_view(std::span<const PhysRange> memory, PhysRange range,
                                              std::uint64_t highest = UINTPTR_MAX) {
  for (const PhysRange& part : memory) {
    if (!part.contains(range) || range.last().raw() > highest) continue;
    return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(range.base.raw()));
  }
  return nullptr;
}

/// The other way: the address that bytes of the CPU's lie at, where one of `memory` contains them.
[[nodiscard]] inline std::optional<PhysAddr> identity_phys(std::span<const PhysRange> memory,
                                                           const std::byte* at,
                                                           std::size_t size_bytes) {
  const PhysAddr phys{reinterpret_cast<std::uintptr_t>(at)};
  for (const PhysRange& part : memory) {
    if (part.contains({phys, size_bytes})) return phys;
  }
  return std::nullopt;
}

}  // namespace carveout::ports
