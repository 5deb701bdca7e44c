// Ranges of memory as sets of bytes.
#pragma once

#include <vector>

#include "carveout/core/address.hpp"

namespace carveout::cli {

/// The bytes of all ranges: ascending, none empty, none touching the next. Of ranges that wrap, the
/// part up to 2^64 counts.
[[nodiscard]] std::vector<PhysRange> joined(std::vector<PhysRange> ranges);

/// The bytes of `all` that are in none of `taken`, likewise.
[[nodiscard]] std::vector<PhysRange> without(std::vector<PhysRange> all,
                                             std::vector<PhysRange> taken);

}  // namespace carveout::cli
