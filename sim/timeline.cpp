#include "carveout_sim/timeline.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "story.hpp"
#include "text.hpp"
#include "timeline_style.hpp"

namespace carveout::sim {
namespace {

constexpr int kLabels = 150;  ///< width of what stands left of the columns
constexpr int kStep = 116;    ///< of a column
constexpr int kGap = 74;      ///< of steps left out
constexpr int kRight = 14;
constexpr int kNarrowest = 800;  ///< so that the legend has room
constexpr int kTop = 74;
constexpr int kDeed = 76;   ///< height of a lane of deeds
constexpr int kState = 38;  ///< of a lane of states
constexpr int kLeading = 15;

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> rows{""};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!rows.back().empty() && rows.back().size() + 1 + word.size() > width) rows.emplace_back();
    while (word.size() > width) {
      rows.back() += word.substr(0, width);
      word.remove_prefix(width);
      rows.emplace_back();
    }
    if (!rows.back().empty()) rows.back() += ' ';
    rows.back() += word;
  }
  return rows;
}

class Drawing {
 public:
  explicit Drawing(const Story& story) : story_{story} {
    int x = kLabels;
    for (const Column& column : story_.columns()) {
      lefts_.push_back(x);
      x += column.left_out ? kGap : kStep;
    }
    lefts_.push_back(x);
    width_ = std::max(x + kRight, kNarrowest);
  }

  std::string drawn() {
    y_ = kTop;
    draw_lanes();
    const int lanes_end = y_;
    std::string lanes = std::move(out_);
    out_.clear();
    draw_mistake();
    draw_legend();
    const std::string below = std::move(out_);
    out_.clear();
    head();
    band(lanes_end);
    moments();
    return out_ + lanes + below + "</svg>\n";
  }

 private:
  void text(std::string_view kind, int x, int y, std::string_view words) {
    out_ += joined({"  <text class=\"", kind, "\" x=\"", std::to_string(x), "\" y=\"",
                    std::to_string(y), "\">", escaped(words), "</text>\n"});
  }
  void box(std::string_view kind, int x, int y, int width, int height) {
    out_ += joined({"  <rect class=\"", kind, "\" x=\"", std::to_string(x), "\" y=\"",
                    std::to_string(y), "\" width=\"", std::to_string(width), "\" height=\"",
                    std::to_string(height), "\" rx=\"4\"/>\n"});
  }

  void head() {
    const std::string width = std::to_string(width_);
    const std::string height = std::to_string(y_ + 14);
    out_ += joined({"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", width, " ", height,
                    "\" width=\"", width, "\" height=\"", height,
                    "\" role=\"img\" aria-labelledby=\"title desc\">\n"});
    out_ += joined({"  <title id=\"title\">", escaped(title_of(story_)), "</title>\n"});
    out_ += "  <desc id=\"desc\">";
    for (const Column& column : story_.columns()) {
      const std::string actor = story_.actor_of(column);
      out_ += escaped(joined({actor, actor.empty() ? "" : " ", story_.deed_of(column), ". "}));
    }
    out_ += escaped(story_.wrong_in_words()) + "</desc>\n";
    out_ += kTimelineStyle;
    box("paper", 1, 1, width_ - 2, y_ + 12);
    text("head", 16, 30, title_of(story_));
  }

  /// Behind everything: where the mistake is made.
  void band(int end) {
    if (!story_.mistake()) return;
    const int left = lefts_[*story_.mistake()];
    box("band", left, kTop - 34, lefts_[*story_.mistake() + 1] - left, end - kTop + 34);
  }

  void moments() {
    text("label", 16, kTop - 14, "moment");
    for (std::size_t i = 0; i < story_.columns().size(); ++i) {
      const Column& column = story_.columns()[i];
      if (column.left_out) {
        const std::size_t steps = column.last - column.first + 1;
        text("label", lefts_[i] + 4, kTop - 14,
             "+" + std::to_string(steps) + (steps == 1 ? " step" : " steps"));
        continue;
      }
      const std::string number = std::to_string(story_.first_of(column).moment);
      const bool here = story_.mistake() == i;
      text(here ? "wrong" : "label", lefts_[i] + 8, kTop - 14,
           here ? number + ": mistake" : number);
    }
  }

