// Rules about the properties that make a region one kind of pool or another.
#include <fmt/format.h>

#include <array>

#include "carveout/core/size.hpp"
#include "page.hpp"
#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

void check_contradiction(const Survey& /*survey*/, const ReservedRegion& region, Report& report) {
  if (!region.enabled || !region.no_map || !region.reusable) return;
  if (region.kind == RegionKind::bounce) return;  // DMA032
  const Fix fix{region.node, "/delete-property/ reusable;"};
  if (is_pool(region.kind)) {
    report.add_as_setup_says(region.node,
                             {.rule = Rule::no_map_and_reusable,
                              .severity = Severity::error,
                              .node = {},
                              .property = "reusable"},
                             fix);
    return;
  }
  report.add(region.node, "reusable", "no-map and reusable contradict each other", fix);
}

void check_neither(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || region.kind != RegionKind::coherent || region.no_map) return;
  const bool refused = survey.settings().target == LintTarget::linux_arm;
  report.add_as_setup_says(
      region.node,
      {.rule = Rule::neither_no_map_nor_reusable, .severity = Severity::warning, .node = {}},
      Fix{region.node, "no-map;"}, refused ? std::optional{Severity::error} : std::nullopt);
}

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;

/// What the base and size of a reusable pool are multiples of: the page block, by the usual
/// configurations of each architecture (semantics of CMA_MIN_ALIGNMENT_BYTES since v5.17; 512 MiB
/// with 64 KiB pages, where a page block is a huge page).
std::uint64_t page_block_bytes(const LintSettings& settings) {
  if (settings.page_bytes >= 64 * kKiB) return 512 * kMiB;
  if (settings.page_bytes >= 16 * kKiB) return 32 * kMiB;
  return settings.target == LintTarget::linux_arm ? 4 * kMiB : 2 * kMiB;
}

void check_page_blocks(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || region.kind != RegionKind::contiguous) return;
  if (!is_linux(survey.settings().target)) return;
  const std::uint64_t block = page_block_bytes(survey.settings());
  const auto off = [&](std::uint64_t value) { return value % block != 0; };
  if (region.placement == RegionPlacement::dynamic) {
    if (!off(*region.size_bytes)) return;
    const auto size = align_up(*region.size_bytes, block);
    report.add(
        region.node, "size",
        fmt::format("is no multiple of {}, the page block with pages of {}", size_text(block),
                    size_text(survey.settings().page_bytes)),
        size ? std::optional{Fix{region.node, number_line("size", *size, survey.root_cells().size)}}
             : std::nullopt);
    return;
  }
  for (const PhysRange chunk : region.chunks) {
    if (!off(chunk.base.raw()) && !off(chunk.size_bytes)) continue;
    const std::uint64_t base = align_down(chunk.base.raw(), block);
    const auto size = align_up(chunk.size_bytes, block);
    const bool one = region.chunks.size() == 1 && size;
    report.add(
        region.node, "reg",
        fmt::format("{} is not in multiples of {}, the page block with pages of {}",
                    range_text(chunk), size_text(block), size_text(survey.settings().page_bytes)),
        one ? std::optional{Fix{region.node, reg_line(survey, {PhysAddr{base}, *size})}}
            : std::nullopt);
    return;
  }
}

void check_granules(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || region.kind == RegionKind::contiguous) return;
  const std::uint64_t granule = survey.granule_bytes();
  survey.for_each_place(region, [&](PhysRange range) {
    const auto first = align_up(range.base.raw(), granule);
    const std::uint64_t end = align_down(range.base.raw() + range.size_bytes, granule);
    const bool whole = first == range.base.raw() && range.size_bytes % granule == 0;
    if (whole) return;
    if (!is_pool(region.kind)) {
      report.add(region.node, size_property(region),
                 fmt::format("{} is not whole pages of {}: its first or last page is shared",
                             range_text(range), size_text(granule)),
                 {}, Severity::note);
      return;
    }
    const bool nothing = !first || end <= *first;
    const std::uint64_t lost = nothing ? range.size_bytes : range.size_bytes - (end - *first);
    const bool can_fix = !nothing && region.chunks.size() == 1;
    report.add_as_setup_says(
        region.node,
        {.rule = Rule::not_whole_granules,
         .severity = Severity::warning,
         .node = {},
         .property = size_property(region),
         .error = nothing ? std::optional{Error::below_granule} : std::nullopt,
         .range = {range.base, lost}},
        can_fix
            ? std::optional{Fix{region.node, reg_line(survey, {PhysAddr{*first}, end - *first})}}
            : std::nullopt,
        nothing ? std::optional{Severity::error} : std::nullopt);
  });
}

void check_two_handlers(const Survey& /*survey*/, const ReservedRegion& region, Report& report) {
  if (!region.enabled) return;
  std::optional<std::string_view> other;
  bool shared = false;
  for (const std::string_view each : region.compatible) {
    if (each == "shared-dma-pool") {
      shared = true;
    } else if (!other) {
      other = each;
    }
  }
  if (!shared || !other) return;
  report.add(
      region.node, "compatible",
      fmt::format("names \"{}\" beside \"shared-dma-pool\": two handlers want the region", *other),
      Fix{region.node, "compatible = \"shared-dma-pool\";"});
}

