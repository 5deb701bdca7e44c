// Those who ask for memory: a box for each, near to its places, and what connects it to them.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

#include "page.hpp"
#include "picture/drawing.hpp"

namespace carveout::cli::picture {
namespace {

constexpr int kChannel = 120;  // from the rows to the boxes
constexpr int kPadding = 4;    // over and under what is in a box
constexpr int kLeastBox = 170;
constexpr std::size_t kRemarkColumns = 52;
constexpr std::size_t kAskerColumns = 40;  // "any other device on", and a name

/// A use in words: what, and in which state.
struct Entry {
  std::string text;
  std::string state;
  Tone tone;
};

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

Entry entry_of(const Scene& scene, const Use& use) {
  Entry entry{.text = fitted_name(use.name, kNameColumns), .state = {}, .tone = Tone::faint};
  if (!is_number(use.role))
    entry.text = fmt::format("{}: {}", fitted_name(use.role, 12), entry.text);
  if (!use.served()) {
    entry.state = fitted(use.trouble, 36);
    entry.tone = Tone::bad;
  } else if (use.dma->raw() != scene.places[*use.place].range->base.raw()) {
    entry.state = fmt::format("at {}", hex(use.dma->raw()));
    entry.tone = Tone::accent;
  }
  return entry;
}

/// Where the places of an asker are, on the average; behind all where it has none.
int middle_of(const Drawing& drawing, const Asker& asker) {
  std::int64_t sum = 0;
  std::int64_t count = 0;
  for (const Use& use : asker.uses) {
    if (!use.place) continue;
    sum += drawing.out.rows[*use.place].row.y + kRow / 2;
    ++count;
  }
  return count == 0 ? drawing.bottom : static_cast<int>(sum / count);
}

AskerBox box_of(const Drawing& drawing, std::size_t number, Box box,
                const std::vector<Entry>& entries) {
  const Asker& asker = drawing.scene.askers[number];
  AskerBox made{.asker = number, .box = box, .words = {}, .uses = {}};
  int y = box.y + kPadding;
  made.words = {label(fitted_name(asker.name, kAskerColumns), box.x + 8, y, Font::bold,
                      asker.enabled ? Tone::plain : Tone::faint)};
  if (asker.view && *asker.view < drawing.tagged) {
    made.words.push_back(
        label_before(tag_of(*asker.view), box.right() - 8, y, Font::bold, Tone::accent));
  }
  y += height_of(Font::bold);
  made.words.push_back(
      label(fitted(asker.remark, kRemarkColumns), box.x + 8, y, Font::small, Tone::faint));
  y += height_of(Font::small) + kPadding;
  for (const Entry& entry : entries) {
    UseRow row{.box = {box.x, y, box.width, kRow}, .words = {}};
    row.words.push_back(label(entry.text, box.x + 14, y + 1, Font::mono));
    if (!entry.state.empty()) {
      row.words.push_back(
          label_before(entry.state, box.right() - 8, y + 1, Font::mono, entry.tone));
    }
    made.uses.push_back(std::move(row));
    y += kRow;
  }
  return made;
}

void connectors(Drawing& drawing) {
  for (const AskerBox& box : drawing.out.askers) {
    const Asker& asker = drawing.scene.askers[box.asker];
    for (std::size_t use = 0; use < asker.uses.size(); ++use) {
      if (!asker.uses[use].place) continue;
      const std::size_t place = *asker.uses[use].place;
      Row& row = drawing.out.rows[place];
      const Box& from = row.row;
      const int words = row.words.back().box.right() + 6;
      row.guide = {words, from.y + kRow / 2, std::max(0, from.right() - 4 - words), 0};
      const Box& to = box.uses[use].box;
      drawing.out.connectors.push_back({.asker = box.asker,
                                        .use = use,
                                        .place = place,
                                        .from = {from.right(), from.y + kRow / 2},
                                        .to = {to.x, to.y + kRow / 2}});
    }
  }
}

}  // namespace

int height_of(const Asker& asker) {
  return 3 * kPadding + height_of(Font::bold) + height_of(Font::small) +
         static_cast<int>(asker.uses.size()) * kRow;
}

void draw_askers(Drawing& drawing) {
  const Scene& scene = drawing.scene;
  if (scene.askers.empty()) return;
  std::vector<std::vector<Entry>> entries;
  int wide = kLeastBox;
  for (const Asker& asker : scene.askers) {
    wide = std::max({wide, width_of(Font::bold, fitted_name(asker.name, kAskerColumns)) + 40,
                     width_of(Font::small, fitted(asker.remark, kRemarkColumns)) + 16});
    entries.emplace_back();
    for (const Use& use : asker.uses) {
      const Entry& entry = entries.back().emplace_back(entry_of(scene, use));
      wide = std::max(wide, 14 + width_of(Font::mono, entry.text) + kColumnGap +
                                width_of(Font::mono, entry.state) + 8);
    }
  }
  std::vector<std::size_t> order(scene.askers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {},
                           [&](std::size_t i) { return middle_of(drawing, scene.askers[i]); });
  std::vector<Wish> wishes;
  wishes.reserve(order.size());
  for (const std::size_t i : order) {
    wishes.push_back({.middle = middle_of(drawing, scene.askers[i]),
                      .height = height_of(scene.askers[i]) + kAskerGap});
  }
  spread(wishes, drawing.top, drawing.bottom + kAskerGap);
  const int left = drawing.right + kChannel;
  drawing.out.header.push_back(
      label("devices", left, drawing.headings_top, Font::small, Tone::faint));
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Box box{left, wishes[i].top, wide, wishes[i].height - kAskerGap};
    drawing.out.askers.push_back(box_of(drawing, order[i], box, entries[order[i]]));
    drawing.bottom = std::max(drawing.bottom, box.bottom());
  }
  drawing.right = left + wide;
  connectors(drawing);
}

}  // namespace carveout::cli::picture
