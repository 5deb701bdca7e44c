// Rules about what a processor's manual says: protection regions, who reaches what, cache lines.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "carveout/core/size.hpp"
#include "carveout/port/pmsa_v7.hpp"
#include "mpu_regions.hpp"
#include "page.hpp"
#include "range_sets.hpp"
#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

void check_protection_region(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!survey.machine().armv7m || !region.enabled || region.kind != RegionKind::coherent) return;
  survey.for_each_place(region, [&](PhysRange range) {
    const auto around = pmsa_v7::non_cacheable_around(range);
    if (!around) {
      report.add(
          region.node, size_property(region),
          fmt::format("{} ends above 4 GiB, where the MPU has no regions", range_text(range)));
      return;
    }
    const PhysRange window = around->covered();
    if (window == range) return;
    std::string swallowed;
    survey.for_each_range_over(window, [&](const RegionRange& other) {
      if (other.region == region.node) return true;
      swallowed = fmt::format(", {} among it", survey.path(other.region));
      return false;
    });
    const bool fixed = region.placement == RegionPlacement::fixed && region.chunks.size() == 1;
    report.add(region.node, size_property(region),
               fmt::format("{} is no one region of the MPU; the next larger is {}, which takes the "
                           "cache from {} more{}",
                           range_text(range), range_text(window),
                           size_text(window.size_bytes - range.size_bytes), swallowed),
               fixed ? std::optional{Fix{region.node, reg_line(survey, window)}} : std::nullopt);
  });
}

/// As few as `gen` would make do with, of regions that swallow nobody's memory.
void check_region_budget(const Survey& survey, Report& report) {
  const auto budget = survey.settings().facts->mpu_regions;
  if (!survey.machine().armv7m || !budget) return;
  std::vector<PhysRange> pools;
  std::vector<PhysRange> free;
  std::vector<PhysRange> taken;
  std::optional<Node> last;
  for_each_region(survey.tree(), survey.reserved(), [&](const ReservedRegion& region) {
    if (!region.enabled) return;
    survey.for_each_place(region, [&](PhysRange range) {
      taken.push_back(range);
      const bool has_regions = range.last().raw() < pmsa_v7::kLongestBytes;  // else DMA036 says so
      if (region.kind != RegionKind::coherent || !has_regions) return;
      pools.push_back(range);
      last = region.node;
    });
  });
  for_each_memory(survey.tree(), [&](Node, PhysRange range) { free.push_back(range); });
  for (const PhysRange range : survey.tree().reservations()) taken.push_back(range);
  const std::size_t fewest =
      mpu_regions(Pmsa::v7, std::move(pools), without(std::move(free), std::move(taken)), *budget)
          .size();
  if (fewest <= *budget) return;
  report.add(
      *last, "",
      fmt::format("is the last of pools that take at least {} regions of the MPU, and may take {}",
                  fewest, *budget));
}

/// Whether a place is whole inside one of the ranges.
template <class Ranges>
bool holds(const Ranges& ranges, PhysRange place) {
  return std::ranges::any_of(ranges, [&](PhysRange range) { return range.contains(place); });
}

void check_stated_reach(const Survey& survey, Report& report) {
  const auto& facts = survey.settings().facts->reaches;
  std::vector<std::pair<Node, PhysRange>> reaches;
  for (const ReachFact& fact : facts) {
    if (const auto node = survey.named(fact.node)) reaches.emplace_back(*node, fact.range);
  }
  std::ranges::sort(reaches, {}, [](const auto& each) { return each.first; });
  for (const RegionUse& use : survey.uses()) {
    std::vector<PhysRange> own;
    for (const auto& [node, range] :
         std::ranges::equal_range(reaches, use.device, {}, &std::pair<Node, PhysRange>::first)) {
      own.push_back(range);
    }
    const RegionFacts* region = survey.facts_of(use.region);
    if (own.empty() || !region->enabled || !is_pool(region->kind)) continue;
    for (const RegionRange& place : survey.places_of(use.region)) {
      if (holds(own, place.range)) continue;
      report.add(use.device, "memory-region",
                 fmt::format("{} ({}) is not among what --facts says that it reaches",
                             survey.path(use.region), range_text(place.range)));
      break;
    }
  }
}

void check_cache_lines(const Survey& survey, const ReservedRegion& region, Report& report) {
  const auto& lines = survey.settings().facts->cache_lines;
  if (!region.enabled || !is_pool(region.kind) || lines.empty()) return;
  const std::uint64_t line = std::ranges::max(lines);
  survey.for_each_place(region, [&](PhysRange range) {
    if (range.base.raw() % line == 0 && range.size_bytes % line == 0) return;
    const auto first = align_up(range.base.raw(), line);
    const std::uint64_t end = align_down(range.base.raw() + range.size_bytes, line);
    const bool fixed = region.chunks.size() == 1 && first && end > *first;
    report.add(
        region.node, size_property(region),
        fmt::format("{} is not whole cache lines of {} bytes{}", range_text(range), line,
                    lines.size() > 1 ? ", which the chip can be set to" : ""),
        fixed ? std::optional{Fix{region.node, reg_line(survey, {PhysAddr{*first}, end - *first})}}
              : std::nullopt);
  });
}

