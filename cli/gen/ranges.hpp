// Sets of ranges: what is left of memory when some of it is taken.
#pragma once

#include <vector>

#include "carveout/core/address.hpp"
#include "gen/plan.hpp"

namespace carveout::cli {

/// The bytes of `all` that are in none of `taken`: ascending, none empty, none touching the next.
/// Of ranges that wrap, the part up to 2^64 counts.
[[nodiscard]] std::vector<PhysRange> without(std::vector<PhysRange> all,
                                             std::vector<PhysRange> taken);

/// Each with a name by its address.
[[nodiscard]] std::vector<GenRange> named_memory(const std::vector<PhysRange>& ranges);

}  // namespace carveout::cli
