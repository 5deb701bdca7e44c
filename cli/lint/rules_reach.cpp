// Rules about what a device can address, and what the CPU's caches have to do with it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "page.hpp"
#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

void check_reach(const Survey& survey, const ReservedRegion& region, Report& report) {
  for (const RegionUse& use : survey.uses_of(region.node)) {
    if (use.reached) continue;
    const DmaView view = survey.view_of(use.device);
    if (view.translation.kind() == Translation::Kind::invalid) continue;  // DMA028 says why
    std::optional<PhysRange> unseen;
    survey.for_each_place(region, [&](PhysRange range) {
      if (!unseen && !view.translation.to_dma(range)) unseen = range;
    });
    const std::string path = survey.path(region.node);
    report.add_as_setup_says(use.device, {.rule = Rule::out_of_reach,
                                          .severity = Severity::error,
                                          .node = {},
                                          .property = "memory-region",
                                          .other = path,
                                          .error = Error::not_in_window,
                                          .range = unseen.value_or(PhysRange{PhysAddr{0}, 0}),
                                          .index = use.index});
  }
}

/// The entries of a bus's `dma-ranges`: child address, size.
template <class Visit>
void for_each_entry(const Tree& tree, Node bus, Visit&& visit) {
  const auto above = tree.parent(bus);
  const Bytes bytes = tree.dma_ranges(bus).value_or(Bytes{});
  if (!above) return;
  const CellCounts here = tree.cells(bus);
  const std::size_t parent_cells = tree.cells(*above).address;
  const std::size_t entry =
      entry_bytes(bytes.size(), here.address, tree.cells(*above).address, here.size);
  if (entry == 0 || bytes.size() % entry != 0) return;
  for (std::size_t at = 0; at < bytes.size(); at += entry) {
    visit(load_number(bytes, at, here.address),
          load_number(bytes, at + (here.address + parent_cells) * kCellBytes, here.size));
  }
}

void check_dma_ranges(const Survey& survey, Node bus, Report& report) {
  const Tree& tree = survey.tree();
  if (!tree.enabled(bus)) return;
  const DmaView view = survey.view_of_bus(bus);
  if (view.translation.kind() == Translation::Kind::invalid) {
    report.add_as_setup_says(
        bus, {.rule = Rule::malformed_dma_ranges,
              .severity = Severity::error,
              .node = {},
              .property = "dma-ranges",
              .error = view.fault == DmaFault::too_many_windows ? std::optional{Error::table_full}
                                                                : std::nullopt});
    return;
  }
  bool said = false;
  for_each_entry(tree, bus, [&](std::uint64_t dma, std::uint64_t size) {
    constexpr auto kTop = std::numeric_limits<std::uint64_t>::max();
    if (said || size == 0) return;
    if (size == std::numeric_limits<std::uint32_t>::max() || size == kTop) {
      said = true;
      report.add(bus, "dma-ranges",
                 fmt::format("has a window of {} bytes, one less than a round number: a size is "
                             "meant, and this is a mask",
                             hex(size)));
    } else if (dma > kTop - (size - 1) || dma + (size - 1) == kTop) {
      said = true;
      report.add(bus, "dma-ranges",
                 fmt::format("has a window from {} that holds the address {}, which means an error",
                             hex(dma), hex(kTop)));
    }
  });
}

/// Whether a bus moves its children's registers: CPU and children do not agree about addresses.
bool moves_registers(const Tree& tree, Node bus) {
  const auto above = tree.parent(bus);
  const Bytes ranges = tree.property(bus, "ranges").value_or(Bytes{});
  if (!above || ranges.empty()) return false;
  const CellCounts here = tree.cells(bus);
  const std::size_t parent_cells = tree.cells(*above).address;
  const std::size_t entry =
      entry_bytes(ranges.size(), here.address, tree.cells(*above).address, here.size);
  // The first entries tell; a hostile tree may have a million.
  for (std::size_t at = 0; entry != 0 && at < std::min(ranges.size(), 16 * entry); at += entry) {
    if (at + entry > ranges.size()) break;
    if (load_number(ranges, at, here.address) !=
        load_number(ranges, at + here.address * kCellBytes, parent_cells)) {
      return true;
    }
  }
  return false;
}

