// Words of a picture: short, and of a width that is known before they are drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "picture/layout.hpp"

namespace carveout::cli::picture {

/// Printable text of at most so many columns: what is longer ends in "...".
[[nodiscard]] std::string fitted(std::string_view text, std::size_t most_columns);
/// A name likewise: what is longer is cut in the middle, because names differ at their ends.
[[nodiscard]] std::string fitted_name(std::string_view name, std::size_t most_columns);

/// A size in at most 10 columns: exact where that suffices, else rounded down behind a "~".
[[nodiscard]] std::string short_size(std::uint64_t bytes);

[[nodiscard]] int size_of(Font font);    ///< in pixels
[[nodiscard]] int height_of(Font font);  ///< of a line
/// At least what printable text takes in common fonts of that kind.
[[nodiscard]] int width_of(Font font, std::string_view text);

}  // namespace carveout::cli::picture
