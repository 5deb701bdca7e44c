// TrustZone: one tree, as each of the two worlds sees it.
#pragma once

#include <vector>

#include "carveout/device_tree/tree.hpp"
#include "input.hpp"

namespace carveout::cli {

/// Which nodes only the Secure world has: `status` is not okay, and `secure-status` is. By index.
///
/// Source: Linux v6.6, Documentation/devicetree/bindings/arm/secure.txt.
[[nodiscard]] std::vector<bool> secure_only(const device_tree::Tree& tree);

/// The board that the Secure world sees: where a node has a `secure-status`, that is its `status`.
/// Nodes have the same indices.
[[nodiscard]] Board seen_by_secure_world(const Board& board);

}  // namespace carveout::cli
