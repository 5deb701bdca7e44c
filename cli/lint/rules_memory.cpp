// Rules about regions and the memory that there is.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "page.hpp"
#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

/// A region that somebody allocates from must be memory. What is only kept free need not be.
bool is_kept_free(const ReservedRegion& region) { return !is_pool(region.kind) && region.no_map; }

/// Whether a `reg` of one pair says where its memory ends instead of how much it is.
bool is_end_address(const Survey& survey, const ReservedRegion& region) {
  if (region.chunks.size() != 1) return false;
  const PhysRange chunk = region.chunks[0];
  if (chunk.base.raw() == 0 || chunk.size_bytes <= chunk.base.raw() || chunk.wraps()) return false;
  const PhysRange meant{chunk.base, chunk.size_bytes - chunk.base.raw()};
  return survey.memory_in(chunk) < chunk.size_bytes && survey.memory_in(meant) == meant.size_bytes;
}

void check_outside(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || survey.memory().empty() || is_kept_free(region)) return;
  for (const PhysRange chunk : region.chunks) {
    if (chunk.empty() || chunk.wraps() || survey.memory_in(chunk) != 0) continue;
    const bool must_be_memory =
        region.kind == RegionKind::contiguous || region.kind == RegionKind::bounce;
    report.add(region.node, "reg",
               fmt::format("{} is no memory of the board{}", range_text(chunk),
                           must_be_memory ? ": it cannot be lent to the system" : ""),
               {}, must_be_memory ? Severity::error : Severity::note);
    return;
  }
}

void check_partly_outside(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || survey.memory().empty()) return;
  for (const PhysRange chunk : region.chunks) {
    if (chunk.empty() || chunk.wraps()) continue;
    const std::uint64_t inside = survey.memory_in(chunk);
    if (inside == 0 || inside == chunk.size_bytes) continue;
    report.add(region.node, "reg",
               fmt::format("{} has {} that are no memory of the board", range_text(chunk),
                           size_text(chunk.size_bytes - inside)),
               {}, is_kept_free(region) ? std::optional{Severity::note} : std::nullopt);
    return;
  }
}

void check_end_address(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || survey.memory().empty() || !is_end_address(survey, region)) return;
  const PhysRange chunk = region.chunks[0];
  const PhysRange meant{chunk.base, chunk.size_bytes - chunk.base.raw()};
  report.add(region.node, "reg",
             fmt::format("its size {} looks like an end: {} would be memory", hex(chunk.size_bytes),
                         range_text(meant)),
             Fix{region.node, reg_line(survey, meant)});
}

void check_placement(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || region.placement != RegionPlacement::dynamic) return;
  const auto place = survey.placed(region);
  // Where the tree states no memory, a boot loader does.
  if (place || place.error() != PlacementFault::does_not_fit) return;
  report.add_as_setup_says(region.node, {.rule = Rule::cannot_be_placed,
                                         .severity = Severity::error,
                                         .node = {},
                                         .property = "size",
                                         .range = {PhysAddr{0}, *region.size_bytes}});
}

void check_share_of_memory(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || !is_pool(region.kind) || survey.memory().empty()) return;
  const bool dynamic = region.placement == RegionPlacement::dynamic;
  if (!dynamic && !region.default_of()) return;
  const std::uint64_t bytes = Survey::bytes_of(region);
  const std::uint64_t all = survey.memory_bytes();
  if (bytes <= all / 2) return;
  std::uint64_t quarter = std::uint64_t{1} << 22;
  while (quarter <= all / 8) quarter *= 2;
  const auto fix =
      dynamic
          ? std::optional{Fix{region.node, number_line("size", quarter, survey.root_cells().size)}}
          : std::nullopt;
  report.add(region.node, size_property(region),
             fmt::format("takes {} of {} of memory", size_text(bytes), size_text(all)), fix);
}

constexpr std::array kRules{
    LintRule{
        .id = Rule{4},
        .severity = Severity::error,
        .title = "a pool is no memory of the board",
        .why = "A reusable or restricted pool is lent to the system or mapped by it, so it has to "
               "be memory. A no-map pool need not: on-chip SRAM makes good ones, and there this is "
               "a note. Where the tree states no memory, a boot loader does, and the rule is "
               "silent: say --ram.",
        .example = R"(pool: pool@40000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x40000000 0x0 0x1000000>;
	reusable;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x1000000>;",
        .linux_does = "With no-map it is accepted. Without, 32-bit ARM refuses it; a reusable one "
                      "ends the boot of arm64 with a panic (6.1).",
        .checks = {.region = check_outside},
    },
    LintRule{
        .id = Rule{5},
        .severity = Severity::error,
        .title = "a region is memory in part",
        .why = "It reaches over the end of a bank or over a hole. Only a note where it is no pool "
               "and no-map, because nobody allocates from it.",
        .example = R"(pool: pool@bff00000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0xbff00000 0x0 0x200000>;
	no-map;
};)",
        .fix = "reg = <0x0 0xbfe00000 0x0 0x200000>;",
        .linux_does = "With no-map the pool is attached, and hands out what is past the memory. "
                      "Mapped: -EINVAL when a driver attaches it. Reusable: a panic at boot (6.1).",
        .checks = {.region = check_partly_outside},
    },
    LintRule{
        .id = Rule{9},
        .severity = Severity::warning,
        .title = "a size looks like an end address",
        .why = "The second half of reg is a size. Read as an end it would lie in memory; as a size "
               "it does not.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x90100000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x100000>;",
        .linux_does = "Takes it as a size: most of memory is gone, or the boot ends.",
        .checks = {.region = check_end_address},
    },
    LintRule{
        .id = Rule::cannot_be_placed,
        .severity = Severity::error,
        .title = "a dynamic region fits nowhere",
        .why = "No bank inside its alloc-ranges has a free piece of that size and alignment once "
               "all fixed regions and /memreserve/ are taken.",
        .example = R"(pool: pool {
	compatible = "shared-dma-pool";
	size = <0x0 0x4000000>;
	alloc-ranges = <0x0 0x90000000 0x0 0x2000000>;
	no-map;
};)",
        .fix = "alloc-ranges = <0x0 0x90000000 0x0 0x8000000>;",
        .linux_does = "\"failed to allocate memory for node\" at boot, and the region does not "
                      "exist.",
        .checks = {.region = check_placement},
    },
    LintRule{
        .id = Rule{16},
        .severity = Severity::warning,
        .title = "a default or dynamic pool takes more than half of memory",
        .why = "The same tree often serves boards with less memory. --ram says what the smallest "
               "has.",
        .example = R"(pool: pool {
	compatible = "shared-dma-pool";
	size = <0x0 0x28000000>;
	reusable;
	linux,cma-default;
};)",
        .fix = "size = <0x0 0x10000000>;",
        .linux_does = "Reserves it. What the kernel may not move does not fit into the rest, and "
                      "the system runs out of memory with most of it free.",
        .checks = {.region = check_share_of_memory},
    },
};

}  // namespace

std::span<const LintRule> memory_rules() { return kRules; }

}  // namespace carveout::cli
