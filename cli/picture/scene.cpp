#include "picture/scene.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "board_map.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "fault_words.hpp"
#include "node_name.hpp"
#include "offline.hpp"
#include "page.hpp"
#include "region_use.hpp"

namespace carveout::cli::picture {
namespace {

using device_tree::Node;
using device_tree::RegionKind;
using device_tree::RegionPlacement;
using device_tree::Tree;

Kind kind_of(const device_tree::ReservedRegion& facts) {
  switch (facts.kind) {
    case RegionKind::coherent:
      return Kind::coherent;
    case RegionKind::contiguous:
      return Kind::contiguous;
    case RegionKind::bounce:
      return Kind::bounce;
    case RegionKind::invalid:
      return Kind::invalid;
    case RegionKind::carveout:
      break;
  }
  return facts.no_map ? Kind::no_map : Kind::carveout;
}

std::string last_part(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string{slash + 1 < path.size() ? path.substr(slash + 1) : path};
}

/// Adds to a list that hostile trees would make long, and that is copied for each chunk.
void add_within_limit(std::string& list, std::string_view between, std::string_view more) {
  constexpr std::size_t kMaxListBytes = 1000;
  if (list.ends_with("...")) return;
  if (!list.empty()) list += between;
  list += list.size() + more.size() > kMaxListBytes ? "..." : more;
}

void add_remark(std::string& remark, std::string_view more) {
  add_within_limit(remark, "; ", more);
}

class Reader {
 public:
  explicit Reader(const Board& board) : board_{board}, tree_{board.tree()}, map_{tree_} {
    if (!map_.error()) find_refused(board, map_);
  }

  Scene read() {
    title();
    device_tree::for_each_memory(tree_, [&](Node node, PhysRange range) {
      count();
      scene_.memory.push_back({path_of(tree_, node), range});
    });
    places();
    for (const Node node : tree_.nodes()) {
      if (tree_.is_translating_bus(node)) bus(node);
    }
    for (const Node node : tree_.nodes()) {
      if (tree_.has_memory_region(node)) device(node);
    }
    others();
    if (map_.error()) throw refusal(board_.source, *map_.error());
    return std::move(scene_);
  }

 private:
  void count(std::size_t things = 1) {
    drawn_ += things;
    if (drawn_ <= kMaxDrawn) return;
    throw Refusal{board_.source,
                  fmt::format("has more than {} ranges, windows and uses to draw", kMaxDrawn),
                  "--json has all"};
  }

  void title() {
    scene_.title = tree_.strings(Tree::root(), "model").first().value_or("a board without a model");
    for (const std::string_view each : tree_.strings(Tree::root(), "compatible")) {
      scene_.subtitle += fmt::format("{}{}", scene_.subtitle.empty() ? "" : ", ", each);
    }
  }

  /// Where a region's places went, before they were sorted: its index and the chunk.
  struct Origin {
    const MapRegion* region;
    std::size_t chunk;
    Place place;
  };

  void places() {
    std::vector<Origin> found;
    for (const PhysRange range : tree_.reservations()) {
      count();
      Place place{.path = "memory reservation",
                  .name = "memory reservation",
                  .remark = {},
                  .kind = Kind::reservation,
                  .size_bytes = range.size_bytes};
      set_range(place, range);
      found.push_back({nullptr, 0, std::move(place)});
    }
    for (const MapRegion& region : map_.regions()) {
      const Place common = common_of(region);
      if (region.places.empty()) {
        count();
        found.push_back({&region, 0, common});
      }
      for (std::size_t chunk = 0; chunk < region.places.size(); ++chunk) {
        count();
        Place place = common;
        if (chunk != 0) place.name += fmt::format(", chunk {}", chunk);
        set_range(place, region.places[chunk].range);
        found.push_back({&region, chunk, std::move(place)});
      }
    }
    std::ranges::stable_sort(found, [](const Origin& a, const Origin& b) {
      if (!a.place.range || !b.place.range) return a.place.range && !b.place.range;
      return a.place.range->base < b.place.range->base;
    });
    first_of_.resize(map_.regions().size());
    for (Origin& origin : found) {
      if (origin.region != nullptr) {
        auto& numbers = first_of_[index_of(*origin.region)];
        numbers.resize(std::max(numbers.size(), origin.chunk + 1));
        numbers[origin.chunk] = scene_.places.size();
      }
      scene_.places.push_back(std::move(origin.place));
    }
  }

