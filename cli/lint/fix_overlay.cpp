#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "forms.hpp"
#include "rule_id.hpp"

namespace carveout::cli {
namespace {

/// Whether dtc can read `&{PATH}`. Only a hostile tree has other names.
bool is_plain_path(std::string_view path) {
  return std::ranges::all_of(path, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{",._+-@#*?/"}.contains(c);
  });
}

std::string_view property_in(std::string_view line) {
  return line.substr(0, line.find_first_of(" ;"));
}

}  // namespace

std::string fix_overlay(const LintResult& result) {
  std::map<std::string, std::vector<const SaidFinding*>> by_node;
  for (const SaidFinding& finding : result.findings) {
    if (finding.fix_line.empty() || finding.fix_line.starts_with("/delete-")) continue;
    if (!is_plain_path(finding.fix_node)) continue;
    auto& fixes = by_node[finding.fix_node];
    const bool taken = std::ranges::any_of(fixes, [&](const SaidFinding* other) {
      return property_in(other->fix_line) == property_in(finding.fix_line);
    });
    if (!taken) fixes.push_back(&finding);
  }
  if (by_node.empty()) return {};
  std::string text = "/dts-v1/;\n/plugin/;\n";
  for (const auto& [node, fixes] : by_node) {
    text += fmt::format("\n&{{{}}} {{\n", node);
    for (const SaidFinding* finding : fixes) {
      text += fmt::format("\t{} // {}\n", finding->fix_line, rule_id(finding->rule->id));
    }
    text += "};\n";
  }
  return text;
}

}  // namespace carveout::cli
