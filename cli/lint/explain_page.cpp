#include "explain_page.hpp"

#include <fmt/format.h>

#include "page.hpp"
#include "result.hpp"
#include "rule_id.hpp"

namespace carveout::cli {
namespace {

std::string paragraph(std::string_view text) {
  Page page{"explain", false};
  page.line(Words{}.say(text));
  return page.take();
}

std::string block(std::string_view title, std::string_view lines) {
  return fmt::format("\n## {}\n\n```dts\n{}\n```\n", title, lines);
}

}  // namespace

std::string explain_page(const LintRule& rule) {
  const std::string_view option = option_of(rule.needs);
  std::string page = fmt::format("# {}: {}\n\n", rule_id(rule.id), rule.title);
  page += fmt::format("Severity: {}. Needs: {}.\n\n", name_of(rule.severity),
                      option.empty() ? "the tree alone" : fmt::format("`{}`", option));
  page += paragraph(rule.why);
  if (!rule.example.empty()) page += block("Fails", rule.example);
  if (!rule.fix.empty()) page += block("Fix", rule.fix);
  return page + "\n## Linux\n\n" + paragraph(rule.linux_does);
}

std::string rules_page() {
  std::string page =
      "# The rules of lint\n\n"
      "Each page is what `carveout explain RULE` prints. How to run lint, and how to silence it:\n"
      "[../lint.md](../lint.md).\n\n"
      "| Rule | Severity | What is wrong | Needs |\n|---|---|---|---|\n";
  for (const LintRule* rule : lint_rules()) {
    const std::string id = rule_id(rule->id);
    const std::string_view option = option_of(rule->needs);
    page += fmt::format("| [{}]({}.md) | {} | {} | {} |\n", id, id, name_of(rule->severity),
                        rule->title, option.empty() ? "" : fmt::format("`{}`", option));
  }
  return page;
}

}  // namespace carveout::cli
