// The longest free run of a pool, without touching its allocator.
#pragma once

#include <cstdint>

#include "carveout/pool/pool.hpp"

namespace carveout::cli {

/// The longest free run of a pool, from who has what. Asking the allocator would merge the block
/// that it keeps parked, and the replay is to be what it is on a board where nobody asks.
/// Cost: linear in the live blocks.
[[nodiscard]] std::uint64_t longest_run(const Pool& pool);

}  // namespace carveout::cli
