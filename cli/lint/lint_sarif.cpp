#include <fmt/format.h>

#include <algorithm>

#include "explain_page.hpp"
#include "forms.hpp"
#include "json_text.hpp"
#include "page.hpp"
#include "rule_id.hpp"

#if !defined(CARVEOUT_VERSION)
#define CARVEOUT_VERSION "without a version"  // read by a tool, not built by CMake
#endif

namespace carveout::cli {
namespace {

/// A file name as a URI reference (RFC 3986): a relative name stays relative.
std::string uri_of(std::string_view file) {
  std::string uri = file.starts_with('/') ? "file://" : "";
  while (file.starts_with("./")) file.remove_prefix(2);
  for (const char c : file) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view{"-._~/"}.contains(c);
    if (plain) {
      uri += c;
    } else {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

/// The same for the same rule, node and property of a board, whatever the words are (FNV-1a).
std::string fingerprint(const LintResult& result, const SaidFinding& finding) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
    hash *= 0x100'0000'01b3;
  };
  add(rule_id(finding.rule->id));
  add(result.board);
  add(finding.node);
  add(finding.property);
  return fmt::format("{:016x}", hash);
}

void write_text(JsonText& json, std::string_view key, std::string_view text) {
  json.key(key).open('{').key("text").string(text).close('}');
}

void write_rules(JsonText& json) {
  json.key("rules").open('[');
  for (const LintRule* rule : lint_rules()) {
    json.open('{').key("id").string(rule_id(rule->id));
    write_text(json, "shortDescription", rule->title);
    write_text(json, "fullDescription", rule->why);
    json.key("help").open('{').key("text").string(explain_page(*rule));
    json.key("markdown").string(explain_page(*rule)).close('}');
    json.key("defaultConfiguration").open('{');
    json.key("level").string(name_of(rule->severity)).close('}').close('}');
  }
  json.close(']');
}

void write_location(JsonText& json, const LintResult& result, const SaidFinding& finding) {
  json.key("locations").open('[').open('{');
  if (result.board != "-") {
    json.key("physicalLocation").open('{').key("artifactLocation").open('{');
    json.key("uri").string(uri_of(finding.place ? finding.place->file : result.board)).close('}');
    if (finding.place) {
      json.key("region").open('{').key("startLine").number(finding.place->line).close('}');
    }
    json.close('}');
  }
  json.key("logicalLocations").open('[').open('{');
  json.key("fullyQualifiedName").string(finding.node).close('}').close(']');
  json.close('}').close(']');
}

}  // namespace

std::string lint_sarif(std::span<const LintResult> results) {
  JsonText json{kMaxOutputBytes};
  json.open('{').key("$schema").string("https://json.schemastore.org/sarif-2.1.0.json");
  json.key("version").string("2.1.0").key("runs").open('[').open('{');
  json.key("tool").open('{').key("driver").open('{').key("name").string("carveout");
  json.key("version").string(CARVEOUT_VERSION);
  write_rules(json);
  json.close('}').close('}').key("results").open('[');
  const auto table = lint_rules();
  for (const LintResult& result : results) {
    for (const SaidFinding& finding : result.findings) {
      if (json.full()) refuse_too_much(result.board);
      const auto index =
          static_cast<std::uint64_t>(std::ranges::find(table, finding.rule) - table.begin());
      json.open('{').key("ruleId").string(rule_id(finding.rule->id));
      json.key("ruleIndex").number(index).key("level").string(name_of(finding.severity));
      const std::string fix =
          finding.fix_line.empty() ? "" : fmt::format("\nFix: {}", finding.fix());
      write_text(json, "message",
                 fmt::format("{}{}{}: {}{}", finding.node, finding.property.empty() ? "" : " ",
                             finding.property, finding.message, fix));
      write_location(json, result, finding);
      json.key("partialFingerprints").open('{').key("carveoutFinding/v1");
      json.string(fingerprint(result, finding)).close('}').close('}');
    }
  }
  json.close(']').close('}').close(']').close('}');
  return json.take() + '\n';
}

}  // namespace carveout::cli
