#include "diff/board_facts.hpp"

#include <algorithm>
#include <utility>

#include "carveout/device_tree/memory_region.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "node_name.hpp"
#include "why_request.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

RegionFacts facts_of(const MapRegion& region) {
  // Of a region with a place of its own the property says nothing.
  const bool is_dynamic = region.facts.placement == device_tree::RegionPlacement::dynamic;
  RegionFacts facts{.enabled = region.facts.enabled,
                    .kind = region.facts.kind,
                    .placement = region.facts.placement,
                    .places = {},
                    .size_bytes = region.facts.size_bytes,
                    .align_bytes = is_dynamic ? region.facts.alignment_value() : std::nullopt,
                    .no_map = region.facts.no_map,
                    .reusable = region.facts.reusable,
                    .default_of = region.facts.default_of()};
  for (const MapRegion::Place& place : region.places) facts.places.push_back(place.range);
  return facts;
}

bool is_device(const Tree& tree, Node node) {
  return tree.has_memory_region(node) || tree.has(node, "iommus") ||
         tree.has(node, "interconnects") || tree.has(node, "dma-coherent") ||
         tree.has(node, "dma-noncoherent");
}

Source source_of(const WhyAnswer& answer) {
  if (answer.failure) {
    return {.role = std::nullopt, .pool = {}, .refused = answer.failure->code};
  }
  const WhyBlock& block = answer.blocks.front();
  return {.role = block.role, .pool = block.pool, .refused = std::nullopt};
}

}  // namespace

BoardFacts::BoardFacts(const Board& board) : board_{board}, map_{board.tree()} {
  const Tree& tree = board.tree();
  for (const MapRegion& region : map_.regions()) {
    regions_.emplace(path_of(tree, region.facts.node), facts_of(region));
  }
  for (const Node node : tree.nodes()) {
    if (node == Tree::root() || tree.is_translating_bus(node)) buses_.insert(path_of(tree, node));
    if (is_device(tree, node)) devices_.insert(path_of(tree, node));
  }
  if (map_.error()) throw refusal(board.source, *map_.error());
}

std::vector<PhysRange> BoardFacts::memory() const {
  std::vector<PhysRange> memory;
  device_tree::for_each_memory(board_.tree(),
                               [&](Node, PhysRange range) { memory.push_back(range); });
  return memory;
}

std::vector<PhysRange> BoardFacts::reservations() const {
  const auto reservations = board_.tree().reservations();
  return {reservations.begin(), reservations.end()};
}

std::optional<Node> BoardFacts::node(const std::string& path) const {
  const auto found = board_.tree().find(path);
  // A part without a unit address finds a node that has one, which is another node here.
  return found && path_of(board_.tree(), *found) == path ? found : std::nullopt;
}

std::optional<AskerFacts> BoardFacts::bus(const std::string& path) {
  const auto found = node(path);
  return found ? std::optional{ask_for(*found, true)} : std::nullopt;
}

std::optional<AskerFacts> BoardFacts::device(const std::string& path) {
  const auto found = node(path);
  return found ? std::optional{ask_for(*found, false)} : std::nullopt;
}

AskerFacts BoardFacts::ask_for(Node node, bool any_on_bus) {
  WhyRequest request;
  request.size_bytes = 1;
  if (!any_on_bus) request.device = path_of(board_.tree(), node);
  WhyAnswer answer = ask(board_, node, request);
  AskerFacts facts{.enabled = answer.enabled,
                   .coherent = answer.states_coherent,
                   .behind_iommu = answer.behind_iommu,
                   .translation = answer.translation,
                   .windows = std::move(answer.windows),
                   .pools = {},
                   .source = source_of(answer)};
  if (any_on_bus) return facts;
  const MapView& view = map_.of_device(node);
  if (map_.error()) throw refusal(board_.source, *map_.error());
  const auto refusal_of = [&](std::uint32_t index) {
    const auto found = std::ranges::find(answer.refused_pools, index, &WhyRefusedPool::index);
    return found == answer.refused_pools.end() ? std::nullopt : std::optional{found->why};
  };
  for (const device_tree::Binding& entry : device_tree::MemoryRegions{board_.tree(), node}) {
    if (entry.index >= setup::kMaxOwnPools) break;
    facts.pools.push_back(
        {.index = entry.index,
         .region = entry.region ? path_of(board_.tree(), *entry.region) : std::string{},
         .name = entry.name ? std::optional<std::string>{*entry.name} : std::nullopt,
         .dma = entry.region ? map_.pool_address(*entry.region, view) : std::nullopt,
         .refused = refusal_of(entry.index)});
  }
  return facts;
}

}  // namespace carveout::cli