void check_identity(const Survey& survey, Node device, Report& report) {
  const Tree& tree = survey.tree();
  if (tree.serving_bus(device)) return;
  bool pool = false;
  survey.for_each_entry(device, [&](const Binding& /*entry*/, const RegionFacts* region) {
    pool = pool || (region != nullptr && is_pool(region->kind));
  });
  if (!pool) return;
  for (auto bus = tree.parent(device); bus && *bus != Tree::root(); bus = tree.parent(*bus)) {
    if (tree.dma_ranges(*bus) || !moves_registers(tree, *bus)) continue;
    report.add(device, "memory-region",
               fmt::format("{} moves its children's registers and has no dma-ranges: the device is "
                           "taken to see memory where the CPU does",
                           survey.path(*bus)));
    return;
  }
}

void check_shared(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || !is_pool(region.kind)) return;
  const auto uses = survey.uses_of(region.node);
  const auto misses = std::ranges::count(uses, false, &RegionUse::reached);
  if (uses.size() < 2 || misses == 0) return;
  report.add(region.node, "",
             fmt::format("is shared by {} devices, and {} of them cannot address it", uses.size(),
                         misses));
}

/// Of a hypervisor's devices on one bus, which are all alike, one says dma-coherent and this one
/// does not. Real ones may differ: on Arm's Juno so do the IOMMUs.
void check_siblings(const Survey& survey, Node node, Report& report) {
  const Tree& tree = survey.tree();
  const auto parent = tree.parent(node);
  if (!parent || !tree.has(node, "compatible") || tree.coherent(node) || !tree.okay(node)) return;
  const auto kind = tree.strings(node, "compatible").first();
  if (!kind || !kind->starts_with("virtio,")) return;
  // Held against its neighbours: a bus lists its devices of one kind together.
  for (const std::uint32_t index : {node.index() - 1, node.index() + 1}) {
    if (index >= tree.node_count()) continue;
    const Node sibling{index};
    if (tree.parent(sibling) != parent || !tree.has(sibling, "dma-coherent")) continue;
    if (tree.strings(sibling, "compatible").first() != kind || !tree.okay(sibling)) continue;
    report.add(node, "dma-coherent",
               fmt::format("is absent, and {}, of the same kind on the same bus, has it",
                           survey.path(sibling)),
               Fix{node, "dma-coherent;"});
    return;
  }
}

void check_coherent_pool(const Survey& survey, Node device, Report& report) {
  const Tree& tree = survey.tree();
  if (!tree.has(device, "dma-coherent") || !is_linux(survey.settings().target)) return;
  bool said = false;
  survey.for_each_entry(device, [&](const Binding& /*entry*/, const RegionFacts* region) {
    if (said || region == nullptr || !region->enabled) return;
    if (region->kind != RegionKind::coherent || !region->no_map) return;
    said = true;
    report.add(device, "dma-coherent",
               fmt::format("the device looks into the caches, and {} is mapped past them",
                           survey.path(region->node)),
               Fix{device, "/delete-property/ dma-coherent;"});
  });
}

/// Memory that is lent to the system is cached; without pages there is no second view of it.
void check_cached_pool(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!survey.machine().armv7m || !region.enabled) return;
  if (region.kind != RegionKind::contiguous) return;
  if (region.default_of()) {
    report.add_as_setup_says(region.node, {.rule = Rule::no_uncached_view,
                                           .severity = Severity::error,
                                           .node = {},
                                           .property = "linux,cma-default"});
  }
  for (const RegionUse& use : survey.uses_of(region.node)) {
    if (survey.tree().coherent(use.device) == true) continue;
    const std::string path = survey.path(region.node);
    report.add_as_setup_says(use.device, {.rule = Rule::no_uncached_view,
                                          .severity = Severity::error,
                                          .node = {},
                                          .property = "memory-region",
                                          .other = path,
                                          .index = use.index});
  }
}

