// Text for people: 100 columns, colour where it is wanted, tables that lose nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"

namespace carveout::cli {

/// The most that is printed about one board.
inline constexpr std::size_t kMaxOutputBytes = std::size_t{64} << 20;

enum class Style : std::uint8_t { plain, heading, good, bad, faint };

/// A word, or several that stay together. Its text is printable.
struct Piece {
  std::string text;
  Style style = Style::plain;
};

/// A text that may be broken between its pieces.
class Words {
 public:
  Words() = default;

  /// Adds text that breaks at its spaces.
  Words& say(std::string_view text, Style style = Style::plain);
  /// Adds one piece that breaks only where it is longer than a line: a path, a range.
  Words& keep(std::string_view text, Style style = Style::plain);
  /// Puts something right behind the last piece, a comma say.
  Words& glue(std::string_view text);
  Words& append(const Words& more);

  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  [[nodiscard]] bool empty() const { return pieces_.empty(); }

 private:
  std::vector<Piece> pieces_;
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
  void add(const Piece& piece);
  void spaces(std::size_t count);
  void end_line();  ///< without the spaces that stand at its end
  /// Writes pieces from column `at` on, without the last new line. @return the column reached.
  std::size_t flow(const std::vector<Piece>& pieces, std::size_t at, std::size_t rest);

  std::string text_;
  std::string source_;
  bool colour_;
};

/// Rows under headings. Columns are as wide as their widest cell; a last cell that does not fit
/// beside the others goes below them. Sentences may follow a row. Throws Refusal as Page does.
class Table {
 public:
  Table(std::string_view source, std::vector<std::string> headings)
      : source_{source}, headings_{std::move(headings)} {}

  /// As many cells as headings.
  void row(std::vector<Piece> cells);
  /// A sentence below the last row.
  void note(Words words);
  /// A sentence that stands above the rows to come.
  void group(Words words);
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  void print(Page& page) const;

 private:
  struct Row {
    std::vector<Piece> cells;  ///< none for a group
    std::vector<Words> notes;
  };

  void count(std::size_t bytes);
  void print_cells(Page& page, const std::vector<Piece>& cells,
                   const std::vector<std::size_t>& widths) const;

  std::string_view source_;
  std::vector<std::string> headings_;
  std::vector<Row> rows_;
  std::size_t bytes_ = 0;
};

/// Throws the Refusal of a board about which too much would be printed.
[[noreturn]] void refuse_too_much(std::string_view source);

[[nodiscard]] std::string hex(std::uint64_t value);
/// "1 MiB", "5000 bytes": exact.
[[nodiscard]] std::string size_text(std::uint64_t bytes);
/// The last byte of a range in hexadecimal; "-" for an empty one.
[[nodiscard]] std::string last_text(PhysRange range);

}  // namespace carveout::cli
