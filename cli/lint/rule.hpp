// What a rule of lint is: a row of one table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "carveout/core/finding.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "carveout/device_tree/tree.hpp"

namespace carveout::cli {

class Survey;
class Report;

/// What a rule needs beside the tree; it is silent without.
enum class Needs : std::uint8_t {
  tree,
  program,   ///< --elf
  workload,  ///< --workload
  facts,     ///< --facts
};

/// A correction: one line for a node of the tree. A line that begins with `/delete-` cannot be said
/// by an overlay.
struct Fix {
  device_tree::Node node;
  std::string line;

  [[nodiscard]] bool by_overlay() const { return !line.starts_with("/delete-"); }
};

/// How a rule looks for its mistake; each is called by the walk over the tree, in tree order.
struct Checks {
  void (*board)(const Survey&, Report&) = nullptr;  ///< once
  void (*region)(const Survey&, const device_tree::ReservedRegion&, Report&) = nullptr;
  /// Every enabled node with `memory-region`.
  void (*device)(const Survey&, device_tree::Node, Report&) = nullptr;
  void (*bus)(const Survey&, device_tree::Node, Report&) = nullptr;   ///< non-empty `dma-ranges`
  void (*node)(const Survey&, device_tree::Node, Report&) = nullptr;  ///< every node
};

struct LintRule {
  Rule id;
  Severity severity;  ///< unless the finding says otherwise
  Needs needs = Needs::tree;
  std::string_view title;    ///< what is wrong, half a sentence
  std::string_view why;      ///< what comes of it, and when it is none
  std::string_view example;  ///< lines of a tree that has it
  std::string_view fix;      ///< what to write instead
  std::string_view linux_does;
  Checks checks;
};

struct LintFinding {
  const LintRule* rule;
  Severity severity;
  device_tree::Node node;
  std::string_view property;  ///< static; empty: the node itself
  std::string message;
  std::optional<Fix> fix;
};

/// The table, ascending by id.
[[nodiscard]] std::span<const LintRule* const> lint_rules();
/// By "DMA001" or "dma1"; nullptr where there is none.
[[nodiscard]] const LintRule* rule_named(std::string_view name);

// The rows, by theme; each in the file rules_THEME.cpp.
[[nodiscard]] std::span<const LintRule> statement_rules();
[[nodiscard]] std::span<const LintRule> overlap_rules();
[[nodiscard]] std::span<const LintRule> memory_rules();
[[nodiscard]] std::span<const LintRule> kind_rules();
[[nodiscard]] std::span<const LintRule> default_rules();
[[nodiscard]] std::span<const LintRule> name_rules();
[[nodiscard]] std::span<const LintRule> binding_rules();
[[nodiscard]] std::span<const LintRule> reach_rules();
[[nodiscard]] std::span<const LintRule> chip_rules();
[[nodiscard]] std::span<const LintRule> use_rules();

}  // namespace carveout::cli
