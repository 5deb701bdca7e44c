// Rules about the pools that serve whoever has none of its own.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

/// Of a default: its kind, and the node of memory that it is for. The coherent one is for all.
using Role = std::pair<RegionKind, std::optional<std::uint32_t>>;

std::optional<Role> role_of(const Survey& survey, const ReservedRegion& region) {
  const auto kind = region.default_of();
  if (!region.enabled || !kind) return std::nullopt;
  const CellList numa{survey.tree().property(region.node, "numa-node-id").value_or(Bytes{})};
  const bool by_node = *kind == RegionKind::contiguous && numa.size() > 0;
  return Role{*kind, by_node ? std::optional{numa[0]} : std::nullopt};
}

std::string_view property_of(RegionKind kind) {
  return kind == RegionKind::coherent ? "linux,dma-default" : "linux,cma-default";
}

void check_second_default(const Survey& survey, Report& report) {
  std::vector<std::pair<Role, Node>> claims;
  for_each_region(survey.tree(), survey.reserved(), [&](const ReservedRegion& region) {
    if (const auto role = role_of(survey, region)) claims.emplace_back(*role, region.node);
  });
  std::ranges::sort(claims);
  for (std::size_t i = 1; i < claims.size(); ++i) {
    const auto first =
        std::ranges::lower_bound(claims, claims[i].first, {}, &std::pair<Role, Node>::first);
    if (first->second == claims[i].second) continue;
    const std::string path = survey.path(first->second);
    const std::string_view property = property_of(claims[i].first.first);
    report.add_as_setup_says(claims[i].second,
                             {.rule = Rule::second_default,
                              .severity = Severity::error,
                              .node = {},
                              .property = property,
                              .other = path,
                              .error = Error::already_declared},
                             Fix{claims[i].second, fmt::format("/delete-property/ {};", property)});
  }
}

void check_wrong_kind(const Survey& /*survey*/, const ReservedRegion& region, Report& report) {
  if (!region.enabled || region.kind == RegionKind::bounce) return;  // that is DMA032
  const bool wrong_dma = region.dma_default && region.kind != RegionKind::coherent;
  const bool wrong_cma = region.cma_default && region.kind != RegionKind::contiguous;
  for (const auto& [wrong, property] :
       {std::pair{wrong_dma, property_of(RegionKind::coherent)},
        std::pair{wrong_cma, property_of(RegionKind::contiguous)}}) {
    if (!wrong) continue;
    report.add_as_setup_says(region.node,
                             {.rule = Rule::default_of_wrong_kind,
                              .severity = Severity::error,
                              .node = {},
                              .property = property},
                             Fix{region.node, fmt::format("/delete-property/ {};", property)});
  }
}

void check_command_line(const Survey& survey, Report& report) {
  const auto chosen = survey.tree().find("/chosen");
  if (!chosen || !is_linux(survey.settings().target)) return;
  std::string_view rest = survey.tree().strings(*chosen, "bootargs").first().value_or("");
  std::optional<std::string_view> cma;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (word == "--") break;  // what follows is init's
    if (word.starts_with("cma=")) cma = word;
  }
  if (!cma) return;
  for_each_region(survey.tree(), survey.reserved(), [&](const ReservedRegion& region) {
    if (!region.enabled || region.default_of() != RegionKind::contiguous) return;
    report.add(region.node, "linux,cma-default",
               fmt::format("is bypassed: the command line in /chosen says {}", *cma));
  });
}

void check_unused(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || !is_pool(region.kind)) return;
  if (region.dma_default || region.cma_default || survey.is_named(region.node)) return;
  report.add(region.node, "",
             "is a pool, and no device names it: its memory is lost, unless a driver looks it up "
             "by name");
}

constexpr std::array kRules{
    LintRule{
        .id = Rule::second_default,
        .severity = Severity::error,
        .title = "two defaults for one role",
        .why = "There is one coherent default, and one contiguous default (one more for each "
               "numa-node-id). Here the first in the tree stays.",
        .example = R"(second: pool@a0000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0xa0000000 0x0 0x400000>;
	no-map;
	linux,dma-default;
};)",
        .fix = "/delete-property/ linux,dma-default;",
        .linux_does =
            "The last one that is processed wins: up to 6.12 the one with the highest base, "
            "later the last in the tree, dynamic ones before fixed. Of coherent ones a "
            "warning; a kernel without CONFIG_DMA_GLOBAL_POOL, as for arm64, has no "
            "coherent default at all.",
        .checks = {.board = check_second_default},
    },
    LintRule{
        .id = Rule::default_of_wrong_kind,
        .severity = Severity::error,
        .title = "a default of the wrong kind",
        .why =
            "linux,dma-default is for a coherent pool (no-map), linux,cma-default for a reusable "
            "one. On any other region it says nothing.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x400000>;
	no-map;
	linux,cma-default;
};)",
        .fix = "/delete-property/ linux,cma-default;",
        .linux_does = "The property is ignored without a message: there is no default.",
        .checks = {.region = check_wrong_kind},
    },
    LintRule{
        .id = Rule{20},
        .severity = Severity::warning,
        .title = "cma= on the command line bypasses the default of the tree",
        .why = "Whoever reads the tree believes in a size and a place that are not used.",
        .example = R"(chosen {
	bootargs = "console=ttyS0 cma=64M";
};)",
        .fix = "bootargs = \"console=ttyS0\";",
        .linux_does = "A cma= on the command line, even cma=0, refuses every region with "
                      "linux,cma-default.",
        .checks = {.board = check_command_line},
    },
    LintRule{
        .id = Rule{25},
        .severity = Severity::note,
        .title = "a pool that no device names and that is no default",
        .why = "Its memory is lost. A note, because some drivers look a region up by its name.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90000000 0x0 0x400000>;
	no-map;
};)",
        .fix = "memory-region = <&pool>;",
        .linux_does = "Reserves it at boot.",
        .checks = {.region = check_unused},
    },
};

}  // namespace

std::span<const LintRule> default_rules() { return kRules; }

}  // namespace carveout::cli
