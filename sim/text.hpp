// Numbers as the reports of the model write them.
#pragma once

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

namespace carveout::sim {

/// 0x and lower-case digits.
inline std::string hex(std::uint64_t value) {
  char digits[16];
  const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), value, 16);
  return "0x" + std::string(digits, end);
}

/// One after the other.
inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

inline std::string count_of_bytes(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

/// For XML and HTML, as text or within quotes. What is no printable ASCII is written as \xNN: names
/// come from anywhere.
inline std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string safe;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (constexpr std::string_view kMarkup = "&<>\"'"; kMarkup.contains(each)) {
      safe += joined({"&#", std::to_string(byte), ";"});
    } else if (each == '\n' || (byte >= 0x20 && byte < 0x7f)) {
      safe += each;
    } else {
      safe += "\\x";
      safe += kDigits[byte >> 4];
      safe += kDigits[byte & 15];
    }
  }
  return safe;
}

}  // namespace carveout::sim
