// Strings of a tree or of the command line, made fit for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace carveout::cli {

/// The text with control characters as `\x1b` and bytes that are not UTF-8 as U+FFFD: nothing in it
/// starts a new line, moves a cursor or sets a colour.
[[nodiscard]] std::string printable(std::string_view text);

/// The same, added to the end of another text.
void append_printable(std::string& to, std::string_view text);

/// How many columns printable text takes on a terminal: one a character.
[[nodiscard]] std::size_t columns(std::string_view text);

}  // namespace carveout::cli
