#include "option_values.hpp"

#include <fmt/format.h>

#include "refusal.hpp"

namespace carveout::cli {

std::uint64_t value_of(std::string_view verb, std::string_view option,
                       const std::expected<std::uint64_t, NumberError>& number) {
  if (!number) {
    throw Refusal{verb, fmt::format("{} {}", option, number.error().what), number.error().where};
  }
  return *number;
}

void refuse_word(std::string_view verb, std::string_view option, std::string_view word,
                 std::string_view known) {
  throw Refusal{verb, fmt::format("{} does not know '{}'", option, word), known};
}

bool yes_or_no(std::string_view verb, std::string_view option, std::string_view word) {
  constexpr OptionWords<bool, 2> kWords{{{"yes", true}, {"no", false}}};
  return named(verb, option, word, kWords);
}

unsigned mask_bits_of(std::string_view verb, std::string_view text) {
  return static_cast<unsigned>(value_of(verb, "--mask", parse_count(text, 1, 64)));
}

}  // namespace carveout::cli
