#include "picture/layout.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "picture/drawing.hpp"

namespace carveout::cli::picture {
namespace {

Scale scale_of(const Scene& scene, std::size_t tagged) {
  std::vector<PhysRange> memory;
  std::vector<PhysRange> places;
  std::vector<PhysRange> edges;
  std::ranges::transform(scene.memory, std::back_inserter(memory), &Memory::range);
  for (const Place& each : scene.places) {
    if (each.range) places.push_back(*each.range);
  }
  for (std::size_t view = 0; view < tagged; ++view) {
    for (const Window& window : scene.views[view].windows) edges.push_back(window.cpu_range());
  }
  // As high as what stands beside it, so that words are near to what they are about.
  const int rows = static_cast<int>(scene.places.size()) * kRow;
  int askers = 0;
  for (const Asker& asker : scene.askers) askers += height_of(asker) + kAskerGap;
  return Scale{{.memory = memory, .places = places, .edges = edges},
               std::max({kLeastBar, rows, askers})};
}

}  // namespace

Drawing::Drawing(const Scene& of)
    : scene{of},
      tagged{std::min(of.views.size(), kMaxTagged)},
      scale{scale_of(of, tagged)},
      texts{},
      lanes{},
      columns{},
      out{} {}

void Drawing::settle(std::vector<Wish>& wishes, std::vector<Label>& labels) const {
  spread(wishes, top, bottom);
  for (std::size_t i = 0; i < wishes.size(); ++i) labels[i].box.y = wishes[i].top;
}

Label label(std::string text, int x, int y, Font font, Tone tone) {
  Label made{
      .box = {x, y, width_of(font, text), height_of(font)}, .text = {}, .font = font, .tone = tone};
  made.text = std::move(text);
  return made;
}

Label label_before(std::string text, int right, int y, Font font, Tone tone) {
  Label made = label(std::move(text), 0, y, font, tone);
  made.box.x = right - made.box.width;
  made.align = Align::right;
  return made;
}

Label label_within(std::string text, const Box& box, Font font, Tone tone) {
  Label made = label(std::move(text), 0, 0, font, tone);
  made.box.x = box.x + (box.width - made.box.width) / 2;
  made.box.y = box.y + (box.height - made.box.height) / 2;
  made.align = Align::middle;
  return made;
}

std::string tag_of(std::size_t view) { return std::string(1, static_cast<char>('A' + view)); }

Layout layout_of(const Scene& scene) {
  Drawing drawing{scene};
  choose_columns(drawing);
  draw_head(drawing);
  draw_pools(drawing);
  draw_headings(drawing);
  draw_bar(drawing);
  draw_rows(drawing);
  draw_askers(drawing);
  Layout& out = drawing.out;
  out.width = std::max(kLeastWidth, drawing.right + kMargin);
  for (const Label* each : labels_of(out)) {
    out.width = std::max(out.width, each->box.right() + kMargin);
  }
  out.height = drawing.bottom + kMargin;
  return std::move(out);
}

std::vector<const Label*> labels_of(const Layout& layout) {
  std::vector<const Label*> labels;
  const auto take = [&](const std::vector<Label>& more) {
    for (const Label& each : more) labels.push_back(&each);
  };
  take(layout.header);
  for (const LegendItem& item : layout.legend) labels.push_back(&item.label);
  take(layout.holders);
  for (const PoolBar& pool : layout.pools) {
    labels.push_back(&pool.name);
    labels.push_back(&pool.state);
    take(pool.marks);
  }
  take(layout.axis);
  for (const Strip& strip : layout.strips) {
    labels.push_back(&strip.tag);
    take(strip.addresses);
  }
  for (const Break& each : layout.breaks) labels.push_back(&each.size);
  for (const Row& row : layout.rows) take(row.words);
  for (const AskerBox& box : layout.askers) {
    take(box.words);
    for (const UseRow& use : box.uses) take(use.words);
  }
  return labels;
}

}  // namespace carveout::cli::picture
