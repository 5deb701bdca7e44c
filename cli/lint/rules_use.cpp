// Rules about what a program does with the pools: a workload's buffers, a program's sections.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <vector>

#include "carveout/core/size.hpp"
#include "page.hpp"
#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

/// What serves the devices of a workload.
class Pools {
 public:
  explicit Pools(const Survey& survey) : survey_{survey} {
    for_each_region(survey.tree(), survey.reserved(), [&](const ReservedRegion& region) {
      if (!region.enabled) return;
      const bool better = region.default_of() == RegionKind::coherent;
      const bool other = region.default_of() == RegionKind::contiguous && !default_;
      if ((better && !coherent_default_) || other) {
        default_ = region.node;
        coherent_default_ = better;
      }
    });
  }

  /// The device's own pool, else the default; nothing where the tree has neither.
  [[nodiscard]] std::optional<Node> serving(const std::string& device) const {
    const auto node = device.empty() ? std::nullopt : survey_.named(device);
    if (!node) return default_;
    std::optional<Node> own;
    survey_.for_each_entry(*node, [&](const Binding& /*entry*/, const RegionFacts* region) {
      if (own || region == nullptr || !region->enabled) return;
      if (region->kind == RegionKind::coherent) own = region->node;
    });
    return own ? own : default_;
  }

 private:
  const Survey& survey_;
  std::optional<Node> default_;
  bool coherent_default_ = false;
};

/// What Linux takes from a coherent pool for a request: a power of two of pages (coherent.c).
std::uint64_t linux_bytes(std::uint64_t size_bytes, std::uint64_t page_bytes) {
  const auto pages = align_up(size_bytes, page_bytes);
  if (!pages || *pages > std::uint64_t{1} << 62) return UINT64_MAX;
  return std::bit_ceil(*pages);
}

bool rounds_to_powers(const Survey& survey, const ReservedRegion& region) {
  return region.kind == RegionKind::coherent && is_linux(survey.settings().target) &&
         survey.settings().target != LintTarget::any_linux;
}

std::uint64_t taken_bytes(const Survey& survey, const ReservedRegion& region,
                          std::uint64_t size_bytes) {
  if (rounds_to_powers(survey, region)) {
    return linux_bytes(size_bytes, survey.settings().page_bytes);
  }
  return align_up(size_bytes, survey.granule_bytes()).value_or(UINT64_MAX);
}

/// A pool under a workload.
struct Load {
  std::uint64_t live = 0;
  std::uint64_t peak = 0;
  std::uint64_t asked = 0;  // by all requests together
  std::uint64_t taken = 0;
};

std::map<Node, Load> loads_of(const Survey& survey) {
  const Workload& workload = *survey.settings().workload;
  const Pools pools{survey};
  std::map<std::string, std::optional<Node>> serving;
  for (const Demand& request : workload.requests) {
    if (!serving.contains(request.device)) {
      serving.emplace(request.device, pools.serving(request.device));
    }
  }
  std::map<Node, ReservedRegion> regions;
  std::map<Node, Load> loads;
  for (const WorkloadEvent& event : workload.events) {
    const Demand& request = workload.requests[event.request];
    const auto pool = serving[request.device];
    if (!pool) continue;
    const auto region = regions.try_emplace(*pool, survey.region(*pool)).first->second;
    const std::uint64_t bytes = taken_bytes(survey, region, request.size_bytes);
    Load& load = loads[*pool];
    if (event.frees) {
      load.live -= bytes;
      continue;
    }
    load.live = saturating_add(load.live, bytes);
    load.peak = std::max(load.peak, load.live);
    load.asked = saturating_add(load.asked, request.size_bytes);
    load.taken = saturating_add(load.taken, bytes);
  }
  return loads;
}

void check_size(const Survey& survey, Report& report) {
  for (const auto& [node, load] : loads_of(survey)) {
    const ReservedRegion region = survey.region(node);
    const std::uint64_t bytes = Survey::bytes_of(region);
    if (load.peak <= bytes) continue;
    std::optional<Fix> fix;
    const auto whole = align_up(load.peak, std::uint64_t{1} << 20);
    if (region.placement == RegionPlacement::dynamic && whole) {
      fix = Fix{node, number_line("size", *whole, survey.root_cells().size)};
    }
    report.add(node, size_property(region),
               fmt::format("has {}, and the workload needs {} at once", size_text(bytes),
                           size_text(load.peak)),
               fix);
  }
}

