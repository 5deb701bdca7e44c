#include "picture/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "page.hpp"
#include "picture/about.hpp"
#include "picture/markup.hpp"
#include "picture/parts.hpp"
#include "picture/words.hpp"

namespace carveout::cli::picture {
namespace {

/// A class of the style sheet, which has the dark colours alone: the light ones are attributes, so
/// that a reader without CSS has them, too.
struct Paint {
  std::string_view name;
  std::string_view fill;
  std::string_view stroke;
};

constexpr Paint kMemory{"memory", "#eef1f5", "#9aa5b1"};
constexpr std::array<Paint, kKinds> kKindPaint{{{"coherent", "#d3f0e3", "#2f855a"},
                                                {"contiguous", "#fde8d3", "#b7601f"},
                                                {"bounce", "#e9dcf5", "#6b46a1"},
                                                {"no-map", "#dbe4f0", "#3e5c8a"},
                                                {"carveout-mapped", "#fdf0c4", "#946c00"},
                                                {"reservation", "#cbd2d9", "#3e4c59"},
                                                {"invalid", "#fbd5d5", "#c53030"}}};

/// Colours that are told apart by those who do not see all: Okabe and Ito's, and a grey.
constexpr std::array<std::string_view, kMaxHolders> kHolderFill{
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b5a800", "#7b8794"};

// Attributes.
constexpr std::string_view kDynamic = "stroke-dasharray=\"5 3\"";
constexpr std::string_view kDotted = "stroke-dasharray=\"2 3\"";  // disabled
constexpr std::string_view kOutOfReach =
    "class=\"out\" fill=\"url(#carveout-hatch)\" stroke=\"#c53030\"";

const Paint& paint_of(Kind kind) { return kKindPaint[static_cast<std::size_t>(kind)]; }

struct ToneClass {
  std::string_view name;
  std::string_view fill;
};

ToneClass class_of(Tone tone) {
  switch (tone) {
    case Tone::faint:
      return {"faint", "#52606d"};
    case Tone::accent:
      return {"accent", "#1a56c4"};
    case Tone::bad:
      return {"bad", "#c53030"};
    case Tone::plain:
      break;
  }
  return {"ink", "#1f2933"};
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

class Writer {
 public:
  Writer(const Scene& scene, const Layout& layout) : scene_{scene}, layout_{layout} {}

  std::string write() {
    head();
    for (const Label& each : layout_.header) text(each);
    for (const LegendItem& each : layout_.legend) legend(each);
    timeline();
    for (std::size_t i = 0; i < layout_.memory.size(); ++i) memory(i);
    for (const Box& tick : layout_.ticks) {
      add("<path class=\"rule\" stroke=\"#cbd2d9\" d=\"M{} {}h{}\"/>\n", tick.x, tick.y,
          tick.width);
    }
    for (const Label& each : layout_.axis) text(each);
    for (const Strip& each : layout_.strips) strip(each);
    for (const Break& each : layout_.breaks) break_mark(each);
    for (const Connector& each : layout_.connectors) connector(each);
    for (const Row& each : layout_.rows) row(each);
    for (const AskerBox& each : layout_.askers) asker(each);
    add("</svg>\n");
    return std::move(out_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void head() {
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"carveout\" viewBox=\"0 0 {0} {1}\" "
        "width=\"{0}\" height=\"{1}\" role=\"img\" aria-label=\"{2}\" "
        "aria-describedby=\"carveout-about\" "
        "font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"12\">\n",
        layout_.width, layout_.height, escaped(fmt::format("Memory map of {}", scene_.title)));
    add("<title>{}</title>\n<desc id=\"carveout-about\">{}</desc>\n",
        escaped(fmt::format("Memory map of {}", scene_.title)), escaped(about(scene_)));
    add("<defs>\n<style>{}</style>\n"
        "<pattern id=\"carveout-hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
        "patternTransform=\"rotate(45)\"><rect class=\"paper\" width=\"6\" height=\"6\" "
        "fill=\"#ffffff\"/><path class=\"hatch\" stroke=\"#c53030\" stroke-width=\"1.6\" "
        "d=\"M1 0v6\"/></pattern>\n</defs>\n",
        svg_style());
    add("<rect class=\"paper\" width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
  }

  void title(std::string_view words) { add("<title>{}</title>", escaped(words)); }

  void text(const Label& label) {
    const ToneClass tone = class_of(label.tone);
    const int x = label.align == Align::left    ? label.box.x
                  : label.align == Align::right ? label.box.right()
                                                : label.box.x + label.box.width / 2;
    const int size = size_of(label.font);
    add("<text class=\"{}\" fill=\"{}\" x=\"{}\" y=\"{}\"", tone.name, tone.fill, x,
        label.box.y + size);
    if (label.align == Align::right) add(" text-anchor=\"end\"");
    if (label.align == Align::middle) add(" text-anchor=\"middle\"");
    if (size != 12) add(" font-size=\"{}\"", size);
    if (label.font == Font::title || label.font == Font::bold) add(" font-weight=\"bold\"");
    // How wide other letters are nobody knows: they are pressed into what they have.
    if (!is_ascii(label.text)) {
      add(" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"", label.box.width);
    }
    add(">{}</text>\n", escaped(label.text));
  }

  void rect(const Box& box, std::string_view rest) {
    add("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}/>\n", box.x, box.y, box.width,
        box.height, rest);
  }

  static std::string painted(const Paint& paint, std::string_view more = {}) {
    return fmt::format("class=\"{}\" fill=\"{}\" stroke=\"{}\"{}{}", paint.name, paint.fill,
                       paint.stroke, more.empty() ? "" : " ", more);
  }

  static std::string empty(const Paint& paint) {
    return fmt::format("class=\"{} off\" fill=\"none\" stroke=\"{}\" {}", paint.name, paint.stroke,
                       kDotted);
  }

  static std::string painted(const Place& place) {
    const Paint& paint = paint_of(place.kind);
    if (!place.enabled) return empty(paint);
    return painted(paint, place.dynamic ? kDynamic : "");
  }

  void legend(const LegendItem& item) {
    using Means = LegendItem::Means;
    switch (item.means) {
      case Means::memory:
        rect(item.swatch, painted(kMemory));
        break;
      case Means::unreached:
        rect(item.swatch, kOutOfReach);
        break;
      case Means::dynamic:
        rect(item.swatch, painted(kMemory, kDynamic));
        break;
      case Means::disabled:
        rect(item.swatch, empty(kMemory));
        break;
      case Means::kind:
        rect(item.swatch, painted(paint_of(item.kind)));
        break;
    }
    text(item.label);
  }

  void timeline() {
    if (!scene_.timeline) return;
    for (std::size_t i = 0; i < layout_.holders.size(); ++i) {
      const Label& label = layout_.holders[i];
      rect({label.box.x - kSwatchGap, label.box.y + 2, kSwatch, kSwatch},
           fmt::format("data-holder=\"{}\" {}", i, held_by(i)));
      text(label);
    }
    for (std::size_t i = 0; i < layout_.pools.size(); ++i) pool(i);
  }

  static std::string held_by(std::size_t holder, bool mostly = true) {
    return fmt::format("class=\"h{}\" fill=\"{}\"{}", holder, kHolderFill[holder],
                       mostly ? "" : " opacity=\".5\"");
  }

  void pool(std::size_t i) {
    const TimedPool& of = scene_.timeline->pools[i];
    const PoolBar& pool = layout_.pools[i];
    text(pool.name);
    add("<g data-state=\"{}\">", i);
    text(pool.state);
    add("</g>\n");
    rect(pool.bar, painted(kMemory));
    add("<g data-held=\"{}\" data-cells=\"{}\" data-name=\"{}\">", i, of.cells, escaped(of.name));
    const double cell = static_cast<double>(pool.bar.width) / static_cast<double>(of.cells);
    for (const Holding& held : of.held) {
      add("<rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" {}/>",
          pool.bar.x + static_cast<double>(held.first) * cell, pool.bar.y + 1,
          static_cast<double>(held.count) * cell, pool.bar.height - 2,
          held_by(held.holder, held.mostly));
    }
    add("</g>\n<g>");
    title("How full the pool was over time, at most in each stretch");
    rect(pool.history, painted(kMemory));
    for (const Box& most : pool.most) {
      if (most.height != 0) rect(most, "class=\"used\" fill=\"#7b8794\"");
    }
    add("</g>\n");
    if (pool.peak) {
      add("<path class=\"peak\" fill=\"#1a56c4\" d=\"M{} {}l-5 -7h10z\"/>\n", *pool.peak,
          pool.history.y + 4);
    }
    if (pool.refused) {
      add("<path class=\"refused\" stroke=\"#c53030\" stroke-width=\"2\" d=\"M{} {}v{}\"/>\n",
          *pool.refused, pool.history.y - 2, pool.history.height + 4);
    }
    add("<path class=\"cursor\" data-width=\"{}\" stroke=\"#1f2933\" visibility=\"hidden\" "
        "d=\"M{} {}v{}\"/>\n",
        pool.history.width, pool.history.x, pool.history.y - 3, pool.history.height + 6);
    for (const Label& each : pool.marks) text(each);
  }

  void memory(std::size_t i) {
    const Memory& of = scene_.memory[i];
    add("<g class=\"ground\" data-ids=\"m{}\">", i);
    title(fmt::format("{}: {} to {}, {}", of.path, hex(of.range.base.raw()), last_text(of.range),
                      size_text(of.range.size_bytes)));
    rect(layout_.memory[i], painted(kMemory));
    add("</g>\n");
  }

  void strip(const Strip& strip) {
    const View& view = scene_.views[strip.view];
    add("<g class=\"ground\" data-ids=\"v{}\">", strip.view);
    title(fmt::format("{}: what devices on {} see", tag_of(strip.view), view.buses));
    text(strip.tag);
    for (const Piece& piece : strip.pieces) {
      add("<g>");
      const std::string cpu =
          fmt::format("CPU {} to {}", hex(piece.range.base.raw()), last_text(piece.range));
      title(piece.dma ? fmt::format("device address {} is {}", hex(piece.dma->raw()), cpu)
                      : fmt::format("out of reach: {}", cpu));
      rect(piece.box,
           piece.dma ? "class=\"seen\" fill=\"#c9dafc\" stroke=\"#1a56c4\"" : kOutOfReach);
      add("</g>\n");
    }
    for (const Label& each : strip.addresses) text(each);
    add("</g>\n");
  }

  /// A band with zigzag edges, and in it how much it stands for.
  void break_mark(const Break& mark) {
    constexpr int kTeeth = 12;
    const auto edge = [&](int y, bool backwards) {
      std::string path;
      for (int i = 0; i <= kTeeth; ++i) {
        const int tooth = backwards ? kTeeth - i : i;
        path += fmt::format("{}{} {}", path.empty() && !backwards ? "M" : "L",
                            mark.box.x + mark.box.width * tooth / kTeeth, y + tooth % 2 * 4);
      }
      return path;
    };
    const bool is_gap = mark.ground == Ground::gap;
    add("<g>");
    title(is_gap ? fmt::format("{} without memory, not to scale", mark.size.text)
                 : fmt::format("{} of memory that is not reserved, not to scale", mark.size.text));
    add("<path class=\"paper zigzag\" fill=\"#ffffff\" stroke=\"#52606d\" d=\"{}{}z\"/>",
        edge(mark.size.box.y - 6, false), edge(mark.size.box.bottom() + 2, true));
    text(mark.size);
    add("</g>\n");
  }

  void row(const Row& row) {
    const Place& place = scene_.places[row.place];
    add("<g class=\"place\" data-ids=\"p{}\">", row.place);
    title(sentence_of(place));
    rect(row.row, "class=\"row\" fill=\"none\" rx=\"3\"");
    if (row.bar) rect(*row.bar, painted(place));
    if (!row.leader.empty()) {
      add("<path class=\"rule\" fill=\"none\" stroke=\"#9aa5b1\" d=\"M");
      for (const Point& point : row.leader) add("{} {} ", point.x, point.y);
      add("\"/>\n");
    }
    if (row.guide.width != 0) {
      add("<path class=\"rule\" stroke=\"#cbd2d9\" stroke-dasharray=\"1 4\" d=\"M{} {}h{}\"/>\n",
          row.guide.x, row.guide.y, row.guide.width);
    }
    rect(row.swatch, painted(place));
    for (const Label& each : row.words) text(each);
    add("</g>\n");
  }

  void connector(const Connector& link) {
    const Asker& asker = scene_.askers[link.asker];
    const Use& use = asker.uses[link.use];
    const Place& place = scene_.places[link.place];
    const bool served = use.served();
    const std::string_view kind = served ? paint_of(place.kind).name : "unreached";
    const std::string_view colour = served ? paint_of(place.kind).stroke : "#c53030";
    const int middle = (link.from.x + link.to.x) / 2;
    add("<g class=\"link {}\" data-ids=\"p{} a{}\">", kind, link.place, link.asker);
    title(served ? fmt::format("{}: {} at device address {}", asker.path, place.path,
                               hex(use.dma->raw()))
                 : fmt::format("{}: {}: {}", asker.path, place.path, use.reason()));
    add("<path class=\"line\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"{} d=\"M{} {}C{} {} "
        "{} "
        "{} {} {}\"/>",
        colour, served ? "" : " stroke-dasharray=\"4 4\"", link.to.x, link.to.y, middle, link.to.y,
        middle, link.from.y, link.from.x + 6, link.from.y);
    if (served) {
      add("<path class=\"tip\" fill=\"{}\" d=\"M{} {}l8 -4v8z\"/>", colour, link.from.x,
          link.from.y);
    } else {
      add("<path class=\"line\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" d=\"M{} {}l8 8m0 "
          "-8l-8 "
          "8\"/>",
          colour, link.to.x - 12, link.to.y - 4);
    }
    add("</g>\n");
  }

  void asker(const AskerBox& box) {
    const Asker& asker = scene_.askers[box.asker];
    add("<g class=\"asker\" data-ids=\"a{}\">", box.asker);
    title(fmt::format("{}: {}", asker.path, asker.remark));
    rect(box.box, fmt::format("class=\"box\" fill=\"#f5f7fa\" stroke=\"#9aa5b1\" rx=\"6\"{}",
                              asker.enabled ? "" : " stroke-dasharray=\"2 3\""));
    for (const Label& each : box.words) text(each);
    for (std::size_t i = 0; i < box.uses.size(); ++i) {
      const Use& use = asker.uses[i];
      add("<g>");
      title(use.served() ? fmt::format("{}: device address {}", use.name, hex(use.dma->raw()))
                         : fmt::format("{}: {}", use.name, use.reason()));
      for (const Label& each : box.uses[i].words) text(each);
      add("</g>\n");
    }
    add("</g>\n");
  }

  const Scene& scene_;
  const Layout& layout_;
  std::string out_;
};

}  // namespace

std::string svg_of(const Scene& scene, const Layout& layout) {
  return Writer{scene, layout}.write();
}

std::string sentence_of(const Place& place) {
  std::string text = fmt::format("{}: ", place.path);
  if (place.range) {
    text += fmt::format("{} to {}, ", hex(place.range->base.raw()), last_text(*place.range));
  }
  if (place.size_bytes) text += fmt::format("{}, ", size_text(*place.size_bytes));
  text += word_of(place.kind);
  if (!place.remark.empty()) text += fmt::format("; {}", place.remark);
  return text;
}

}  // namespace carveout::cli::picture
