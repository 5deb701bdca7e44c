// What lint says about one board, when the tree is gone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report.hpp"
#include "rule.hpp"
#include "settings.hpp"

namespace carveout::cli {

struct Board;

/// A place in a source file.
struct SourcePlace {
  std::string file;
  std::uint32_t line;  ///< from 1 on
};

/// A finding with everything that is printed about it.
struct SaidFinding {
  const LintRule* rule;
  Severity severity;
  std::string node;
  std::string_view property;  ///< static; empty: the node itself
  std::string message;
  std::string fix_node;  ///< empty: there is no fix
  std::string fix_line;
  std::optional<SourcePlace> place;

  /// The fix as it is shown: the line, and the node where it is another.
  [[nodiscard]] std::string fix() const;
};

struct LintResult {
  std::string board;  ///< as typed
  std::vector<SaidFinding> findings = {};
  std::size_t suppressed = 0;
  std::size_t unlisted = 0;
  std::array<std::size_t, 3> counts{};  ///< by severity
  std::string notes = {};               ///< for standard error
};

/// Asks all rules that have what they need. Throws Refusal where the board is beyond a limit.
[[nodiscard]] LintResult lint_board(const Board& board, const LintSettings& settings,
                                    const Suppressions& suppressions);

/// Reads a board and asks the same. Throws Refusal; a malformed blob is a result.
///
/// @param ram  stands for the memory nodes of the tree, unless empty.
[[nodiscard]] LintResult lint_board(const std::string& source,
                                    std::span<const std::string> overlays,
                                    std::span<const PhysRange> ram, const LintSettings& settings,
                                    const Suppressions& suppressions);

/// Whether a rule has what it needs beside the tree.
[[nodiscard]] bool has_what_it_needs(Needs needs, const LintSettings& settings);
/// The option that it needs: "--elf FILE".
[[nodiscard]] std::string_view option_of(Needs needs);

}  // namespace carveout::cli
