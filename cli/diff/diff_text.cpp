// `diff` for people: each node that gets something else, with what it gets and what it got.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "diff/forms.hpp"
#include "page.hpp"

namespace carveout::cli {
namespace {

constexpr std::size_t kLabelColumns = 11;
constexpr std::size_t kListed = 8;  // windows, or chunks of a region

Words places_of(const RegionFacts& region) {
  Words words;
  if (region.places.empty()) return words.say("nowhere");
  for (std::size_t i = 0; i < std::min(region.places.size(), kListed); ++i) {
    const PhysRange place = region.places[i];
    words.glue(",");
    words.keep(hex(place.base.raw())).say("to").keep(last_text(place));
  }
  if (region.places.size() > kListed) {
    words.glue(",").say(fmt::format("and {} more", region.places.size() - kListed));
  }
  return words;
}

Words sizes_of(const RegionFacts& region) {
  Words words;
  if (region.places.empty()) {
    return words.keep(region.size_bytes ? size_text(*region.size_bytes) : "none");
  }
  for (std::size_t i = 0; i < std::min(region.places.size(), kListed); ++i) {
    words.glue(",");
    words.keep(size_text(region.places[i].size_bytes));
  }
  return words;
}

Words coherence_of(std::optional<bool> coherent) {
  return Words{}.say(!coherent ? "not stated" : *coherent ? "yes" : "no");
}

Words reach_of(const AskerFacts& asker) {
  Words words;
  if (asker.translation == Translation::Kind::identity) {
    return words.say("a device address is the physical address");
  }
  if (asker.translation == Translation::Kind::invalid) return words.say("no memory", Style::bad);
  for (std::size_t i = 0; i < std::min(asker.windows.size(), kListed); ++i) {
    const Window& window = asker.windows[i];
    words.glue(",");
    words.keep(hex(window.dma.raw())).say("to").keep(hex(window.dma_range().last().raw()));
    words.say("is memory from").keep(hex(window.cpu.raw())).say("on");
  }
  if (asker.windows.size() > kListed) {
    words.glue(",").say(fmt::format("and {} windows more", asker.windows.size() - kListed));
  }
  return words;
}

Words source_of(const Source& source) {
  Words words;
  if (!source.role) {
    words.say("nowhere:", Style::bad).say(carveout::name_of(*source.refused), Style::bad);
    return words;
  }
  if (source.pool.empty()) {
    words.say("ordinary memory");
  } else {
    words.keep(source.pool);
  }
  return words.say(fmt::format("({})", carveout::name_of(*source.role)));
}

Words pool_of(const PoolFacts& pool) {
  Words words;
  words.say(fmt::format("pool {}", pool.index)).glue(",");
  if (pool.name) words.keep(*pool.name).glue(",");
  if (pool.refused) {
    return words.say("refused:", Style::bad).say(carveout::name_of(*pool.refused), Style::bad);
  }
  if (pool.dma) return words.say("at device address").keep(hex(pool.dma->raw()));
  return words.say("without a device address", Style::bad);
}

Words value_of(const RegionFacts& region, Aspect aspect) {
  switch (aspect) {
    case Aspect::enabled:
      return Words{}.say(region.enabled ? "yes" : "no");
    case Aspect::kind:
      return Words{}.say(name_of(region.kind));
    case Aspect::place:
      return places_of(region);
    case Aspect::size:
      return sizes_of(region);
    case Aspect::placement:
      return Words{}.say(name_of(region.placement));
    case Aspect::alignment:
      return Words{}.keep(region.align_bytes ? size_text(*region.align_bytes) : "not stated");
    case Aspect::mapping:
      return Words{}.say(region.no_map && region.reusable ? "no-map and reusable"
                         : region.no_map                  ? "no-map"
                         : region.reusable                ? "reusable"
                                                          : "neither no-map nor reusable");
    default:
      break;
  }
  return Words{}.say(region.default_of ? fmt::format("for {} memory", name_of(*region.default_of))
                                       : "no");
}

Words value_of(const AskerFacts& asker, Aspect aspect) {
  switch (aspect) {
    case Aspect::enabled:
      return Words{}.say(asker.enabled ? "yes" : "no");
    case Aspect::coherent:
      return coherence_of(asker.coherent);
    case Aspect::iommu:
      return Words{}.say(asker.behind_iommu ? "yes" : "no");
    case Aspect::reach:
      return reach_of(asker);
    default:
      break;
  }
  return source_of(asker.source);
}

/// What is told of a node that is there on one side only: not that it is as most are.
std::vector<Aspect> told_of(const RegionFacts& region) {
  std::vector<Aspect> told;
  if (!region.enabled) told.push_back(Aspect::enabled);
  told.insert(told.end(), {Aspect::kind, Aspect::place, Aspect::size, Aspect::mapping});
  if (region.default_of) told.push_back(Aspect::default_pool);
  return told;
}

std::vector<Aspect> told_of(const AskerFacts& asker) {
  std::vector<Aspect> told;
  if (!asker.enabled) told.push_back(Aspect::enabled);
  told.push_back(Aspect::coherent);
  if (asker.behind_iommu) told.push_back(Aspect::iommu);
  told.insert(told.end(), {Aspect::reach, Aspect::pools, Aspect::source});
  return told;
}

std::span<const PoolFacts> pools_of(const std::optional<RegionFacts>& /*region*/) { return {}; }
std::span<const PoolFacts> pools_of(const std::optional<AskerFacts>& asker) {
  return asker ? std::span{asker->pools} : std::span<const PoolFacts>{};
}

class Printer {
 public:
  Printer(const Compared& compared, bool colour)
      : compared_{compared}, page_{compared.after, colour} {}

