// Names of a tree as identifiers of C++ and of linkers.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace carveout::cli {

/// Whether C++ takes it for the name of a namespace of the user's: identifiers with :: between
/// them, none of them a keyword or of a form that is the implementation's.
[[nodiscard]] bool is_namespace_name(std::string_view text);

/// Gives out identifiers, none of them twice. The order of asking decides, and nothing else.
class Identifiers {
 public:
  /// `prefix`, an underscore, and of `name` the letters and digits of ASCII; whatever else lies
  /// between them is one underscore. One that was given out already gets a number: `_2`, `_3`, ...
  ///
  /// @param prefix  an identifier that does not end in an underscore: with it a result is no
  ///                keyword, and has no two underscores in a row, which are the compiler's.
  [[nodiscard]] std::string make(std::string_view prefix, std::string_view name);

 private:
  std::unordered_map<std::string, unsigned> given_;  // and the last number that was tried for it
};

}  // namespace carveout::cli
