// The library's own words, as a string.
#pragma once

#include <array>
#include <string>

#include "carveout/core/text.hpp"
#include "carveout/device_tree/tree.hpp"

namespace carveout::cli {

/// What describe() says. Two paths and some words are the longest.
template <class Said>
[[nodiscard]] std::string sentence(const Said& said) {
  std::array<char, 2 * device_tree::kMaxPathBytes + 512>
      buffer;  // NOLINT: written before it is read
  Text text{buffer};
  describe(said, text);
  return std::string{text.view()};
}

}  // namespace carveout::cli
