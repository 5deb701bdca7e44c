// `carveout map`: the facts of a board as tables for people.
#pragma once

#include <string>

#include "input.hpp"

namespace carveout::cli {

/// Which memory there is, what is reserved of it and for whom, which buses translate, and where
/// devices see their regions. At most 100 columns. Throws Refusal for a tree beyond the limits.
[[nodiscard]] std::string map_table(const Board& board, bool colour);

}  // namespace carveout::cli
