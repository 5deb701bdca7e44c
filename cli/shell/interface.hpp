// What the parser knows of the command line, as data: what completions and the man page are made
// of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace carveout::cli {

/// What may stand for a value.
struct Values {
  enum class Kind : std::uint8_t {
    free,      ///< numbers, nodes: nothing that could be listed
    words,     ///< one of `words`
    list,      ///< several of them, with commas between
    boards,    ///< files and folders, .dtb and .dts
    overlays,  ///< .dtbo and .dtso
    files,
    folders,
  };

  Kind kind = Kind::free;
  std::vector<std::string> words = {};
};

/// An option, a flag or an argument.
struct Parameter {
  std::vector<std::string> names;  ///< with their dashes; of an argument its name
  std::string type;                ///< of the value; empty: a flag
  std::string help;                ///< one line
  bool required;
  bool repeatable;
  Values values;

  [[nodiscard]] bool takes_value() const { return !type.empty(); }
};

struct VerbInterface {
  std::string name;
  std::string summary;
  std::string examples;  ///< whole lines
  std::vector<Parameter> arguments;
  std::vector<Parameter> options;
};

struct Interface {
  std::string name;
  std::string summary;
  std::vector<Parameter> options;  ///< before a verb
  std::vector<VerbInterface> verbs;
};

/// Reads a parser that has all verbs.
[[nodiscard]] Interface interface_of(const CLI::App& program);

/// A value's type, as help shows it, says what can stand there: words with `|` between are the
/// words; `RULE`, `BOARD` and the like are kinds. Throws std::out_of_range for a type that nobody
/// told of: every option says what its values are.
[[nodiscard]] Values values_of(const std::string& type);

[[nodiscard]] std::string bash_completion(const Interface& program);
[[nodiscard]] std::string zsh_completion(const Interface& program);
[[nodiscard]] std::string fish_completion(const Interface& program);
/// In the macros of man(7).
[[nodiscard]] std::string man_page(const Interface& program);

}  // namespace carveout::cli
