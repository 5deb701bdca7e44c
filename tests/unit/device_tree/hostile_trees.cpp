#include "hostile_trees.hpp"

#include <cstdint>
#include <stdexcept>
#include <utility>

#include "tests/support/tree_maker.hpp"

namespace carveout::test {
namespace {

using Blob = std::vector<std::byte>;
using Cells = std::vector<std::uint32_t>;

std::string numbered(std::uint32_t number) {
  std::string name = "n";
  for (; number != 0; number /= 26) name += static_cast<char>('a' + number % 26);
  return name;
}

void reserved_memory(TreeMaker& tree) {
  tree.begin("reserved-memory").counts(1, 1).empty("ranges");
}

void dma_parent(TreeMaker& tree, std::uint32_t phandle) {
  tree.cells("interconnects", {phandle}).string("interconnect-names", "dma-mem");
}

Blob many_nodes() {
  TreeMaker tree;
  for (std::uint32_t i = 0; i < 250'000; ++i) tree.begin("n").end();
  return tree.finish();
}

Blob many_devices_with_interconnects() {
  TreeMaker tree;
  tree.counts(1, 1);
  tree.begin("fabric").phandle(1).cells("#interconnect-cells", {0}).counts(1, 1);
  tree.cells("dma-ranges", {0x4000'0000, 0, 0x1000'0000}).end();
  reserved_memory(tree);
  tree.begin("pool").phandle(2).cells("reg", {0x1000, 0x1000}).end().end();
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    tree.begin("d");
    dma_parent(tree, 1);
    tree.cells("memory-region", {2}).end();
  }
  return tree.finish();
}

/// Node i's DMA parent is node i + 1; below the last one, a device.
Blob chain(std::uint32_t length, bool windows, bool closed) {
  TreeMaker tree;
  tree.counts(1, 1);
  for (std::uint32_t i = 0; i < length; ++i) {
    tree.begin("b").phandle(i + 1).cells("#interconnect-cells", {0});
    if (i + 1 < length || closed) dma_parent(tree, i + 1 < length ? i + 2 : 1);
    windows ? tree.cells("dma-ranges", {0, 1, 0xffff'0000}) : tree.empty("dma-ranges");
    if (i == 0 || i + 1 == length) tree.begin("device").cells("memory-region", {}).end();
    tree.end();
  }
  return tree.finish();
}

Blob devices_on_an_empty_chain() {
  TreeMaker tree;
  tree.counts(1, 1);
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    tree.begin("b").phandle(i + 1).cells("#interconnect-cells", {0});
    if (i + 1 < 30'000) dma_parent(tree, i + 2);
    tree.empty("dma-ranges").cells("memory-region", {}).end();
  }
  return tree.finish();
}

/// 300 buses of 1024 windows, nested to depth 60, each with a device below.
Blob nested_windows() {
  TreeMaker tree;
  tree.counts(1, 1);
  for (std::uint32_t stack = 0; stack < 5; ++stack) {
    for (std::uint32_t depth = 0; depth < 60; ++depth) {
      tree.begin("b").counts(1, 1);
      Cells windows;
      for (std::uint32_t i = 0; i < 1024; ++i) {
        windows.insert(windows.end(), {i * 0x2000, ((i * 7) % 1024) * 0x2000, 0x1000});
      }
      tree.cells("dma-ranges", windows);
      tree.begin("device").cells("memory-region", {}).end();
    }
    for (std::uint32_t depth = 0; depth < 60; ++depth) tree.end();
  }
  return tree.finish();
}

/// The same with few windows each that survive: the answers are short and the work is not.
Blob nested_narrow_windows() {
  TreeMaker tree;
  tree.counts(1, 1);
  for (std::uint32_t stack = 0; stack < 5; ++stack) {
    for (std::uint32_t depth = 0; depth < 60; ++depth) {
      tree.begin("b").counts(1, 1);
      Cells windows;
      for (std::uint32_t i = 0; i < 1024; ++i) {
        const bool survives = i < 3;
        windows.insert(windows.end(),
                       {i * 0x2000, survives ? i * 0x2000 : 0x8000'0000 + i, 0x1000});
      }
      tree.cells("dma-ranges", windows);
      tree.begin("device").cells("memory-region", {}).end();
    }
    for (std::uint32_t depth = 0; depth < 60; ++depth) tree.end();
  }
  return tree.finish();
}

/// Outer entries that all overlap, and an inner bus of as many entries.
Blob overlapping_entries() {
  TreeMaker tree;
  tree.counts(1, 1);
  tree.begin("outer").counts(1, 1);
  Cells outer;
  for (std::uint32_t i = 0; i < 150'000; ++i) {
    outer.insert(outer.end(), {i, 0x1000'0000 + i * 16, 0x4000'0000});
  }
  tree.cells("dma-ranges", outer);
  tree.begin("inner").counts(1, 1);
  Cells inner;
  for (std::uint32_t i = 0; i < 150'000; ++i) inner.insert(inner.end(), {i, 0xf000'0000 + i, 1});
  inner.insert(inner.end(), {0x1000'0000, 0x100, 0x10'0000});
  tree.cells("dma-ranges", inner);
  tree.begin("device").cells("memory-region", {}).end();
  return tree.end().end().finish();
}

/// Each level maps two halves onto all of the one above: 2^60 windows, or, where the top leads
/// nowhere, 2^60 pieces that are dropped one by one.
Blob doubling(bool leads_nowhere, std::uint32_t leaves) {
  TreeMaker tree;
  tree.counts(2, 2);
  for (std::uint32_t depth = 0; depth < 60; ++depth) {
    tree.begin("b").counts(2, 2);
    const std::uint64_t half = std::uint64_t{1} << depth;
    if (depth == 0 && leads_nowhere) {
      tree.wide("dma-ranges", {std::uint64_t{1} << 63, 0, 0x1000});
    } else {
      tree.wide("dma-ranges", {0, 0, half, half, 0, half});
    }
  }
  for (std::uint32_t i = 0; i < leaves; ++i) {
    tree.begin("leaf").wide("dma-ranges", {0, 0, std::uint64_t{1} << 60});
    tree.begin("device").cells("memory-region", {}).end().end();
  }
  for (std::uint32_t depth = 0; depth < 60; ++depth) tree.end();
  return tree.finish();
}

/// One bus in 2000 pieces; below it many buses that each see all of it.
Blob star() {
  TreeMaker tree;
  tree.counts(1, 1);
  tree.begin("outer").counts(1, 1);
  Cells outer;
  for (std::uint32_t i = 0; i < 2000; ++i)
    outer.insert(outer.end(), {i * 0x2000, i * 0x1000, 0x1000});
  tree.cells("dma-ranges", outer);
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    tree.begin("b").cells("dma-ranges", {0, 0, 0x4000'0000}).end();
  }
  return tree.end().finish();
}

/// Pieces of memory that are long enough for every region and never aligned for it.
Blob misaligned_pieces() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
  for (std::uint64_t i = 0; i < 100'000; ++i) taken.emplace_back(0x1'0000'0000 + i * 0x2000, 0x10);
  TreeMaker tree{taken};
  tree.counts(2, 2);
  tree.begin("memory").string("device_type", "memory");
  tree.wide("reg", {0x1'0000'0010, 100'000 * 0x2000}).end();
  tree.begin("reserved-memory").counts(2, 2).empty("ranges");
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    tree.begin("r")
        .wide("size", {0x1800})
        .wide("alignment", {std::uint64_t{0x2000} << (i % 40)})
        .end();
  }
  return tree.end().finish();
}

Blob many_regions_to_place() {
  TreeMaker tree;
  tree.counts(1, 1);
  Cells memory;
  for (std::uint32_t i = 0; i < 100'000; ++i)
    memory.insert(memory.end(), {0x1000'0000 + i * 0x3000, 0x2000});
  tree.begin("memory").string("device_type", "memory").cells("reg", memory).end();
  reserved_memory(tree);
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    tree.begin("r").cells("size", {i % 2 == 0 ? 0x1000U : 0x3000U}).end();
  }
  return tree.end().finish();
}

/// Memory pairs that overlap a thousandfold, cut by reservations.
Blob overlapping_memory() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
  for (std::uint64_t i = 0; i < 60'000; ++i) taken.emplace_back(0x1'0000'0000 + i * 0x4000, 0x1000);
  TreeMaker tree{taken};
  tree.counts(2, 2);
  tree.begin("memory").string("device_type", "memory");
  Cells pairs;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    pairs.insert(pairs.end(), {1, i * 0x1000, 0, 0x4000'0000});
  }
  tree.cells("reg", pairs).end();
  tree.begin("reserved-memory").counts(2, 2).empty("ranges");
  for (std::uint32_t i = 0; i < 8'000; ++i) {
    tree.begin("r")
        .wide("size", {0x3000})
        .wide("alloc-ranges", {0x1'1000'0000, 0x1000, 0x1'1000'0000, 0x1000'0000});
    tree.end();
  }
  return tree.end().finish();
}

Blob many_alloc_ranges() {
  TreeMaker tree;
  tree.counts(1, 1);
  Cells memory;
  for (std::uint32_t i = 0; i < 50'000; ++i)
    memory.insert(memory.end(), {0x1000'0000 + i * 0x3000, 0x2000});
  tree.begin("memory").string("device_type", "memory").cells("reg", memory).end();
  reserved_memory(tree);
  Cells everywhere;
  for (std::uint32_t i = 0; i < 10'000; ++i)
    everywhere.insert(everywhere.end(), {0x1000'0000 + i, 0x4000'0000});
  for (std::uint32_t i = 0; i < 40; ++i) {
    tree.begin("r").cells("size", {0x4000}).cells("alloc-ranges", everywhere).end();
  }
  return tree.end().finish();
}

/// One device of a million phandles, on a bus of 1024 windows of which none holds the region.
Blob many_bindings(std::uint32_t count) {
  TreeMaker tree;
  tree.counts(1, 1);
  reserved_memory(tree);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    tree.begin("r").phandle(i + 1).cells("reg", {0xf000'0000, 0x1000}).end();
  }
  tree.end();
  tree.begin("b").counts(1, 1);
  Cells windows;
  for (std::uint32_t i = 0; i < 1024; ++i)
    windows.insert(windows.end(), {i * 0x2000, i * 0x1000, 0x1000});
  tree.cells("dma-ranges", windows);
  Cells phandles;
  for (std::uint32_t i = 0; i < count; ++i) phandles.push_back(1 + i % 1000);
  tree.begin("device")
      .cells("memory-region", phandles)
      .bytes("memory-region-names", std::string(1000, '\0'));
  return tree.end().end().finish();
}

/// A region of a hundred thousand properties, bound again and again.
Blob wide_region() {
  TreeMaker tree;
  tree.counts(1, 1);
  reserved_memory(tree);
  tree.begin("r").phandle(1);
  for (std::uint32_t i = 0; i < 150'000; ++i) tree.empty("x");
  tree.cells("reg", {0x1000, 0x1000}).end().end();
  tree.begin("device").cells("memory-region", Cells(300'000, 1)).end();
  return tree.finish();
}

/// A bus of a hundred thousand properties, of which the last ones count, and its devices.
Blob wide_bus() {
  TreeMaker tree;
  tree.counts(1, 1);
  tree.begin("b");
  for (std::uint32_t i = 0; i < 150'000; ++i) tree.empty("x");
  tree.counts(1, 1).cells("dma-ranges", {0x4000'0000, 0, 0x1000}).empty("dma-coherent");
  for (std::uint32_t i = 0; i < 60'000; ++i) tree.begin("d").cells("memory-region", {}).end();
  return tree.end().finish();
}

/// All names of properties end in one tail of a megabyte and a half.
Blob long_names() {
  TreeMaker tree;
  for (std::uint32_t i = 0; i < 200'000; ++i) tree.empty("x");
  tree.empty(std::string(1'500'000, 'y'));
  Blob blob = tree.finish();
  // libfdt looks for each name among all others, so the names are moved afterwards.
  constexpr int kNameAt = 8;
  constexpr fdt32_t kLongName = 2;  // behind "x" and its zero
  for (int at = fdt_first_property_offset(blob.data(), 0); at >= 0;
       at = fdt_next_property_offset(blob.data(), at)) {
    fdt32_st(blob.data() + fdt_off_dt_struct(blob.data()) + at + kNameAt, kLongName);
  }
  return blob;
}

Blob one_phandle_for_all() {
  TreeMaker tree;
  tree.counts(1, 1);
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    tree.begin("d").phandle(1).cells("#interconnect-cells", {0});
    dma_parent(tree, 1);
    tree.end();
  }
  return tree.finish();
}

Blob long_interconnects() {
  TreeMaker tree;
  tree.counts(1, 1);
  tree.begin("fabric")
      .phandle(1)
      .cells("#interconnect-cells", {0})
      .cells("dma-ranges", {0, 0, 0x1000})
      .end();
  for (std::uint32_t i = 0; i < 20; ++i) {
    std::string names(25'000, '\0');
    names += "dma-mem";
    names += '\0';
    tree.begin("d").cells("memory-region", {}).cells("interconnects", Cells(25'001, 1));
    tree.bytes("interconnect-names", names).end();
  }
  return tree.finish();
}

/// 64 deep, with paths of nearly 4096 bytes: the output is longer than is allowed.
Blob long_paths() {
  TreeMaker tree;
  for (std::uint32_t i = 0; i < 63; ++i) tree.begin(std::string(63, 'p'));
  for (std::uint32_t i = 0; i < 100'000; ++i) tree.begin("d").cells("memory-region", {}).end();
  for (std::uint32_t i = 0; i < 63; ++i) tree.end();
  return tree.finish();
}

Blob windows_of_many_devices() {
  TreeMaker tree;
  tree.counts(1, 1);
  tree.begin("b").counts(1, 1);
  Cells windows;
  for (std::uint32_t i = 0; i < 1024; ++i)
    windows.insert(windows.end(), {i * 0x2000, i * 0x1000, 0x1000});
  tree.cells("dma-ranges", windows);
  for (std::uint32_t i = 0; i < 100'000; ++i) tree.begin("d").cells("memory-region", {}).end();
  return tree.end().finish();
}

Blob many_region_nodes() {
  TreeMaker tree;
  tree.counts(1, 1);
  reserved_memory(tree);
  for (std::uint32_t i = 0; i < 60'000; ++i)
    tree.begin(numbered(i)).cells("reg", {i * 0x1000, 0x1000}).end();
  return tree.end().finish();
}

Blob many_reservations() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
  for (std::uint64_t i = 0; i < 250'000; ++i) taken.emplace_back((250'000 - i) * 0x2000, 0x1000);
  return TreeMaker{taken}.finish();
}

}  // namespace

std::vector<HostileTree> hostile_trees() {
  return {
      {"many_nodes", many_nodes},
      {"many_devices_with_interconnects", many_devices_with_interconnects},
      {"chain_of_windows", [] { return chain(40'000, true, false); }},
      {"chain_of_empties", [] { return chain(40'000, false, false); }},
      {"cycle_of_windows", [] { return chain(40'000, true, true); }},
      {"cycle_of_empties", [] { return chain(40'000, false, true); }},
      {"devices_on_an_empty_chain", devices_on_an_empty_chain},
      {"nested_windows", nested_windows},
      {"nested_narrow_windows", nested_narrow_windows},
      {"overlapping_entries", overlapping_entries},
      {"doubling", [] { return doubling(false, 1); }},
      {"doubling_to_nowhere", [] { return doubling(true, 1); }},
      {"doubling_with_leaves", [] { return doubling(false, 30'000); }},
      {"doubling_to_nowhere_with_leaves", [] { return doubling(true, 30'000); }},
      {"star", star},
      {"misaligned_pieces", misaligned_pieces},
      {"many_regions_to_place", many_regions_to_place},
      {"overlapping_memory", overlapping_memory},
      {"many_alloc_ranges", many_alloc_ranges},
      {"many_bindings", [] { return many_bindings(200'000); }},
      {"too_many_bindings", [] { return many_bindings(1'000'000); }},
      {"wide_region", wide_region},
      {"wide_bus", wide_bus},
      {"long_names", long_names},
      {"one_phandle_for_all", one_phandle_for_all},
      {"long_interconnects", long_interconnects},
      {"long_paths", long_paths},
      {"windows_of_many_devices", windows_of_many_devices},
      {"many_region_nodes", many_region_nodes},
      {"many_reservations", many_reservations},
  };
}

std::vector<std::byte> hostile_tree(const std::string& name) {
  for (const HostileTree& tree : hostile_trees()) {
    if (tree.name == name) return tree.make();
  }
  throw std::runtime_error("no hostile tree " + name);
}

}  // namespace carveout::test
