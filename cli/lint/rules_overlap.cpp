// Rules about memory that two parties claim.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "carveout/core/size.hpp"
#include "page.hpp"
#include "range_sets.hpp"
#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

/// Of two regions that overlap: a hole that one of them keeps free for the other is deliberate.
bool is_nested(const ReservedRegion& a, const ReservedRegion& b, PhysRange in_a, PhysRange in_b) {
  if (is_pool(a.kind) || is_pool(b.kind)) return false;
  return in_a != in_b && (in_a.contains(in_b) || in_b.contains(in_a));
}

void report_overlap(const Survey& survey, const RegionRange& first, const RegionRange& second,
                    Report& report) {
  ReservedRegion at = survey.region(std::min(first.region, second.region));
  ReservedRegion other = survey.region(std::max(first.region, second.region));
  if (!is_pool(at.kind) && is_pool(other.kind)) std::swap(at, other);
  const PhysRange common = first.range.intersection(second.range);
  if (is_nested(at, other, first.range, second.range)) {
    report.add(at.node, "reg",
               fmt::format("shares {} with {}: one lies inside the other", range_text(common),
                           survey.path(other.node)),
               {}, Severity::note);
    return;
  }
  if (!is_pool(at.kind)) {
    report.add(at.node, "reg",
               fmt::format("shares {} with {}: both owners write there", range_text(common),
                           survey.path(other.node)));
    return;
  }
  const std::string path = survey.path(other.node);
  report.add_as_setup_says(at.node, {.rule = Rule::overlapping_regions,
                                     .severity = Severity::error,
                                     .node = {},
                                     .property = "reg",
                                     .other = path,
                                     .range = common});
}

/// Each range is held against the one below it that reaches furthest: whatever overlaps anything
/// below it overlaps that one.
void check_overlaps(const Survey& survey, Report& report) {
  const RegionRange* furthest = nullptr;
  for (const RegionRange& each : survey.ranges()) {
    if (furthest != nullptr && furthest->range.overlaps(each.range)) {
      if (furthest->region == each.region) {
        const Finding twice{.rule = Rule::overlapping_regions,
                            .severity = Severity::error,
                            .node = "same",
                            .property = "reg",
                            .other = "same"};
        report.add_as_setup_says(each.region, twice);
      } else {
        report_overlap(survey, *furthest, each, report);
      }
    }
    if (furthest == nullptr || furthest->range.last() < each.range.last()) furthest = &each;
  }
}

/// The CPU address of an entry of `reg`, by the `ranges` of all buses above; nothing where it has
/// none, as on a bus of chips.
class RegisterWindow {
 public:
  explicit RegisterWindow(const Survey& survey) : tree_{survey.tree()} {}

  [[nodiscard]] std::optional<PhysRange> find(Node node, PhysRange range) {
    if (range.empty() || range.wraps()) return std::nullopt;
    for (auto bus = tree_.parent(node); bus && *bus != Tree::root(); bus = tree_.parent(*bus)) {
      const auto up = through(*bus, range);
      if (!up) return std::nullopt;
      range = *up;
    }
    return range;
  }

 private:
  [[nodiscard]] std::optional<PhysRange> through(Node bus, PhysRange range) {
    const auto ranges = tree_.property(bus, "ranges");
    if (!ranges) return std::nullopt;
    if (ranges->empty()) return range;
    const CellCounts here = tree_.cells(bus);
    const CellCounts above = tree_.cells(*tree_.parent(bus));
    const std::size_t entry = entry_bytes(ranges->size(), here.address, above.address, here.size);
    if (entry == 0 || here.address > 2) return std::nullopt;  // PCI: not registers
    for (std::size_t at = 0; at + entry <= ranges->size(); at += entry) {
      if (++steps_ > kMaxSteps) return std::nullopt;
      const std::size_t parent = at + here.address * kCellBytes;
      const std::size_t size = parent + above.address * kCellBytes;
      const PhysRange child{PhysAddr{load_number(*ranges, at, here.address)},
                            load_number(*ranges, size, here.size)};
      if (!child.contains(range)) continue;
      const std::uint64_t base = load_number(*ranges, parent, above.address);
      const PhysRange up{PhysAddr{range.base.raw() - child.base.raw() + base}, range.size_bytes};
      return up.wraps() ? std::nullopt : std::optional{up};
    }
    return std::nullopt;
  }

  /// A real board takes some ten thousand; only trees made to be slow come near.
  static constexpr std::uint64_t kMaxSteps = 30'000'000;

  const Tree& tree_;
  std::uint64_t steps_ = 0;
};

/// Nodes whose `reg` is memory, or that describe what lies in a region.
bool is_memory_like(const Tree& tree, Node node) {
  const std::string_view name = before(tree.name(node), '@');
  if (name.contains("ram") || name.contains("memory") || name.contains("framebuffer") ||
      name == "flash") {
    return true;
  }
  return tree.strings(node, "device_type").contains("memory") ||
         tree.strings(node, "compatible").contains("mmio-sram");
}

