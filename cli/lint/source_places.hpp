// Findings -> lines of device tree source.
#pragma once

#include "result.hpp"

namespace carveout::cli {

/// Gives each finding about a board that is source the file and line of its property, or of its
/// node, as dtc knows them. What an overlay brought has no place. Throws Refusal: dtc.
void find_places(LintResult& result);

}  // namespace carveout::cli
