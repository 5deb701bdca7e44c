// Ranges of the model's RAM, in lines and as sizes of the machine that it runs on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout/core/size.hpp"

namespace carveout::sim {

/// Not for an empty range.
inline PhysRange whole_lines(PhysRange range, std::size_t line_bytes) {
  return PhysRange::from_to(PhysAddr{align_down(range.base.raw(), line_bytes)},
                            PhysAddr{range.last().raw() | (line_bytes - 1)});
}

/// From one byte of RAM to a later one.
inline std::size_t bytes_between(PhysAddr from, PhysAddr to) {
  return static_cast<std::size_t>(to.raw() - from.raw());
}

/// As much as this machine has sizes for: all of a range in RAM.
inline std::size_t size_of(PhysRange range) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(range.size_bytes, SIZE_MAX));
}

}  // namespace carveout::sim
