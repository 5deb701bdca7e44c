#include "sizes.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "carveout/core/size.hpp"

namespace carveout::cli {
namespace {

constexpr std::string_view kForms = "a size is 4096, 0x1000, 4K, 1M or 1G";

std::unexpected<NumberError> wrong(std::string what, std::string_view where) {
  return std::unexpected{NumberError{std::move(what), std::string{where}}};
}

struct Digits {
  std::uint64_t value;
  std::string_view rest;  ///< what follows the digits
};

/// The digits that a text starts with. Nothing where it starts with none, or they pass 64 bits.
std::expected<Digits, std::errc> digits(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return std::unexpected{error};
  return Digits{value, text.substr(static_cast<std::size_t>(end - text.data()))};
}

std::optional<unsigned> shift_of(std::string_view suffix) {
  if (suffix.empty()) return 0;
  if (suffix.size() > 1) return std::nullopt;
  switch (suffix.front()) {
    case 'k':
    case 'K':
      return 10;
    case 'm':
    case 'M':
      return 20;
    case 'g':
    case 'G':
      return 30;
    case 't':
    case 'T':
      return 40;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::expected<std::uint64_t, NumberError> parse_size(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const auto number = digits(hex ? text.substr(2) : text, hex ? 16 : 10);
  if (!number && number.error() == std::errc::result_out_of_range) {
    return wrong(fmt::format("'{}' does not fit in 64 bits", text), kForms);
  }
  if (!number) return wrong(fmt::format("'{}' is not a size", text), kForms);
  if (hex && !number->rest.empty()) {
    return wrong(fmt::format("'{}' has '{}' after its hexadecimal digits", text, number->rest),
                 kForms);
  }
  const auto shift = shift_of(number->rest);
  if (!shift) return wrong(fmt::format("'{}' has the unit '{}'", text, number->rest), kForms);
  const auto bytes = checked_multiply(number->value, std::uint64_t{1} << *shift);
  if (!bytes) return wrong(fmt::format("'{}' does not fit in 64 bits", text), kForms);
  return *bytes;
}

std::expected<std::uint64_t, NumberError> parse_count(std::string_view text, std::uint64_t low,
                                                      std::uint64_t high) {
  const auto number = digits(text, 10);
  if (!number || !number->rest.empty() || number->value < low || number->value > high) {
    return wrong(fmt::format("'{}' is not a number from {} to {}", text, low, high), "in decimal");
  }
  return number->value;
}

}  // namespace carveout::cli
