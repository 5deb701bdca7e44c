// Completion for fish: a line for each option.
#include <fmt/format.h>

#include <fmt/ranges.h>
#include <string>
#include <string_view>

#include "shell/interface.hpp"

namespace carveout::cli {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char each : text) {
    if (each == '\'' || each == '\\') result += '\\';
    result += each;
  }
  return result + '\'';
}

/// What follows a name: that a value does, and which. A flag has nothing.
std::string action(const Values& values) {
  switch (values.kind) {
    case Values::Kind::free:
      break;
    case Values::Kind::words:
      return " -x -a " + quoted(fmt::format("{}", fmt::join(values.words, " ")));
    case Values::Kind::list:
      return " -x -a " + quoted(fmt::format("(__fish_append , {})", fmt::join(values.words, " ")));
    case Values::Kind::boards:
      return " -k -a '(__fish_complete_suffix .dtb; __fish_complete_suffix .dts)'";
    case Values::Kind::overlays:
      return " -x -k -a '(__fish_complete_suffix .dtbo; __fish_complete_suffix .dtso)'";
    case Values::Kind::files:
      return " -r -F";
    case Values::Kind::folders:
      return " -x -a '(__fish_complete_directories)'";
  }
  return " -x";
}

std::string option_line(std::string_view start, const Parameter& option) {
  std::string line{start};
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    line += fmt::format(" -{} {}", is_long ? 'l' : 's', name.substr(is_long ? 2 : 1));
  }
  if (option.takes_value()) line += action(option.values);
  return line + " -d " + quoted(option.help) + '\n';
}

}  // namespace

std::string fish_completion(const Interface& program) {
  std::string script = fmt::format(
      "# Completion of {0} for fish, made by `{0} completion fish`.\n\n"
      "complete -c {0} -f\n",
      program.name);
  const std::string first = fmt::format("complete -c {} -n __fish_use_subcommand", program.name);
  for (const Parameter& option : program.options) script += option_line(first, option);
  for (const VerbInterface& verb : program.verbs) {
    script += fmt::format("{} -a {} -d {}\n", first, verb.name, quoted(verb.summary));
  }
  for (const VerbInterface& verb : program.verbs) {
    const std::string start =
        fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}'", program.name, verb.name);
    script += '\n';
    for (const Parameter& option : verb.options) script += option_line(start, option);
    if (!verb.arguments.empty()) {
      script += start + action(verb.arguments.front().values) + '\n';
    }
  }
  return script;
}

}  // namespace carveout::cli
