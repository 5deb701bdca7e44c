// Rules about how a region states its memory: numbers that fit their cells, and mean something.
#include <fmt/format.h>

#include <array>

#include "carveout/core/size.hpp"
#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

void check_wrap(const Survey& /*survey*/, const ReservedRegion& region, Report& report) {
  if (!region.enabled) return;
  for (const PhysRange chunk : region.chunks) {
    if (!chunk.wraps()) continue;
    report.add_as_setup_says(region.node, {.rule = Rule::region_wraps,
                                           .severity = Severity::error,
                                           .node = {},
                                           .property = "reg",
                                           .range = chunk});
    return;
  }
}

void check_length(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled) return;
  std::string_view property = property_of(region.fault);
  const bool bad_alloc_ranges = region.placement == RegionPlacement::dynamic &&
                                region.has_alloc_ranges && !region.alloc_ranges.whole();
  if (bad_alloc_ranges) property = "alloc-ranges";
  if (region.fault == RegionFault::none && !bad_alloc_ranges) return;
  const auto cells = survey.root_cells();
  std::optional<Fix> fix;
  if (region.fault == RegionFault::malformed_size && cells.size > 0) {
    const Bytes size = *survey.tree().property(region.node, "size");
    const std::size_t whole = size.size() / kCellBytes;
    if (whole > 0) {
      fix = Fix{region.node, number_line("size", load_number(size, 0, whole), cells.size)};
    }
  }
  report.add_as_setup_says(region.node,
                           {.rule = Rule::malformed_region,
                            .severity = Severity::error,
                            .node = {},
                            .property = property},
                           fix);
}

void check_parent(const Survey& survey, Report& report) {
  const ReservedMemory& reserved = survey.reserved();
  const auto fault = reserved.fault();
  if (fault == ReservedMemoryFault::none || fault == ReservedMemoryFault::disabled) return;
  const auto children = survey.tree().children(*reserved.node());
  if (children.begin() == children.end()) return;
  const auto cells = survey.root_cells();
  std::string line = "ranges;";
  if (fault == ReservedMemoryFault::no_address_cells ||
      fault == ReservedMemoryFault::address_cells_differ) {
    line = number_line("#address-cells", cells.address, 1);
  } else if (fault != ReservedMemoryFault::no_ranges) {
    line = number_line("#size-cells", cells.size, 1);
  }
  report.add_as_setup_says(*reserved.node(),
                           {.rule = Rule::malformed_reserved_memory,
                            .severity = Severity::error,
                            .node = {},
                            .property = property_of(fault)},
                           Fix{*reserved.node(), line});
}

void check_alignment(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || region.placement != RegionPlacement::dynamic) return;
  const auto place = survey.placed(region);
  const bool zero = region.alignment_value() == 0U;
  const bool bad = !place && (place.error() == PlacementFault::malformed_alignment ||
                              place.error() == PlacementFault::alignment_no_power_of_two);
  if (!zero && !bad) return;
  const std::uint64_t stated = region.alignment_value().value_or(0);
  std::uint64_t power = survey.granule_bytes();
  while (power < stated && power < std::uint64_t{1} << 62) power *= 2;
  const Fix fix{region.node, number_line("alignment", power, survey.root_cells().size)};
  if (zero) {
    report.add(region.node, "alignment", "is 0, which is no alignment: it counts as absent", fix);
    return;
  }
  report.add_as_setup_says(region.node,
                           {.rule = Rule::bad_alignment,
                            .severity = Severity::error,
                            .node = {},
                            .property = "alignment"},
                           fix);
}

void check_empty(const Survey& /*survey*/, const ReservedRegion& region, Report& report) {
  if (region.okay && !region.enabled) return;  // in a node that is not read: DMA008
  bool empty = region.size_bytes == 0U;
  for (const PhysRange chunk : region.chunks) empty = empty || chunk.empty();
  if (!empty) return;
  const std::string_view property = size_property(region);
  if (!region.okay) {
    report.add(region.node, property, "has 0 bytes: whoever enables the region must fill it in", {},
               Severity::note);
    return;
  }
  if (is_pool(region.kind)) {
    report.add_as_setup_says(region.node, {.rule = Rule::empty_region,
                                           .severity = Severity::error,
                                           .node = {},
                                           .property = property});
    return;
  }
  report.add(region.node, property, "has a range of 0 bytes: nothing is reserved");
}

