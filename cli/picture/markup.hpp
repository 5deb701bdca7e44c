// Text of others inside XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace carveout::cli::picture {

/// The text as the content of an element or of an attribute in double quotes, of XML and of HTML:
/// nothing in it is markup, and every character is one that XML has. Control characters show as
/// `\x1b`, bytes that are not UTF-8 as U+FFFD.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace carveout::cli::picture
