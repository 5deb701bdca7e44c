// Rules about names: of nodes, of properties, of the entries of a list.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <numeric>
#include <vector>

#include "page.hpp"
#include "report.hpp"
#include "rule.hpp"
#include "survey.hpp"
#include "words.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

void check_name_count(const Survey& survey, Node device, Report& report) {
  const Tree& tree = survey.tree();
  const Strings names = tree.strings(device, "memory-region-names");
  if (!tree.has(device, "memory-region-names")) return;
  const std::size_t entries = MemoryRegions{tree, device}.size();
  const auto count = static_cast<std::size_t>(std::ranges::distance(names.begin(), names.end()));
  if (count == entries) return;
  report.add(device, "memory-region-names",
             fmt::format("has {} names for {} entries of memory-region", count, entries));
}

/// The number behind the `@` of a name; nothing where there is none, or it is not one number.
std::optional<std::uint64_t> unit_address(std::string_view name) {
  const std::size_t at = name.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  name.remove_prefix(at + 1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value, 16);
  return error == std::errc{} && end == name.data() + name.size() ? std::optional{value}
                                                                  : std::nullopt;
}

void check_unit_address(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.enabled || region.chunks.empty()) return;
  const auto unit = unit_address(survey.tree().name(region.node));
  const PhysRange chunk = region.chunks[0];
  if (!unit || *unit == chunk.base.raw()) return;
  const bool one = region.chunks.size() == 1;
  report.add(
      region.node, "reg",
      fmt::format("begins at {}, and the name of the node says {}", hex(chunk.base.raw()),
                  hex(*unit)),
      one ? std::optional{Fix{region.node, reg_line(survey, {PhysAddr{*unit}, chunk.size_bytes})}}
          : std::nullopt);
}

void check_same_names(const Survey& survey, Report& report) {
  const Tree& tree = survey.tree();
  if (!survey.reserved().node()) return;
  std::vector<Node> regions;
  for (const Node node : tree.children(*survey.reserved().node())) regions.push_back(node);
  const auto name = [&](Node node) { return tree.name(node); };
  std::ranges::stable_sort(regions, {}, name);
  for (std::size_t i = 1; i < regions.size(); ++i) {
    if (name(regions[i]) != name(regions[i - 1])) continue;
    report.add(regions[i], "", "is the second region of this name: by name, the first is found");
  }
}

/// How many letters have to be added, taken away or changed to make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// No word that is meant here is longer, nor is one that is nearly one of them.
constexpr std::size_t kLongestWord = 24;

/// The known word that `word` nearly is: nothing where it is one, or is near none.
template <std::size_t Count>
std::optional<std::string_view> meant_by(std::string_view word,
                                         const std::array<std::string_view, Count>& known) {
  if (word.size() >= kLongestWord || std::ranges::find(known, word) != known.end())
    return std::nullopt;
  for (const std::string_view each : known) {
    // Of a short word two letters are half.
    const std::size_t most = each.size() < 8 ? 1 : 2;
    if (word.size() + most < each.size() || each.size() + most < word.size()) continue;
    if (distance(word, each) <= most) return each;
  }
  return std::nullopt;
}

constexpr std::array<std::string_view, 9> kRegionProperties{
    "no-map",      "reusable",          "alignment",         "alloc-ranges",
    "compatible",  "linux,dma-default", "linux,cma-default", "iommu-addresses",
    "no-map-fixup"};
constexpr std::array<std::string_view, 2> kPoolKinds{"shared-dma-pool", "restricted-dma-pool"};
constexpr std::array<std::string_view, 1> kRegionsNode{"reserved-memory"};
/// On other nodes only what is surely meant: `memory-regions` and the like.
constexpr std::array<std::string_view, 2> kRegionLists{"memory-region", "memory-region-names"};
constexpr std::array<std::string_view, 8> kMisspeltLists{
    "memory-regions", "memory_region",        "memory_regions",      "memory-region-name",
    "memory-regoin",  "memory-regions-names", "memory-regions-name", "memory_region_names"};

