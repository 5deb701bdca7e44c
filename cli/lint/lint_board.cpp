#include <fmt/format.h>

#include <algorithm>

#include "malformed_blob.hpp"
#include "node_name.hpp"
#include "override_memory.hpp"
#include "printable.hpp"
#include "report.hpp"
#include "result.hpp"
#include "source_places.hpp"
#include "survey.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

/// Asks the rules that have what they need, in one walk over the tree.
class Walk {
 public:
  Walk(const Survey& survey, Report& report) : survey_{survey}, report_{report} {
    for (const LintRule* rule : lint_rules()) {
      if (has_what_it_needs(rule->needs, survey.settings())) rules_.push_back(rule);
    }
  }

  void run() {
    ask(&Checks::board);
    const Tree& tree = survey_.tree();
    for (const Node node : tree.nodes()) {
      ask(&Checks::node, node);
      if (survey_.facts_of(node) != nullptr) ask(&Checks::region, survey_.region(node));
      if (tree.has_memory_region(node) && tree.enabled(node)) ask(&Checks::device, node);
      if (tree.is_translating_bus(node)) ask(&Checks::bus, node);
    }
    report_.sort();
  }

 private:
  template <class Check, class... Subject>
  void ask(Check Checks::* check, const Subject&... subject) {
    for (const LintRule* rule : rules_) {
      if (rule->checks.*check == nullptr) continue;
      report_.by(*rule);
      (rule->checks.*check)(survey_, subject..., report_);
    }
  }

  const Survey& survey_;
  Report& report_;
  std::vector<const LintRule*> rules_;
};

/// Facts about nodes that the board does not have: a slip of the pen, or another board's.
std::string unknown_nodes(const Survey& survey, std::string_view board) {
  std::vector<std::string> names;
  if (const auto& facts = survey.settings().facts) {
    for (const ReachFact& fact : facts->reaches) names.push_back(fact.node);
    std::ranges::copy(facts->rate_critical, std::back_inserter(names));
  }
  if (const auto& workload = survey.settings().workload) {
    for (const Demand& demand : workload->requests) {
      if (!demand.device.empty()) names.push_back(demand.device);
    }
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  std::string notes;
  for (const std::string& name : names) {
    if (survey.named(name)) continue;
    notes += fmt::format(
        "carveout: {}: {} is named by a file of facts or a workload, and is no "
        "node of it\n",
        printable(board), printable(name));
  }
  return notes;
}

LintResult malformed(const std::string& source, const MalformedBlob& error,
                     const Suppressions& suppressions) {
  const LintRule* rule = rule_named("DMA046");
  LintResult result{.board = source, .findings = {}};
  if (suppressions.hides(*rule)) {
    result.suppressed = 1;
    return result;
  }
  result.findings.push_back({.rule = rule,
                             .severity = rule->severity,
                             .node = "/",
                             .property = {},
                             .message = error.reason(),
                             .fix_node = {},
                             .fix_line = {},
                             .place = {}});
  result.counts[static_cast<std::size_t>(rule->severity)] = 1;
  return result;
}

LintResult said(const Board& board, const Report& report) {
  LintResult result{.board = board.source,
                    .findings = {},
                    .suppressed = report.suppressed(),
                    .unlisted = report.unlisted()};
  for (const Severity severity : {Severity::note, Severity::warning, Severity::error}) {
    result.counts[static_cast<std::size_t>(severity)] = report.count(severity);
  }
  const Tree& tree = board.tree();
  for (const LintFinding& finding : report.findings()) {
    result.findings.push_back({.rule = finding.rule,
                               .severity = finding.severity,
                               .node = path_of(tree, finding.node),
                               .property = finding.property,
                               .message = finding.message,
                               .fix_node = finding.fix ? path_of(tree, finding.fix->node) : "",
                               .fix_line = finding.fix ? finding.fix->line : "",
                               .place = {}});
  }
  return result;
}

}  // namespace

std::string SaidFinding::fix() const {
  return fix_node == node ? fix_line : fmt::format("&{{{}}} {{ {} }};", fix_node, fix_line);
}

bool has_what_it_needs(Needs needs, const LintSettings& settings) {
  switch (needs) {
    case Needs::tree:
      return true;
    case Needs::program:
      return settings.program.has_value();
    case Needs::workload:
      return settings.workload.has_value();
    case Needs::facts:
      break;
  }
  return settings.facts.has_value();
}

std::string_view option_of(Needs needs) {
  switch (needs) {
    case Needs::tree:
      break;
    case Needs::program:
      return "--elf FILE";
    case Needs::workload:
      return "--workload FILE";
    case Needs::facts:
      return "--facts FILE";
  }
  return "";
}

LintResult lint_board(const Board& board, const LintSettings& settings,
                      const Suppressions& suppressions) {
  const Survey survey{board, settings};
  Report report{board.tree(), suppressions};
  Walk{survey, report}.run();
  LintResult result = said(board, report);
  result.notes = board.messages + unknown_nodes(survey, board.source);
  if (result.unlisted != 0) {
    result.notes += fmt::format("carveout: {}: {} findings more are not listed\n",
                                printable(board.source), result.unlisted);
  }
  if (board.is_source) find_places(result);
  return result;
}

LintResult lint_board(const std::string& source, std::span<const std::string> overlays,
                      std::span<const PhysRange> ram, const LintSettings& settings,
                      const Suppressions& suppressions) {
  try {
    Board board = read_board(source, overlays);
    if (!ram.empty()) board = with_memory(std::move(board), ram);
    return lint_board(board, settings, suppressions);
  } catch (const MalformedBlob& error) {
    if (error.subject() != source) throw;
    return malformed(source, error, suppressions);
  }
}

}  // namespace carveout::cli
