// What the ports of ARM processors share: the Cache Type Register.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "carveout_port/line_port.hpp"

namespace carveout::arm {

using ports::DataLines;

/// What no core of ARMv7 or ARMv8 goes beyond: right on each, where its register says nothing.
inline constexpr DataLines kLimits{.granule_bytes = std::size_t{512} * 4, .step_bytes = 4};

/// The sizes that a Cache Type Register states, and those of `unstated` where it does not: a CWG of
/// 0, or not the format of ARMv7. A core of ARMv8-M without caches states lines of one word, which
/// no cache has: that states nothing, too. Source: DDI 0406C, B4.1.42; ARMv7-M (DDI 0403E) and
/// Armv8-M (DDI 0553) have the same fields.
///
/// CWG may be less than DminLine (Cortex-A8: 16 bytes with lines of 64). A line is written back and
/// dropped as a whole, so that the granule is never shorter.
[[nodiscard]] constexpr DataLines data_lines(std::uint32_t ctr, DataLines unstated) {
  if ((ctr >> 29) != 4 || (ctr & 0x0f0f'0000) == 0) return unstated;
  // Both fields are log2 of words.
  const std::size_t step_bytes = std::size_t{4} << ((ctr >> 16) & 0xf);
  const std::uint32_t cwg = (ctr >> 24) & 0xf;
  const std::size_t granule_bytes = cwg != 0 ? std::size_t{4} << cwg : unstated.granule_bytes;
  return {.granule_bytes = std::max(granule_bytes, step_bytes), .step_bytes = step_bytes};
}

}  // namespace carveout::arm
