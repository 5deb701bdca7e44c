#include "picture/about.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "page.hpp"
#include "picture/words.hpp"

namespace carveout::cli::picture {
namespace {

constexpr std::size_t kMostListed = 12;
constexpr std::size_t kNameColumns = 64;

/// A sentence that lists things and says how many it leaves out.
class List {
 public:
  explicit List(std::string_view head) : text_{fmt::format(" {}", head)} {}

  void add(std::string_view thing) {
    if (count_++ >= kMostListed) return;
    text_ += fmt::format("{}{}", count_ == 1 ? ": " : "; ", thing);
  }
  /// Empty where there is nothing.
  [[nodiscard]] std::string sentence() const {
    if (count_ == 0) return {};
    if (count_ <= kMostListed) return text_ + ".";
    return text_ + fmt::format("; and {} more.", count_ - kMostListed);
  }

 private:
  std::string text_;
  std::size_t count_ = 0;
};

std::string name(std::string_view of) { return fitted_name(of, kNameColumns); }

std::string counts(const Scene& scene) {
  std::size_t uses = 0;
  for (const Asker& asker : scene.askers) uses += asker.uses.size();
  return fmt::format(
      "{} ranges of memory, {} reserved places, {} views of devices through dma-ranges, {} uses by "
      "{} devices or buses.",
      scene.memory.size(), scene.places.size(), scene.views.size(), uses, scene.askers.size());
}

std::string memory(const Scene& scene) {
  List list{"Memory"};
  for (const Memory& each : scene.memory) {
    list.add(
        fmt::format("{} at {}", short_size(each.range.size_bytes), hex(each.range.base.raw())));
  }
  return list.sentence();
}

std::string reserved(const Scene& scene) {
  List list{"Reserved"};
  for (const Place& each : scene.places) {
    std::string text = fmt::format("{}, {}", name(each.name), word_of(each.kind));
    if (each.size_bytes) text += fmt::format(", {}", short_size(*each.size_bytes));
    text += each.range ? fmt::format(" at {}", hex(each.range->base.raw())) : ", no place";
    if (!each.enabled) text += ", disabled";
    list.add(text);
  }
  return list.sentence();
}

std::string not_served(const Scene& scene) {
  List list{"Not served"};
  for (const Asker& asker : scene.askers) {
    for (const Use& use : asker.uses) {
      if (use.served()) continue;
      list.add(fmt::format("{} by {}, {}", name(asker.name), name(use.name), name(use.trouble)));
    }
  }
  return list.sentence();
}

std::string over_time(const Timeline& timeline) {
  std::string text = fmt::format(" Over time: {}, {} long", name(timeline.title), timeline.length);
  if (timeline.shown < timeline.moments.size()) {
    text += fmt::format("; shown at {}", timeline.moments[timeline.shown].words());
  }
  text += '.';
  if (!timeline.elsewhere.empty()) text += fmt::format(" {}.", timeline.elsewhere);
  List list{"Pools"};
  for (const TimedPool& pool : timeline.pools) {
    std::string words = fmt::format("{}, {}", name(pool.name), pool.state);
    if (pool.peak) words += fmt::format(", {}", pool.peak->words);
    if (pool.refused) words += fmt::format(", {}", pool.refused->words);
    list.add(words);
  }
  return text + list.sentence();
}

}  // namespace

std::string about(const Scene& scene) {
  std::string text = counts(scene) + memory(scene) + reserved(scene) + not_served(scene);
  if (scene.timeline) text += over_time(*scene.timeline);
  return text;
}

}  // namespace carveout::cli::picture
