#include <fmt/format.h>

#include "forms.hpp"
#include "page.hpp"
#include "rule_id.hpp"

namespace carveout::cli {
namespace {

Style style_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return Style::bad;
    case Severity::warning:
      return Style::heading;
    case Severity::note:
      break;
  }
  return Style::faint;
}

std::string counted(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

void say(Page& page, const LintResult& result, const SaidFinding& finding) {
  Words head;
  head.keep(finding.place ? fmt::format("{}:{}:", finding.place->file, finding.place->line)
                          : fmt::format("{}:", result.board));
  head.keep(name_of(finding.severity), style_of(finding.severity));
  head.keep(rule_id(finding.rule->id)).keep(finding.node);
  if (!finding.property.empty()) head.keep(finding.property);
  page.line(head, 0, 4);
  page.line(Words{}.say(finding.message), 4, 4);
  if (!finding.fix_line.empty()) {
    page.line(Words{}.keep("fix:", Style::good).say(finding.fix()), 4, 9);
  }
}

}  // namespace

std::string lint_text(std::span<const LintResult> results, bool colour) {
  std::string text;
  std::array<std::size_t, 3> counts{};
  std::size_t suppressed = 0;
  for (const LintResult& result : results) {
    Page page{result.board, colour};
    for (const SaidFinding& finding : result.findings) say(page, result, finding);
    text += page.take();
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += result.counts[i];
    suppressed += result.suppressed;
  }
  const auto count = [&](Severity severity) {
    return counted(counts[static_cast<std::size_t>(severity)], name_of(severity));
  };
  text += fmt::format("{}{}, {}, {}",
                      results.size() > 1 ? fmt::format("{} boards: ", results.size()) : "",
                      count(Severity::error), count(Severity::warning), count(Severity::note));
  text += suppressed == 0 ? "\n" : fmt::format("; {} suppressed\n", suppressed);
  return text;
}

}  // namespace carveout::cli
