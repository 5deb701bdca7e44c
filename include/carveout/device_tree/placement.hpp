// Where the regions go that state a size and no address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "carveout/device_tree/tree.hpp"

namespace carveout::device_tree {

/// Why a region was not placed.
enum class PlacementFault : std::uint8_t {
  not_applicable,          ///< not an enabled dynamic region of non-zero size
  malformed_alloc_ranges,  ///< `alloc-ranges` is not a whole number of pairs, at least one
  malformed_alignment,  ///< `alignment` is as long as neither the root's address cells nor its size
                        ///< cells
  alignment_no_power_of_two,  ///< 0 would count as absent
  no_memory,                  ///< the tree states no memory
  does_not_fit,               ///< no free piece of memory inside `alloc-ranges` holds it
};

/// The property that a fault is about; empty for not_applicable.
[[nodiscard]] std::string_view property_of(PlacementFault fault);

/// The places of all dynamic regions of a tree.
///
/// Every chunk of every enabled fixed region and every memory reservation is taken first. Then, in
/// tree order and each as large as stated, a region goes to the top of the free piece of memory
/// with the highest end that can hold it, rounded down to the larger of its alignment and 4096;
/// inside the first entry of its `alloc-ranges` that has such a piece, where it states them. What
/// two memory pairs hold together does not hold a region, even where they touch. Addresses 0 to
/// 4095 are never given.
class Placement {
 public:
  static constexpr std::uint64_t kMinAlignBytes = 4096;

  /// How much scratch work_out() needs, in bytes: about 40 for each memory pair, fixed chunk and
  /// reservation, and 100 for each dynamic region (8 more each for every further alignment that
  /// the tree uses).
  /// Cost: linear in the regions' properties.
  [[nodiscard]] static std::size_t measure(const Tree& tree, const ReservedMemory& reserved);

  /// Places all regions.
  ///
  /// @param scratch  as many bytes as measure() said, of any alignment; the answers stay in it.
  ///
  /// Fails iff the scratch is too small, with scratch_too_small.
  /// Cost: n log n in what measure() counts and in the entries of all `alloc-ranges`. No heap.
  [[nodiscard]] static std::expected<Placement, TreeError> work_out(const Tree& tree,
                                                                    const ReservedMemory& reserved,
                                                                    std::span<std::byte> scratch);

  /// Where the region at this node went. Cost: logarithmic.
  [[nodiscard]] std::expected<PhysRange, PlacementFault> of(Node region) const;

 private:
  friend class Placer;

  struct Answer {
    Node region{0};
    PlacementFault fault{};
    bool placed = false;
    PhysRange place{PhysAddr{0}, 0};
  };

  explicit Placement(std::span<const Answer> answers) : answers_{answers} {}

  std::span<const Answer> answers_;  // in tree order
};

}  // namespace carveout::device_tree
