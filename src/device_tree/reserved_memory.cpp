#include "carveout/device_tree/reserved_memory.hpp"

namespace carveout::device_tree {
namespace {

constexpr std::string_view kSharedPool = "shared-dma-pool";
constexpr std::string_view kRestrictedPool = "restricted-dma-pool";

RegionKind kind_of(const Strings& compatible, bool reusable, bool no_map) {
  bool restricted = false;
  for (const std::string_view word : compatible) {
    if (word == kSharedPool) {
      if (!reusable) return RegionKind::coherent;
      return no_map ? RegionKind::invalid : RegionKind::contiguous;
    }
    restricted = restricted || word == kRestrictedPool;
  }
  return restricted ? RegionKind::bounce : RegionKind::carveout;
}

ReservedMemoryFault fault_of(const Tree& tree, Node node) {
  using Fault = ReservedMemoryFault;
  if (!tree.okay(node)) return Fault::disabled;
  if (!tree.states_address_cells(node)) return Fault::no_address_cells;
  if (!tree.states_size_cells(node)) return Fault::no_size_cells;
  const CellCounts own = tree.cells(node);
  const CellCounts root = tree.cells(Tree::root());
  if (own.address != root.address) return Fault::address_cells_differ;
  if (own.size != root.size) return Fault::size_cells_differ;
  return tree.has(node, "ranges") ? Fault::none : Fault::no_ranges;
}

}  // namespace

std::string_view property_of(RegionFault fault) {
  switch (fault) {
    case RegionFault::malformed_size:
      return "size";
    case RegionFault::malformed_reg:
    case RegionFault::neither_reg_nor_size:
      return "reg";
    case RegionFault::none:
      break;
  }
  return "";
}

std::string_view property_of(ReservedMemoryFault fault) {
  using Fault = ReservedMemoryFault;
  switch (fault) {
    case Fault::disabled:
      return "status";
    case Fault::no_address_cells:
    case Fault::address_cells_differ:
      return "#address-cells";
    case Fault::no_size_cells:
    case Fault::size_cells_differ:
      return "#size-cells";
    case Fault::no_ranges:
      return "ranges";
    case Fault::none:
      break;
  }
  return "";
}

ReservedMemory::ReservedMemory(const Tree& tree) {
  for (const Node child : tree.children(Tree::root())) {
    if (before(tree.name(child), '@') != "reserved-memory") continue;
    node_ = child;
    fault_ = fault_of(tree, child);
    return;
  }
}

std::optional<std::uint64_t> ReservedRegion::alignment_value() const {
  if (!alignment || alignment->empty()) return std::nullopt;
  return load_number(*alignment, 0, alignment->size() / kCellBytes);
}

std::optional<RegionKind> ReservedRegion::default_of() const {
  if (kind == RegionKind::coherent && dma_default) return kind;
  if (kind == RegionKind::contiguous && cma_default) return kind;
  return std::nullopt;
}

ReservedRegion ReservedRegion::read(const Tree& tree, const ReservedMemory& reserved, Node node) {
  std::optional<Bytes> compatible;
  std::optional<Bytes> reg;
  std::optional<Bytes> size;
  std::optional<Bytes> alignment;
  std::optional<Bytes> alloc_ranges;
  std::optional<Bytes> no_map;
  std::optional<Bytes> reusable;
  std::optional<Bytes> dma_default;
  std::optional<Bytes> cma_default;
  tree.for_each_property(node, [&](const PropertyName& name, Bytes bytes) {
    const auto keep = [&](std::string_view wanted, std::optional<Bytes>& value) {
      if (!value && name == wanted) value = bytes;
    };
    keep("compatible", compatible);
    keep("reg", reg);
    keep("size", size);
    keep("alignment", alignment);
    keep("alloc-ranges", alloc_ranges);
    keep("no-map", no_map);
    keep("reusable", reusable);
    keep("linux,dma-default", dma_default);
    keep("linux,cma-default", cma_default);
  });

  const CellCounts cells = tree.cells(Tree::root());
  const bool okay = tree.okay(node);
  ReservedRegion region{
      .node = node,
      .kind = RegionKind::carveout,
      .okay = okay,
      .enabled = okay && reserved.fault() == ReservedMemoryFault::none,
      .placement = RegionPlacement::none,
      .fault = RegionFault::none,
      .compatible = Strings{compatible.value_or(Bytes{})},
      .chunks = {},
      .size_bytes = std::nullopt,
      .alignment = alignment,
      .has_alloc_ranges = alloc_ranges.has_value(),
      .alloc_ranges = {},
      .no_map = no_map.has_value(),
      .reusable = reusable.has_value(),
      .dma_default = dma_default.has_value(),
      .cma_default = cma_default.has_value(),
  };
  region.kind = kind_of(region.compatible, region.reusable, region.no_map);

  if (reg) {  // even an unsound one: a `size` beside it does not count
    const Pairs pairs{*reg, cells};
    if (pairs.whole()) {
      region.placement = RegionPlacement::fixed;
      region.chunks = pairs;
    } else {
      region.fault = RegionFault::malformed_reg;
    }
  } else if (size) {
    const bool is_whole = size->size() % kCellBytes == 0;
    if (is_whole && cells.size != 0 && size->size() / kCellBytes == cells.size) {
      region.placement = RegionPlacement::dynamic;
      region.size_bytes = load_number(*size, 0, cells.size);
    } else {
      region.fault = RegionFault::malformed_size;
    }
  } else {
    region.fault = RegionFault::neither_reg_nor_size;
  }

  if (alloc_ranges) {
    const Pairs pairs{*alloc_ranges, cells};
    if (pairs.whole()) region.alloc_ranges = pairs;
  }
  return region;
}

Pairs memory_pairs(const Tree& tree, Node node) {
  if (!tree.okay(node)) return {};
  std::optional<Bytes> type;
  std::optional<Bytes> reg;
  std::optional<Bytes> usable;
  tree.for_each_property(node, [&](const PropertyName& name, Bytes bytes) {
    if (!type && name == "device_type") type = bytes;
    if (!reg && name == "reg") reg = bytes;
    if (!usable && name == "linux,usable-memory") usable = bytes;
  });
  if (!type || Strings{*type}.first() != "memory") return {};
  return Pairs{usable ? *usable : reg.value_or(Bytes{}), tree.cells(Tree::root())};
}

}  // namespace carveout::device_tree
