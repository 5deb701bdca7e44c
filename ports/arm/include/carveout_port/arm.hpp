// What the ports of ARM processors share: the Cache Type Register, and a view of memory at its own
// addresses.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "carveout/core/address.hpp"

namespace carveout::arm {

/// The two sizes that maintenance by address turns on.
struct DataLines {
  std::size_t granule_bytes;  ///< how much one write-back may overwrite: no two owners may share it
  std::size_t step_bytes;     ///< the shortest line, which no walk may step over

  constexpr bool operator==(const DataLines&) const = default;
};

/// What no ARMv7 core goes beyond: right on each of them, where its register says nothing.
inline constexpr DataLines kArmv7Limits{.granule_bytes = std::size_t{512} * 4, .step_bytes = 4};

/// The sizes that a Cache Type Register states, and those of `unstated` where it does not: a CWG of
/// 0, or not the ARMv7 format. Source: DDI 0406C, B4.1.42; ARMv7-M (DDI 0403E) has the same fields.
///
/// CWG may be less than DminLine (Cortex-A8: 16 bytes with lines of 64). A line is written back and
/// dropped as a whole, so that the granule is never shorter.
[[nodiscard]] constexpr DataLines data_lines(std::uint32_t ctr, DataLines unstated) {
  if ((ctr >> 29) != 4) return unstated;
  // Both fields are log2 of words.
  const std::size_t step_bytes = std::size_t{4} << ((ctr >> 16) & 0xf);
  const std::uint32_t cwg = (ctr >> 24) & 0xf;
  const std::size_t granule_bytes = cwg != 0 ? std::size_t{4} << cwg : unstated.granule_bytes;
  return {.granule_bytes = std::max(granule_bytes, step_bytes), .step_bytes = step_bytes};
}

/// The pointer whose value is the physical address, where one of `memory` contains the whole range
/// and it ends below 4 GiB; else nullptr. A range across two entries has no view, even where they
/// touch. Neither has one that begins at address 0: its pointer is the null pointer.
[[nodiscard]] inline std::byte* identity_view(std::span<const PhysRange> memory, PhysRange range) {
  for (const PhysRange& part : memory) {
    if (!part.contains(range) || range.last().raw() > 0xffff'ffff) continue;
    return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(range.base.raw()));
  }
  return nullptr;
}

}  // namespace carveout::arm
