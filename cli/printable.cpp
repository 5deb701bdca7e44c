#include "printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace carveout::cli {
namespace {

struct Sequence {
  std::size_t bytes;  ///< how many belong together; at least 1
  bool valid;
  std::uint32_t code_point;
};

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

/// The first UTF-8 sequence of a text that is not empty. What is malformed is as long as the
/// Unicode standard says for U+FFFD: the longest start of something that could have been valid.
Sequence first_sequence(std::string_view text) {
  const std::uint8_t lead = byte_at(text, 0);
  if (lead < 0x80) return {1, true, lead};
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : lead >= 0xe0 && lead <= 0xef ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 1;
  if (length == 1) return {1, false, 0};
  std::uint32_t code_point = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {i, false, 0};
    const std::uint8_t next = byte_at(text, i);
    // The second byte excludes overlong forms, surrogates and what is over U+10FFFF.
    const std::uint8_t low = i > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = i > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (next < low || next > high) return {i, false, 0};
    code_point = code_point << 6 | (next & 0x3fU);
  }
  return {length, true, code_point};
}

bool is_control(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

}  // namespace

void append_printable(std::string& to, std::string_view text) {
  while (!text.empty()) {
    // Most text is ASCII, and there is much of it.
    const std::size_t plain = static_cast<std::size_t>(
        std::ranges::find_if(text, [](char c) { return c < 0x20 || c > 0x7e; }) - text.begin());
    to += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const Sequence sequence = first_sequence(text);
    if (!sequence.valid) {
      to += "\xef\xbf\xbd";
    } else if (is_control(sequence.code_point)) {
      fmt::format_to(std::back_inserter(to), "\\x{:02x}", sequence.code_point);
    } else {
      to += text.substr(0, sequence.bytes);
    }
    text.remove_prefix(sequence.bytes);
  }
}

std::string printable(std::string_view text) {
  std::string result;
  append_printable(result, text);
  return result;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<std::uint8_t>(c) & 0xc0U) != 0x80; }));
}

}  // namespace carveout::cli
