// What measuring a tree and building from it both go by: which regions and entries count, and how
// much they take.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "carveout/core/size.hpp"
#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "carveout/setup/from_device_tree.hpp"

namespace carveout::setup {

namespace dt = device_tree;

/// Memory that a region shares with another one.
struct Overlap {
  dt::Node other;
  PhysRange range;
};

/// What becomes of one region while the tree is read.
struct Region {
  dt::Node node{0};
  std::optional<Memory> memory = std::nullopt;  ///< nothing: disabled, or no pool of ours
  bool wanted = false;     ///< a device of ours lists it, or it claims a default
  bool uncounted = false;  ///< its ranges passed kMaxPoolRanges
  std::optional<Overlap> overlap = std::nullopt;
  std::string_view name = {};                   ///< once it is wanted, in the System's storage
  Pool* pool = nullptr;                         ///< once it is declared
  std::optional<Error> refused = std::nullopt;  ///< why it is not
};

/// A range of a region that is to be a pool; every region's ranges are held against these.
struct PoolRange {
  PhysRange range{PhysAddr{0}, 0};
  Region* region = nullptr;
};

/// The phandles in a device's `memory-region` that are looked at.
inline dt::CellList phandles_of(const dt::Tree& tree, dt::Node node, const DeviceSpec& spec) {
  if (spec.any_on_bus) return {};
  const dt::Bytes list = tree.property(node, "memory-region").value_or(dt::Bytes{});
  return dt::CellList{list.first(std::min(list.size(), kMaxOwnPools * dt::kCellBytes))};
}

inline dt::CellList phandles_of(const dt::Tree& tree, const DeviceSpec& spec) {
  const auto node = tree.find(spec.node);
  return node ? phandles_of(tree, *node, spec) : dt::CellList{};
}

/// The entries of a device's `memory-region` that are looked at.
template <class Visit>
void for_each_entry(const dt::Tree& tree, dt::Node node, const DeviceSpec& spec, Visit visit) {
  if (spec.any_on_bus) return;
  for (const dt::Binding entry : dt::MemoryRegions{tree, node}) {
    if (entry.index >= kMaxOwnPools) return;
    visit(entry);
  }
}

/// Calls `visit(Node)` once for each node that a device lists and no device before it did.
template <class Visit>
void for_each_first_listing(const dt::Tree& tree, std::span<const DeviceSpec> specs, Visit visit) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const dt::CellList phandles = phandles_of(tree, specs[i]);
    std::array<bool, kMaxOwnPools> listed{};
    for (std::size_t earlier = 0; earlier <= i && phandles.size() != 0; ++earlier) {
      const dt::CellList others = phandles_of(tree, specs[earlier]);
      for (std::size_t at = 0; at < phandles.size(); ++at) {
        const std::size_t end = earlier < i ? others.size() : at;
        for (std::size_t k = 0; k < end && !listed[at]; ++k) listed[at] = others[k] == phandles[at];
      }
    }
    for (std::size_t at = 0; at < phandles.size(); ++at) {
      const auto node = listed[at] ? std::nullopt : tree.by_phandle(phandles[at]);
      if (node) visit(*node);
    }
  }
}

inline dt::DmaView view_of(const dt::Tree& tree, dt::Node node, const DeviceSpec& spec,
                           std::span<Window> windows, std::span<std::byte> memo) {
  dt::DmaRanges ranges{tree, memo};
  const auto view =
      spec.any_on_bus ? ranges.of_any_device_on(node, windows) : ranges.of_device(node, windows);
  // A tree that takes too many steps to translate has no translation that anyone could use.
  return view ? *view
              : dt::DmaView{.translation = Translation::invalid(),
                            .fault = dt::DmaFault::too_many_windows,
                            .bus = std::nullopt};
}

constexpr Window kNoWindow{DmaAddr{0}, PhysAddr{0}, 0};

template <std::size_t count>
constexpr std::array<dt::Node, count> no_nodes() {
  return []<std::size_t... each>(std::index_sequence<each...>) {
    return std::array{((void)each, dt::Tree::root())...};
  }(std::make_index_sequence<count>{});
}

/// Which regions are to be pools, of those that are of a pool's kind.
enum class Wanted : std::uint8_t {
  listed,  ///< by a device of ours, or as a default
  all,
};

/// The memory of a pool that a region is to be; nothing where it is to be none.
[[nodiscard]] std::optional<Memory> memory_of(const dt::ReservedRegion& region);

/// What build() needs, in its two parts.
struct Sizes {
  std::size_t kept_bytes = 0;
  std::size_t scratch_bytes = 0;
  std::size_t regions = 0;      ///< of the tree
  std::size_t pool_ranges = 0;  ///< of the regions that are to be pools
  std::size_t most_ranges = 1;  ///< of one of them
  std::size_t windows = 0;      ///< of the device that has most
  std::size_t path_bytes = 0;   ///< of the longest path that a finding may name

  [[nodiscard]] std::size_t total_bytes() const {
    return saturating_add(kept_bytes, scratch_bytes);
  }
};

/// Fails with: no_such_node.
[[nodiscard]] Result<Sizes> sizes_of(const dt::Tree& tree, std::span<const DeviceSpec> specs,
                                     const Platform& platform, Wanted wanted,
                                     std::span<std::byte> memo);

}  // namespace carveout::setup
