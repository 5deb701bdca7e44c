#include "picture/markup.hpp"

#include "printable.hpp"

namespace carveout::cli::picture {

std::string escaped(std::string_view text) {
  const std::string shown = printable(text);
  std::string result;
  result.reserve(shown.size());
  for (std::size_t i = 0; i < shown.size(); ++i) {
    switch (shown[i]) {
      case '&':
        result += "&amp;";
        continue;
      case '<':
        result += "&lt;";
        continue;
      case '>':
        result += "&gt;";
        continue;
      case '"':
        result += "&quot;";
        continue;
      case '\'':
        result += "&#39;";
        continue;
      default:
        break;
    }
    // U+FFFE and U+FFFF are UTF-8 and no characters of XML 1.0 (production 2).
    const std::string_view rest = std::string_view{shown}.substr(i);
    if (rest.starts_with("\xef\xbf\xbe") || rest.starts_with("\xef\xbf\xbf")) {
      result += "\xef\xbf\xbd";
      i += 2;
      continue;
    }
    result += shown[i];
  }
  return result;
}

}  // namespace carveout::cli::picture
