// NODE on the command line -> a node of the tree.
#pragma once

#include <string>
#include <string_view>

#include "input.hpp"

namespace carveout::cli {

[[nodiscard]] std::string path_of(const device_tree::Tree& tree, device_tree::Node node);

/// The node that a user means by a path, an alias or the last part of a path, tried in this order.
/// A part that has no unit address may be one with a unit address, where only one node fits.
/// Throws Refusal: nothing of that name, or several, which it lists.
///
/// @param option  the option that names the node, for the refusal.
[[nodiscard]] device_tree::Node find_node(const Board& board, std::string_view option,
                                          std::string_view name);

}  // namespace carveout::cli