  void draw_lanes() {
    const auto& columns = story_.columns();
    if (std::ranges::any_of(columns, [&](const Column& c) { return !story_.owner(c).empty(); })) {
      label({"whose it is"}, kState);
      bars([&](const Column& column) {
        const std::string owner = story_.owner(column);
        if (owner.empty()) return Bar{"none", {}, {}};
        const std::size_t colon = owner.find(": ");
        if (colon == owner.npos) return Bar{"cpu", owner, {}};
        return Bar{"device", owner.substr(0, colon), owner.substr(colon + 2)};
      });
    }
    std::set<std::uint32_t> cpus, devices;
    bool hardware = false;
    for (const Column& column : columns) {
      if (column.left_out) continue;
      const Step& step = story_.first_of(column);
      if (step.actor == Actor::cpu) cpus.insert(step.which);
      if (step.actor == Actor::device) devices.insert(step.which);
      hardware = hardware || step.actor == Actor::hardware || !story_.implied_by(column).empty();
    }
    for (const std::uint32_t cpu : cpus) {
      label({"CPU " + std::to_string(cpu), "the program"}, kDeed);
      deeds("cpu", [&](const Step& step) { return step.actor == Actor::cpu && step.which == cpu; });
    }
    if (hardware) {
      label({"the hardware", "by itself"}, kDeed);
      deeds("self", [](const Step& step) { return step.actor == Actor::hardware; });
    }
    for (const std::uint32_t device : devices) {
      label({story_.run().device_name(device), "a device"}, kDeed);
      deeds("device",
            [&](const Step& step) { return step.actor == Actor::device && step.which == device; });
    }
    for (const PhysAddr line : story_.lines()) draw_line(line);
  }

  void draw_line(PhysAddr line) {
    y_ += 10;
    text("line", 16, y_ + 12,
         "line " + hex(line.raw()) + ", bytes from " + hex(story_.shown(line).base.raw()) + " on");
    y_ += 20;
    for (std::uint32_t cpu = 0; cpu < story_.run().cpus(); ++cpu) {
      label({"cache of CPU " + std::to_string(cpu)}, kState);
      bars([&](const Column& column) {
        const Cell cell = story_.cell(line, cpu, column);
        std::string words{name_of(cell)};
        std::string bytes = story_.cached_bytes(line, cpu, column);
        if (story_.store_waits(line, cpu, column)) {
          (bytes.empty() ? bytes : words) += bytes.empty() ? "a store waits" : ", store waits";
        }
        constexpr std::string_view kKinds[] = {"absent", "clean", "dirty", "stale"};
        return Bar{kKinds[static_cast<std::size_t>(cell)], words, bytes};
      });
    }
    label({"RAM"}, kState);
    bars([&](const Column& column) {
      const std::string bytes = story_.ram_bytes(line, column);
      return Bar{bytes.empty() ? "none" : "ram", {}, bytes};
    });
  }

  void label(const std::vector<std::string>& rows, int height) {
    int y = y_ + height / 2 + 5 - static_cast<int>(rows.size() - 1) * kLeading / 2;
    for (const std::string& row : rows) {
      // A name of any length ends where the columns begin.
      text(&row == &rows.front() ? "name" : "label", 16, y, row.substr(0, 17));
      y += kLeading;
    }
  }

  struct Bar {
    std::string_view kind;
    std::string words, bytes;
    bool operator==(const Bar&) const = default;
  };

  /// A lane of states: columns of one state are one bar.
  template <class Of>
  void bars(Of of) {
    const auto& columns = story_.columns();
    for (std::size_t i = 0; i < columns.size();) {
      const Bar bar = of(columns[i]);
      std::size_t end = i + 1;
      // The mistake's own state stands where it is made.
      while (end < columns.size() && story_.mistake() != end && of(columns[end]) == bar) ++end;
      if (bar.kind != "none") {
        const int left = lefts_[i] + 2;
        box(bar.kind, left, y_ + 2, lefts_[end] - left - 2, kState - 4);
        const int middle = y_ + kState / 2;
        const bool both = !bar.words.empty() && !bar.bytes.empty();
        const std::string halo = bar.kind == "stale" ? " halo" : "";
        const int x = left + 7;
        if (!bar.words.empty()) text("state" + halo, x, both ? middle - 2 : middle + 5, bar.words);
        if (!bar.bytes.empty()) text("bytes" + halo, x, both ? middle + 12 : middle + 5, bar.bytes);
      }
      i = end;
    }
    y_ += kState;
  }

