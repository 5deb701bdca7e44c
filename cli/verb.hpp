// What a verb of the program is. A new one is a file that defines a Verb, and a line in verbs.cpp.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace carveout::cli {

/// Exit statuses beside 0; docs of the command line, and other programs, rely on them.
/// `why`, `simulate`: a request is not granted; `gen`: the board does not fit
inline constexpr int kRefused = 1;
inline constexpr int kFindings = 1;  ///< `lint`: findings at or above --fail-level
inline constexpr int kWrongUse = 2;  ///< wrong use, or an input that cannot be read

/// What a verb says, complete before any of it is written.
struct Answer {
  int status = 0;
  std::string data;   ///< for standard output
  std::string notes;  ///< for standard error
};

/// What the program knows about where its output goes.
struct Terminal {
  bool colour;
};

/// What a verb does with the options that were given; may throw Refusal.
using Job = std::function<Answer(const Terminal&)>;

struct Verb {
  std::string_view name;
  std::string_view summary;   ///< half a sentence, lower case
  std::string_view examples;  ///< whole lines, for the top of the help
  /// Adds arguments and options to the verb's parser. The job reads them after parsing.
  Job (*add)(CLI::App& parser);
};

/// Every verb, in the order of the help.
[[nodiscard]] std::span<const Verb* const> verbs();

extern const Verb kCompletion;
extern const Verb kDiff;
extern const Verb kExplain;
extern const Verb kGen;
extern const Verb kLint;
extern const Verb kMap;
extern const Verb kSimulate;
extern const Verb kWhy;

}  // namespace carveout::cli
