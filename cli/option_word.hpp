// Options that take one of a few words.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "refusal.hpp"

namespace carveout::cli {

template <class Value, std::size_t Count>
using OptionWords = std::array<std::pair<std::string_view, Value>, Count>;

/// What `word` stands for. Throws Refusal with all of `known` where it is none of them.
template <class Value, std::size_t Count>
[[nodiscard]] Value named(std::string_view verb, std::string_view option, std::string_view word,
                          const OptionWords<Value, Count>& known) {
  std::string list;
  for (const auto& [name, value] : known) {
    if (name == word) return value;
    list += fmt::format("{}{}", list.empty() ? "" : ", ", name);
  }
  throw Refusal{verb, fmt::format("{} does not know '{}'", option, word), list};
}

}  // namespace carveout::cli
