#include "board_map.hpp"

#include <algorithm>

namespace carveout::cli {
namespace {

using namespace device_tree;

constexpr std::size_t kMaxMemoBytes = std::size_t{64} << 20;

/// Memory that nobody writes before it is used: of a memo most is not.
std::unique_ptr<std::byte[]> scratch(std::size_t bytes) {
  return std::make_unique_for_overwrite<std::byte[]>(bytes);
}

}  // namespace

std::string_view name_of(RegionKind kind) {
  switch (kind) {
    case RegionKind::coherent:
      return "coherent";
    case RegionKind::contiguous:
      return "contiguous";
    case RegionKind::invalid:
      return "invalid";
    case RegionKind::bounce:
      return "bounce";
    case RegionKind::carveout:
      break;
  }
  return "carveout";
}

std::string_view name_of(RegionPlacement placement) {
  switch (placement) {
    case RegionPlacement::fixed:
      return "static";
    case RegionPlacement::dynamic:
      return "dynamic";
    case RegionPlacement::none:
      break;
  }
  return "none";
}

std::string_view name_of(Translation::Kind kind) {
  switch (kind) {
    case Translation::Kind::identity:
      return "identity";
    case Translation::Kind::windows:
      return "windows";
    case Translation::Kind::invalid:
      break;
  }
  return "invalid";
}

BoardMap::BoardMap(const Tree& tree)
    : tree_{tree},
      reserved_{tree},
      memo_bytes_{std::min(DmaRanges::memo_bytes(tree), kMaxMemoBytes)},
      memo_{scratch(memo_bytes_)},
      ranges_{tree, {memo_.get(), memo_bytes_}},
      windows_(kMaxWindows, Window{DmaAddr{0}, PhysAddr{0}, 0}) {
  read_regions();
}

void BoardMap::read_regions() {
  const std::size_t bytes = Placement::measure(tree_, reserved_);
  const auto storage = scratch(bytes);
  const auto placement = Placement::work_out(tree_, reserved_, {storage.get(), bytes});
  if (!placement) {
    error_ = placement.error();
    return;
  }
  for_each_region(tree_, reserved_, [&](const ReservedRegion& facts) {
    MapRegion region{.facts = facts};
    for (const PhysRange chunk : facts.chunks) region.places.push_back({.range = chunk});
    if (facts.placement == RegionPlacement::dynamic) {
      const auto place = placement->of(facts.node);
      if (place) region.places.push_back({.range = *place});
      if (!place) region.not_placed = place.error();
    }
    regions_.push_back(std::move(region));
  });
}

MapRegion* BoardMap::region_at(Node node) {
  if (!reserved_.holds(tree_, node)) return nullptr;
  const auto at = [](const MapRegion& region) { return region.facts.node; };
  const auto found = std::ranges::lower_bound(regions_, node, {}, at);
  return found == regions_.end() || found->facts.node != node ? nullptr : &*found;
}

MapRegion* BoardMap::default_of(RegionKind kind) {
  const auto found = std::ranges::find_if(regions_, [&](const MapRegion& region) {
    return region.facts.enabled && region.facts.default_of() == kind;
  });
  return found == regions_.end() ? nullptr : &*found;
}

MapView BoardMap::keep(const std::expected<DmaView, TreeError>& view) {
  ++serial_;
  if (!view) {
    error_ = view.error();
    return {.kind = Translation::Kind::invalid, .serial = serial_};
  }
  const auto windows = view->translation.windows();
  return {.kind = view->translation.kind(),
          .windows = {windows.begin(), windows.end()},
          .fault = view->fault,
          .bus = view->bus,
          .serial = serial_};
}

const MapView& BoardMap::of_bus(Node bus) {
  const auto known = buses_.find(bus.index());
  if (known != buses_.end()) return known->second;
  return buses_.emplace(bus.index(), keep(ranges_.of_bus(bus, windows_))).first->second;
}

const MapView& BoardMap::of_device(Node device) {
  const auto bus = tree_.serving_bus(device);
  // On a cycle of DMA parents the device itself ends the way, so it sees less than other children.
  if (bus && !tree_.on_dma_cycle(device)) return of_bus(*bus);
  return own_ = keep(ranges_.of_device(device, windows_));
}

std::optional<DmaAddr> BoardMap::address_of(MapRegion::Place& place, const MapView& view) {
  if (place.asked_by != view.serial) {
    place.asked_by = view.serial;
    place.dma = view.translation().to_dma(place.range);
  }
  return place.dma;
}

bool BoardMap::is_seen_whole(MapRegion& region, const MapView& view) {
  if (region.asked_by != view.serial) {
    region.asked_by = view.serial;
    region.seen_whole = std::ranges::all_of(region.places, [&](MapRegion::Place& place) {
      return address_of(place, view).has_value();
    });
  }
  return region.seen_whole;
}

std::optional<DmaAddr> BoardMap::pool_address(Node node, const MapView& view) {
  MapRegion* const region = region_at(node);
  if (region == nullptr || !region->facts.enabled || region->places.empty()) return std::nullopt;
  MapRegion::Place& first = region->places.front();
  if (first.range.empty()) return std::nullopt;
  // A fact, even of a chunk that passes 2^64.
  if (view.kind == Translation::Kind::identity) return DmaAddr{first.range.base.raw()};
  return address_of(first, view);
}

}  // namespace carveout::cli
