// Numbers as people type them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace carveout::cli {

/// What is wrong with a number: two halves of a Refusal's line.
struct NumberError {
  std::string what;
  std::string where;
};

/// A size in bytes: decimal or 0x-hexadecimal digits, and after decimal ones perhaps K, M, G or T
/// (powers of 1024, either case). Nothing else: no sign, no space, no fraction, no octal.
[[nodiscard]] std::expected<std::uint64_t, NumberError> parse_size(std::string_view text);

/// A decimal number from `low` to `high`.
[[nodiscard]] std::expected<std::uint64_t, NumberError> parse_count(std::string_view text,
                                                                    std::uint64_t low,
                                                                    std::uint64_t high);

}  // namespace carveout::cli
