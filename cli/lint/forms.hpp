// The forms in which lint answers.
#pragma once

#include <span>
#include <string>

#include "result.hpp"

namespace carveout::cli {

/// For people: a finding is a line `BOARD:LINE: SEVERITY RULE NODE PROPERTY`, with what is wrong
/// and the fix below it. The last line counts.
[[nodiscard]] std::string lint_text(std::span<const LintResult> results, bool colour);

/// Schema carveout.lint/1, one object for all boards.
[[nodiscard]] std::string lint_json(std::span<const LintResult> results);

/// SARIF 2.1.0, one run. `results` is there even if it is empty, because an upload without it
/// fails.
[[nodiscard]] std::string lint_sarif(std::span<const LintResult> results);

/// Workflow commands of GitHub Actions, which it shows beside the line: `::error file=...`.
[[nodiscard]] std::string lint_github(std::span<const LintResult> results);

/// An overlay, as source, that makes all fixes that overlays can make; empty where there is none.
/// Of two fixes for one property the first is taken.
[[nodiscard]] std::string fix_overlay(const LintResult& result);

}  // namespace carveout::cli
