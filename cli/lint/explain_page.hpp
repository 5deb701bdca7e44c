// A rule's page: what `explain` prints, and what stands in docs/lint.
#pragma once

#include <string>

#include "rule.hpp"

namespace carveout::cli {

/// Markdown of at most 100 columns.
[[nodiscard]] std::string explain_page(const LintRule& rule);

/// The page that lists all rules.
[[nodiscard]] std::string rules_page();

}  // namespace carveout::cli