  std::string print(const Difference& difference) {
    title();
    if (difference.empty()) {
      page_.line("nothing has changed in who gets which memory", Style::good, 2);
      return page_.take();
    }
    ranges("Memory", difference.memory);
    ranges("Memory reservations", difference.reservations);
    changes("Reserved regions", difference.regions);
    changes("Any device on a bus", difference.buses);
    changes("Devices", difference.devices);
    return page_.take();
  }

 private:
  void title() {
    Words words;
    words.keep(compared_.before, Style::heading).glue(",").say("then");
    words.keep(compared_.after, Style::heading);
    for (std::size_t i = 0; i < compared_.overlays.size(); ++i) {
      words.say(i == 0 ? "with" : "and").keep(compared_.overlays[i], Style::heading);
    }
    page_.line(words, 0, 2);
  }

  void section(std::string_view name) {
    page_.blank();
    page_.line(name, Style::heading);
  }

  void fact(std::string_view label, const Words& words) {
    Words line;
    line.keep(fmt::format("{:<{}}", label, kLabelColumns - 1), Style::faint);
    line.append(words);
    page_.line(line, 4, 4 + kLabelColumns);
  }

  void ranges(std::string_view name, const RangeChange& change) {
    if (change.empty()) return;
    section(name);
    const auto list = [&](std::string_view verdict, const std::vector<PhysRange>& ranges) {
      for (const PhysRange range : ranges) {
        page_.line(Words{}
                       .say(verdict)
                       .keep(hex(range.base.raw()))
                       .say("to")
                       .keep(last_text(range))
                       .glue(",")
                       .keep(size_text(range.size_bytes)),
                   2, 4);
      }
    };
    list("added", change.added);
    list("removed", change.removed);
  }

  template <class Facts>
  void changes(std::string_view name, const std::vector<Change<Facts>>& changes) {
    if (changes.empty()) return;
    section(name);
    for (const Change<Facts>& change : changes) {
      Words heading;
      heading.keep(change.node, Style::heading).say(verdict_of(change));
      page_.line(heading, 2, 4);
      if (change.counterpart) counterpart(*change.counterpart, !change.after);
      const Facts& there = change.after ? *change.after : *change.before;
      const bool both = change.before && change.after;
      for (const Aspect aspect : both ? change.what : told_of(there)) {
        if (aspect == Aspect::pools) {
          pools(compare_of(change));
          continue;
        }
        Words words = value_of(there, aspect);
        if (both) words.glue(";").say("was").append(value_of(*change.before, aspect));
        fact(label_of(aspect), words);
      }
    }
  }

  template <class Facts>
  static std::string_view verdict_of(const Change<Facts>& change) {
    return !change.before ? "is new" : !change.after ? "is gone" : "has changed";
  }

  static std::string_view label_of(Aspect aspect) {
    return aspect == Aspect::reach    ? "addresses"
           : aspect == Aspect::source ? "gets from"
                                      : name_of(aspect);
  }

  template <class Facts>
  static std::vector<PoolChange> compare_of(const Change<Facts>& change) {
    const auto before = pools_of(change.before);
    const auto after = pools_of(change.after);
    return compare_pools({before.begin(), before.end()}, {after.begin(), after.end()});
  }

  void counterpart(const Counterpart& other, bool gone) {
    Words words;
    words.keep(other.node).say(gone ? "is new and has" : "is gone and had");
    words.say(other.by == Counterpart::By::label ? "its label"
              : other.by == Counterpart::By::unit_address
                  ? "its unit address, below the same parent"
                  : "its name, below another parent");
    fact(other.by == Counterpart::By::name ? "moved?" : "renamed?", words);
  }

  void pools(const std::vector<PoolChange>& changes) {
    for (const PoolChange& change : changes) {
      const PoolFacts& there = change.after ? *change.after : *change.before;
      Words words;
      words.say(!change.before ? "gained" : !change.after ? "lost" : "changed");
      words.keep(there.region.empty() ? "a phandle of no node" : there.region).glue(":");
      words.append(pool_of(there));
      if (change.before && change.after) {
        words.glue(";").say("was").append(pool_of(*change.before));
      }
      fact(name_of(Aspect::pools), words);
    }
  }

  const Compared& compared_;
  Page page_;
};

}  // namespace

std::string diff_text(const Compared& compared, const Difference& difference, bool colour) {
  return Printer{compared, colour}.print(difference);
}

}  // namespace carveout::cli