  static void set_range(Place& place, PhysRange range) {
    place.size_bytes = range.size_bytes;
    if (range.empty()) add_remark(place.remark, "empty");
    if (range.wraps()) add_remark(place.remark, "passes the end of the address space");
    if (!range.empty() && !range.wraps()) place.range = range;
  }

  Place common_of(const MapRegion& region) const {
    const device_tree::ReservedRegion& facts = region.facts;
    Place place{.path = path_of(tree_, facts.node),
                .name = {},
                .remark = {},
                .kind = kind_of(facts),
                .enabled = facts.enabled,
                .dynamic = facts.placement == RegionPlacement::dynamic,
                .is_default = facts.default_of().has_value(),
                .size_bytes = facts.size_bytes};
    place.name = last_part(place.path);
    if (!facts.enabled) {
      add_remark(place.remark, facts.okay ? fmt::format("disabled with all of /reserved-memory: {}",
                                                        meaning_of(map_.reserved().fault()))
                                          : "disabled");
    }
    if (facts.default_of()) {
      add_remark(place.remark, facts.default_of() == RegionKind::coherent
                                   ? "default pool"
                                   : "default contiguous memory");
    }
    if (facts.placement == RegionPlacement::none) {
      add_remark(place.remark, fmt::format("without a place: {}", meaning_of(facts.fault)));
    }
    if (region.not_placed) {
      add_remark(place.remark,
                 fmt::format("dynamic, and not placed: {}", meaning_of(*region.not_placed)));
    } else if (place.dynamic) {
      add_remark(place.remark, "dynamic: placed here by Carveout's rule");
    }
    if (facts.kind == RegionKind::invalid) add_remark(place.remark, "both reusable and no-map");
    if (const auto refused = region.refused_besides()) {
      add_remark(place.remark, fmt::format("no pool, {}",
                                           sentence_of(Trouble{Trouble::Kind::refused, *refused})));
    }
    if (facts.kind == RegionKind::carveout) {
      for (const std::string_view each : facts.compatible) add_remark(place.remark, each);
    }
    return place;
  }

  [[nodiscard]] std::size_t index_of(const MapRegion& region) {
    return static_cast<std::size_t>(&region - map_.regions().data());
  }

  [[nodiscard]] std::vector<View>::iterator same_as(const MapView& view) {
    return std::ranges::find(scene_.views, view.windows, &View::windows);
  }

  /// The number of a view among the distinct ones.
  std::optional<std::size_t> number_of(const MapView& view, std::string_view who) {
    if (view.kind == Translation::Kind::identity) return std::nullopt;
    const auto same = same_as(view);
    if (same == scene_.views.end()) {
      count(1 + view.windows.size());
      scene_.views.push_back({.buses = std::string{who}, .windows = view.windows});
      return scene_.views.size() - 1;
    }
    if (!who.empty()) add_within_limit(same->buses, ", ", who);
    return static_cast<std::size_t>(same - scene_.views.begin());
  }

  void bus(Node node) {
    const MapView& view = map_.of_bus(node);
    const std::string path = path_of(tree_, node);
    const auto number = number_of(view, path);
    Asker any{.path = path,
              .name = fmt::format("any other device on {}", last_part(path)),
              .remark = path,
              .view = number,
              .uses = {}};
    if (view.fault != device_tree::DmaFault::none) {
      add_remark(any.remark, fmt::format("reaches NO MEMORY: {}", meaning_of(view.fault)));
    }
    defaults_for(any, view);
    if (!any.uses.empty()) others_.push_back(std::move(any));
  }