/// Only regions that the tree places: where memory itself lies over registers, which boot loaders
/// mend, a dynamic one may be put there. A region is reported once, with the first device.
void check_device_registers(const Survey& survey, Report& report) {
  if (survey.ranges().empty()) return;
  const Tree& tree = survey.tree();
  RegisterWindow window{survey};
  std::vector<bool> said(tree.node_count());
  const auto check = [&](Node node, PhysRange registers) {
    survey.for_each_range_over(registers, [&](const RegionRange& hit) {
      const auto uses = survey.uses_of(hit.region);
      const bool own = std::ranges::binary_search(uses, node, {}, &RegionUse::device);
      if (own || said[hit.region.index()] || !survey.facts_of(hit.region)->fixed) return false;
      if (is_memory_like(tree, node) || is_memory_like(tree, *tree.parent(node))) return false;
      said[hit.region.index()] = true;
      report.add(hit.region, "reg",
                 fmt::format("lies over the registers of {} at {}", survey.path(node),
                             range_text(registers)));
      return false;
    });
  };
  for (const Node node : tree.nodes()) {
    const auto parent = tree.parent(node);
    if (!parent || survey.reserved().node() == parent || survey.reserved().node() == node) continue;
    const auto reg = tree.property(node, "reg");
    if (!reg || tree.cells(*parent).size == 0 || !tree.enabled(node)) continue;
    for (const PhysRange entry : Pairs{*reg, tree.cells(*parent)}) {
      const auto registers = window.find(node, entry);
      if (!registers) break;
      check(node, *registers);
    }
  }
}

void report_taken(const Survey& survey, PhysRange taken, std::string_view by, bool may_contain,
                  Report& report) {
  survey.for_each_range_over(taken, [&](const RegionRange& hit) {
    const ReservedRegion region = survey.region(hit.region);
    const bool harmless = may_contain && !is_pool(region.kind) && taken.contains(hit.range);
    report.add(hit.region, size_property(region),
               fmt::format("shares {} with {}", range_text(hit.range.intersection(taken)), by), {},
               harmless ? std::optional{Severity::note} : std::nullopt);
    return true;
  });
}

/// What is taken is joined first: the same bytes, stated a thousand times, are said once.
void check_taken_memory(const Survey& survey, Report& report) {
  const Tree& tree = survey.tree();
  std::vector<PhysRange> reserved;
  for (const PhysRange entry : tree.reservations()) {
    if (!entry.wraps()) reserved.push_back(entry);
  }
  for (const PhysRange entry : joined(std::move(reserved))) {
    report_taken(survey, entry, fmt::format("/memreserve/ {}", range_text(entry)), true, report);
  }
  const auto chosen = tree.find("/chosen");
  if (chosen) {
    const auto number = [&](std::string_view name) -> std::optional<std::uint64_t> {
      const auto bytes = tree.property(*chosen, name);
      if (!bytes || bytes->size() < kCellBytes || bytes->size() > 2 * kCellBytes) return {};
      return load_number(*bytes, 0, bytes->size() / kCellBytes);
    };
    const auto start = number("linux,initrd-start");
    const auto end = number("linux,initrd-end");
    if (start && end && *start < *end) {
      report_taken(survey, {PhysAddr{*start}, *end - *start}, "the initrd of /chosen", false,
                   report);
    }
  }
  if (!survey.settings().program) return;
  for (const PhysRange segments : joined(survey.settings().program->segments)) {
    report_taken(survey, segments, fmt::format("the program at {}", range_text(segments)), false,
                 report);
  }
}

constexpr std::array kRules{
    LintRule{
        .id = Rule::overlapping_regions,
        .severity = Severity::error,
        .title = "two regions share memory",
        .why = "Both owners write there. Only a note where one region that is no pool lies whole "
               "inside another: such holes are made on purpose.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x200000>;
	no-map;
};
firmware: firmware@90100000 {
	reg = <0x0 0x90100000 0x0 0x100000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x100000>;",
        .linux_does = "\"OVERLAP DETECTED\" in the log, and both regions exist. Where the first is "
                      "mapped and the second is no-map, the second is refused (-EBUSY); 6.6 keeps "
                      "its entry, from 2026 on it is dropped.",
        .checks = {.board = check_overlaps},
    },
    LintRule{
        .id = Rule{2},
        .severity = Severity::error,
        .title = "a region lies over the registers of an enabled device",
        .why = "Whoever uses the region as memory writes to the device. Nodes that describe memory "
               "(SRAM, frame buffers) are not meant, nor is a device whose own region it is.",
        .example = R"(pool: pool@10000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x10000000 0x0 0x100000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x100000>;",
        .linux_does = "Nothing is checked: the pool is created, and its first user writes to the "
                      "device.",
        .checks = {.board = check_device_registers},
    },
    LintRule{
        .id = Rule{3},
        .severity = Severity::error,
        .title = "a region shares memory with /memreserve/, the initrd or the program",
        .why = "Somebody else keeps data there at boot. --elf, and --load where it is loaded "
               "elsewhere, add the program. Only a note where a region that is no pool is reserved "
               "in both ways.",
        .example = R"(/memreserve/ 0x90080000 0x10000;)",
        .fix = "reg = <0x0 0x90100000 0x0 0x100000>;",
        .linux_does =
            "A no-map region that touches one such page is refused as a whole (-EBUSY: \"failed to "
            "reserve memory for node\"), although the log then says that the pool was created; a "
            "mapped or reusable one is accepted without a message and overwrites it. "
            "From 2026 on /memreserve/ comes after dynamic regions, which may land on it.",
        .checks = {.board = check_taken_memory},
    },
};

}  // namespace

std::span<const LintRule> overlap_rules() { return kRules; }

}  // namespace carveout::cli
