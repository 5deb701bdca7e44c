#include "survey.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "carveout/core/size.hpp"
#include "node_name.hpp"
#include "range_sets.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

/// More is of no use to a real board, and a hostile one does not get it.
constexpr std::size_t kMaxMemoBytes = std::size_t{4} << 20;
/// Windows looked at for all bindings together; a real board has some thousand.
constexpr std::uint64_t kMaxReachSteps = 100'000'000;

std::unique_ptr<std::byte[]> scratch(std::size_t bytes) {
  return std::make_unique_for_overwrite<std::byte[]>(bytes);
}

}  // namespace

Survey::Survey(const Board& board, const LintSettings& settings)
    : board_{board},
      tree_{board.tree()},
      settings_{settings},
      reserved_{tree_},
      machine_{machine_of(tree_)},
      memo_bytes_{std::min(DmaRanges::memo_bytes(tree_), kMaxMemoBytes)},
      memo_{scratch(memo_bytes_)},
      dma_ranges_{tree_, {memo_.get(), memo_bytes_}},
      windows_(kMaxWindows, Window{DmaAddr{0}, PhysAddr{0}, 0}) {
  read_memory();
  read_placement();
  read_regions();
  read_uses();
}

void Survey::refuse(const TreeError& error) const { throw refusal(board_.source, error); }

void Survey::read_memory() {
  std::vector<PhysRange> stated;
  for_each_memory(tree_, [&](Node, PhysRange range) { stated.push_back(range); });
  memory_ = joined(std::move(stated));
}

std::uint64_t Survey::memory_bytes() const {
  std::uint64_t bytes = 0;
  for (const PhysRange range : memory_) bytes += range.size_bytes;
  return bytes;
}

std::uint64_t Survey::memory_in(PhysRange range) const {
  std::uint64_t bytes = 0;
  auto at = std::ranges::upper_bound(memory_, range.base, {}, &PhysRange::base);
  if (at != memory_.begin()) --at;
  for (; at != memory_.end() && at->base <= range.last(); ++at) {
    bytes += at->intersection(range).size_bytes;
  }
  return bytes;
}

void Survey::read_placement() {
  const std::size_t bytes = Placement::measure(tree_, reserved_);
  placement_storage_ = scratch(bytes);
  const auto placement = Placement::work_out(tree_, reserved_, {placement_storage_.get(), bytes});
  if (!placement) refuse(placement.error());
  placement_ = *placement;
}

std::expected<PhysRange, PlacementFault> Survey::placed(const ReservedRegion& region) const {
  if (region.placement != RegionPlacement::dynamic || !region.enabled) {
    return std::unexpected{PlacementFault::not_applicable};
  }
  return placement_->of(region.node);
}

std::uint64_t Survey::bytes_of(const ReservedRegion& region) {
  std::uint64_t bytes = region.size_bytes.value_or(0);
  for (const PhysRange chunk : region.chunks) {
    bytes = checked_add(bytes, chunk.size_bytes).value_or(UINT64_MAX);
  }
  return bytes;
}

void Survey::read_regions() {
  for_each_region(tree_, reserved_, [&](const ReservedRegion& region) {
    regions_.push_back({.node = region.node,
                        .kind = region.kind,
                        .enabled = region.enabled,
                        .no_map = region.no_map,
                        .fixed = region.placement == RegionPlacement::fixed});
    if (!region.enabled) return;
    for_each_place(region, [&](PhysRange range) { places_.push_back({range, region.node}); });
  });
  ranges_ = places_;
  std::ranges::sort(ranges_, {}, [](const RegionRange& each) {
    return std::tuple{each.range.base, each.range.last(), each.region};
  });
  furthest_.reserve(ranges_.size());
  for (const RegionRange& each : ranges_) {
    const PhysAddr last = each.range.last();
    furthest_.push_back(furthest_.empty() ? last : std::max(furthest_.back(), last));
  }
}

std::size_t Survey::first_over(PhysRange range) const {
  return static_cast<std::size_t>(std::ranges::lower_bound(furthest_, range.base) -
                                  furthest_.begin());
}

const RegionFacts* Survey::facts_of(Node node) const {
  const auto found = std::ranges::lower_bound(regions_, node, {}, &RegionFacts::node);
  return found != regions_.end() && found->node == node ? &*found : nullptr;
}

std::span<const RegionRange> Survey::places_of(Node region) const {
  const auto found = std::ranges::equal_range(places_, region, {}, &RegionRange::region);
  return {found.begin(), found.end()};
}

bool Survey::reaches(Node device, const RegionFacts& region) {
  if (!region.enabled || !is_pool(region.kind)) return true;
  const DmaView view = view_of(device);
  return std::ranges::all_of(places_of(region.node), [&](const RegionRange& place) {
    steps_ += 1 + view.translation.windows().size();
    if (steps_ > kMaxReachSteps) refuse({.code = TreeError::Code::too_many_translations});
    return view.translation.to_dma(place.range).has_value();
  });
}

void Survey::read_uses() {
  for (const Node device : tree_.nodes()) {
    if (!tree_.has_memory_region(device)) continue;
    const bool enabled = tree_.enabled(device);
    for_each_entry(device, [&](const Binding& entry, const RegionFacts* region) {
      if (region == nullptr) return;
      named_.push_back(region->node);
      if (!enabled) return;
      uses_.push_back({.region = region->node,
                       .device = device,
                       .index = entry.index,
                       .reached = reaches(device, *region)});
    });
  }
  std::ranges::sort(named_);
  std::ranges::sort(uses_, {}, [](const RegionUse& use) {
    return std::tuple{use.region, use.device, use.index};
  });
}

std::span<const RegionUse> Survey::uses_of(Node region) const {
  const auto found = std::ranges::equal_range(uses_, region, {}, &RegionUse::region);
  return {found.begin(), found.end()};
}

bool Survey::is_named(Node region) const { return std::ranges::binary_search(named_, region); }

DmaView Survey::view_of(Node device) const {
  const auto view = dma_ranges_.of_device(device, windows_);
  if (!view) refuse(view.error());
  return *view;
}

DmaView Survey::view_of_bus(Node bus) const {
  const auto view = dma_ranges_.of_bus(bus, windows_);
  if (!view) refuse(view.error());
  return *view;
}

std::optional<Node> Survey::named(std::string_view path_or_alias) const {
  if (path_or_alias.starts_with('/')) return tree_.find(path_or_alias);
  const auto aliases = tree_.find("/aliases");
  if (!aliases) return std::nullopt;
  const auto path = tree_.strings(*aliases, path_or_alias).first();
  return path ? tree_.find(*path) : std::nullopt;
}

std::string Survey::path(Node node) const { return path_of(tree_, node); }

}  // namespace carveout::cli
