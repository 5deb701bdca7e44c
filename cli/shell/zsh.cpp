// Completion for zsh: _arguments for each verb.
#include <fmt/format.h>

#include <fmt/ranges.h>
#include <string>
#include <string_view>

#include "shell/interface.hpp"

namespace carveout::cli {
namespace {

/// For a specification in single quotes: its own characters are escaped, and the quote is.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char each : text) {
    if (each == '\'') {
      result += "'\\''";
      continue;
    }
    if (each == '[' || each == ']' || each == ':' || each == '\\') result += '\\';
    result += each;
  }
  return result;
}

std::string action(const Values& values) {
  switch (values.kind) {
    case Values::Kind::free:
      break;
    case Values::Kind::words:
      return fmt::format("({})", fmt::join(values.words, " "));
    case Values::Kind::list:
      return fmt::format("_sequence compadd - {}", fmt::join(values.words, " "));
    case Values::Kind::boards:
      return "_files -g \"*.(dtb|dts)(-.)\"";
    case Values::Kind::overlays:
      return "_files -g \"*.(dtbo|dtso)(-.)\"";
    case Values::Kind::files:
      return "_files";
    case Values::Kind::folders:
      return "_files -/";
  }
  return " ";
}

/// The specifications of an option, one for each of its names; once one is given none is offered.
std::string option_specs(const Parameter& option) {
  std::string specs;
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    const std::string start =
        option.repeatable ? "*" : fmt::format("({})", fmt::join(option.names, " "));
    specs += fmt::format(" \\\n        '{}{}{}[{}]", start, name,
                         option.takes_value() && is_long ? "=" : "", escaped(option.help));
    if (option.takes_value()) {
      specs += fmt::format(":{}:{}", escaped(option.type), action(option.values));
    }
    specs += '\'';
  }
  return specs;
}

}  // namespace

std::string zsh_completion(const Interface& program) {
  std::string script = fmt::format(
      "#compdef {0}\n# Completion of {0} for zsh, made by `{0} completion zsh`.\n\n"
      "_{0}() {{\n  local context state state_descr line\n  typeset -A opt_args\n"
      "  local -a verbs=(\n",
      program.name);
  for (const VerbInterface& verb : program.verbs) {
    script += fmt::format("    '{}:{}'\n", verb.name, escaped(verb.summary));
  }
  script += "  )\n  _arguments -C";
  for (const Parameter& option : program.options) script += option_specs(option);
  script +=
      " \\\n        '1:verb:->verb' '*::argument:->arguments'\n"
      "  case $state in\n    verb) _describe -t verbs verb verbs ;;\n"
      "    arguments)\n      case $line[1] in\n";
  for (const VerbInterface& verb : program.verbs) {
    script += fmt::format("      {}) _arguments", verb.name);
    for (const Parameter& option : verb.options) script += option_specs(option);
    for (const Parameter& argument : verb.arguments) {
      script += fmt::format(" \\\n        '{}:{}:{}'",
                            argument.repeatable ? "*"
                            : argument.required ? ""
                                                : ":",
                            argument.names.front(), action(argument.values));
    }
    script += " ;;\n";
  }
  return script + fmt::format(
                      "      esac\n      ;;\n  esac\n}}\n\n"
                      "if [ \"$funcstack[1]\" = _{0} ]; then _{0} \"$@\"; "
                      "else compdef _{0} {0}; fi\n",
                      program.name);
}

}  // namespace carveout::cli
