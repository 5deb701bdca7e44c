// Text for people: 100 columns, colour where it is wanted, tables that lose nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"

namespace carveout::cli {

/// The most that is printed about one board.
inline constexpr std::size_t kMaxOutputBytes = std::size_t{64} << 20;

enum class Style : std::uint8_t { plain, heading, good, bad, faint };

/// A word, or several that stay together: what a line is not broken inside of.
struct Piece {
  std::string_view text;
  Style style = Style::plain;
};

/// Pieces in order, in one piece of memory: a table of the largest tree has millions.
class Words {
 public:
  /// Adds text that breaks at its spaces.
  Words& say(std::string_view text, Style style = Style::plain);
  /// Adds one piece, made printable. It is broken only where it is longer than a line: a path.
  Words& keep(std::string_view text, Style style = Style::plain);
  /// Puts something right behind the last piece, a comma say; in front of the first nothing.
  Words& glue(std::string_view text);
  Words& append(const Words& more);

  [[nodiscard]] std::size_t size() const { return spans_.size(); }
  [[nodiscard]] bool empty() const { return spans_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return text_.size(); }
  /// Until the next one is added.
  [[nodiscard]] Piece operator[](std::size_t index) const;

 private:
  struct Span {
    std::uint32_t begin;
    std::uint32_t size;
    Style style;
  };

  std::string text_;
  std::vector<Span> spans_;
};

/// Collects lines of at most 100 columns. Throws Refusal where a board makes more of them than
/// kMaxOutputBytes.
class Page {
 public:
  static constexpr std::size_t kColumns = 100;

  Page(std::string_view source, bool colour) : source_{source}, colour_{colour} {}

  void blank() { add("\n"); }
  /// @param first  columns before the text.
  /// @param rest   columns before its further lines.
  void line(const Words& words, std::size_t first = 0, std::size_t rest = 0);
  void line(std::string_view text, Style style = Style::plain, std::size_t indent = 0);

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  friend class Table;

  void add(std::string_view text);
  void add(Piece piece);
  void spaces(std::size_t count);
  void end_line();  ///< without the spaces that stand at its end
  /// Writes `count` pieces from column `at` on, without the last new line.
  void flow(const Words& words, std::size_t first, std::size_t count, std::size_t at,
            std::size_t rest);

  std::string text_;
  std::string source_;
  bool colour_;
};

/// Rows under headings. Columns are as wide as their widest cell; a last cell that does not fit
/// beside the others goes below them. Sentences may follow a row. Throws Refusal as Page does.
class Table {
 public:
  Table(std::string_view source, std::vector<std::string> headings)
      : source_{source}, headings_{std::move(headings)} {
    for (const std::string& heading : headings_) least_row_bytes_ += heading.size() + 2;
  }

  /// As many cells as headings.
  void row(std::initializer_list<Piece> cells);
  /// A sentence below the last row.
  void note(const Words& words) { sentence(words, Kind::note); }
  /// A sentence that stands above the rows to come.
  void group(const Words& words) { sentence(words, Kind::group); }
  [[nodiscard]] bool empty() const { return lines_.empty(); }

  void print(Page& page) const;

 private:
  enum class Kind : std::uint8_t { row, note, group };
  struct Line {
    std::uint32_t first;  ///< of its pieces
    std::uint32_t count;
    Kind kind;
  };

  void sentence(const Words& words, Kind kind);
  void add_line(std::size_t first, std::size_t bytes, Kind kind);
  static void print_cells(Page& page, const Words& words, std::size_t first,
                          const std::vector<std::size_t>& widths);

  std::string_view source_;
  std::vector<std::string> headings_;
  Words words_;
  std::vector<Line> lines_;
  std::size_t least_row_bytes_ = 0;
  std::size_t bytes_ = 0;  ///< at least so many will be printed
};

/// Throws the Refusal of a board about which too much would be printed.
[[noreturn]] void refuse_too_much(std::string_view source);

[[nodiscard]] std::string hex(std::uint64_t value);
/// "1 MiB", "5000 bytes": exact.
[[nodiscard]] std::string size_text(std::uint64_t bytes);
/// The last byte of a range in hexadecimal; "-" for an empty one.
[[nodiscard]] std::string last_text(PhysRange range);

}  // namespace carveout::cli
