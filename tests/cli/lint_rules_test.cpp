// Every rule of lint: a tree on which it fires, one on which it nearly does, one with the mistake
// mended, and what its page says. The table is walked: a rule without its trees fails here.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "lint/explain_page.hpp"
#include "lint/rule.hpp"
#include "lint_trees.hpp"
#include "program.hpp"
#include "rule_id.hpp"

namespace carveout::test {
namespace {

using nlohmann::json;

class RuleTrees : public testing::TestWithParam<const cli::LintRule*> {
 protected:
  [[nodiscard]] std::string id() const { return cli::rule_id(GetParam()->id); }
  [[nodiscard]] LintTree tree(std::string_view name) const { return lint_tree(id(), name); }
  [[nodiscard]] std::vector<json> found_in(std::string_view name,
                                           std::vector<std::string> more = {}) const {
    return findings_of(id(), lint(folder_, tree(name), std::move(more)));
  }

  TemporaryFolder folder_;
};

TEST_P(RuleTrees, FiresOnItsTree) {
  const auto findings = found_in("fires");
  ASSERT_FALSE(findings.empty());
  for (const json& finding : findings) {
    EXPECT_NE(finding["message"], "");
    EXPECT_EQ(finding["linux"], GetParam()->linux_does);
  }
}

TEST_P(RuleTrees, IsSilentOnANearMiss) { EXPECT_EQ(found_in("near_miss"), std::vector<json>{}); }

TEST_P(RuleTrees, IsSilentOnceTheMistakeIsMended) {
  EXPECT_EQ(found_in("fixed"), std::vector<json>{});
}

TEST_P(RuleTrees, TheOverlayOfFixMakesTheFindingGoAway) {
  const std::string overlay = folder_.path("fix.dtso");
  const auto findings = found_in("fires", {"--fix", overlay});
  const bool by_overlay = std::ranges::any_of(findings, [](const json& finding) {
    return finding["fix"].is_string() && !finding["fix"].get<std::string>().contains("/delete-");
  });
  const std::string source = contents_if_there(overlay);
  if (!by_overlay) {
    EXPECT_FALSE(source.contains("// " + id())) << source;
    return;
  }
  ASSERT_NE(source, "");
  EXPECT_EQ(found_in("fires", {"-o", overlay}), std::vector<json>{}) << source;
}

TEST_P(RuleTrees, FindingsInSourceHaveFileAndLine) {
  for (const json& finding : found_in("fires")) {
    if (tree("fires").is_cut) {  // a blob has no lines
      EXPECT_TRUE(finding["file"].is_null() && finding["line"].is_null());
      continue;
    }
    ASSERT_TRUE(finding["file"].is_string()) << finding;
    EXPECT_TRUE(std::filesystem::exists(finding["file"].get<std::string>())) << finding;
    const std::string node = finding["node"];
    const std::string name = node.substr(node.rfind('/') + 1);
    const std::string property =
        finding["property"].is_string() ? finding["property"].get<std::string>() : "";
    const std::string line = line_of(finding["file"], finding["line"]);
    // The line of the property, or the one on which the node opens.
    EXPECT_TRUE((!property.empty() && line.contains(property)) || line.contains(name) ||
                line.contains('{'))
        << finding << line;
  }
}

TEST_P(RuleTrees, TheExampleOfThePageStandsInTheTree) {
  const std::vector<std::string> wanted = trimmed_lines(GetParam()->example);
  const std::vector<std::string> there = trimmed_lines(contents(tree("fires").path));
  EXPECT_TRUE(wanted.empty() || !std::ranges::search(there, wanted).empty()) << GetParam()->example;
}

TEST_P(RuleTrees, TheFixOfThePageStandsInTheMendedTree) {
  EXPECT_TRUE(contents(tree("fixed").path).contains(GetParam()->fix)) << GetParam()->fix;
}

TEST_P(RuleTrees, IsExplainedByItsPageInTheDocuments) {
  const std::string page = std::string{CARVEOUT_CLI_TESTS} + "/../../docs/lint/" + id() + ".md";
  expect_golden(page, in_process({"explain", id()}).data);
}

INSTANTIATE_TEST_SUITE_P(Lint, RuleTrees,
                         testing::ValuesIn(cli::lint_rules().begin(), cli::lint_rules().end()),
                         [](const auto& rule) { return cli::rule_id(rule.param->id); });

TEST(RuleTable, HasAllRulesInOrder) {
  std::vector<unsigned> ids;
  for (const cli::LintRule* rule : cli::lint_rules()) ids.push_back(std::to_underlying(rule->id));
  std::vector<unsigned> all(46);
  for (unsigned i = 0; i < all.size(); ++i) all[i] = i + 1;
  EXPECT_EQ(ids, all);
}

TEST(RuleTable, SaysEverythingAboutEachRule) {
  for (const cli::LintRule* rule : cli::lint_rules()) {
    const std::string id = cli::rule_id(rule->id);
    EXPECT_FALSE(rule->title.empty() || rule->why.empty() || rule->linux_does.empty()) << id;
    EXPECT_EQ(rule->title.find('|'), std::string_view::npos) << id;
    EXPECT_FALSE(rule->title.ends_with('.')) << id;
    EXPECT_TRUE(rule->why.ends_with('.')) << id;
    EXPECT_TRUE(rule->linux_does.ends_with('.')) << id;
    EXPECT_EQ(rule->example.empty(), id == "DMA046") << id;
  }
}

TEST(RuleTable, IsListedInTheDocuments) {
  expect_golden(std::string{CARVEOUT_CLI_TESTS} + "/../../docs/lint/README.md", cli::rules_page());
}

TEST(RuleTable, HasNoTreesOfUnknownRules) {
  for (const auto& entry : std::filesystem::directory_iterator{lint_trees()}) {
    if (!entry.is_directory()) continue;
    EXPECT_NE(cli::rule_named(entry.path().filename().string()), nullptr) << entry.path();
  }
}

TEST(RuleTable, FindsRulesByNumber) {
  EXPECT_EQ(cli::rule_named("DMA001")->id, Rule::overlapping_regions);
  EXPECT_EQ(cli::rule_named("dma1")->id, Rule::overlapping_regions);
  for (const std::string_view name : {"", "DMA", "DMA047", "DMA000", "DMA0001", "1", "DMA1x"}) {
    EXPECT_EQ(cli::rule_named(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace carveout::test
