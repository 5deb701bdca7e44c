// JSON, written as text while it is made, with a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace carveout::cli {

/// Appends `text` as a JSON string, with its quotes. What is not UTF-8 becomes U+FFFD, one for each
/// longest beginning of a character that does not go on as one (as browsers and Python do).
void append_json_string(std::string& out, std::string_view text);

/// Writes one JSON value; commas come by themselves. After the limit nothing more is added: ask
/// full() in loops.
class JsonText {
 public:
  explicit JsonText(std::size_t max_bytes) : max_bytes_{max_bytes} {}

  JsonText& key(std::string_view name);  ///< a plain name, without escapes
  JsonText& string(std::string_view text);
  JsonText& number(std::uint64_t value);
  JsonText& hex(std::uint64_t value);  ///< as a string: "0x1f"
  JsonText& boolean(bool value);
  JsonText& null();
  JsonText& open(char bracket);   ///< `{` or `[`
  JsonText& close(char bracket);  ///< `}` or `]`

  [[nodiscard]] bool full() const { return out_.size() > max_bytes_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void separate();

  std::string out_;
  std::size_t max_bytes_;
  bool needs_comma_ = false;
};

/// A key that may have nothing to say.
void text_or_null(JsonText& json, std::string_view key, std::string_view text);
void hex_or_null(JsonText& json, std::string_view key, std::optional<std::uint64_t> value);

}  // namespace carveout::cli