void check_slow_memory(const Survey& survey, Report& report) {
  const ChipFacts& facts = *survey.settings().facts;
  std::vector<Node> critical;
  for (const std::string& name : facts.rate_critical) {
    if (const auto node = survey.named(name)) critical.push_back(*node);
  }
  std::ranges::sort(critical);
  for (const RegionUse& use : survey.uses()) {
    if (!std::ranges::binary_search(critical, use.device)) continue;
    for (const RegionRange& place : survey.places_of(use.region)) {
      const bool slow = std::ranges::any_of(
          facts.slow, [&](PhysRange range) { return range.overlaps(place.range); });
      if (!slow) continue;
      report.add(use.device, "memory-region",
                 fmt::format("{} is in memory that --facts calls slow, and the device cannot wait",
                             survey.path(use.region)));
      break;
    }
  }
}

constexpr std::array kRules{
    LintRule{
        .id = Rule{36},
        .severity = Severity::error,
        .title = "a pool that is no one region of the MPU (ARMv7-M)",
        .why =
            "Without an MMU the MPU makes memory uncached, in regions of a power of two, aligned "
            "to their size, whose eighths can be switched off. What is rounded up to such a "
            "region takes its neighbours along.",
        .example = R"(pool: pool@c1f01000 {
	compatible = "shared-dma-pool";
	reg = <0xc1f01000 0xff000>;
	no-map;
};)",
        .fix = "reg = <0xc1f00000 0x100000>;",
        .linux_does = "Memory regions of the MPU that do not fit are cut, with a warning; the pool "
                      "lies outside of them and is not cached.",
        .checks = {.region = check_protection_region},
    },
    LintRule{
        .id = Rule{37},
        .severity = Severity::error,
        .needs = Needs::facts,
        .title = "more pools than regions of the MPU",
        .why =
            "Pools need regions, those that touch perhaps one together; `mpu-regions N` in --facts "
            "says how many there are for pools. With one too few, one pool is cached.",
        .example = R"(rings: pool@c1e00000 {
	compatible = "shared-dma-pool";
	reg = <0xc1e00000 0x80000>;
	no-map;
};)",
        .fix = "reg = <0xc1e00000 0x100000>;",
        .linux_does = "Sets up regions for its own memory only.",
        .checks = {.board = check_region_budget},
    },
    LintRule{
        .id = Rule{38},
        .severity = Severity::error,
        .needs = Needs::facts,
        .title = "a pool in memory that its device's bus does not reach",
        .why = "Tightly coupled memory hangs on the processor, and other memories on some buses "
               "only. `reaches NODE BASE+SIZE` in --facts says what a device reaches.",
        .example = R"(pool: pool@20000000 {
	compatible = "shared-dma-pool";
	reg = <0x20000000 0x10000>;
	no-map;
};)",
        .fix = "reg = <0x24000000 0x10000>;",
        .linux_does = "Nothing is checked: the transfer ends in an error of the bus.",
        .checks = {.board = check_stated_reach},
    },
    LintRule{
        .id = Rule{40},
        .severity = Severity::warning,
        .needs = Needs::facts,
        .title = "a pool that is not whole cache lines of the chip",
        .why = "The line at its edge is shared with somebody else's data. `cache-line BYTES` in "
               "--facts says how long a line is; of several, the longest counts.",
        .example = R"(pool: pool@4ff00040 {
	compatible = "shared-dma-pool";
	reg = <0x4ff00040 0x10000>;
	no-map;
};)",
        .fix = "reg = <0x4ff00080 0xff80>;",
        .linux_does = "Works in pages, which are whole lines.",
        .checks = {.region = check_cache_lines},
    },
    LintRule{
        .id = Rule{42},
        .severity = Severity::note,
        .needs = Needs::facts,
        .title = "a pool in slow memory for a device that cannot wait",
        .why = "Its FIFO runs over while others use the bus. `slow BASE+SIZE` and `rate-critical "
               "NODE` in --facts say which.",
        .example = R"(memory-region = <&pool>;)",
        .fix = "reg = <0x24000000 0x10000>;",
        .linux_does = "Nothing is checked.",
        .checks = {.board = check_slow_memory},
    },
};

}  // namespace

std::span<const LintRule> chip_rules() { return kRules; }

}  // namespace carveout::cli