void check_region_words(const Survey& survey, const ReservedRegion& region, Report& report) {
  if (!region.okay) return;
  survey.tree().for_each_property(region.node, [&](PropertyName name, Bytes /*value*/) {
    const std::string_view word = name.text(kLongestWord);
    const auto meant = meant_by(word, kRegionProperties);
    // What is there under its right name, too, is only left over.
    if (!meant || survey.tree().has(region.node, *meant)) return;
    const bool flag = *meant == "no-map" || *meant == "reusable";
    report.add(region.node, "",
               fmt::format("states '{}', which nobody reads: {} is meant", word, *meant),
               flag ? std::optional{Fix{region.node, fmt::format("{};", *meant)}} : std::nullopt);
  });
  for (const std::string_view each : region.compatible) {
    const auto meant = meant_by(each, kPoolKinds);
    if (!meant) continue;
    report.add(region.node, "compatible",
               fmt::format("'{}' is no kind of pool: {} is meant", each, *meant),
               Fix{region.node, fmt::format("compatible = \"{}\";", *meant)});
  }
}

void check_other_words(const Survey& survey, Node node, Report& report) {
  const Tree& tree = survey.tree();
  if (tree.parent(node) == Tree::root()) {
    const auto meant = meant_by(before(tree.name(node), '@'), kRegionsNode);
    if (meant) {
      report.add(node, "", fmt::format("is no node that is read: {} is meant", *meant));
    }
  }
  tree.for_each_property(node, [&](PropertyName name, Bytes /*value*/) {
    const auto is = [&](std::string_view word) { return name == word; };
    const auto wrong = std::ranges::find_if(kMisspeltLists, is);
    if (wrong == kMisspeltLists.end()) return;
    report.add(node, "",
               fmt::format("states '{}', which nobody reads: {} is meant", *wrong,
                           kRegionLists[wrong->contains("name") ? 1 : 0]));
  });
}

constexpr std::array kRules{
    LintRule{
        .id = Rule{24},
        .severity = Severity::warning,
        .title = "memory-region-names has another number of entries than memory-region",
        .why = "A driver that asks for a pool by its name gets another pool, or none.",
        .example = R"(memory-region = <&pool>;
memory-region-names = "rings", "buffers";)",
        .fix = "memory-region-names = \"rings\";",
        .linux_does = "A name past the end gives an error when the driver attaches it (-EINVAL or "
                      "-ENODEV); entries without a name can be had by index only.",
        .checks = {.device = check_name_count},
    },
    LintRule{
        .id = Rule{34},
        .severity = Severity::warning,
        .title = "the name of a region is not its address, or is there twice",
        .why = "Most often a copy whose reg was changed and whose name was not, or the other way "
               "round. Drivers that look a region up by name get the wrong one.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pool";
	reg = <0x0 0x90010000 0x0 0x10000>;
	no-map;
};)",
        .fix = "reg = <0x0 0x90000000 0x0 0x10000>;",
        .linux_does = "reg counts. Of two regions of one name a look-up finds the first.",
        .checks = {.board = check_same_names, .region = check_unit_address},
    },
    LintRule{
        .id = Rule{35},
        .severity = Severity::warning,
        .title = "a word that is nearly one of those that are read",
        .why = "Unknown properties are no error in a device tree: the region is another kind than "
               "was meant, or the device has no pool.",
        .example = R"(pool: pool@90000000 {
	compatible = "shared-dma-pools";
	reg = <0x0 0x90000000 0x0 0x400000>;
	nomap;
};)",
        .fix = "compatible = \"shared-dma-pool\";",
        .linux_does = "Ignores it without a message.",
        .checks = {.region = check_region_words, .node = check_other_words},
    },
};

}  // namespace

std::span<const LintRule> name_rules() { return kRules; }

}  // namespace carveout::cli
