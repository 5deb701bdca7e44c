// Numbers as the reports of the model write them.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

namespace carveout::sim {

/// 0x and lower-case digits.
inline std::string hex(std::uint64_t value) {
  char digits[16];
  const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), value, 16);
  return "0x" + std::string(digits, end);
}

}  // namespace carveout::sim
