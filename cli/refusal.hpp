// How the program says no: exit status 2 and one line, whatever was wrong.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace carveout::cli {

/// The command line is wrong, or an input cannot be read. Caught by main() alone, which prints the
/// line and nothing else, so it may be thrown from anywhere before the output is written.
class Refusal : public std::exception {
 public:
  /// @param subject  the board as the user typed it, or the verb.
  /// @param where    the place in it: a byte, an option, a node.
  Refusal(std::string_view subject, std::string_view what, std::string_view where);

  /// `carveout: SUBJECT: WHAT (WHERE)`, one line whatever bytes the arguments have.
  [[nodiscard]] const char* what() const noexcept override { return line_.c_str(); }

 private:
  std::string line_;
};

}  // namespace carveout::cli
