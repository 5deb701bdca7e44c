// `explain`: one rule.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "explain_page.hpp"
#include "refusal.hpp"
#include "rule.hpp"
#include "verb.hpp"

namespace carveout::cli {
namespace {

Job add(CLI::App& parser) {
  const auto name = std::make_shared<std::string>();
  parser.add_option("RULE", *name, "DMA001 to DMA046")->required()->type_name("");
  return [name](const Terminal& /*terminal*/) {
    const LintRule* rule = rule_named(*name);
    if (rule == nullptr) {
      throw Refusal{"explain", fmt::format("'{}' is no rule", *name), "DMA001 to DMA046"};
    }
    return Answer{.data = explain_page(*rule), .notes = {}};
  };
}

}  // namespace

constinit const Verb kExplain{
    .name = "explain",
    .summary = "a rule of lint: what, why, an example that fails, the fix",
    .examples =
        "  carveout explain DMA001                what is wrong, and what Linux does then\n",
    .add = add,
};

}  // namespace carveout::cli
