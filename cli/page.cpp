#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "carveout/core/text.hpp"
#include "printable.hpp"
#include "refusal.hpp"

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
  pieces_.push_back({printable(text), style});
  return *this;
}

Words& Words::glue(std::string_view text) {
  if (!pieces_.empty()) pieces_.back().text += text;
  return *this;
}

void Page::add(std::string_view text) {
  if (text.size() > kMaxOutputBytes - text_.size()) {
    refuse_too_much(source_);
  }
  text_ += text;
}

void Page::add(const Piece& piece) {
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

std::size_t Page::flow(const std::vector<Piece>& pieces, std::size_t at, std::size_t rest) {
  bool line_is_new = true;
  for (const Piece& piece : pieces) {
    std::string_view text = piece.text;
    std::size_t width = columns(text);
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
      const std::size_t bytes = break_at(text, kColumns - at);
      add(Piece{std::string{text.substr(0, bytes)}, piece.style});
      text.remove_prefix(bytes);
      width = columns(text);
      add("\n");
      spaces(rest);
      at = rest;
    }
    add(Piece{std::string{text}, piece.style});
    at += width;
    line_is_new = false;
  }
  return at;
}

void Page::line(const Words& words, std::size_t first, std::size_t rest) {
  spaces(first);
  flow(words.pieces(), first, rest);
  add("\n");
}

void Page::line(std::string_view text, Style style, std::size_t indent) {
  line(Words{}.say(text, style), indent, indent);
}

void Table::count(std::size_t bytes) {
  bytes_ += bytes;
  if (bytes_ > kMaxOutputBytes) refuse_too_much(source_);
}

void Table::row(std::vector<Piece> cells) {
  for (const Piece& cell : cells) count(cell.text.size() + kGap);
  rows_.push_back({std::move(cells), {}});
}

void Table::note(Words words) {
  for (const Piece& piece : words.pieces()) count(piece.text.size() + 1);
  rows_.back().notes.push_back(std::move(words));
}

void Table::group(Words words) {
  rows_.push_back({});
  note(std::move(words));
}

void Table::print_cells(Page& page, const std::vector<Piece>& cells,
                        const std::vector<std::size_t>& widths) const {
  page.spaces(kTableIndent);
  std::size_t at = kTableIndent;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    page.add(cells[i]);
    page.spaces(widths[i] - columns(cells[i].text) + kGap);
    at += widths[i] + kGap;
  }
  if (at + columns(cells.back().text) > Page::kColumns) {
    page.end_line();
    page.spaces(kNoteIndent);
    at = kNoteIndent;
  }
  page.flow({cells.back()}, at, kNoteIndent + kGap);
  page.end_line();
}

void Table::print(Page& page) const {
  std::vector<std::size_t> widths(headings_.size() - 1);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    widths[i] = columns(headings_[i]);
    for (const Row& row : rows_) {
      if (!row.cells.empty()) widths[i] = std::max(widths[i], columns(row.cells[i].text));
    }
  }
  std::vector<Piece> headings;
  for (const std::string& heading : headings_) headings.push_back({heading, Style::faint});
  print_cells(page, headings, widths);
  for (const Row& row : rows_) {
    const bool group = row.cells.empty();
    if (!group) print_cells(page, row.cells, widths);
    const std::size_t indent = group ? kTableIndent : kNoteIndent;
    for (const Words& note : row.notes) page.line(note, indent, indent + kGap);
  }
}

Words& Words::append(const Words& more) {
  pieces_.insert(pieces_.end(), more.pieces_.begin(), more.pieces_.end());
  return *this;
}

void refuse_too_much(std::string_view source) {
  throw Refusal{source, fmt::format("makes more than {} of output", size_text(kMaxOutputBytes)),
                "limit of carveout"};
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
