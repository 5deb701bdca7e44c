// Files of this folder that go into what is written, as they are: CMake puts them into the program.
#pragma once

#include <string_view>

namespace carveout::cli::picture {

[[nodiscard]] std::string_view svg_style();    ///< svg.css
[[nodiscard]] std::string_view page_style();   ///< page.css
[[nodiscard]] std::string_view page_script();  ///< page.js
/// The script's SHA-256 in base 64, by which a page allows it and no other.
[[nodiscard]] std::string_view page_script_hash();

}  // namespace carveout::cli::picture
