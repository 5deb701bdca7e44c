// What several verbs read out of their options in the same way.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "sizes.hpp"

namespace carveout::cli {

/// The number, or the Refusal of the verb that says what is wrong with the option.
[[nodiscard]] std::uint64_t value_of(std::string_view verb, std::string_view option,
                                     const std::expected<std::uint64_t, NumberError>& number);

/// Refuses a word that an option does not know; `known` lists those that it does.
[[noreturn]] void refuse_word(std::string_view verb, std::string_view option, std::string_view word,
                              std::string_view known);

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
  refuse_word(verb, option, word, list);
}

/// The words as the type of a value: `text|json`. Help shows them, and shells complete them.
template <class Value, std::size_t Count>
[[nodiscard]] std::string words_of(const OptionWords<Value, Count>& known) {
  std::string words;
  for (const auto& [name, value] : known) {
    words += fmt::format("{}{}", words.empty() ? "" : "|", name);
  }
  return words;
}

/// `yes` or `no`; anything else is refused.
[[nodiscard]] bool yes_or_no(std::string_view verb, std::string_view option, std::string_view word);

/// Address bits, 1 to 64.
[[nodiscard]] unsigned mask_bits_of(std::string_view verb, std::string_view text);

}  // namespace carveout::cli
