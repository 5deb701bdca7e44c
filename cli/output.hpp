// Standard output, standard error, and what they are connected to.
#pragma once

#include <string_view>

#include "verb.hpp"

namespace carveout::cli {

/// Makes sure that descriptors 0 to 2 are open, so that no file of ours becomes one of them: a
/// program that was started without standard output must not write into the board it reads.
void claim_standard_streams();

/// Colour only on a terminal, and never with NO_COLOR.
[[nodiscard]] Terminal terminal();

/// Writes to a descriptor. @return what was not taken; errno says why.
[[nodiscard]] std::string_view write_all(int descriptor, std::string_view data);

/// Writes all of it and closes; throws Refusal where not every byte was taken.
void write_standard_output(std::string_view data);

void write_standard_error(std::string_view text);

}  // namespace carveout::cli
