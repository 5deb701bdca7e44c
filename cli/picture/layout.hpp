// Where everything of a picture goes: pixels from the upper left corner, and no markup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "picture/scale.hpp"
#include "picture/scene.hpp"

namespace carveout::cli::picture {

struct Point {
  int x;
  int y;
};

struct Box {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;

  [[nodiscard]] int right() const { return x + width; }
  [[nodiscard]] int bottom() const { return y + height; }
};

/// All of one width, so that it is known how wide a text is.
enum class Font : std::uint8_t { title, mono, bold, small };
enum class Align : std::uint8_t { left, right, middle };
/// How a text stands out.
enum class Tone : std::uint8_t { plain, faint, accent, bad };

/// One line of printable text, with the room that it has: as much as its font takes for it.
struct Label {
  Box box;
  std::string text;
  Font font = Font::mono;
  Align align = Align::left;
  Tone tone = Tone::plain;
};

/// A place: in the bar, where it has an address, and as a row of words beside it.
struct Row {
  std::size_t place;
  Box row;
  Box swatch;
  std::optional<Box> bar;
  std::vector<Point> leader;  ///< from the bar to the row
  Box guide = {};             ///< a line of no height from the words to what is connected
  std::vector<Label> words;
};

/// A part of what one view sees, beside the bar at the height of the memory.
struct Piece {
  PhysRange range;
  Box box;
  std::optional<DmaAddr> dma;  ///< of its first byte; nothing: out of reach
};

struct Strip {
  std::size_t view;
  Label tag;
  std::vector<Piece> pieces;
  std::vector<Label> addresses;  ///< where device addresses begin to differ otherwise
};

/// A stretch that is not to scale.
struct Break {
  Box box;
  Ground ground;
  Label size;
};

struct UseRow {
  Box box;
  std::vector<Label> words;
};

struct AskerBox {
  std::size_t asker;
  Box box;
  std::vector<Label> words;
  std::vector<UseRow> uses;  ///< as many as the asker has, in its order
};

/// From a place's row to the use of an asker.
struct Connector {
  std::size_t asker;
  std::size_t use;
  std::size_t place;
  Point from;
  Point to;
};

/// What a colour means. Nothing where it is no kind of place.
struct LegendItem {
  enum class Means : std::uint8_t { memory, kind, dynamic, disabled, unreached } means;
  Kind kind;
  Box swatch;
  Label label;
};

/// A pool over time: its bar, in equal cells, and how full it was.
struct PoolBar {
  Box bar;
  Label name;
  Label state;            ///< with room for every state that it has
  Box history;            ///< time from left to right
  std::vector<Box> most;  ///< for each stretch of time, as high as the pool was full
  std::vector<Label> marks;
  std::optional<int> peak;     ///< where in the history
  std::optional<int> refused;  ///< likewise
};

struct Layout {
  int width = 0;
  int height = 0;
  std::vector<Label> header;  ///< title, views, columns
  std::vector<LegendItem> legend;
  std::vector<Label> holders;  ///< each with a swatch of kSwatch before it
  std::vector<PoolBar> pools;
  std::vector<Box> memory;  ///< in the order of the scene
  std::vector<Box> ticks;   ///< lines of no height from an address of the axis to the bar
  std::vector<Label> axis;
  std::vector<Strip> strips;
  std::vector<Break> breaks;
  std::vector<Row> rows;
  std::vector<AskerBox> askers;
  std::vector<Connector> connectors;
};

/// How wide and how far before its words a colour is shown.
inline constexpr int kSwatch = 12;
inline constexpr int kSwatchGap = 18;

/// So many holders have a colour of their own; the last one has that of all others.
inline constexpr std::size_t kMaxHolders = 8;

/// So many views have a tag and a strip, the first ones; the header says that there are more.
inline constexpr std::size_t kMaxTagged = 6;

/// What a strip and an asker are marked with: A, B, ...
[[nodiscard]] std::string tag_of(std::size_t view);

/// No two labels overlap, and all are inside. Cost: n log n in what the scene has.
[[nodiscard]] Layout layout_of(const Scene& scene);

/// Every label of it.
[[nodiscard]] std::vector<const Label*> labels_of(const Layout& layout);

}  // namespace carveout::cli::picture
