#include "json_text.hpp"

#include <array>
#include <charconv>

namespace carveout::cli {
namespace {

/// How many bytes the character at the start of `text` has; 0 where there is none in UTF-8. Then
/// `bad_bytes` is how many belong to the beginning of one. The table is Unicode 15, D92, table 3-7.
std::size_t character_bytes(std::string_view text, std::size_t& bad_bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  std::size_t size = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    size = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    size = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;  // no surrogates
  } else if (first >= 0xf0 && first <= 0xf4) {
    size = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  }
  bad_bytes = 1;
  for (std::size_t i = 1; i < size; ++i, ++bad_bytes) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return 0;
    low = 0x80;
    high = 0xbf;
  }
  return size;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  const auto is_plain = [](char c) { return c >= 0x20 && c != '"' && c != '\\' && c < 0x7f; };
  while (!text.empty()) {
    std::size_t plain = 0;  // nearly all of nearly every string
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;

    const char c = text.front();
    std::size_t bad_bytes = 0;
    const std::size_t bytes = character_bytes(text, bad_bytes);
    if (bytes == 0) {
      out += "\xef\xbf\xbd";
      text.remove_prefix(bad_bytes);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= 0 && c < 0x20) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += "\\u00";
      out += kDigits[static_cast<std::size_t>(c) >> 4];
      out += kDigits[static_cast<std::size_t>(c) & 15];
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  out += '"';
}

void JsonText::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonText& JsonText::key(std::string_view name) {
  separate();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::string(std::string_view text) {
  separate();
  if (!full()) append_json_string(out_, text);
  return *this;
}

JsonText& JsonText::number(std::uint64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

JsonText& JsonText::hex(std::uint64_t value) {
  separate();
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  out_ += "\"0x";
  out_.append(digits.data(), end);
  out_ += '"';
  return *this;
}

JsonText& JsonText::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonText& JsonText::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonText& JsonText::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

void text_or_null(JsonText& json, std::string_view key, std::string_view text) {
  json.key(key);
  text.empty() ? json.null() : json.string(text);
}

void hex_or_null(JsonText& json, std::string_view key, std::optional<std::uint64_t> value) {
  json.key(key);
  value ? json.hex(*value) : json.null();
}

}  // namespace carveout::cli
