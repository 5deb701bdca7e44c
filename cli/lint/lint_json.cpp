#include "forms.hpp"
#include "json_text.hpp"
#include "page.hpp"
#include "rule_id.hpp"

namespace carveout::cli {

std::string lint_json(std::span<const LintResult> results) {
  JsonText json{kMaxOutputBytes};
  json.open('{').key("schema").string("carveout.lint/1").key("findings").open('[');
  std::size_t suppressed = 0;
  const auto maybe = [&](std::string_view text) {
    if (text.empty()) {
      json.null();
    } else {
      json.string(text);
    }
  };
  for (const LintResult& result : results) {
    suppressed += result.suppressed;
    for (const SaidFinding& finding : result.findings) {
      if (json.full()) refuse_too_much(result.board);
      json.open('{').key("rule").string(rule_id(finding.rule->id));
      json.key("severity").string(name_of(finding.severity));
      json.key("node").string(finding.node).key("property");
      maybe(finding.property);
      json.key("message").string(finding.message).key("fix");
      maybe(finding.fix_line.empty() ? std::string{} : finding.fix());
      json.key("board").string(result.board);
      json.key("linux").string(finding.rule->linux_does);
      json.key("file");
      maybe(finding.place ? finding.place->file : std::string{});
      json.key("line");
      if (finding.place) {
        json.number(finding.place->line);
      } else {
        json.null();
      }
      json.close('}');
    }
  }
  json.close(']').key("suppressed").number(suppressed).close('}');
  return json.take() + '\n';
}

}  // namespace carveout::cli