constexpr std::array kRules{
    LintRule{
        .id = Rule::out_of_reach,
        .severity = Severity::error,
        .title = "a device cannot address its pool",
        .why = "No window of the dma-ranges above the device holds the region whole. The driver's "
               "own mask is not in the tree: `carveout why --mask` asks with one.",
        .example = R"(pool: pool@a0000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0xa0000000 0x0 0x100000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x100000>;",
        .linux_does = "The pool is attached, and its device addresses are the error value and what "
                      "follows it: all-ones, 0xfff, 0x1fff. From 6.16 on, and in 6.1.192, a "
                      "warning when it is attached, which compares physical addresses: it says "
                      "the same of pools that are reached.",
        .checks = {.region = check_reach},
    },
    LintRule{
        .id = Rule::malformed_dma_ranges,
        .severity = Severity::error,
        .title = "dma-ranges cannot be read, leads nowhere, or has a mask for a size",
        .why = "Its length is no whole number of entries, no entry is left after translation, a "
               "size is 0xffffffff where 4 GiB were meant, or a window holds the all-ones address.",
        .example = R"(dma-ranges = <0x0 0x0 0x0 0x80000000 0x40000000>;)",
        .fix = "dma-ranges = <0x0 0x0 0x0 0x80000000 0x0 0x40000000>;",
        .linux_does =
            "Platform devices go on with equal addresses and no limit, without a message; with an "
            "entry of length 0 alone no address is reached. Before 6.10 an odd size was taken for "
            "a mask and rounded up; later it is "
            "used as it is.",
        .checks = {.bus = check_dma_ranges},
    },
    LintRule{
        .id = Rule{29},
        .severity = Severity::note,
        .title = "a device with a pool on a bus that moves registers, and no dma-ranges",
        .why = "The CPU sees the device's registers at another address than the bus does. Whether "
               "the device sees memory at the CPU's addresses, the tree does not say.",
        .example = R"(ranges = <0x0 0x7e000000 0x0 0xfe000000 0x0 0x1000000>;)",
        .fix = "dma-ranges = <0x0 0x0 0x0 0x80000000 0x0 0x40000000>;",
        .linux_does = "Takes device addresses to be CPU addresses.",
        .checks = {.device = check_identity},
    },
    LintRule{
        .id = Rule{30},
        .severity = Severity::warning,
        .title = "devices with different windows share a pool that not all of them reach",
        .why = "The pool suits the devices on one bus only. Each of the others has a DMA027.",
        .example = R"(memory-region = <&pool>;)",
        .fix = "reg = <0x0 0x90000000 0x0 0x100000>;",
        .linux_does = "Shares the pool, and each device translates its addresses.",
        .checks = {.region = check_shared},
    },
    LintRule{
        .id = Rule{31},
        .severity = Severity::warning,
        .title = "dma-coherent is missing on a virtio device, or contradicts the pool",
        .why = "The virtio device beside it says dma-coherent and this one does not; or a device "
               "that looks into the caches has a pool that is mapped past them.",
        .example = R"(compatible = "virtio,mmio";
reg = <0x0 0xa000200 0x0 0x200>;)",
        .fix = "dma-coherent;",
        .linux_does = "Maps memory without caches for a device that looks into them, and the two "
                      "see different data.",
        .checks = {.device = check_coherent_pool, .node = check_siblings},
    },
    LintRule{
        .id = Rule::no_uncached_view,
        .severity = Severity::warning,
        .title = "a cached pool for a device that is not coherent, and no pages",
        .why = "Reusable memory is the system's and cached. A processor without an MMU "
               "(arm,armv7m-nvic) has no second view of it, so the device sees stale data.",
        .example = R"(pool: pool@c1c00000 {
	compatible = "shared-dma-pool";
	reg = <0xc1c00000 0x400000>;
	reusable;
};)",
        .fix = "no-map;",
        .linux_does =
            "Contiguous memory is not used on processors without an MMU: the request goes "
            "to the default pool, or fails.",
        .checks = {.region = check_cached_pool},
    },
};

}  // namespace

std::span<const LintRule> reach_rules() { return kRules; }

}  // namespace carveout::cli
