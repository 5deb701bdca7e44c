// Arithmetic on sizes that cannot wrap in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace carveout {

[[nodiscard]] constexpr bool is_power_of_two(std::uint64_t value) {
  // Not std::has_single_bit(), which calls libgcc where there is no such instruction.
  return value != 0 && (value & (value - 1)) == 0;
}

/// Rounds down to a multiple of `align`, a power of two.
[[nodiscard]] constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t align) {
  return value & ~(align - 1);
}

/// Rounds up to a multiple of `align`, a power of two; nothing where that passes 2^64 - 1.
[[nodiscard]] constexpr std::optional<std::uint64_t> align_up(std::uint64_t value,
                                                              std::uint64_t align) {
  if (value > 0 - align) return std::nullopt;
  return (value + (align - 1)) & (0 - align);
}

[[nodiscard]] constexpr std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  if (a > std::numeric_limits<std::uint64_t>::max() - b) return std::nullopt;
  return a + b;
}

[[nodiscard]] constexpr std::optional<std::uint64_t> checked_multiply(std::uint64_t a,
                                                                      std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// The sum, or the largest size where it would be more: what cannot be had stays too much.
[[nodiscard]] constexpr std::size_t saturating_add(std::size_t a, std::size_t b) {
  constexpr auto kMost = std::numeric_limits<std::size_t>::max();
  return a > kMost - b ? kMost : a + b;
}

}  // namespace carveout
