// Any bytes as a file of --ignore-file: every finding of a board is listed or hidden, by a line
// that says so; or a refusal of one line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "lint/report.hpp"
#include "lint_with.hpp"

using namespace carveout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cli::LintResult all = fuzz::lint_with({});
  cli::Suppressions suppressions;
  try {
    suppressions.add_file(fuzz::file_of(data, size));
  } catch (const cli::Refusal& refusal) {
    fuzz::require_refusal_of_file(refusal);
    return 0;
  }
  const cli::LintResult left = fuzz::lint_with({}, suppressions);
  fuzz::require(left.findings.size() + left.suppressed == all.findings.size());
  for (const cli::SaidFinding& finding : left.findings) {
    fuzz::require(!suppressions.hides(*finding.rule));
    fuzz::require(std::ranges::any_of(all.findings, [&](const cli::SaidFinding& each) {
      return each.rule == finding.rule && each.node == finding.node;
    }));
  }
  return 0;
}
