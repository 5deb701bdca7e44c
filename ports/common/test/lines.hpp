// What a line walk has to do, found out one byte at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace carveout::test {

/// Every line that the range touches, once, in rising order.
inline std::vector<std::uint32_t> lines_touched(std::uint32_t at, std::size_t size_bytes,
                                                std::uint32_t line_bytes) {
  std::vector<std::uint32_t> lines;
  for (std::size_t i = 0; i < size_bytes; ++i) {
    const std::uint64_t byte = std::uint64_t{at} + i;
    const auto line = static_cast<std::uint32_t>(byte / line_bytes * line_bytes);
    if (lines.empty() || lines.back() != line) lines.push_back(line);
  }
  return lines;
}

/// A pointer for a port to walk; nobody reads through it.
inline std::byte* pointer_to(std::uint32_t address) {
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
}

}  // namespace carveout::test
