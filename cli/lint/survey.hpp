// What the rules of lint ask about a board, worked out once: regions' places, memory, bindings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "carveout/device_tree/placement.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "input.hpp"
#include "machine.hpp"
#include "settings.hpp"

namespace carveout::cli {

/// Memory that an enabled region has: a chunk, or the place that it was given.
struct RegionRange {
  PhysRange range;
  device_tree::Node region;
};

/// What the bindings of a region ask about it; all of it is read once.
struct RegionFacts {
  device_tree::Node node;
  device_tree::RegionKind kind;
  bool enabled;
  bool no_map;
  bool fixed;  ///< the tree says where it is
};

/// One entry of one enabled device's `memory-region` that names a region.
struct RegionUse {
  device_tree::Node region;
  device_tree::Node device;
  std::uint32_t index;
  /// Whether the device sees all of the region; true for what is no enabled pool with a place.
  bool reached;
};

/// Whether a region of this kind is a pool, or was meant to be one.
[[nodiscard]] constexpr bool is_pool(device_tree::RegionKind kind) {
  return kind != device_tree::RegionKind::carveout;
}

/// A board, and what is told beside it. Memory is linear in the tree; no map of names.
class Survey {
 public:
  /// Throws Refusal where the tree is beyond the limits of translation.
  Survey(const Board& board, const LintSettings& settings);

  [[nodiscard]] const device_tree::Tree& tree() const { return tree_; }
  [[nodiscard]] const LintSettings& settings() const { return settings_; }
  [[nodiscard]] const device_tree::ReservedMemory& reserved() const { return reserved_; }
  [[nodiscard]] const Machine& machine() const { return machine_; }
  [[nodiscard]] device_tree::CellCounts root_cells() const {
    return tree_.cells(device_tree::Tree::root());
  }
  /// What pools are cut into: a page where there are pages.
  [[nodiscard]] std::uint64_t granule_bytes() const {
    return settings_.page_bytes_given ? settings_.page_bytes : machine_.granule_bytes();
  }

  /// Where the tree says that memory is: ascending, joined where pairs touch. Empty: it does not
  /// say, a boot loader does.
  [[nodiscard]] std::span<const PhysRange> memory() const { return memory_; }
  [[nodiscard]] std::uint64_t memory_bytes() const;
  /// How much of a range is memory.
  [[nodiscard]] std::uint64_t memory_in(PhysRange range) const;

  /// Of all enabled regions, ascending by base. None is empty or wraps.
  [[nodiscard]] std::span<const RegionRange> ranges() const { return ranges_; }
  /// Calls `visit(RegionRange)` for those that overlap `range`, ascending, until it answers false.
  /// Looks at no more than 1024, which only regions inside of each other come to.
  /// Cost: logarithmic, and linear in what is looked at.
  template <class Visit>
  void for_each_range_over(PhysRange range, Visit&& visit) const {
    constexpr std::size_t kMostSeen = 1024;
    const std::size_t first = first_over(range);
    for (std::size_t i = first; i < ranges_.size() && i - first < kMostSeen; ++i) {
      if (range.last() < ranges_[i].range.base) return;
      if (ranges_[i].range.overlaps(range) && !visit(ranges_[i])) return;
    }
  }

  /// The chunks of a region, or its place. Nothing of those that are empty or wrap.
  template <class Visit>
  void for_each_place(const device_tree::ReservedRegion& region, Visit&& visit) const {
    if (const auto place = placed(region)) visit(*place);
    for (const PhysRange chunk : region.chunks) {
      if (!chunk.empty() && !chunk.wraps()) visit(chunk);
    }
  }
  [[nodiscard]] std::expected<PhysRange, device_tree::PlacementFault> placed(
      const device_tree::ReservedRegion& region) const;
  /// How many bytes the region has, wherever.
  [[nodiscard]] static std::uint64_t bytes_of(const device_tree::ReservedRegion& region);

  [[nodiscard]] device_tree::ReservedRegion region(device_tree::Node node) const {
    return device_tree::ReservedRegion::read(tree_, reserved_, node);
  }
  /// nullptr where `node` is no region.
  [[nodiscard]] const RegionFacts* facts_of(device_tree::Node node) const;
  /// The same as for_each_place(), of an enabled region.
  [[nodiscard]] std::span<const RegionRange> places_of(device_tree::Node region) const;
  /// Calls `visit(Binding, const RegionFacts*)` for the entries of a device's `memory-region`, as
  /// many as setup looks at.
  template <class Visit>
  void for_each_entry(device_tree::Node device, Visit&& visit) const {
    constexpr std::size_t kMostSeen = 1024;
    for (const device_tree::Binding entry : device_tree::MemoryRegions{tree_, device}) {
      if (entry.index == kMostSeen) return;
      visit(entry, entry.region ? facts_of(*entry.region) : nullptr);
    }
  }
  /// Ascending by region, then by device.
  [[nodiscard]] std::span<const RegionUse> uses_of(device_tree::Node region) const;
  [[nodiscard]] std::span<const RegionUse> uses() const { return uses_; }
  /// Whether any device, enabled or not, names the region.
  [[nodiscard]] bool is_named(device_tree::Node region) const;

  /// What a device sees. The windows are good until the next question.
  [[nodiscard]] device_tree::DmaView view_of(device_tree::Node device) const;
  [[nodiscard]] device_tree::DmaView view_of_bus(device_tree::Node bus) const;

  /// The node that a file means by a path or an alias; nothing where there is none.
  [[nodiscard]] std::optional<device_tree::Node> named(std::string_view path_or_alias) const;
  [[nodiscard]] std::string path(device_tree::Node node) const;

 private:
  void read_memory();
  void read_placement();
  void read_regions();
  void read_uses();
  [[nodiscard]] bool reaches(device_tree::Node device, const RegionFacts& region);
  [[nodiscard]] std::size_t first_over(PhysRange range) const;
  [[noreturn]] void refuse(const device_tree::TreeError& error) const;

  const Board& board_;
  const device_tree::Tree& tree_;
  const LintSettings& settings_;
  device_tree::ReservedMemory reserved_;
  Machine machine_;
  std::vector<PhysRange> memory_;
  std::unique_ptr<std::byte[]> placement_storage_;
  std::optional<device_tree::Placement> placement_;
  std::vector<RegionFacts> regions_;  // in tree order
  std::vector<RegionRange> places_;   // in tree order
  std::vector<RegionRange> ranges_;   // the same by address
  std::vector<PhysAddr> furthest_;    // of ranges_ up to each: the highest last byte
  std::vector<RegionUse> uses_;
  std::vector<device_tree::Node> named_;  // regions, ascending
  std::size_t memo_bytes_;
  std::unique_ptr<std::byte[]> memo_;
  mutable device_tree::DmaRanges dma_ranges_;
  mutable std::vector<Window> windows_;
  std::uint64_t steps_ = 0;
};

}  // namespace carveout::cli
