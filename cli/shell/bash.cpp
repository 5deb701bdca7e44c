// Completion for bash: one function, which needs nothing of the package bash-completion.
#include <fmt/format.h>

#include <fmt/ranges.h>
#include <string>
#include <string_view>

#include "shell/interface.hpp"

namespace carveout::cli {
namespace {

constexpr std::string_view kStart =
    R"sh(# Completion of carveout for bash, made by `carveout completion bash`.

_carveout_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }

# A list with commas: what stands before the last one stays.
_carveout_list() {
  local before=
  [[ $cur == *,* ]] && before=${cur%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${cur##*,}")
}

# Folders, and files whose names end as one of the arguments does; without arguments, all files.
_carveout_files() {
  compopt -o filenames 2>/dev/null
  local end
  mapfile -t COMPREPLY < <(
    compgen -d -- "$cur"
    for end in "$@"; do compgen -f -X "!*$end" -- "$cur"; done
    if [[ $# -eq 0 ]]; then comm -23 <(compgen -f -- "$cur" | sort) <(compgen -d -- "$cur" | sort); fi
  )
}

_carveout() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' i
  # --option=value is three words to bash.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} != -* ]]; then
      verb=${COMP_WORDS[i]}
      break
    fi
  done
  COMPREPLY=()
  case $verb:$prev in
)sh";

std::string action(const Values& values) {
  switch (values.kind) {
    case Values::Kind::free:
      break;
    case Values::Kind::words:
      return fmt::format("_carveout_words '{}'", fmt::join(values.words, " "));
    case Values::Kind::list:
      return fmt::format("_carveout_list '{}'", fmt::join(values.words, " "));
    case Values::Kind::boards:
      return "_carveout_files .dtb .dts";
    case Values::Kind::overlays:
      return "_carveout_files .dtbo .dtso";
    case Values::Kind::files:
      return "_carveout_files";
    case Values::Kind::folders:
      return "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")";
  }
  return ":";
}

std::string names_of(const std::vector<Parameter>& options) {
  std::string names;
  for (const Parameter& option : options) {
    for (const std::string& name : option.names) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

}  // namespace

std::string bash_completion(const Interface& program) {
  std::string script{kStart};
  for (const VerbInterface& verb : program.verbs) {
    for (const Parameter& option : verb.options) {
      if (!option.takes_value()) continue;
      std::string pattern;
      for (const std::string& name : option.names) {
        pattern += fmt::format("{}{}:{}", pattern.empty() ? "" : " | ", verb.name, name);
      }
      script += fmt::format("    {}) {} ;;\n", pattern, action(option.values));
    }
    script += fmt::format("    {}:*)\n      case $cur in\n", verb.name);
    script += fmt::format("        -*) _carveout_words '{}' ;;\n", names_of(verb.options));
    if (!verb.arguments.empty()) {
      script += fmt::format("        *) {} ;;\n", action(verb.arguments.front().values));
    }
    script += "      esac\n      ;;\n";
  }
  std::string words = names_of(program.options);
  for (const VerbInterface& verb : program.verbs) words += ' ' + verb.name;
  return script + fmt::format(
                      "    :*) _carveout_words '{}' ;;\n  esac\n}}\n\n"
                      "complete -F _carveout {}\n",
                      words, program.name);
}

}  // namespace carveout::cli
