// Pools over the time of a trace: what is held of each at one moment, and how full it ever was.
#include <algorithm>
#include <string>
#include <utility>

#include "picture/drawing.hpp"

namespace carveout::cli::picture {
namespace {

constexpr int kBarWidth = 512;  // four pixels a cell, where there are 128
constexpr int kBarHeight = 18;
constexpr int kHistory = 32;
constexpr std::size_t kTitleColumns = 80;
constexpr std::size_t kStateColumns = 72;

int share(int permille, int of) { return permille * of / 1000; }

PoolBar pool_bar(const TimedPool& pool, int y) {
  PoolBar made;
  made.name = label(fitted_name(pool.name, kTitleColumns), kMargin, y, Font::bold);
  y += height_of(Font::bold);
  made.state = label(fitted(pool.state, kStateColumns), kMargin, y, Font::mono, Tone::faint);
  made.state.box.width = width_of(Font::mono, std::string(kStateColumns, ' '));
  y += height_of(Font::mono) + 2;
  made.bar = {kMargin, y, kBarWidth, kBarHeight};
  y += kBarHeight + 4;
  made.history = {kMargin, y, kBarWidth, kHistory};
  const int count = static_cast<int>(pool.most_used.size());
  for (int i = 0; i < count; ++i) {
    const int left = kBarWidth * i / count;
    const int high = share(pool.most_used[static_cast<std::size_t>(i)], kHistory);
    made.most.push_back(
        {kMargin + left, y + kHistory - high, kBarWidth * (i + 1) / count - left, high});
  }
  const int words = made.history.right() + kColumnGap;
  if (pool.peak) {
    made.peak = kMargin + share(pool.peak->at, kBarWidth);
    made.marks.push_back(label(fitted(pool.peak->words, 60), words, y, Font::small, Tone::accent));
  }
  if (pool.refused) {
    made.refused = kMargin + share(pool.refused->at, kBarWidth);
    made.marks.push_back(label(fitted(pool.refused->words, 60), words, y + height_of(Font::small),
                               Font::small, Tone::bad));
  }
  return made;
}

}  // namespace

void draw_pools(Drawing& drawing) {
  if (!drawing.scene.timeline) return;
  const Timeline& timeline = *drawing.scene.timeline;
  int y = drawing.bottom + 12;
  drawing.out.header.push_back(
      label(fitted(timeline.title, kTitleColumns), kMargin, y, Font::bold));
  y += kRow;
  if (!timeline.elsewhere.empty()) {
    drawing.out.header.push_back(
        label(fitted_name(timeline.elsewhere, kTitleColumns), kMargin, y, Font::mono, Tone::bad));
    y += kRow;
  }
  int x = kMargin;
  for (const std::string& holder : timeline.holders) {
    Label words = label(fitted_name(holder, 40), x + kSwatchGap, y, Font::mono);
    if (x != kMargin && words.box.right() > kLeastWidth - kMargin) {
      y += kRow;
      words.box.x = kMargin + kSwatchGap;
      words.box.y = y;
    }
    x = words.box.right() + kColumnGap;
    drawing.out.holders.push_back(std::move(words));
  }
  y += kRow + 6;
  for (const TimedPool& pool : timeline.pools) {
    drawing.out.pools.push_back(pool_bar(pool, y));
    y = drawing.out.pools.back().history.bottom() + 12;
  }
  drawing.bottom = y;
}

}  // namespace carveout::cli::picture
