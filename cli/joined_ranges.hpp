// Ranges of memory as a set of bytes.
#pragma once

#include <vector>

#include "carveout/core/address.hpp"

namespace carveout::cli {

/// The bytes of all ranges: ascending, none empty, none touching the next. Of ranges that wrap, the
/// part up to 2^64 counts.
[[nodiscard]] std::vector<PhysRange> joined(std::vector<PhysRange> ranges);

}  // namespace carveout::cli
