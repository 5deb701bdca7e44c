// How findings are named.
#pragma once

#include <string>
#include <string_view>

#include "carveout/core/finding.hpp"

namespace carveout::cli {

/// "DMA018".
[[nodiscard]] std::string rule_id(Rule rule);
/// "error", "warning", "note".
[[nodiscard]] std::string_view name_of(Severity severity);

}  // namespace carveout::cli
