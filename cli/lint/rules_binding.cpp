// Rules about what a device's memory-region names.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

/// Memory that a driver may name without a reservation: it is described by a node of its own.
bool is_described_memory(const Tree& tree, Node node) {
  return tree.has(node, "reg") && before(tree.name(node), '@').contains("ram");
}

void check_targets(const Survey& survey, Node device, Report& report) {
  const Tree& tree = survey.tree();
  survey.for_each_entry(device, [&](const Binding& entry, const RegionFacts* region) {
    if (region != nullptr) return;
    if (entry.region && is_described_memory(tree, *entry.region)) return;
    const std::string other = entry.region ? survey.path(*entry.region) : std::string{};
    report.add_as_setup_says(device, {.rule = Rule::no_such_region,
                                      .severity = Severity::error,
                                      .node = {},
                                      .property = "memory-region",
                                      .other = other,
                                      .index = entry.index});
  });
}

void check_disabled(const Survey& survey, Node device, Report& report) {
  const Tree& tree = survey.tree();
  const bool all = survey.reserved().fault() == ReservedMemoryFault::disabled;
  survey.for_each_entry(device, [&](const Binding& entry, const RegionFacts* region) {
    if (region == nullptr || (tree.okay(region->node) && !all)) return;
    const std::string other = survey.path(region->node);
    report.add_as_setup_says(
        device,
        {.rule = Rule::disabled_region,
         .severity = Severity::warning,
         .node = {},
         .property = "memory-region",
         .other = other,
         .index = entry.index},
        Fix{all ? *survey.reserved().node() : region->node, "status = \"okay\";"});
  });
}

/// What a device names, by kind.
struct Named {
  std::size_t coherent = 0;
  std::size_t contiguous = 0;
  std::optional<Node> bounce = std::nullopt;
};

Named named_by(const Survey& survey, Node device) {
  Named named;
  survey.for_each_entry(device, [&](const Binding& /*entry*/, const RegionFacts* region) {
    if (region == nullptr || !region->enabled) return;
    if (region->kind == RegionKind::coherent) ++named.coherent;
    if (region->kind == RegionKind::contiguous) ++named.contiguous;
    if (region->kind == RegionKind::bounce) named.bounce = region->node;
  });
  return named;
}

void check_several(const Survey& survey, Node device, Report& report) {
  if (!is_linux(survey.settings().target)) return;
  const Named named = named_by(survey, device);
  const std::size_t most = std::max(named.coherent, named.contiguous);
  if (most < 2) return;
  report.add(device, "memory-region",
             fmt::format("names {} pools of one kind; Linux assigns the first, unless the driver "
                         "asks for more by index or name",
                         most));
}

void check_companion(const Survey& survey, Node device, Report& report) {
  const Named named = named_by(survey, device);
  if (!named.bounce || named.coherent != 0 || survey.tree().coherent(device) == true) return;
  report.add(device, "memory-region",
             fmt::format("names the restricted pool {} and no coherent one beside it",
                         survey.path(*named.bounce)));
}

constexpr std::array kRules{
    LintRule{
        .id = Rule::no_such_region,
        .severity = Severity::error,
        .title = "memory-region names what is no region",
        .why =
            "The phandle is nobody's, or its node is not a child of /reserved-memory. Nodes that "
            "describe RAM by themselves are not meant.",
        .example = R"(memory-region = <&shared>;)",
        .fix = "memory-region = <&pool>;",
        .linux_does =
            "-ENODEV for a phandle that is nobody's, -EINVAL for a node without a region: "
            "the driver's probe fails.",
        .checks = {.device = check_targets},
    },
    LintRule{
        .id = Rule::disabled_region,
        .severity = Severity::warning,
        .title = "an enabled device names a disabled region",
        .why = "The device is served like one without a pool of its own, and nothing says so.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x400000>;
	no-map;
	status = "disabled";
};)",
        .fix = "status = \"okay\";",
        .linux_does = "Attaching succeeds and assigns nothing: the device uses the system's "
                      "memory. The status "
                      "of /reserved-memory itself is not read: its regions exist.",
        .checks = {.device = check_disabled},
    },
    LintRule{
        .id = Rule{23},
        .severity = Severity::note,
        .title = "a device names several pools of one kind",
        .why = "Legal, and usual for remote processors, whose drivers ask for each by index.",
        .example = R"(memory-region = <&pool>, <&buffers>;)",
        .fix = "memory-region = <&pool>;",
        .linux_does = "A device has at most one coherent pool. The first is kept, and attaching "
                      "a second gives -EBUSY; before 6.1.192 and up to 6.6 no error. A second "
                      "contiguous one replaces the first.",
        .checks = {.device = check_several},
    },
    LintRule{
        .id = Rule{33},
        .severity = Severity::warning,
        .title = "a restricted pool without a coherent pool beside it",
        .why = "A device that is not coherent cannot get coherent memory from a restricted pool "
               "while it must not wait (in an interrupt), because the pool's memory is cached.",
        .example = R"(memory-region = <&bounce>;)",
        .fix = "memory-region = <&bounce>, <&coherent>;",
        .linux_does = "Such requests fail.",
        .checks = {.device = check_companion},
    },
};

}  // namespace

std::span<const LintRule> binding_rules() { return kRules; }

}  // namespace carveout::cli