void check_reg_and_size(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled) return;
  const bool both = survey.tree().has(region.node, "reg") && survey.tree().has(region.node, "size");
  if (!both) return;
  report.add(region.node, "size", "is ignored, because reg is stated, too",
             Fix{region.node, "/delete-property/ size;"});
}

constexpr std::array kRules{
    LintRule{
        .id = Rule::region_wraps,
        .severity = Severity::error,
        .title = "base and size of a region pass 2^64",
        .why = "The end of the region has no address. Most often a cell too many or too few has "
               "shifted base and size against each other.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0xffffffff 0xfff00000 0x0 0x200000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x200000>;",
        .linux_does =
            "On 64 bits the range is cut at the end of the address space without a word, and "
            "attaching it gives -EINVAL; on 32 bits base and size are cut to 32 bits first, and "
            "other memory is "
            "reserved.",
        .checks = {.region = check_wrap},
    },
    LintRule{
        .id = Rule::malformed_region,
        .severity = Severity::error,
        .title = "reg, size or alloc-ranges does not fit the root's cells",
        .why = "A region is read in the #address-cells and #size-cells of the root, not of the bus "
               "of its user. What is not a whole number of entries, or states neither reg nor "
               "size, has no memory.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x200000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x200000>;",
        .linux_does =
            "Up to 6.12 the region is skipped with a message. Later versions treat such a "
            "reg as if it were absent, so that a size makes the region dynamic. A region "
            "with neither is ignored without a message.",
        .checks = {.region = check_length},
    },
    LintRule{
        .id = Rule::malformed_reserved_memory,
        .severity = Severity::error,
        .title = "/reserved-memory has cells unlike the root's, or no ranges",
        .why = "Every region below the node is ignored: the memory is used by the system, and "
               "drivers that bind a pool find none.",
        .example = R"(reserved-memory {
	#address-cells = <2>;
	#size-cells = <2>;)",
        .fix = "ranges;",
        .linux_does = "One line at boot (\"Reserved memory: unsupported node format, ignoring\"), "
                      "and no region exists.",
        .checks = {.board = check_parent},
    },
    LintRule{
        .id = Rule::bad_alignment,
        .severity = Severity::error,
        .title = "alignment is zero, no power of two, or has the wrong number of cells",
        .why = "Where the region goes is then the allocator's choice, or the region is not placed.",
        .example = R"(pool: pool {
	compatible = "shared-dma-pool";
	size = <0x0 0x300000>;
	alignment = <0x0 0x300000>;
	no-map;
};)",
        .fix = "alignment = <0x0 0x400000>;",
        .linux_does = "The number of cells is checked, the value is not: an alignment that is no "
                      "power of two gives a base that is a multiple of nothing.",
        .checks = {.region = check_alignment},
    },
    LintRule{
        .id = Rule::empty_region,
        .severity = Severity::error,
        .title = "a region of 0 bytes",
        .why = "It reserves nothing and looks as if it did. A disabled one is only noted: firmware "
               "fills in some, and enables them.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x0>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x100000>;",
        .linux_does =
            "Of a fixed one \"failed to reserve memory for node\": 6.6 keeps an empty entry, "
            "which it later treats as dynamic; from 2026 on the region is skipped. A "
            "dynamic one is created at the end of memory. A driver that attaches either "
            "gets -EINVAL.",
        .checks = {.region = check_empty},
    },
    LintRule{
        .id = Rule{45},
        .severity = Severity::warning,
        .title = "a region states both reg and size",
        .why = "reg is taken. Whoever changed size to make the pool larger changed nothing.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x100000>;
	size = <0x0 0x400000>;
	no-map;
};)",
        .fix = "/delete-property/ size;",
        .linux_does = "reg is used and size is ignored, without a message.",
        .checks = {.region = check_reg_and_size},
    },
    LintRule{
        .id = Rule::malformed_blob,
        .severity = Severity::error,
        .title = "the blob is no well-formed flattened device tree",
        .why = "Its header, offsets, nesting or names contradict each other or the length of the "
               "file. Nothing else is looked at: everything after the mistake would be a guess.",
        .example = "",
        .fix = "",
        .linux_does = "A bad magic or version ends the boot. Offsets and nesting are trusted.",
        .checks = {},
    },
};

}  // namespace

std::span<const LintRule> statement_rules() { return kRules; }

}  // namespace carveout::cli
