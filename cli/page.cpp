#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "carveout/core/text.hpp"
#include "input.hpp"
#include "printable.hpp"

namespace carveout::cli {
namespace {

constexpr std::size_t kTableIndent = 2;
constexpr std::size_t kNoteIndent = 6;
constexpr std::size_t kGap = 2;

std::string_view colour_of(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::heading:
      return "\x1b[1m";
    case Style::good:
      return "\x1b[32m";
    case Style::bad:
      return "\x1b[31m";
    case Style::faint:
      return "\x1b[2m";
  }
  return "";
}

/// How many bytes of the text take at most `room` columns, broken after a slash where there is one
/// in the second half; at least one character.
std::size_t break_at(std::string_view text, std::size_t room) {
  std::size_t bytes = 0;
  for (std::size_t used = 0; bytes < text.size(); ++used) {
    std::size_t next = bytes + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0U) == 0x80) ++next;
    if (used == room && used > 0) break;
    bytes = next;
  }
  if (bytes == text.size()) return bytes;
  const std::size_t slash = text.substr(0, bytes).rfind('/');
  return slash != std::string_view::npos && slash > bytes / 2 ? slash + 1 : bytes;
}

}  // namespace

Words& Words::say(std::string_view text, Style style) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty()) keep(word, style);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return *this;
}

Words& Words::keep(std::string_view text, Style style) {
  const auto begin = static_cast<std::uint32_t>(text_.size());
  append_printable(text_, text);
  spans_.push_back({begin, static_cast<std::uint32_t>(text_.size()) - begin, style});
  return *this;
}

Words& Words::glue(std::string_view text) {
  if (spans_.empty()) return *this;
  text_ += text;  // the last piece ends where the text does
  spans_.back().size += static_cast<std::uint32_t>(text.size());
  return *this;
}

Words& Words::append(const Words& more) {
  for (Span span : more.spans_) {
    span.begin += static_cast<std::uint32_t>(text_.size());
    spans_.push_back(span);
  }
  text_ += more.text_;
  return *this;
}

Piece Words::operator[](std::size_t index) const {
  const Span span = spans_[index];
  return {std::string_view{text_}.substr(span.begin, span.size), span.style};
}

void Page::add(std::string_view text) {
  if (text.size() > kMaxOutputBytes - text_.size()) {
    refuse_too_much(source_);
  }
  text_ += text;
}

void Page::add(Piece piece) {
  const std::string_view colour = colour_ ? colour_of(piece.style) : "";
  add(colour);
  add(piece.text);
  if (!colour.empty()) add("\x1b[0m");
}

void Page::spaces(std::size_t count) {
  constexpr std::string_view kSpaces = "                                                    ";
  for (; count > kSpaces.size(); count -= kSpaces.size()) add(kSpaces);
  add(kSpaces.substr(0, count));
}

void Page::end_line() {
  text_.erase(text_.find_last_not_of(' ') + 1);
  add("\n");
}

void Page::flow(const Words& words, std::size_t first, std::size_t count, std::size_t at,
                std::size_t rest) {
  bool line_is_new = true;
  for (std::size_t i = first; i < first + count; ++i) {
    Piece piece = words[i];
    std::size_t width = columns(piece.text);
    // What fits on no line is broken where it stands.
    if (!line_is_new && at + 1 + width > kColumns && rest + width <= kColumns) {
      add("\n");
      spaces(rest);
      at = rest;
      line_is_new = true;
    }
    if (!line_is_new) {
      add(" ");
      ++at;
    }
    while (at + width > kColumns) {
      const std::size_t bytes = break_at(piece.text, kColumns - at);
      const std::string_view broken_off = piece.text.substr(0, bytes);
      add({broken_off, piece.style});
      piece.text.remove_prefix(bytes);
      width -= columns(broken_off);  // counting the rest anew would be quadratic in the word
      add("\n");
      spaces(rest);
      at = rest;
    }
    add(piece);
    at += width;
    line_is_new = false;
  }
}

void Page::line(const Words& words, std::size_t first, std::size_t rest) {
  spaces(first);
  flow(words, 0, words.size(), first, rest);
  add("\n");
}

void Page::line(std::string_view text, Style style, std::size_t indent) {
  line(Words{}.say(text, style), indent, indent);
}

void Table::add_line(std::size_t first, std::size_t bytes, Kind kind) {
  bytes_ += bytes;
  if (bytes_ > kMaxOutputBytes) refuse_too_much(source_);
  lines_.push_back(
      {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(words_.size() - first), kind});
}

void Table::row(std::initializer_list<Piece> cells) {
  const std::size_t first = words_.size();
  const std::size_t bytes = words_.bytes();
  for (const Piece& cell : cells) words_.keep(cell.text, cell.style);
  add_line(first, std::max(words_.bytes() - bytes, least_row_bytes_), Kind::row);
}

void Table::sentence(const Words& words, Kind kind) {
  const std::size_t first = words_.size();
  words_.append(words);
  add_line(first, words.bytes() + words.size(), kind);
}

void Table::print_cells(Page& page, const Words& words, std::size_t first,
                        const std::vector<std::size_t>& widths) {
  page.spaces(kTableIndent);
  std::size_t at = kTableIndent;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const Piece cell = words[first + i];
    page.add(cell);
    page.spaces(widths[i] - columns(cell.text) + kGap);
    at += widths[i] + kGap;
  }
  const std::size_t last = first + widths.size();
  if (at + columns(words[last].text) > Page::kColumns) {
    page.end_line();
    page.spaces(kNoteIndent);
    at = kNoteIndent;
  }
  page.flow(words, last, 1, at, kNoteIndent + kGap);
  page.end_line();
}

void Table::print(Page& page) const {
  Words headings;
  for (const std::string& heading : headings_) headings.keep(heading, Style::faint);
  std::vector<std::size_t> widths(headings_.size() - 1);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    widths[i] = columns(headings_[i]);
    for (const Line& line : lines_) {
      if (line.kind != Kind::row) continue;
      widths[i] = std::max(widths[i], columns(words_[line.first + i].text));
    }
  }
  print_cells(page, headings, 0, widths);
  for (const Line& line : lines_) {
    if (line.kind == Kind::row) {
      print_cells(page, words_, line.first, widths);
      continue;
    }
    const std::size_t indent = line.kind == Kind::group ? kTableIndent : kNoteIndent;
    page.spaces(indent);
    page.flow(words_, line.first, line.count, indent, indent + kGap);
    page.add("\n");
  }
}

void refuse_too_much(std::string_view source) {
  throw refusal(source, device_tree::TreeError{device_tree::TreeError::Code::too_much_output});
}

std::string hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

std::string size_text(std::uint64_t bytes) {
  std::array<char, 40> buffer{};
  Text text{buffer};
  text.add_size(bytes);
  return std::string{text.view()};
}

std::string last_text(PhysRange range) { return range.empty() ? "-" : hex(range.last().raw()); }

}  // namespace carveout::cli
