// Arguments of any bytes: a job, or a refusal of one line. No file is read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "command_line.hpp"
#include "refusal.hpp"
#include "sizes.hpp"

namespace {

using namespace carveout::cli;

void expect(bool holds) {
  if (!holds) std::abort();
}

bool is_one_line(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return text.starts_with("carveout: ") && text.ends_with(')');
}

/// A size again, digit by digit.
void check_size(std::string_view text, std::uint64_t size) {
  unsigned base = 10;
  unsigned __int128 value = 0;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  for (const char& c : text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    constexpr std::string_view kUnits = "kmgt";
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::size_t digit = kDigits.substr(0, base).find(lower);
    const std::size_t unit = kUnits.find(lower);
    if (digit != std::string_view::npos) {
      value = value * base + digit;
    } else {
      expect(unit != std::string_view::npos && base == 10 && &c == &text.back());
      value <<= 10 * (unit + 1);
    }
  }
  expect(value == size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto number = parse_size(text);
  if (number) check_size(text, *number);

  std::vector<std::string> arguments;
  while (!text.empty()) {
    const std::string_view argument = text.substr(0, text.find('\n'));
    arguments.emplace_back(argument);
    text.remove_prefix(argument.size() < text.size() ? argument.size() + 1 : argument.size());
  }
  try {
    expect(static_cast<bool>(parse(arguments)));
  } catch (const Refusal& refusal) {
    expect(is_one_line(refusal.what()));
  }
  return 0;
}