void check_rounding(const Survey& survey, Report& report) {
  for (const auto& [node, load] : loads_of(survey)) {
    const ReservedRegion region = survey.region(node);
    if (!rounds_to_powers(survey, region)) continue;
    const std::uint64_t waste = load.taken - load.asked;
    if (waste <= load.taken / 4) continue;
    report.add(
        node, size_property(region),
        fmt::format("gives {} for the {} that the workload asks for: requests are rounded up "
                    "to a power of two of pages",
                    size_text(load.taken), size_text(load.asked)));
  }
}

bool sounds_like_dma(std::string_view name) {
  std::string lower{name};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::any_of(
      std::array<std::string_view, 4>{"dma", "nocache", "noncache", "uncached"},
      [&](std::string_view word) { return lower.contains(word); });
}

void check_sections(const Survey& survey, Report& report) {
  const Program& program = *survey.settings().program;
  const auto in_a_pool = [&](PhysRange range) {
    bool found = false;
    survey.for_each_range_over(range, [&](const RegionRange& place) {
      const RegionFacts* region = survey.facts_of(place.region);
      found = region->kind == RegionKind::coherent && place.range.contains(range);
      return !found;
    });
    return found;
  };
  const auto declared = survey.settings().facts
                            ? std::span<const std::string>{survey.settings().facts->sections}
                            : std::span<const std::string>{};
  const Node at = survey.reserved().node().value_or(Tree::root());
  for (const std::string& name : declared) {
    const bool there =
        std::ranges::find(program.sections, name, &ProgramSection::name) != program.sections.end();
    if (there) continue;
    report.add(at, "",
               fmt::format("the program has no section {}, which --facts names for DMA", name));
  }
  for (const ProgramSection& section : program.sections) {
    if (!sounds_like_dma(section.name) &&
        std::ranges::find(declared, section.name) == declared.end())
      continue;
    if (in_a_pool(section.range)) continue;
    report.add(at, "",
               fmt::format("the program's section {} ({}) lies in no coherent pool: it is cached",
                           section.name, range_text(section.range)));
  }
}

constexpr std::array kRules{
    LintRule{
        .id = Rule{17},
        .severity = Severity::warning,
        .needs = Needs::workload,
        .title = "a pool is smaller than a workload needs",
        .why = "--workload lists allocations and releases; what is alive at once does not fit into "
               "the pool that serves it, even without gaps.",
        .example = R"(pool: pool {
	compatible = "shared-dma-pool";
	size = <0x0 0x100000>;
	no-map;
	linux,dma-default;
};)",
        .fix = "size = <0x0 0x800000>;",
        .linux_does = "The allocation fails with -ENOMEM, without a message from a coherent pool.",
        .checks = {.board = check_size},
    },
    LintRule{
        .id = Rule{41},
        .severity = Severity::warning,
        .needs = Needs::workload,
        .title = "more than a quarter of a pool is lost to powers of two",
        .why =
            "For a --target linux-* only: Carveout gives what was asked, in whole pages. A frame "
            "of 760 pages takes 1024.",
        .example = R"(pool: pool {
	compatible = "shared-dma-pool";
	size = <0x0 0x1000000>;
	no-map;
	linux,dma-default;
};)",
        .fix = "reusable;",
        .linux_does = "A coherent pool rounds each request up to a power of two of pages "
                      "(kernel/dma/coherent.c). Contiguous memory does not.",
        .checks = {.board = check_rounding},
    },
    LintRule{
        .id = Rule{43},
        .severity = Severity::warning,
        .needs = Needs::program,
        .title = "a section of the program for DMA lies in no pool",
        .why = "Its name says that it is for DMA (dma, nocache, noncache, uncached), or --facts "
               "does with `section NAME`; its address is ordinary, cached memory. Most often its "
               "name in the source is not that in the linker script.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x10000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90010000 0x0 0x10000>;",
        .linux_does = "Does not apply: its drivers allocate.",
        .checks = {.board = check_sections},
    },
};

}  // namespace

std::span<const LintRule> use_rules() { return kRules; }

}  // namespace carveout::cli
