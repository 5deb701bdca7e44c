// The columns of a picture: how wide each has to be, and where places stand beside each other.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "page.hpp"
#include "picture/drawing.hpp"

namespace carveout::cli::picture {
namespace {

constexpr int kBar = 84;     // the memory
constexpr int kLane = 18;    // at least so wide is a place beside others
constexpr int kLeader = 44;  // from the bar to the rows

RowText text_of(const Place& place) {
  RowText text;
  text.address = place.range ? hex(place.range->base.raw()) : "no place";
  text.size = place.size_bytes ? short_size(*place.size_bytes) : "-";
  text.kind = word_of(place.kind);
  text.name = fitted_name(place.name, kNameColumns);
  if (!place.enabled) text.flags = "disabled";
  if (place.enabled && place.is_default) text.flags = "default";
  if (place.dynamic && place.range) text.flags += text.flags.empty() ? "dynamic" : ", dynamic";
  return text;
}

int small_width(std::uint64_t address) { return width_of(Font::small, hex(address)); }

int axis_width(const Scale& scale) {
  int wide = width_of(Font::small, "CPU address");
  for (const Stretch& stretch : scale.stretches()) {
    wide = std::max(wide, small_width(stretch.last));
  }
  return wide;
}

/// Sets the lanes. @return the most that stand beside each other.
int choose_lanes(const Scene& scene, std::vector<Lane>& lanes) {
  lanes.assign(scene.places.size(), {});
  int most = 1;
  std::size_t first = 0;            // of those that overlap, each with one before it
  std::vector<std::uint64_t> ends;  // of the lanes
  const auto close = [&](std::size_t behind) {
    for (std::size_t i = first; i < behind; ++i) lanes[i].of = static_cast<int>(ends.size());
    most = std::max(most, static_cast<int>(ends.size()));
    ends.clear();
    first = behind;
  };
  std::size_t i = 0;
  for (; i < scene.places.size() && scene.places[i].range; ++i) {
    const PhysRange range = *scene.places[i].range;
    const auto is_over = [&](std::uint64_t end) { return end < range.base.raw(); };
    if (!ends.empty() && std::ranges::all_of(ends, is_over)) close(i);
    const auto free = std::ranges::find_if(ends, is_over);
    lanes[i].lane = static_cast<int>(free - ends.begin());
    if (free == ends.end()) {
      ends.push_back(range.last().raw());
    } else {
      *free = range.last().raw();
    }
  }
  if (!ends.empty()) close(i);
  return most;
}

/// The axis, the strips and the bar. @return where they end; where there is nothing to be drawn, at
/// the margin.
int choose_bar(Drawing& drawing) {
  Columns& columns = drawing.columns;
  const int lanes = choose_lanes(drawing.scene, drawing.lanes);
  if (drawing.scale.stretches().empty()) return kMargin;
  int x = kMargin + axis_width(drawing.scale);
  columns.axis_right = x;
  for (std::size_t view = 0; view < drawing.tagged; ++view) {
    int wide = width_of(Font::small, "as CPU");
    for (const Window& window : drawing.scene.views[view].windows) {
      // No address of a piece is longer than the last one of its window.
      wide = std::max(wide, small_width(window.dma_range().last().raw()));
    }
    x += kColumnGap + wide + 4 + kStrip;
    columns.strip_right.push_back(x);
  }
  columns.bar_left = x + kColumnGap;
  columns.bar_width = std::max(kBar, lanes * kLane);
  return columns.bar_left + columns.bar_width;
}

}  // namespace

void choose_columns(Drawing& drawing) {
  const Scene& scene = drawing.scene;
  Columns& columns = drawing.columns;
  const int bar_right = choose_bar(drawing);
  columns.rows_left = bar_right == kMargin ? kMargin : bar_right + kLeader;
  for (const Place& place : scene.places) drawing.texts.push_back(text_of(place));
  const auto widest = [&](std::string RowText::* member) {
    int wide = 0;
    for (const RowText& text : drawing.texts) {
      wide = std::max(wide, width_of(Font::mono, text.*member));
    }
    return wide;
  };
  columns.address_right = columns.rows_left + kRow + widest(&RowText::address);
  columns.size_right = columns.address_right + kColumnGap + widest(&RowText::size);
  columns.kind_left = columns.size_right + kColumnGap;
  columns.name_left = columns.kind_left + widest(&RowText::kind) + kColumnGap;
  const int name_right = columns.name_left + widest(&RowText::name);
  columns.flags_left = name_right + kColumnGap;
  const int flags = widest(&RowText::flags);
  columns.rows_right = (flags == 0 ? name_right : columns.flags_left + flags) + kColumnGap / 2;
  drawing.right = drawing.texts.empty() ? columns.bar_left + columns.bar_width : columns.rows_right;
}

}  // namespace carveout::cli::picture
