// Every question that the library answers about a tree, asked of any bytes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "carveout/device_tree/placement.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "carveout/device_tree/tree.hpp"

namespace {

using namespace carveout;
using namespace carveout::device_tree;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Two ways to one answer: with a memo and without.
class TwoWays {
 public:
  explicit TwoWays(const Tree& tree)
      : memo_(DmaRanges::memo_bytes(tree)), with_{tree, memo_}, without_{tree} {}

  template <class Question>
  void ask(Question question) {
    const auto with = question(with_, with_windows_);
    const auto without = question(without_, without_windows_);
    if (!with || !without) return;  // the limit of work is not the same for both
    require(with->fault == without->fault && with->bus == without->bus);
    const auto a = with->translation.windows();
    const auto b = without->translation.windows();
    require(a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin()));
  }

 private:
  static std::vector<Window> room() {
    return std::vector<Window>(kMaxWindows, Window{DmaAddr{0}, PhysAddr{0}, 0});
  }

  std::vector<std::byte> memo_;
  DmaRanges with_;
  DmaRanges without_;
  std::vector<Window> with_windows_ = room();
  std::vector<Window> without_windows_ = room();
};

void ask_about_nodes(const Tree& tree) {
  TwoWays ways{tree};
  std::array<char, kMaxPathBytes> buffer{};
  for (const Node node : tree.nodes()) {
    const auto path = tree.path(node, buffer);
    // Not always this node: names may be the same, or have slashes.
    const auto found = tree.find(path);
    require(!found || found->index() < tree.node_count());
    tree.for_each_property(node, [&](const PropertyName& name, Bytes bytes) {
      require(tree.has(node, name.text()));
      for (const std::string_view each : Strings{bytes}) require(each.size() <= bytes.size());
    });
    for (const device_tree::Binding& binding : MemoryRegions{tree, node}) {
      require(!binding.region || binding.region->index() < tree.node_count());
    }
    static_cast<void>(tree.coherent(node));
    if (tree.is_translating_bus(node)) {
      ways.ask(
          [&](DmaRanges& ranges, std::span<Window> room) { return ranges.of_bus(node, room); });
    }
    ways.ask(
        [&](DmaRanges& ranges, std::span<Window> room) { return ranges.of_device(node, room); });
  }
}

void ask_about_memory(const Tree& tree) {
  const ReservedMemory reserved{tree};
  std::vector<std::byte> scratch(Placement::measure(tree, reserved));
  const auto placement = Placement::work_out(tree, reserved, scratch);
  require(placement.has_value());
  for_each_region(tree, reserved, [&](const ReservedRegion& region) {
    require(region.fault == RegionFault::none || region.placement == RegionPlacement::none);
    const auto place = placement->of(region.node);
    if (!place) return;
    require(region.enabled && place->size_bytes == region.size_bytes && !place->wraps());
    require(place->base.raw() % Placement::kMinAlignBytes == 0 && place->base.raw() != 0);
    bool in_memory = false;
    for_each_memory(
        tree, [&](Node, PhysRange memory) { in_memory = in_memory || memory.contains(*place); });
    require(in_memory);
    for (const PhysRange taken : tree.reservations()) require(!taken.overlaps(*place));
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Of its own and of exactly this size, so that a read past the end is seen; and aligned.
  std::vector<std::byte> blob(size);
  if (size != 0) std::memcpy(blob.data(), data, size);
  const auto measured = Tree::measure(blob);
  std::vector<std::byte> scratch(measured.value_or(0));
  const auto tree = Tree::open(blob, scratch);
  require(tree.has_value() == measured.has_value());
  if (!tree) return 0;
  ask_about_nodes(*tree);
  ask_about_memory(*tree);
  return 0;
}