void check_restricted(const Survey& /*survey*/, const ReservedRegion& region, Report& report) {
  if (!region.enabled || region.kind != RegionKind::bounce) return;
  std::string_view property;
  if (region.no_map) property = "no-map";
  if (region.reusable) property = "reusable";
  if (region.dma_default) property = "linux,dma-default";
  if (region.cma_default) property = "linux,cma-default";
  if (property.empty()) return;
  report.add_as_setup_says(region.node,
                           {.rule = Rule::restricted_conflict,
                            .severity = Severity::error,
                            .node = {},
                            .property = "compatible"},
                           Fix{region.node, fmt::format("/delete-property/ {};", property)});
}

constexpr std::array kRules{
    LintRule{
        .id = Rule::no_map_and_reusable,
        .severity = Severity::error,
        .title = "a region states both no-map and reusable",
        .why = "no-map: the system never touches it. reusable: the system uses it meanwhile. The "
               "specification forbids both together.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x400000>;
	no-map;
	reusable;
};)",
        .fix = "/delete-property/ reusable;",
        .linux_does =
            "Up to 6.x both handlers refuse it (-EINVAL), and the memory goes back to the "
            "system. In 2026 it stays reserved, without operations: attaching fails.",
        .checks = {.region = check_contradiction},
    },
    LintRule{
        .id = Rule::neither_no_map_nor_reusable,
        .severity = Severity::warning,
        .title = "a pool states neither no-map nor reusable",
        .why = "The system maps the memory with its caches on, and the pool maps it a second time "
               "without. An error for --target linux-arm.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x400000>;
};)",
        .fix = "no-map;",
        .linux_does = "32-bit ARM refuses it at boot. Others accept it, and a driver that attaches "
                      "it gets -EINVAL; not where it is no memory of the board.",
        .checks = {.region = check_neither},
    },
    LintRule{
        .id = Rule{12},
        .severity = Severity::error,
        .title = "a reusable pool is not in multiples of a page block",
        .why = "Contiguous memory is lent to the system in page blocks, whose size depends on the "
               "page: 2 MiB with pages of 4 KiB (4 MiB for --target linux-arm), 32 MiB with 16 "
               "KiB, 512 MiB with 64 KiB. --page-size says which.",
        .example = R"(pool: pool@90100000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90100000 0x0 0x400000>;
	reusable;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x400000>;",
        .linux_does = "\"incorrect alignment of CMA region\", the region goes back to the system, "
                      "and attaching it gives -EINVAL. The alignment of a dynamic one is raised, "
                      "its size is not rounded.",
        .checks = {.region = check_page_blocks},
    },
    LintRule{
        .id = Rule::not_whole_granules,
        .severity = Severity::warning,
        .title = "base or size of a pool is no multiple of a page",
        .why = "The first or the last page, or cache line where there are no pages, is shared with "
               "somebody else, and is not used. An error where nothing is left; a note on a "
               "region that is no pool.",
        .example = R"(pool: pool@90000800 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000800 0x0 0x100000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x100000>;",
        .linux_does =
            "The size is rounded down to pages. Where the page at the base is ordinary memory in "
            "part, attaching gives -EINVAL. Else the CPU's address keeps the odd base and the "
            "device's is rounded down: they use different bytes, without a message.",
        .checks = {.region = check_granules},
    },
    LintRule{
        .id = Rule{26},
        .severity = Severity::warning,
        .title = "a region has a vendor's compatible beside shared-dma-pool",
        .why = "Each name has a handler, and which one takes the region depends on the order in "
               "which the kernel was linked.",
        .example = R"(pool: pool@90000000 {
	compatible = "fsl,qman-fqd", "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x400000>;
	no-map;
};)",
        .fix = "compatible = \"shared-dma-pool\";",
        .linux_does = "The first handler in link order that accepts it has it; the other driver "
                      "finds no memory.",
        .checks = {.region = check_two_handlers},
    },
    LintRule{
        .id = Rule::restricted_conflict,
        .severity = Severity::error,
        .title = "a restricted pool states no-map, reusable or a default",
        .why =
            "A restricted pool is ordinary memory through which all of a device's data is "
            "copied: it has to be mapped, is nobody else's, and belongs to devices that name it.",
        .example = R"(pool: pool@90000000 {
	compatible = "restricted-dma-pool";
	reg = <0x0 0x90000000 0x0 0x400000>;
	no-map;
};)",
        .fix = "/delete-property/ no-map;",
        .linux_does =
            "The region is refused (-EINVAL) and goes back to the system. A kernel without "
            "CONFIG_DMA_RESTRICTED_POOL, as Debian's for arm64, knows no such pools: the "
            "region stays reserved, and attaching it gives -EINVAL.",
        .checks = {.region = check_restricted},
    },
};

}  // namespace

std::span<const LintRule> kind_rules() { return kRules; }

}  // namespace carveout::cli
