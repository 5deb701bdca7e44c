// What a tree says about memory for DMA, worked out once for all who tell it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "carveout/core/error.hpp"
#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/placement.hpp"
#include "carveout/device_tree/reserved_memory.hpp"

namespace carveout::cli {

/// As in schema carveout.map/1.
[[nodiscard]] std::string_view name_of(device_tree::RegionKind kind);
[[nodiscard]] std::string_view name_of(device_tree::RegionPlacement placement);
[[nodiscard]] std::string_view name_of(Translation::Kind kind);

/// What a device, or every child of a bus, sees: a device_tree::DmaView that keeps its windows.
struct MapView {
  Translation::Kind kind = Translation::Kind::identity;
  std::vector<Window> windows = {};
  device_tree::DmaFault fault = device_tree::DmaFault::none;
  std::optional<device_tree::Node> bus = std::nullopt;
  std::uint32_t serial = 0;  ///< different for each

  [[nodiscard]] Translation translation() const {
    return kind == Translation::Kind::identity ? Translation::identity()
                                               : Translation::through(windows);
  }
};

/// A region, and the places that it has: its chunks, or the one that it was given.
struct MapRegion {
  struct Place {
    PhysRange range;
    // The last answer of BoardMap::address_of(): a search is 1024 windows, and the devices of a bus
    // ask for the same places.
    std::uint32_t asked_by = 0;
    std::optional<DmaAddr> dma = std::nullopt;
  };

  device_tree::ReservedRegion facts;
  std::vector<Place> places = {};
  std::optional<device_tree::PlacementFault> not_placed = std::nullopt;  ///< of a dynamic one
  /// Why it is no pool, where it is to be one; of those who asked find_refused().
  std::optional<Error> refused = std::nullopt;
  // The last answer of BoardMap::is_seen_whole(), likewise.
  std::uint32_t asked_by = 0;
  bool seen_whole = false;

  /// Why, where nothing else that is said of the region says it: not of one without a place.
  [[nodiscard]] std::optional<Error> refused_besides() const {
    return places.empty() ? std::nullopt : refused;
  }
};

/// The regions of a tree, and what its buses and devices see. Nothing is worked out before somebody
/// asks for it, because a hostile tree has more than fits into memory, and nothing twice.
class BoardMap {
 public:
  explicit BoardMap(const device_tree::Tree& tree);

  /// Set when the tree turned out to be beyond the limits. What was answered since means nothing.
  [[nodiscard]] const std::optional<device_tree::TreeError>& error() const { return error_; }

  [[nodiscard]] const device_tree::ReservedMemory& reserved() const { return reserved_; }
  /// In tree order, disabled ones too.
  [[nodiscard]] std::span<MapRegion> regions() { return regions_; }
  /// nullptr where `node` is no region.
  [[nodiscard]] MapRegion* region_at(device_tree::Node node);
  /// Of the enabled regions that claim to be the default of a kind the first, which is the one that
  /// stays; nullptr where none does.
  [[nodiscard]] MapRegion* default_of(device_tree::RegionKind kind);

  /// What all children of a bus see that translates.
  const MapView& of_bus(device_tree::Node bus);
  /// The reference is good until the next question.
  const MapView& of_device(device_tree::Node device);

  /// Where those who see `view` see a place.
  static std::optional<DmaAddr> address_of(MapRegion::Place& place, const MapView& view);
  /// Whether they see every place of a region.
  static bool is_seen_whole(MapRegion& region, const MapView& view);
  /// Where they see the first chunk or the place of an enabled region; nothing where `node` is
  /// none.
  std::optional<DmaAddr> pool_address(device_tree::Node node, const MapView& view);

 private:
  void read_regions();
  MapView keep(const std::expected<device_tree::DmaView, device_tree::TreeError>& view);

  const device_tree::Tree& tree_;
  device_tree::ReservedMemory reserved_;
  std::size_t memo_bytes_;
  std::unique_ptr<std::byte[]> memo_;
  device_tree::DmaRanges ranges_;
  std::optional<device_tree::TreeError> error_;
  std::vector<Window> windows_;  // room for one view
  std::vector<MapRegion> regions_;
  std::unordered_map<std::uint32_t, MapView> buses_;
  MapView own_;  // of the device asked for last
  std::uint32_t serial_ = 0;
};

}  // namespace carveout::cli