  template <class Which>
  void deeds(std::string_view kind, Which which) {
    const bool self = kind == "self";
    for (std::size_t i = 0; i < story_.columns().size(); ++i) {
      const Column& column = story_.columns()[i];
      if (column.left_out) continue;
      const Step& step = story_.first_of(column);
      const std::string implied = self ? story_.implied_by(column) : std::string{};
      if (!which(step) && implied.empty()) continue;
      box(kind, lefts_[i] + 4, y_ + 3, kStep - 8, kDeed - 6);
      std::vector<std::string> rows = wrapped(which(step) ? step.verb : implied, 16);
      const PhysRange range = story_.range_of(column);
      if (which(step) && !range.empty()) {
        rows.push_back(hex(range.base.raw()));
        if (!self) rows.push_back(count_of_bytes(range.size_bytes));
        const std::size_t times = story_.times(column);
        if (times != 1) rows.back() += ", " + std::to_string(times) + "x";
      }
      const bool sees = which(step) && story_.mistake() == i && !story_.seen().empty();
      int y =
          y_ + kDeed / 2 + 5 - static_cast<int>(rows.size() + (sees ? 1 : 0) - 1) * kLeading / 2;
      for (const std::string& row : rows) {
        text(row.starts_with("0x") ? "bytes" : "state", lefts_[i] + 11, y, row);
        y += kLeading;
      }
      if (sees) text("wrong", lefts_[i] + 11, y, "sees " + story_.seen());
    }
    y_ += kDeed;
  }

  void draw_mistake() {
    y_ += 14;
    const std::size_t width = static_cast<std::size_t>(width_ - 60) / 7;
    std::vector<std::pair<std::string_view, std::string>> rows;
    const auto add = [&](std::string_view kind, std::string_view words) {
      for (std::string& row : wrapped(words, width)) rows.emplace_back(kind, std::move(row));
    };
    if (!story_.wrong_in_words().empty()) add("wrong", story_.wrong_in_words());
    if (const Report* const report = story_.report()) {
      add("state", "what: " + report->what);
      add("state", "why: " + std::string{why(report->mistake)});
      add("state", "add: " + std::string{cure(report->mistake)});
    }
    if (rows.empty()) return;
    const int height = static_cast<int>(rows.size()) * 18 + 16;
    box("verdict", 14, y_, width_ - 28, height);
    int y = y_ + 22;
    for (const auto& [kind, words] : rows) {
      text(kind, 26, y, words);
      y += 18;
    }
    y_ += height;
  }

  void draw_legend() {
    y_ += 12;
    int x = 16;
    const auto entry = [&](std::string_view kind, std::string_view words) {
      box(kind, x, y_, 22, 16);
      text("label", x + 28, y_ + 13, words);
      x += 44 + static_cast<int>(words.size()) * 7;
    };
    entry("cpu", "the program did it");
    entry("self", "hardware, by itself");
    entry("device", "a device");
    entry("clean", "clean");
    entry("dirty", "dirty");
    entry("stale", "not what RAM holds");
    y_ += 18;
  }

  const Story& story_;
  std::vector<int> lefts_;  ///< of the columns, and the end of the last one
  int width_ = 0;
  int y_ = 0;
  std::string out_;
};

}  // namespace

std::string title_of(const Story& story) {
  const Report* const report = story.report();
  return report != nullptr ? std::string{name_of(report->mistake)} : "A run of the machine";
}

std::string to_svg(const RunRecord& run) {
  const Story story{run};
  return Drawing{story}.drawn();
}

}  // namespace carveout::sim
