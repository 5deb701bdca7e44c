// Where the checks of lint put what they find.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rule.hpp"
#include "text_file.hpp"

namespace carveout::cli {

/// So many findings of one board are listed; further ones are only counted, by severity.
inline constexpr std::size_t kMaxFindings = 10'000;

/// Which findings are not wanted: by rule, or by rule and node.
class Suppressions {
 public:
  /// `RULE,RULE,...`, as typed behind `--ignore`. Throws Refusal.
  void add_list(std::string_view list);
  /// A file: on each line a rule and perhaps a path of a node, which stands for all below it, too.
  /// `#` begins a comment. Throws Refusal with the number of the line.
  void add_file(const UserFile& file);

  [[nodiscard]] bool hides(const device_tree::Tree& tree, const LintFinding& finding) const;
  /// Whether findings of a rule are hidden everywhere.
  [[nodiscard]] bool hides(const LintRule& rule) const;

 private:
  struct Line {
    const LintRule* rule;
    std::string path;  ///< empty: everywhere
  };
  std::vector<Line> lines_;
};

/// The findings of one board.
class Report {
 public:
  Report(const device_tree::Tree& tree, const Suppressions& suppressions)
      : tree_{tree}, suppressions_{suppressions} {}

  /// Whose findings come next.
  void by(const LintRule& rule) { rule_ = &rule; }

  void add(device_tree::Node node, std::string_view property, std::string message,
           std::optional<Fix> fix = std::nullopt, std::optional<Severity> severity = std::nullopt);
  /// In the words in which setup says it. `finding.node` is not used.
  void add_as_setup_says(device_tree::Node node, const Finding& finding,
                         std::optional<Fix> fix = std::nullopt,
                         std::optional<Severity> severity = std::nullopt);

  /// Brings the findings into tree order, then by rule.
  void sort();

  [[nodiscard]] const std::vector<LintFinding>& findings() const { return findings_; }
  [[nodiscard]] std::size_t suppressed() const { return suppressed_; }
  /// Found, and not listed.
  [[nodiscard]] std::size_t unlisted() const { return unlisted_; }
  /// How many of a severity were found, listed or not.
  [[nodiscard]] std::size_t count(Severity severity) const {
    return counts_[static_cast<std::size_t>(severity)];
  }

 private:
  [[nodiscard]] bool hidden_in_tree(const LintFinding& finding) const;

  const device_tree::Tree& tree_;
  const Suppressions& suppressions_;
  const LintRule* rule_ = nullptr;
  std::vector<LintFinding> findings_;
  std::size_t suppressed_ = 0;
  std::size_t unlisted_ = 0;
  std::array<std::size_t, 3> counts_{};
};

}  // namespace carveout::cli
