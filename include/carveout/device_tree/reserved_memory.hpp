// What a tree says about memory: how much there is, what is reserved, and each region of
// /reserved-memory, as facts. Nothing here judges; who does finds the reason beside the fact.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/device_tree/tree.hpp"

namespace carveout::device_tree {

/// Calls `visit(Node, PhysRange)` for each complete pair of non-zero size of each enabled child of
/// the root with `device_type = "memory"`. `linux,usable-memory` stands in for `reg` where present.
/// Pairs may overlap, and may wrap.
template <class Visit>
void for_each_memory(const Tree& tree, Visit&& visit);

enum class RegionKind : std::uint8_t {
  coherent,    ///< shared-dma-pool, not reusable
  contiguous,  ///< shared-dma-pool and reusable
  invalid,     ///< shared-dma-pool, both reusable and no-map: forbidden
  bounce,      ///< restricted-dma-pool, not shared-dma-pool
  carveout,    ///< anything else: reserved for somebody, not a pool of ours
};

/// How a region gets its place.
enum class RegionPlacement : std::uint8_t {
  fixed,    ///< by a sound `reg` ("static" in the tree's own words)
  dynamic,  ///< by us: no `reg`, a sound `size`
  none,     ///< not at all
};

/// What is wrong with the properties that place a region.
enum class RegionFault : std::uint8_t {
  none,
  malformed_reg,   ///< `reg` is not a whole number of pairs, or is empty
  malformed_size,  ///< `size` is not exactly the root's size cells
  neither_reg_nor_size,
};

/// Why no region of a tree is enabled, though it has regions: the first reason that applies.
enum class ReservedMemoryFault : std::uint8_t {
  none,
  disabled,              ///< `status`
  no_address_cells,      ///< `#address-cells` is not stated by the node itself
  no_size_cells,         ///< `#size-cells` likewise
  address_cells_differ,  ///< `#address-cells` is not the root's
  size_cells_differ,     ///< `#size-cells` likewise
  no_ranges,             ///< `ranges` is absent
};

/// The property that a fault is about; empty for none.
[[nodiscard]] std::string_view property_of(RegionFault fault);
[[nodiscard]] std::string_view property_of(ReservedMemoryFault fault);

/// The `/reserved-memory` node of a tree: the first child of the root that has this name, with or
/// without a unit address.
class ReservedMemory {
 public:
  /// Cost: linear in the children of the root and the properties of the node.
  explicit ReservedMemory(const Tree& tree);

  /// Nothing where the tree has none.
  [[nodiscard]] std::optional<Node> node() const { return node_; }
  [[nodiscard]] ReservedMemoryFault fault() const { return fault_; }
  /// Whether `node` is a child of it: a region, enabled or not.
  [[nodiscard]] bool holds(const Tree& tree, Node node) const {
    return node_ && tree.parent(node) == node_;
  }

 private:
  std::optional<Node> node_;
  ReservedMemoryFault fault_ = ReservedMemoryFault::none;
};

/// One region: a child of `/reserved-memory`, read once. All its numbers are in the root's cells.
struct ReservedRegion {
  Node node;
  RegionKind kind;
  bool okay;     ///< the region's own status
  bool enabled;  ///< okay, and ReservedMemory::fault() is none
  RegionPlacement placement;
  RegionFault fault;  ///< why placement is none
  Strings compatible;
  Pairs chunks;                             ///< the pairs of `reg` when fixed, else none
  std::optional<std::uint64_t> size_bytes;  ///< when dynamic
  std::optional<Bytes> alignment;           ///< the property, as it is; see alignment_value()
  bool has_alloc_ranges;                    ///< stated, soundly or not
  Pairs alloc_ranges;                       ///< empty where absent or not a whole number of pairs
  bool no_map;
  bool reusable;
  bool dma_default;  ///< states `linux,dma-default`, whatever its kind
  bool cma_default;  ///< states `linux,cma-default`, whatever its kind

  /// All whole cells of `alignment` as one number; nothing where it is absent or empty.
  [[nodiscard]] std::optional<std::uint64_t> alignment_value() const;
  /// The kind of which this region is the default: coherent or contiguous; nothing for a default
  /// of the wrong kind.
  [[nodiscard]] std::optional<RegionKind> default_of() const;

  /// Reads the region at `node`, a child of `reserved.node()`. Cost: one pass over its properties.
  [[nodiscard]] static ReservedRegion read(const Tree& tree, const ReservedMemory& reserved,
                                           Node node);
};

/// Calls `visit(ReservedRegion)` for each region in tree order, disabled ones too.
template <class Visit>
void for_each_region(const Tree& tree, const ReservedMemory& reserved, Visit&& visit) {
  if (!reserved.node()) return;
  for (const Node node : tree.children(*reserved.node())) {
    visit(ReservedRegion::read(tree, reserved, node));
  }
}

/// The pairs of a memory node; nothing where `node` is not one that counts. For for_each_memory().
[[nodiscard]] Pairs memory_pairs(const Tree& tree, Node node);

template <class Visit>
void for_each_memory(const Tree& tree, Visit&& visit) {
  for (const Node node : tree.children(Tree::root())) {
    for (const PhysRange range : memory_pairs(tree, node)) {
      if (!range.empty()) visit(node, range);
    }
  }
}

}  // namespace carveout::device_tree
