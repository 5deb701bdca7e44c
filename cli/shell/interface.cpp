#include "shell/interface.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <ranges>
#include <stdexcept>
#include <string_view>

#include "lint/rule.hpp"
#include "rule_id.hpp"
#include "simulate/presets.hpp"
#include "why_request.hpp"

namespace carveout::cli {
namespace {

std::vector<std::string> split(std::string_view text, std::string_view between) {
  std::vector<std::string> words;
  for (const auto part : std::views::split(text, between))
    words.emplace_back(part.begin(), part.end());
  return words;
}

std::vector<std::string> rule_ids() {
  std::vector<std::string> ids;
  for (const LintRule* rule : lint_rules()) ids.push_back(rule_id(rule->id));
  return ids;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.emplace_back(preset.name);
  return names;
}

/// Types that are kinds. What an engineer types as it comes (sizes, nodes) cannot be listed.
std::map<std::string, Values> kinds() {
  using Kind = Values::Kind;
  std::map<std::string, Values> kinds{
      {"BOARD", {.kind = Kind::boards}},
      {"OLD", {.kind = Kind::boards}},
      {"NEW", {.kind = Kind::boards}},
      {"DTBO", {.kind = Kind::overlays}},
      {"FILE", {.kind = Kind::files}},
      {"DIR", {.kind = Kind::folders}},
      {"RULE", {.kind = Kind::words, .words = rule_ids()}},
      {"RULE,...", {.kind = Kind::list, .words = rule_ids()}},
      {"ATTRIBUTE,...", {.kind = Kind::list, .words = split(known_attributes(), ", ")}},
      {"PRESET[=NODE]", {.kind = Kind::words, .words = preset_names()}},
  };
  for (const char* free : {"NODE", "NODE[=BITS]", "DEVICE=NODE", "INDEX|NAME", "NAME", "BYTES",
                           "BITS", "ADDR", "BASE+SIZE,...", "N"}) {
    kinds.emplace(free, Values{});
  }
  return kinds;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-' ||
           each == '_';
  });
}

/// Help breaks its lines; here they are one.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char each : text) {
    const bool space = each == '\n' || each == ' ';
    if (!space) line += each;
    if (space && !line.ends_with(' ')) line += ' ';
  }
  return line;
}

Parameter parameter_of(const CLI::Option& option) {
  Parameter parameter{.names = {},
                      .type = option.get_type_name(),
                      .help = one_line(option.get_description()),
                      .required = option.get_required(),
                      .repeatable = option.get_items_expected_max() > 1,
                      .values = {}};
  for (const std::string& name : option.get_snames()) parameter.names.push_back('-' + name);
  for (const std::string& name : option.get_lnames()) parameter.names.push_back("--" + name);
  const bool positional = parameter.names.empty();
  if (positional) parameter.names.push_back(option.get_name(true, false));
  if (positional && parameter.type.empty()) parameter.type = parameter.names.front();
  if (parameter.takes_value()) parameter.values = values_of(parameter.type);
  return parameter;
}

}  // namespace

Values values_of(const std::string& type) {
  const std::vector<std::string> words = split(type, "|");
  if (std::ranges::all_of(words, is_word)) return {.kind = Values::Kind::words, .words = words};
  return kinds().at(type);
}

Interface interface_of(const CLI::App& program) {
  Interface all{
      .name = program.get_name(), .summary = program.get_description(), .options = {}, .verbs = {}};
  for (const CLI::Option* option : program.get_options()) {
    all.options.push_back(parameter_of(*option));
  }
  for (const CLI::App* verb : program.get_subcommands({})) {
    VerbInterface& into = all.verbs.emplace_back(VerbInterface{.name = verb->get_name(),
                                                               .summary = verb->get_description(),
                                                               .examples = verb->get_footer(),
                                                               .arguments = {},
                                                               .options = {}});
    for (const CLI::Option* option : verb->get_options()) {
      (option->get_positional() ? into.arguments : into.options).push_back(parameter_of(*option));
    }
  }
  return all;
}

}  // namespace carveout::cli