  void device(Node node) {
    const MapView& view = map_.of_device(node);
    Asker asker{.path = path_of(tree_, node),
                .name = {},
                .remark = {},
                .view = {},
                .enabled = tree_.enabled(node),
                .uses = {}};
    asker.name = last_part(asker.path);
    // A view that no bus has is that of a device on a cycle of DMA parents.
    const bool known = same_as(view) != scene_.views.end();
    asker.view = number_of(view, known ? std::string_view{} : std::string_view{asker.path});
    const auto coherent = tree_.coherent(node);
    asker.remark = !coherent ? "coherence not stated" : *coherent ? "coherent" : "not coherent";
    if (!asker.enabled) add_remark(asker.remark, "disabled");
    if (view.fault != device_tree::DmaFault::none) {
      add_remark(asker.remark, fmt::format("reaches NO MEMORY: {}", meaning_of(view.fault)));
    }
    for (const device_tree::Binding& binding : device_tree::MemoryRegions{tree_, node}) {
      const std::string role{binding.name ? std::string{*binding.name}
                                          : fmt::format("{}", binding.index)};
      if (!binding.region) {
        add_use(asker, {.place = {},
                        .name = fmt::format("phandle {}", hex(binding.phandle)),
                        .role = role,
                        .dma = {},
                        .trouble = "no node has this phandle"});
        continue;
      }
      MapRegion* region = map_.region_at(*binding.region);
      if (region == nullptr) {
        add_use(asker, {.place = {},
                        .name = path_of(tree_, *binding.region),
                        .role = role,
                        .dma = {},
                        .trouble = "is no region of /reserved-memory"});
        continue;
      }
      uses_of(asker, *region, role, view, UsedAs::own);
    }
    scene_.askers.push_back(std::move(asker));
  }

  void add_use(Asker& asker, Use use) {
    count();
    asker.uses.push_back(std::move(use));
  }

  /// One for each chunk.
  void uses_of(Asker& asker, MapRegion& region, const std::string& role, const MapView& view,
               UsedAs as) {
    const auto& numbers = first_of_[index_of(region)];
    for (std::size_t chunk = 0; chunk < numbers.size(); ++chunk) {
      const PlaceUse got = use_of(region, chunk, view, as);
      Use use{.place = numbers[chunk],
              .name = scene_.places[numbers[chunk]].name,
              .role = role,
              .dma = got.dma,
              .trouble = {}};
      if (got.trouble) {
        use.trouble = what(*got.trouble);
        use.why = why(*got.trouble);
      }
      add_use(asker, std::move(use));
    }
  }

  void defaults_for(Asker& asker, const MapView& view) {
    for (const RegionKind kind : {RegionKind::coherent, RegionKind::contiguous}) {
      MapRegion* const found = map_.default_of(kind);
      if (found == nullptr) continue;
      uses_of(asker, *found, kind == RegionKind::coherent ? "default" : "default CMA", view,
              UsedAs::default_region);
    }
  }

  void others() {
    Asker any{.path = "any other device",
              .name = "any other device",
              .remark = "without regions of its own",
              .view = {},
              .uses = {}};
    const MapView identity{.serial = ~std::uint32_t{0}};  // of nobody else
    defaults_for(any, identity);
    if (any.uses.empty()) return;
    for (Asker& each : others_) scene_.askers.push_back(std::move(each));
    scene_.askers.push_back(std::move(any));
  }

  const Board& board_;
  const Tree& tree_;
  BoardMap map_;
  Scene scene_;
  std::vector<std::vector<std::size_t>> first_of_;  ///< the places of each region, by chunk
  std::vector<Asker> others_;
  std::size_t drawn_ = 0;
};

}  // namespace

std::string word_of(Kind kind) {
  switch (kind) {
    case Kind::coherent:
      return std::string{name_of(RegionKind::coherent)};
    case Kind::contiguous:
      return std::string{name_of(RegionKind::contiguous)};
    case Kind::bounce:
      return std::string{name_of(RegionKind::bounce)};
    case Kind::no_map:
      return fmt::format("{} no-map", name_of(RegionKind::carveout));
    case Kind::carveout:
      return std::string{name_of(RegionKind::carveout)};
    case Kind::reservation:
      return "reservation";
    case Kind::invalid:
      break;
  }
  return std::string{name_of(RegionKind::invalid)};
}

std::string Use::reason() const {
  return why.empty() ? trouble : fmt::format("{}: {}", trouble, why);
}

Scene scene_of(const Board& board) { return Reader{board}.read(); }

}  // namespace carveout::cli::picture
