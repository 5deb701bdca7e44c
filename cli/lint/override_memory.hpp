// --ram: the memory of a board, instead of what its tree says.
#pragma once

#include <span>

#include "carveout/core/address.hpp"
#include "input.hpp"

namespace carveout::cli {

/// The board with one memory node that states these ranges, and its own disabled. Throws Refusal:
/// a range that the root's cells cannot state, a tree that cannot be changed.
[[nodiscard]] Board with_memory(Board board, std::span<const PhysRange> ram);

}  // namespace carveout::cli
