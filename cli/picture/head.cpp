// What stands over a picture: whose it is, what colours mean, what each view is, how long a pixel
// is.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "page.hpp"
#include "picture/drawing.hpp"

namespace carveout::cli::picture {
namespace {

constexpr std::size_t kLineColumns = 96;

std::string text_of(const View& view, std::size_t number) {
  std::string text = fmt::format("{}: on {}: ", tag_of(number), fitted(view.buses, 40));
  if (view.windows.empty()) return text + "reaches NO MEMORY";
  std::string_view between;
  for (std::size_t i = 0; i < view.windows.size(); ++i) {
    const Window& window = view.windows[i];
    const std::string more =
        fmt::format("{}device {} is CPU {}, {}", between, hex(window.dma.raw()),
                    hex(window.cpu.raw()), short_size(window.size_bytes));
    if (i != 0 && text.size() + more.size() > kLineColumns) {
      return text + fmt::format("; {} more", view.windows.size() - i);
    }
    text += more;
    between = "; ";
  }
  return text;
}

std::string scale_text(const Scale& scale) {
  if (scale.stretches().empty())
    return "No memory is stated (a boot loader may add it), and no region has a place.";
  return fmt::format("To scale, a pixel is {}; never under {} pixels; zigzag: not to scale.",
                     size_text(std::uint64_t{1} << scale.pixel_log2()), Scale::kLeast);
}

/// Whether any memory is hatched.
bool is_out_of_reach(const Drawing& drawing) {
  for (std::size_t view = 0; view < drawing.tagged; ++view) {
    for (const Stretch& stretch : drawing.scale.stretches()) {
      if (stretch.ground == Ground::gap) continue;
      if (!seen_at(drawing.scene.views[view], stretch)) return true;
    }
  }
  return false;
}

/// Fills the legend in from `y` on. @return where it ends.
int legend(Drawing& drawing, int y) {
  using Means = LegendItem::Means;
  const Scene& scene = drawing.scene;
  int x = kMargin;
  const auto item = [&](Means means, Kind kind, std::string_view text) {
    Label words = label(std::string{text}, 0, 0, Font::mono);
    if (x != kMargin && x + kSwatchGap + words.box.width > kLeastWidth - kMargin) {
      x = kMargin;
      y += kRow;
    }
    words.box.x = x + kSwatchGap;
    words.box.y = y;
    drawing.out.legend.push_back(
        {.means = means, .kind = kind, .swatch = {x, y + 2, kSwatch, kSwatch}, .label = words});
    x = words.box.right() + kColumnGap;
  };
  const auto any = [&](auto&& has) { return std::ranges::any_of(scene.places, has); };
  if (!scene.memory.empty()) item(Means::memory, Kind::carveout, "memory");
  constexpr std::string_view kMeaning[kKinds]{
      "shared-dma-pool", "reusable (CMA)", "restricted-dma-pool", "another's",
      "another's",       "/memreserve/",   "contradicts itself"};
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const auto of = static_cast<Kind>(kind);
    if (any([&](const Place& place) { return place.kind == of; })) {
      item(Means::kind, of, fmt::format("{}: {}", word_of(of), kMeaning[kind]));
    }
  }
  if (any([](const Place& place) { return place.dynamic && place.range; })) {
    item(Means::dynamic, Kind::carveout, "dynamic: placed by Carveout's rule");
  }
  if (any([](const Place& place) { return !place.enabled; })) {
    item(Means::disabled, Kind::carveout, "disabled");
  }
  if (is_out_of_reach(drawing)) item(Means::unreached, Kind::carveout, "out of reach");
  return drawing.out.legend.empty() ? y : y + kRow + 4;
}

}  // namespace

void draw_head(Drawing& drawing) {
  const Scene& scene = drawing.scene;
  std::vector<Label>& header = drawing.out.header;
  int y = kMargin;
  const auto line = [&](std::string text, Font font, Tone tone) {
    header.push_back(label(std::move(text), kMargin, y, font, tone));
    y += height_of(font);
  };
  line(fitted(scene.title, 70), Font::title, Tone::plain);
  if (!scene.subtitle.empty()) line(fitted(scene.subtitle, kLineColumns), Font::mono, Tone::faint);
  y = legend(drawing, y + 8);
  for (std::size_t view = 0; view < drawing.tagged; ++view) {
    line(text_of(scene.views[view], view), Font::mono, Tone::plain);
  }
  if (scene.views.size() > drawing.tagged) {
    line(fmt::format("{} more of what buses show are not drawn",
                     scene.views.size() - drawing.tagged),
         Font::mono, Tone::faint);
  }
  if (drawing.tagged != 0) y += 4;
  line(scale_text(drawing.scale), Font::mono, Tone::faint);
  drawing.bottom = y;
}

void draw_headings(Drawing& drawing) {
  const int y = drawing.bottom + 12;
  std::vector<Label>& header = drawing.out.header;
  drawing.headings_top = y;
  const auto heading = [&](std::string text, int x) {
    header.push_back(label(std::move(text), x, y, Font::small, Tone::faint));
  };
  if (!drawing.scale.stretches().empty()) {
    header.push_back(
        label_before("CPU address", drawing.columns.axis_right, y, Font::small, Tone::faint));
    heading("memory", drawing.columns.bar_left);
  }
  if (!drawing.scene.places.empty()) heading("reserved", drawing.columns.rows_left);
  drawing.top = y + height_of(Font::small) + 8;
  drawing.bottom = drawing.top + drawing.scale.height();
}

}  // namespace carveout::cli::picture
