// A picture while it is laid out: what the steps of layout_of() share.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "picture/layout.hpp"
#include "picture/scale.hpp"
#include "picture/scene.hpp"
#include "picture/spread.hpp"
#include "picture/words.hpp"

namespace carveout::cli::picture {

// Pixels.
inline constexpr int kMargin = 16;
inline constexpr int kRow = 18;  ///< a row of words
inline constexpr int kColumnGap = 12;
inline constexpr int kAskerGap = 10;  ///< below a box
inline constexpr int kStrip = 14;
inline constexpr int kLeastWidth = 760;
inline constexpr int kLeastBar = 240;
inline constexpr std::size_t kNameColumns = 32;

/// What stands in the columns of a row.
struct RowText {
  std::string address;
  std::string size;
  std::string kind;
  std::string name;
  std::string flags;
};

/// Places that overlap stand beside each other in the bar: which lane one has, of how many.
struct Lane {
  int lane = 0;
  int of = 1;
};

/// Where columns begin or end, from the left.
struct Columns {
  int axis_right = 0;
  std::vector<int> strip_right;
  int bar_left = 0;
  int bar_width = 0;
  int rows_left = 0;
  int address_right = 0;
  int size_right = 0;
  int kind_left = 0;
  int name_left = 0;
  int flags_left = 0;
  int rows_right = 0;
};

struct Drawing {
  explicit Drawing(const Scene& of);

  const Scene& scene;
  std::size_t tagged;  ///< how many views have a tag, and a strip where there is a bar
  Scale scale;
  std::vector<RowText> texts;  ///< of each place
  std::vector<Lane> lanes;     ///< likewise
  Columns columns;
  int headings_top = 0;  ///< of the words over the columns
  int top = 0;           ///< of the bar
  // Of all that is placed so far:
  int right = 0;
  int bottom = 0;
  Layout out;

  /// Gives labels of a column the heights that they wish for, as far as can be.
  void settle(std::vector<Wish>& wishes, std::vector<Label>& labels) const;
};

// The steps, in this order.
void choose_columns(Drawing& drawing);
void draw_head(Drawing& drawing);
void draw_pools(Drawing& drawing);  ///< over time, where there is any
void draw_headings(Drawing& drawing);
void draw_bar(Drawing& drawing);
void draw_rows(Drawing& drawing);
void draw_askers(Drawing& drawing);

[[nodiscard]] int height_of(const Asker& asker);

/// What devices see of a stretch that no edge of a window is inside of.
[[nodiscard]] std::optional<DmaAddr> seen_at(const View& view, const Stretch& stretch);

/// A label as wide as its text, from `x` on.
[[nodiscard]] Label label(std::string text, int x, int y, Font font, Tone tone = Tone::plain);
/// The same, ending at `right`.
[[nodiscard]] Label label_before(std::string text, int right, int y, Font font,
                                 Tone tone = Tone::plain);
/// The same, in the middle of a box.
[[nodiscard]] Label label_within(std::string text, const Box& box, Font font, Tone tone);

}  // namespace carveout::cli::picture
