#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node_name.hpp"
#include "refusal.hpp"
#include "rule_id.hpp"
#include "sentence.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

/// The property by which a tree suppresses: rules' names as strings; it holds below its node, too.
constexpr std::string_view kIgnoreProperty = "carveout,lint-ignore";

const LintRule* known_rule(std::string_view name, std::string_view where, std::string_view line) {
  const LintRule* rule = rule_named(name);
  if (rule == nullptr) throw Refusal{where, fmt::format("'{}' is no rule", name), line};
  return rule;
}

bool is_below(std::string_view path, std::string_view top) {
  if (top == "/") return true;
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

}  // namespace

void Suppressions::add_list(std::string_view list) {
  while (true) {
    const std::string_view name = list.substr(0, list.find(','));
    lines_.push_back({known_rule(name, "lint", "--ignore"), {}});
    if (name.size() == list.size()) return;
    list.remove_prefix(name.size() + 1);
  }
}

void Suppressions::add_file(const UserFile& file) {
  for_each_line(file, [&](std::size_t number, std::span<const std::string_view> words) {
    const std::string where = fmt::format("line {}", number);
    if (words.size() > 2) throw Refusal{file.name, "has more than a rule and a node", where};
    const LintRule* rule = known_rule(words[0], file.name, where);
    const std::string path{words.size() == 2 ? words[1] : std::string_view{}};
    if (!path.empty() && !path.starts_with('/')) {
      throw Refusal{file.name, fmt::format("'{}' is no path of a node", path), where};
    }
    lines_.push_back({rule, path});
  });
}

bool Suppressions::hides(const Tree& tree, const LintFinding& finding) const {
  return std::ranges::any_of(lines_, [&](const Line& line) {
    return line.rule == finding.rule &&
           (line.path.empty() || is_below(path_of(tree, finding.node), line.path));
  });
}

bool Suppressions::hides(const LintRule& rule) const {
  return std::ranges::any_of(
      lines_, [&](const Line& line) { return line.rule == &rule && line.path.empty(); });
}

bool Report::hidden_in_tree(const LintFinding& finding) const {
  const std::string id = rule_id(finding.rule->id);
  for (std::optional<Node> at = finding.node; at; at = tree_.parent(*at)) {
    if (tree_.strings(*at, kIgnoreProperty).contains(id)) return true;
  }
  return false;
}

void Report::add(Node node, std::string_view property, std::string message, std::optional<Fix> fix,
                 std::optional<Severity> severity) {
  LintFinding finding{.rule = rule_,
                      .severity = severity.value_or(rule_->severity),
                      .node = node,
                      .property = property,
                      .message = std::move(message),
                      .fix = std::move(fix)};
  if (suppressions_.hides(tree_, finding) || hidden_in_tree(finding)) {
    ++suppressed_;
    return;
  }
  ++counts_[static_cast<std::size_t>(finding.severity)];
  if (findings_.size() == kMaxFindings) {
    ++unlisted_;
    return;
  }
  findings_.push_back(std::move(finding));
}

void Report::add_as_setup_says(Node node, const Finding& finding, std::optional<Fix> fix,
                               std::optional<Severity> severity) {
  add(node, finding.property, sentence(finding), std::move(fix), severity);
}

void Report::sort() {
  std::ranges::stable_sort(findings_, {}, [](const LintFinding& finding) {
    return std::pair{finding.node.index(), finding.rule->id};
  });
}

}  // namespace carveout::cli
