#include "carveout/core/text.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace carveout {

namespace {

/// The powers of ten that 64 bits hold, the highest first: digits come by subtraction, because a
/// 64-bit division is a library call of many hundred cycles on small processors.
constexpr std::array<std::uint64_t, 20> kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (std::size_t i = powers.size(); i-- > 0; power *= 10) powers[i] = power;
  return powers;
}();

constexpr std::array<std::string_view, 7> kUnits{" bytes", " KiB", " MiB", " GiB",
                                                 " TiB",   " PiB", " EiB"};

}  // namespace

Text& Text::add(std::string_view words) {
  const std::size_t fits = std::min(words.size(), buffer_.size() - used_);
  std::copy_n(words.data(), fits, buffer_.data() + used_);
  used_ += fits;
  if (fits < words.size()) truncated_ = true;
  return *this;
}

Text& Text::add_hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 16> digits{};
  std::size_t first = digits.size();
  do {
    digits[--first] = kDigits[value & 0xf];
    value >>= 4;
  } while (value != 0);
  return add("0x").add({digits.data() + first, digits.size() - first});
}

Text& Text::add_decimal(std::uint64_t value) {
  std::array<char, kPowersOfTen.size()> digits{};
  std::size_t count = 0;
  for (const std::uint64_t power : kPowersOfTen) {
    char digit = '0';
    for (; value >= power; value -= power) ++digit;
    if (digit != '0' || count != 0 || power == 1) digits[count++] = digit;
  }
  return add({digits.data(), count});
}

Text& Text::add_size(std::uint64_t bytes) {
  if (bytes == 1) return add("1 byte");
  const int unit = bytes == 0 ? 0 : std::countr_zero(bytes) / 10;
  return add_decimal(bytes >> (10 * unit)).add(kUnits[static_cast<std::size_t>(unit)]);
}

}  // namespace carveout
