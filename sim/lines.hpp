// A range, widened to the cache lines that it touches.
#pragma once

#include <cstddef>

#include "carveout/core/address.hpp"
#include "carveout/core/size.hpp"

namespace carveout::sim {

/// Not for an empty range.
inline PhysRange whole_lines(PhysRange range, std::size_t line_bytes) {
  return PhysRange::from_to(PhysAddr{align_down(range.base.raw(), line_bytes)},
                            PhysAddr{range.last().raw() | (line_bytes - 1)});
}

}  // namespace carveout::sim
