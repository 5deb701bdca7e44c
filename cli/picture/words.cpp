#include "picture/words.hpp"

#include <fmt/format.h>

#include <array>

#include "page.hpp"
#include "printable.hpp"

namespace carveout::cli::picture {
namespace {

constexpr std::string_view kDots = "...";

struct Metrics {
  int size;
  int line;
  int tenths;  ///< of a pixel, a column
};

/// DejaVu Sans Mono is 0.602 of its size wide, the widest of the usual fonts of one width.
constexpr Metrics metrics(Font font) {
  switch (font) {
    case Font::title:
      return {16, 22, 97};
    case Font::mono:
    case Font::bold:
      return {12, 16, 73};
    case Font::small:
      break;
  }
  return {10, 13, 61};
}

/// Where a column of printable text begins.
std::size_t byte_at(std::string_view text, std::size_t column) {
  std::size_t at = 0;
  for (; column != 0; --column) {
    do {
      ++at;
    } while (at < text.size() && (static_cast<std::uint8_t>(text[at]) & 0xc0U) == 0x80);
  }
  return at;
}

/// @param tail  so many of the columns are the text's last ones.
std::string cut(std::string_view text, std::size_t most_columns, std::size_t tail) {
  std::string shown = printable(text);
  const std::size_t count = columns(shown);
  if (count <= most_columns) return shown;
  return shown.substr(0, byte_at(shown, most_columns - kDots.size() - tail)) + std::string{kDots} +
         shown.substr(byte_at(shown, count - tail));
}

}  // namespace

std::string fitted(std::string_view text, std::size_t most_columns) {
  return cut(text, most_columns, 0);
}

std::string fitted_name(std::string_view name, std::size_t most_columns) {
  return cut(name, most_columns, (most_columns - kDots.size()) / 2);
}

std::string short_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr std::size_t kMost = 8;  // "1023 MiB"
  std::string exact = size_text(bytes);
  if (bytes < 10000 || exact.size() <= kMost) return exact;
  // Down to below 1024 of a unit, and only then to hundredths, so that nothing overflows.
  std::size_t unit = 0;
  while (bytes >= std::uint64_t{1024} * 1024) {
    bytes /= 1024;
    ++unit;
  }
  const std::uint64_t whole = bytes / 1024;
  const std::uint64_t hundredths = bytes % 1024 * 100 / 1024;
  if (whole >= 100) return fmt::format("~{} {}", whole, kUnits[unit]);
  if (whole >= 10) return fmt::format("~{}.{} {}", whole, hundredths / 10, kUnits[unit]);
  return fmt::format("~{}.{:02} {}", whole, hundredths, kUnits[unit]);
}

int size_of(Font font) { return metrics(font).size; }

int height_of(Font font) { return metrics(font).line; }

int width_of(Font font, std::string_view text) {
  return (static_cast<int>(columns(text)) * metrics(font).tenths + 9) / 10;
}

}  // namespace carveout::cli::picture
