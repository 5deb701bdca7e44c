// Writes a tree of about so many nodes, in one of four shapes: tools/lint-scale.sh lints them as
// they grow.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/support/tree_maker.hpp"

namespace {

using carveout::test::TreeMaker;

constexpr std::uint32_t kPage = 4096;

void device(TreeMaker& tree, std::uint32_t number, std::uint32_t pool) {
  tree.begin("d" + std::to_string(number));
  if (pool != 0) tree.cells("memory-region", {pool});
  tree.end();
}

/// With phandles from 1 on, so many pages apart.
void pools(TreeMaker& tree, std::uint32_t count, std::uint32_t apart) {
  tree.begin("reserved-memory").counts(1, 1).empty("ranges");
  for (std::uint32_t i = 0; i < count; ++i) {
    tree.begin("r" + std::to_string(i));
    tree.string("compatible", "shared-dma-pool").cells("reg", {kPage * (1 + i * apart), kPage});
    tree.empty("no-map").phandle(i + 1).end();
  }
  tree.end();
}

void soc(TreeMaker& tree, std::uint32_t devices, std::uint32_t users, std::uint32_t pools) {
  tree.begin("soc").counts(1, 1).empty("ranges");
  for (std::uint32_t i = 0; i < devices; ++i) {
    device(tree, i, i < users ? 1 + i % pools : 0);
  }
  tree.end();
}

/// A hundred devices, one with a pool, under ten buses of which each moves addresses.
void tower(TreeMaker& tree, std::uint32_t number) {
  constexpr std::uint32_t kBuses = 10;
  constexpr std::uint32_t kStep = 0x1'0000;
  for (std::uint32_t i = 0; i < kBuses; ++i) {
    tree.begin(i == 0 ? "tower" + std::to_string(number) : "bus").counts(1, 1).empty("ranges");
    tree.cells("dma-ranges", {(i + 1) * kStep, i * kStep, 0x800'0000});
  }
  for (std::uint32_t i = 0; i < 100; ++i) device(tree, i, i == 0 ? number + 1 : 0);
  for (std::uint32_t i = 0; i < kBuses; ++i) tree.end();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fputs("scale_tree SHAPE NODES FILE\n", stderr);
    return 2;
  }
  const std::string_view shape = arguments[1];
  const auto nodes = static_cast<std::uint32_t>(std::stoul(arguments[2]));
  TreeMaker tree{{}, std::size_t{256} * nodes + kPage};
  tree.counts(1, 1).begin("memory@0").string("device_type", "memory");
  tree.cells("reg", {0, 0xf000'0000}).end();
  if (shape == "pools") {  // a device a node, every tenth with a pool of its own
    pools(tree, nodes / 10, 4);
    soc(tree, nodes / 10 * 9, nodes / 10, nodes / 10);
  } else if (shape == "regions") {  // nine of ten nodes are pools, side by side
    pools(tree, nodes / 10 * 9, 1);
    soc(tree, nodes / 10, nodes / 10, nodes / 10 * 9);
  } else if (shape == "shared") {  // every device has the same pool
    pools(tree, 1, 1);
    soc(tree, nodes, nodes, 1);
  } else if (shape == "towers") {
    pools(tree, nodes / 110, 4);
    for (std::uint32_t i = 0; i < nodes / 110; ++i) tower(tree, i);
  } else {
    return 2;
  }
  const auto blob = tree.finish();
  std::ofstream file{arguments[3], std::ios::binary};
  file.write(reinterpret_cast<const char*>(blob.data()), static_cast<std::streamsize>(blob.size()));
  return file.flush() ? 0 : 1;
}
