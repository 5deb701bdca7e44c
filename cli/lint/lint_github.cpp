#include <fmt/format.h>

#include "forms.hpp"
#include "page.hpp"
#include "printable.hpp"
#include "rule_id.hpp"

namespace carveout::cli {
namespace {

/// Escaped as the runner reads it back: the message, or (further) the value of a property.
std::string escaped(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : printable(text)) {
    const bool escape = c == '%' || (is_property && (c == ':' || c == ','));
    if (escape) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view command_of(Severity severity) {
  return severity == Severity::note ? "notice" : name_of(severity);
}

}  // namespace

std::string lint_github(std::span<const LintResult> results) {
  std::string text;
  for (const LintResult& result : results) {
    for (const SaidFinding& finding : result.findings) {
      const std::string& file = finding.place ? finding.place->file : result.board;
      text += fmt::format("::{} file={}", command_of(finding.severity), escaped(file, true));
      if (finding.place) text += fmt::format(",line={}", finding.place->line);
      text += fmt::format(",title={}::", rule_id(finding.rule->id));
      text += escaped(fmt::format("{}{}{}: {}", finding.node, finding.property.empty() ? "" : " ",
                                  finding.property, finding.message),
                      false);
      if (!finding.fix_line.empty()) text += "%0AFix: " + escaped(finding.fix(), false);
      text += '\n';
      if (text.size() > kMaxOutputBytes) refuse_too_much(result.board);
    }
  }
  return text;
}

}  // namespace carveout::cli
