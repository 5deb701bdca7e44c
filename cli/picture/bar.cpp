// The axis of addresses: the memory to scale, what views see of it, and where it was cut.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "page.hpp"
#include "picture/drawing.hpp"

namespace carveout::cli::picture {
namespace {

Box box_of(const Drawing& drawing, PhysRange range) {
  const int top = drawing.top + drawing.scale.top_of(range.base.raw());
  const int bottom = drawing.top + drawing.scale.bottom_of(range.last().raw());
  return {drawing.columns.bar_left, top, drawing.columns.bar_width, bottom - top};
}

void memory(Drawing& drawing) {
  for (const Memory& each : drawing.scene.memory) {
    drawing.out.memory.push_back(box_of(drawing, each.range));
  }
  for (const Stretch& stretch : drawing.scale.stretches()) {
    if (!stretch.collapsed) continue;
    const Box box{drawing.columns.bar_left, drawing.top + stretch.top, drawing.columns.bar_width,
                  stretch.height};
    drawing.out.breaks.push_back(
        {.box = box,
         .ground = stretch.ground,
         .size = label_within(short_size(stretch.size_bytes()), box, Font::small, Tone::faint)});
  }
}

PhysRange range_of(const Stretch& stretch) {
  return PhysRange::from_to(PhysAddr{stretch.first}, PhysAddr{stretch.last});
}

Strip strip(const Drawing& drawing, std::size_t view) {
  const int left = drawing.columns.strip_right[view] - kStrip;
  Strip strip{.view = view,
              .tag = label_within(tag_of(view),
                                  {left, drawing.headings_top, kStrip, height_of(Font::small)},
                                  Font::bold, Tone::accent),
              .pieces = {},
              .addresses = {}};
  std::vector<Wish> wishes;
  std::optional<std::uint64_t> offset;  // of the address that is written above
  for (const Stretch& stretch : drawing.scale.stretches()) {
    if (stretch.ground == Ground::gap) continue;
    const PhysRange range = range_of(stretch);
    const auto dma = seen_at(drawing.scene.views[view], stretch);
    const Box box{left, drawing.top + stretch.top, kStrip, stretch.height};
    Piece* const before = strip.pieces.empty() ? nullptr : &strip.pieces.back();
    const auto continues = [&] {
      if (before == nullptr || before->range.last().raw() + 1 != stretch.first) return false;
      if (!before->dma || !dma) return before->dma == dma;
      return dma->raw() - before->dma->raw() == stretch.first - before->range.base.raw();
    };
    if (continues()) {
      before->range = PhysRange::from_to(before->range.base, range.last());
      before->box.height += box.height;
      continue;
    }
    strip.pieces.push_back({range, box, dma});
    if (!dma) continue;
    const std::uint64_t now = dma->raw() - stretch.first;
    if (offset == now) continue;
    offset = now;
    strip.addresses.push_back(label_before(now == 0 ? "as CPU" : hex(dma->raw()), left - 4, 0,
                                           Font::small, now == 0 ? Tone::faint : Tone::accent));
    wishes.push_back(
        {.middle = box.y + height_of(Font::small) / 2, .height = height_of(Font::small)});
  }
  drawing.settle(wishes, strip.addresses);
  return strip;
}

/// The addresses at which what is drawn begins and ends.
void axis(Drawing& drawing) {
  std::vector<Wish> wishes;
  const int right = drawing.columns.axis_right;
  const int half = height_of(Font::small) / 2;
  const auto tick = [&](std::uint64_t address, int y, int middle) {
    drawing.out.axis.push_back(label_before(hex(address), right, 0, Font::small, Tone::faint));
    drawing.out.ticks.push_back({right + 3, y, drawing.columns.bar_left - right - 3, 0});
    wishes.push_back({.middle = middle, .height = height_of(Font::small)});
  };
  const auto all = drawing.scale.stretches();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].ground == Ground::gap) continue;
    const int top = drawing.top + all[i].top;
    const int bottom = top + all[i].height;
    if (i == 0 || all[i - 1].ground == Ground::gap) tick(all[i].first, top, top + half);
    if (i + 1 == all.size() || (all[i + 1].ground == Ground::gap && all[i + 1].collapsed)) {
      tick(all[i].last, bottom, bottom - half);
    }
  }
  drawing.settle(wishes, drawing.out.axis);
  for (const Label& each : drawing.out.axis) {
    drawing.bottom = std::max(drawing.bottom, each.box.bottom());
  }
}

void places(Drawing& drawing) {
  const Scene& scene = drawing.scene;
  for (std::size_t i = 0; i < scene.places.size(); ++i) {
    drawing.out.rows.push_back(
        {.place = i, .row = {}, .swatch = {}, .bar = {}, .leader = {}, .words = {}});
    if (!scene.places[i].range) continue;
    Box box = box_of(drawing, *scene.places[i].range);
    box.width /= drawing.lanes[i].of;
    box.x += drawing.lanes[i].lane * box.width;
    drawing.out.rows[i].bar = box;
  }
}

}  // namespace

std::optional<DmaAddr> seen_at(const View& view, const Stretch& stretch) {
  return Translation::through(view.windows).to_dma(range_of(stretch));
}

void draw_bar(Drawing& drawing) {
  memory(drawing);
  for (std::size_t view = 0; view < drawing.columns.strip_right.size(); ++view) {
    drawing.out.strips.push_back(strip(drawing, view));
  }
  axis(drawing);
  places(drawing);
}

}  // namespace carveout::cli::picture
