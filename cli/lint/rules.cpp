#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "rule.hpp"

namespace carveout::cli {

std::span<const LintRule* const> lint_rules() {
  static const std::vector<const LintRule*> kTable = [] {
    std::vector<const LintRule*> table;
    for (const auto rules :
         {statement_rules(), overlap_rules(), memory_rules(), kind_rules(), default_rules(),
          name_rules(), binding_rules(), reach_rules(), chip_rules(), use_rules()}) {
      for (const LintRule& rule : rules) table.push_back(&rule);
    }
    std::ranges::sort(table, {}, &LintRule::id);
    return table;
  }();
  return kTable;
}

const LintRule* rule_named(std::string_view name) {
  for (const std::string_view prefix : {"DMA", "dma"}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size() || name.size() > 3) break;
    const auto table = lint_rules();
    const auto found = std::ranges::find(table, Rule{number}, &LintRule::id);
    return found == table.end() ? nullptr : *found;
  }
  return nullptr;
}

}  // namespace carveout::cli
