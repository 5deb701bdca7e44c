// Text without stdio: what the library says, written into storage of the caller, the same words on
// the target and on the command line.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace carveout {

/// Appends to a fixed buffer. What does not fit is cut and truncated() says so; nothing is written
/// past the end and there is no terminating zero.
class Text {
 public:
  explicit constexpr Text(std::span<char> buffer) : buffer_{buffer} {}

  Text& add(std::string_view words);
  Text& add_hex(std::uint64_t value);  ///< 0x and lower-case digits, no leading zeros
  Text& add_decimal(std::uint64_t value);
  Text& add_size(std::uint64_t bytes);  ///< "1 MiB", "260 KiB", "5000 bytes": exact, never rounded

  [[nodiscard]] constexpr std::string_view view() const { return {buffer_.data(), used_}; }
  [[nodiscard]] constexpr bool truncated() const { return truncated_; }

 private:
  std::span<char> buffer_;
  std::size_t used_ = 0;
  bool truncated_ = false;
};

struct Failure;

/// Writes one sentence for a refusal: what, where and how much.
void describe(const Failure& failure, Text& text);

}  // namespace carveout
