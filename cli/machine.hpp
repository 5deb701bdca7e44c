// What a tree lets us assume about its processor.
#pragma once

#include <cstdint>

#include "carveout/device_tree/tree.hpp"

namespace carveout::cli {

struct Machine {
  bool armv7m;  ///< `arm,armv7m-nvic`: no pages, and no view past the cache but by the MPU

  /// The smallest piece of a pool: a page, or a cache line where there are no pages.
  [[nodiscard]] std::uint64_t granule_bytes() const { return armv7m ? 32 : 4096; }
};

/// Cost: linear in the tree.
[[nodiscard]] Machine machine_of(const device_tree::Tree& tree);

}  // namespace carveout::cli
