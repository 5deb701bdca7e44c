#include "diff/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "refusal.hpp"

namespace carveout::cli {
namespace {

/// Askers times nodes: each `why` reads its tree.
constexpr std::uint64_t kMaxWork = 20'000'000;

template <class Value>
std::set<Value> united(const std::set<Value>& some, const std::set<Value>& others) {
  std::set<Value> all = some;
  all.insert(others.begin(), others.end());
  return all;
}

std::set<std::string> paths_of(const std::map<std::string, RegionFacts>& regions) {
  std::set<std::string> paths;
  for (const auto& [path, facts] : regions) paths.insert(path);
  return paths;
}

std::vector<PhysRange> without(std::vector<PhysRange> ranges,
                               const std::vector<PhysRange>& others) {
  for (const PhysRange other : others) {
    const auto found = std::ranges::find(ranges, other);
    if (found != ranges.end()) ranges.erase(found);
  }
  return ranges;
}

RangeChange compare_ranges(const std::vector<PhysRange>& before,
                           const std::vector<PhysRange>& after) {
  // Found by position first, because a hostile list is long: what both begin with is the same.
  const auto [old_end, new_end] = std::ranges::mismatch(before, after);
  const std::vector<PhysRange> old_rest(old_end, before.end());
  const std::vector<PhysRange> new_rest(new_end, after.end());
  return {.added = without(new_rest, old_rest), .removed = without(old_rest, new_rest)};
}

std::vector<std::uint64_t> bases_of(const RegionFacts& facts) {
  std::vector<std::uint64_t> bases;
  bases.reserve(facts.places.size());
  for (const PhysRange place : facts.places) bases.push_back(place.base.raw());
  return bases;
}

std::vector<std::uint64_t> sizes_of(const RegionFacts& facts) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(facts.places.size() + 1);
  for (const PhysRange place : facts.places) sizes.push_back(place.size_bytes);
  // A dynamic region has its size, wherever it goes.
  if (sizes.empty() && facts.size_bytes) sizes.push_back(*facts.size_bytes);
  return sizes;
}

std::vector<Aspect> aspects(const RegionFacts& before, const RegionFacts& after) {
  std::vector<Aspect> what;
  const auto note = [&](bool differs, Aspect aspect) {
    if (differs) what.push_back(aspect);
  };
  note(before.enabled != after.enabled, Aspect::enabled);
  note(before.kind != after.kind, Aspect::kind);
  note(bases_of(before) != bases_of(after), Aspect::place);
  note(sizes_of(before) != sizes_of(after), Aspect::size);
  note(before.placement != after.placement, Aspect::placement);
  note(before.align_bytes != after.align_bytes, Aspect::alignment);
  note(before.no_map != after.no_map || before.reusable != after.reusable, Aspect::mapping);
  note(before.default_of != after.default_of, Aspect::default_pool);
  return what;
}

std::vector<Aspect> aspects(const AskerFacts& before, const AskerFacts& after) {
  std::vector<Aspect> what;
  const auto note = [&](bool differs, Aspect aspect) {
    if (differs) what.push_back(aspect);
  };
  note(before.enabled != after.enabled, Aspect::enabled);
  note(before.coherent != after.coherent, Aspect::coherent);
  note(before.behind_iommu != after.behind_iommu, Aspect::iommu);
  note(before.translation != after.translation || before.windows != after.windows, Aspect::reach);
  note(before.pools != after.pools, Aspect::pools);
  note(before.source != after.source, Aspect::source);
  return what;
}

/// Calls `facts_of(board, path)` on both boards for each path, and keeps what is not the same.
template <class Facts, class FactsOf>
std::vector<Change<Facts>> compare_each(const std::set<std::string>& paths, BoardFacts& before,
                                        BoardFacts& after, FactsOf facts_of) {
  std::vector<Change<Facts>> changes;
  for (const std::string& path : paths) {
    Change<Facts> change{.node = path,
                         .before = facts_of(before, path),
                         .after = facts_of(after, path),
                         .what = {},
                         .counterpart = std::nullopt};
    if (change.before && change.after) {
      change.what = aspects(*change.before, *change.after);
      if (change.what.empty()) continue;
    }
    changes.push_back(std::move(change));
  }
  std::vector<std::string> removed;
  std::vector<std::string> added;
  for (const Change<Facts>& change : changes) {
    if (!change.after) removed.push_back(change.node);
    if (!change.before) added.push_back(change.node);
  }
  const auto found = counterparts(before.board().tree(), removed, after.board().tree(), added);
  for (Change<Facts>& change : changes) {
    const auto other = found.find(change.node);
    if (other != found.end()) change.counterpart = other->second;
  }
  return changes;
}

void check_work(const BoardFacts& facts, std::size_t askers) {
  const std::uint32_t nodes = facts.board().tree().node_count();
  if (askers * nodes <= kMaxWork) return;
  throw Refusal{
      facts.board().source,
      fmt::format("asking for {} buses and devices of {} nodes takes too long", askers, nodes),
      "limit of carveout"};
}

}  // namespace

std::string_view name_of(Aspect aspect) {
  switch (aspect) {
    case Aspect::enabled:
      return "enabled";
    case Aspect::kind:
      return "kind";
    case Aspect::place:
      return "place";
    case Aspect::size:
      return "size";
    case Aspect::placement:
      return "placement";
    case Aspect::alignment:
      return "alignment";
    case Aspect::mapping:
      return "mapping";
    case Aspect::default_pool:
      return "default";
    case Aspect::coherent:
      return "coherent";
    case Aspect::iommu:
      return "iommu";
    case Aspect::reach:
      return "reach";
    case Aspect::pools:
      return "pools";
    case Aspect::source:
      break;
  }
  return "source";
}

Difference compare(BoardFacts& before, BoardFacts& after) {
  const std::set<std::string> buses = united(before.buses(), after.buses());
  const std::set<std::string> devices = united(before.devices(), after.devices());
  check_work(before, buses.size() + devices.size());
  check_work(after, buses.size() + devices.size());
  return {
      .memory = compare_ranges(before.memory(), after.memory()),
      .reservations = compare_ranges(before.reservations(), after.reservations()),
      .regions = compare_each<RegionFacts>(
          united(paths_of(before.regions()), paths_of(after.regions())), before, after,
          [](const BoardFacts& board, const std::string& path) {
            const auto found = board.regions().find(path);
            return found == board.regions().end() ? std::nullopt : std::optional{found->second};
          }),
      .buses = compare_each<AskerFacts>(
          buses, before, after,
          [](BoardFacts& board, const std::string& path) { return board.bus(path); }),
      .devices = compare_each<AskerFacts>(
          devices, before, after,
          [](BoardFacts& board, const std::string& path) { return board.device(path); }),
  };
}

std::vector<PoolChange> compare_pools(const std::vector<PoolFacts>& before,
                                      const std::vector<PoolFacts>& after) {
  std::vector<PoolChange> changes;
  std::vector<PoolFacts> rest = after;
  for (const PoolFacts& pool : before) {
    const auto found = std::ranges::find(rest, pool.region, &PoolFacts::region);
    if (found == rest.end()) {
      changes.push_back({.before = pool, .after = std::nullopt});
      continue;
    }
    if (*found != pool) changes.push_back({.before = pool, .after = *found});
    rest.erase(found);
  }
  for (const PoolFacts& pool : rest) changes.push_back({.before = std::nullopt, .after = pool});
  return changes;
}

}  // namespace carveout::cli
