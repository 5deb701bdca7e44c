// The verb lint: forms of output, exit status, suppression, options, and what is no finding.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "lint_trees.hpp"
#include "program.hpp"
#include "refusal.hpp"

namespace carveout::test {
namespace {

using nlohmann::json;

std::string fires(const std::string& rule) { return lint_trees() + "/" + rule + "/fires.dts"; }
std::string fixed(const std::string& rule) { return lint_trees() + "/" + rule + "/fixed.dts"; }

cli::Answer lint(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "lint");
  return in_process(arguments);
}

json json_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--format", "json"});
  return json::parse(lint(arguments).data);
}

bool has(const json& answer, std::string_view rule) { return !findings_of(rule, answer).empty(); }

// ---- exit status

TEST(LintStatus, IsOneForAnErrorAndZeroForNone) {
  EXPECT_EQ(lint({fires("DMA001")}).status, 1);
  EXPECT_EQ(lint({fixed("DMA001")}).status, 0);
}

TEST(LintStatus, CountsFromTheFailLevelOn) {
  EXPECT_EQ(lint({fires("DMA026")}).status, 0) << "a warning is no error";
  EXPECT_EQ(lint({fires("DMA026"), "--fail-level", "warning"}).status, 1);
  EXPECT_EQ(lint({fires("DMA025"), "--fail-level", "warning"}).status, 0);
  EXPECT_EQ(lint({fires("DMA025"), "--fail-level", "note"}).status, 1);
}

TEST(LintStatus, OneBadBoardAmongGoodOnesIsEnough) {
  EXPECT_EQ(lint({fixed("DMA001"), fires("DMA001"), fixed("DMA002")}).status, 1);
}

TEST(LintStatus, AMissingFileIsNoFinding) {
  const Outcome run = carveout({"lint", "trees/pi-bus.dts", "/no/such/board.dtb"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(is_refusal(run.err)) << run.err;
}

TEST(LintStatus, AMalformedBlobIsAFindingAndOthersAreStillRead) {
  const TemporaryFolder folder;
  const std::string bad = folder.write("bad.dtb", "no tree at all");
  const json answer = json_of({bad, fires("DMA001")});
  ASSERT_TRUE(has(answer, "DMA046") && has(answer, "DMA001"));
  const json finding = findings_of("DMA046", answer)[0];
  EXPECT_EQ(finding["board"], bad);
  EXPECT_EQ(finding["node"], "/");
  EXPECT_EQ(lint({bad}).status, 1);
}

TEST(LintStatus, AMalformedOverlayIsAnInputThatCannotBeRead) {
  const TemporaryFolder folder;
  const std::string bad = folder.write("bad.dtbo", "no overlay at all");
  EXPECT_TRUE(refusal_of({fires("DMA001"), "-o", bad}).starts_with("carveout: " + bad));
}

// ---- forms

TEST(LintText, SaysPlaceSeverityRuleNodeAndFix) {
  const std::string text = lint({fires("DMA001")}).data;
  const std::string head = fires("DMA001") + ":5: error DMA001 /reserved-memory/pool@90000000 reg ";
  // Where the path is long the line is broken between words, and the rest stands in by four.
  EXPECT_TRUE(std::regex_replace(text, std::regex{"\n    "}, " ").starts_with(head)) << text;
  EXPECT_TRUE(text.ends_with("1 error, 0 warnings, 0 notes\n")) << text;
  EXPECT_TRUE(lint({fires("DMA016")}).data.contains("    fix: size = <0x0 0x10000000>;\n"));
}

TEST(LintText, CountsBoardsAndWhatIsSuppressed) {
  const std::string text = lint({fires("DMA001"), fires("DMA002"), "--ignore", "DMA001"}).data;
  EXPECT_TRUE(text.ends_with("2 boards: 1 error, 0 warnings, 1 note; 1 suppressed\n")) << text;
}

TEST(LintJson, HasTheKeysOfTheContract) {
  const json answer = json_of({fires("DMA016")});
  EXPECT_EQ(answer["schema"], "carveout.lint/1");
  EXPECT_EQ(answer["suppressed"], 0);
  const json& finding = answer["findings"].at(0);
  EXPECT_EQ(finding["rule"], "DMA016");
  EXPECT_EQ(finding["severity"], "warning");
  EXPECT_EQ(finding["node"], "/reserved-memory/pool");
  EXPECT_EQ(finding["property"], "size");
  EXPECT_EQ(finding["fix"], "size = <0x0 0x10000000>;");
  EXPECT_EQ(finding["board"], fires("DMA016"));
}

TEST(LintJson, AFixThatThereIsNotIsNull) {
  const json overlap = json_of({fires("DMA001")});
  EXPECT_TRUE(overlap["findings"].at(0)["fix"].is_null());
  const json unused = json_of({fires("DMA025")});
  EXPECT_TRUE(unused["findings"].at(0)["property"].is_null());
}

TEST(LintJson, FindingsStandInTreeOrderThenByRule) {
  const TemporaryFolder folder;
  const std::string source = "/include/ \"" + fires("DMA034") + R"("
    &reserved { first@80000000 { reg = <0x0 0x81000000 0x0 0x1000>; size = <0x0 0x2000>; }; };
    &pool { size = <0x0 0x1000>; /delete-property/ no-map; };
    &dev2 { memory-region = <&dev>; };
  )";
  std::vector<std::string> found;
  const json answer = json_of({folder.write("board.dts", source)});
  for (const json& finding : answer["findings"]) {
    found.push_back(finding["node"].get<std::string>() + " " + finding["rule"].get<std::string>());
  }
  const std::vector<std::string> expected{
      "/reserved-memory/pool@90000000 DMA011",  "/reserved-memory/pool@90000000 DMA034",
      "/reserved-memory/pool@90000000 DMA045",  "/reserved-memory/first@80000000 DMA034",
      "/reserved-memory/first@80000000 DMA045", "/soc/device@10001000 DMA021"};
  EXPECT_EQ(found, expected);
}

TEST(LintJson, ABlobHasNoFileAndNoLine) {
  const TemporaryFolder folder;
  const std::string blob = folder.write("board.dtb", compiled("../../trees/lint/DMA001/fires.dts"));
  const json answer = json_of({blob});
  const json& finding = answer["findings"].at(0);
  EXPECT_TRUE(finding["file"].is_null());
  EXPECT_TRUE(finding["line"].is_null());
}

TEST(LintSarif, HasARunWithAllRulesAndAnArrayOfResultsEvenIfEmpty) {
  const json sarif = json::parse(lint({fixed("DMA001"), "--format", "sarif"}).data);
  EXPECT_EQ(sarif["version"], "2.1.0");
  const json& run = sarif["runs"].at(0);
  EXPECT_EQ(run["tool"]["driver"]["name"], "carveout");
  EXPECT_EQ(run["tool"]["driver"]["rules"].size(), 46U);
  EXPECT_TRUE(run["results"].is_array());
  EXPECT_EQ(run["results"].size(), 0U);
}

/// What the schema of SARIF 2.1.0 demands of the objects that we write.
TEST(LintSarif, EachResultNamesItsRuleALevelAMessageAndALocation) {
  const json sarif =
      json::parse(lint({fires("DMA001"), fires("DMA025"), "--format", "sarif"}).data);
  const json& run = sarif["runs"].at(0);
  ASSERT_EQ(run["results"].size(), 2U);
  for (const json& result : run["results"]) {
    const json& rule = run["tool"]["driver"]["rules"].at(result["ruleIndex"].get<std::size_t>());
    EXPECT_EQ(rule["id"], result["ruleId"]);
    EXPECT_TRUE(rule["shortDescription"]["text"].is_string());
    EXPECT_TRUE(result["level"] == "error" || result["level"] == "note");
    EXPECT_TRUE(result["message"]["text"].is_string());
    const json& location = result["locations"].at(0);
    const json& physical = location["physicalLocation"];
    EXPECT_TRUE(physical["artifactLocation"]["uri"].is_string());
    EXPECT_GT(physical["region"]["startLine"], 0);
    EXPECT_EQ(location["logicalLocations"].at(0)["fullyQualifiedName"],
              "/reserved-memory/pool@90000000");
    EXPECT_EQ(result["partialFingerprints"]["carveoutFinding/v1"].get<std::string>().size(), 16U);
  }
}

TEST(LintSarif, FileNamesAreUriReferences) {
  const TemporaryFolder folder;
  const std::string blob =
      folder.write("a board%.dtb", compiled("../../trees/lint/DMA001/fires.dts"));
  const json sarif = json::parse(lint({blob, "--format", "sarif"}).data);
  const std::string uri =
      sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
  EXPECT_TRUE(uri.starts_with("file:///")) << uri;
  EXPECT_TRUE(uri.ends_with("/a%20board%25.dtb")) << uri;
}

TEST(LintGithub, IsOneWorkflowCommandAFinding) {
  const std::string text = lint({fires("DMA016"), "--format", "github"}).data;
  EXPECT_TRUE(text.starts_with("::warning file=" + fires("DMA016") + ",line=")) << text;
  EXPECT_TRUE(text.contains(",title=DMA016::/reserved-memory/pool size: takes 640 MiB")) << text;
  EXPECT_TRUE(text.ends_with("%0AFix: size = <0x0 0x10000000>;\n")) << text;
  EXPECT_TRUE(lint({fires("DMA025"), "--format", "github"}).data.starts_with("::notice "));
}

TEST(LintGithub, ABoardsNameCannotEndTheCommand) {
  const TemporaryFolder folder;
  const std::string blob =
      folder.write("a,b:c%.dtb", compiled("../../trees/lint/DMA001/fires.dts"));
  EXPECT_TRUE(lint({blob, "--format", "github"}).data.contains("/a%2Cb%3Ac%25.dtb,title="));
}

TEST(LintOutput, TheSameInputGivesTheSameBytes) {
  for (const std::string format : {"text", "json", "sarif", "github"}) {
    EXPECT_EQ(lint({fires("DMA001"), "--format", format}).data,
              lint({fires("DMA001"), "--format", format}).data);
  }
}

// ---- suppression

TEST(LintSuppression, ByOption) {
  const json answer = json_of({fires("DMA001"), "--ignore", "DMA002,DMA001"});
  EXPECT_FALSE(has(answer, "DMA001"));
  EXPECT_EQ(answer["suppressed"], 1);
  EXPECT_EQ(lint({fires("DMA001"), "--ignore", "dma1"}).status, 0);
}

TEST(LintSuppression, ByFileForANodeAndWhatIsBelowIt) {
  const TemporaryFolder folder;
  const auto with = [&](std::string_view line) {
    return json_of({fires("DMA001"), "--ignore-file", folder.write("ignore", line)});
  };
  EXPECT_FALSE(has(with("# reviewed\nDMA001 /reserved-memory  # all of it\n"), "DMA001"));
  EXPECT_FALSE(has(with("DMA001 /\n"), "DMA001"));
  EXPECT_FALSE(has(with("DMA001\n"), "DMA001"));
  EXPECT_TRUE(has(with("DMA001 /reserved\nDMA002\n"), "DMA001"));
}

TEST(LintSuppression, InTheTreeForANodeAndWhatIsBelowIt) {
  const TemporaryFolder folder;
  const auto with = [&](std::string_view node, std::string_view rules) {
    const std::string source = "/include/ \"" + fires("DMA001") + "\"\n&" + std::string{node} +
                               " { carveout,lint-ignore = " + std::string{rules} + "; };\n";
    return json_of({folder.write("board.dts", source)});
  };
  EXPECT_FALSE(has(with("pool", "\"DMA001\""), "DMA001"));
  EXPECT_FALSE(has(with("reserved", "\"DMA002\", \"DMA001\""), "DMA001"));
  EXPECT_TRUE(has(with("pool", "\"DMA002\""), "DMA001"));
  EXPECT_TRUE(has(with("soc", "\"DMA001\""), "DMA001"));
}

TEST(LintSuppression, AMalformedBlobCanBeSuppressed) {
  const TemporaryFolder folder;
  const json answer = json_of({folder.write("bad.dtb", "x"), "--ignore", "DMA046"});
  EXPECT_EQ(answer["suppressed"], 1);
  EXPECT_TRUE(answer["findings"].empty());
}

// ---- what is told beside the tree

TEST(LintRam, StandsInForTheMemoryOfTheTree) {
  EXPECT_FALSE(has(json_of({fires("DMA016"), "--ram", "0x80000000+2G"}), "DMA016"));
  EXPECT_TRUE(has(json_of({fixed("DMA016"), "--ram", "0x80000000+0x1f000000"}), "DMA016"));
  EXPECT_FALSE(has(json_of({fires("DMA005"), "--ram", "0x80000000+1G,0xc0000000+1G"}), "DMA005"));
}

TEST(LintTarget, MakesANeitherAnErrorOnThirtyTwoBitArm) {
  const auto severity = [](const json& answer) {
    return findings_of("DMA011", answer)[0]["severity"].get<std::string>();
  };
  EXPECT_EQ(severity(json_of({fires("DMA011")})), "warning");
  EXPECT_EQ(severity(json_of({fires("DMA011"), "--target", "linux-arm"})), "error");
}

TEST(LintTarget, WithoutLinuxIsSilentAboutPageBlocks) {
  EXPECT_TRUE(has(json_of({fires("DMA012")}), "DMA012"));
  EXPECT_FALSE(has(json_of({fires("DMA012"), "--target", "zephyr"}), "DMA012"));
  EXPECT_FALSE(has(json_of({fires("DMA023"), "--target", "baremetal"}), "DMA023"));
}

TEST(LintPageSize, ChangesThePageBlock) {
  const std::string aligned = fixed("DMA012");
  EXPECT_FALSE(has(json_of({aligned, "--page-size", "4K"}), "DMA012"));
  EXPECT_TRUE(has(json_of({aligned, "--page-size", "16K"}), "DMA012"));
  EXPECT_TRUE(has(json_of({aligned, "--page-size", "64K"}), "DMA012"));
}

TEST(LintKind, OfThePoolDecidesWhatIsWrongOutsideOfMemory) {
  const auto severity = [](const std::string& properties) {
    const TemporaryFolder folder;
    const std::string source = "/include/ \"" + fires("DMA004") +
                               "\"\n&pool { /delete-property/ reusable; " + properties + " };\n";
    const auto found = findings_of("DMA004", json_of({folder.write("board.dts", source)}));
    return found.empty() ? std::string{"none"} : found[0]["severity"].get<std::string>();
  };
  EXPECT_EQ(severity("reusable;"), "error");
  EXPECT_EQ(severity("no-map;"), "note");
  EXPECT_EQ(severity("compatible = \"restricted-dma-pool\";"), "error");
  EXPECT_EQ(severity("compatible = \"vendor,log\"; no-map;"), "none");
}

TEST(LintKind, OfTheRegionsDecidesWhetherOneInsideAnotherIsAMistake) {
  const auto severity = [](const std::string& compatible) {
    const TemporaryFolder folder;
    const std::string source =
        "/include/ \"" + fires("DMA001") + "\"\n&pool { compatible = \"" + compatible + "\"; };\n";
    const json answer = json_of({folder.write("board.dts", source)});
    return findings_of("DMA001", answer)[0]["severity"].get<std::string>();
  };
  EXPECT_EQ(severity("vendor,firmware"), "note");
  EXPECT_EQ(severity("shared-dma-pool"), "error");
}

/// DMA036 on a board whose pool is `reg`.
std::string protection_of(const std::string& reg) {
  const TemporaryFolder folder;
  const std::string source =
      "/include/ \"" + fires("DMA036") + "\"\n&pool { reg = <" + reg + ">; };\n";
  const auto found = findings_of("DMA036", json_of({folder.write("board.dts", source)}));
  return found.size() == 1 ? found[0]["message"].get<std::string>() : "";
}

TEST(LintProtection, NextLargerRegionIsTheOneThatTakesTheFewestBytesBesideThePool) {
  // Four eighths of 512 KiB; a whole region over it would begin at 0xc1f00000.
  EXPECT_EQ(protection_of("0xc1f21000 0x3f000"),
            "0xc1f21000 to 0xc1f5ffff (252 KiB) is no one region of the MPU; the next larger is "
            "0xc1f20000 to 0xc1f5ffff (256 KiB), which takes the cache from 4 KiB more");
}

TEST(LintProtection, HasNoRegionAbove4GiB) {
  EXPECT_EQ(protection_of("0xffffff00 0x200"),
            "0xffffff00 to 0x1000000ff (512 bytes) ends above 4 GiB, where the MPU has no regions");
}

TEST(LintVerbose, NamesTheRulesThatNeedMore) {
  const cli::Answer silent = lint({fixed("DMA001")});
  EXPECT_EQ(silent.notes, "");
  const cli::Answer verbose = lint({fixed("DMA001"), "--verbose"});
  EXPECT_TRUE(verbose.notes.contains("DMA017 is silent without --workload FILE"));
  EXPECT_TRUE(verbose.notes.contains("DMA043 is silent without --elf FILE"));
  EXPECT_EQ(verbose.data, silent.data);
}

TEST(LintFacts, AboutNodesOfAnotherBoardAreSaid) {
  const TemporaryFolder folder;
  const std::string facts = folder.write("chip.facts", "rate-critical /soc/nobody\n");
  EXPECT_TRUE(lint({fixed("DMA001"), "--facts", facts}).notes.contains("/soc/nobody"));
}

TEST(LintFacts, LinesThatCannotBeReadHaveANumber) {
  const TemporaryFolder folder;
  for (const std::string line : {"cache-line 48", "cache-line", "slow 0x1000", "mpu-regions -1",
                                 "reaches /soc", "colour blue", "slow 0x10+0"}) {
    const std::string file = folder.write("chip.facts", "# one\n" + line + "\n");
    const std::string said = refusal_of({fixed("DMA001"), "--facts", file});
    EXPECT_TRUE(said.starts_with("carveout: " + file + ": ") && said.contains("line 2")) << said;
  }
}

TEST(LintWorkload, LinesThatCannotBeReadHaveANumber) {
  const TemporaryFolder folder;
  const std::string header = "time,op,id,device,size,align\n";
  for (const std::string& text :
       {std::string{"size\n"}, header + "0,alloc,a,,4096\n", header + "0,alloc,a,,big,1\n",
        header + "0,lend,a,,1,1\n", header + "0,free,a,,,\n",
        header + "0,alloc,a,,1,1\n1,alloc,a,,1,1\n"}) {
    const std::string file = folder.write("load.csv", text);
    const std::string said = refusal_of({fixed("DMA001"), "--workload", file});
    EXPECT_TRUE(said.starts_with("carveout: " + file + ": ") && said.contains("(line ")) << said;
  }
}

// ---- --fix

TEST(LintFix, WritesNothingOverWhatIsThere) {
  const TemporaryFolder folder;
  const std::string board = folder.write("board.dts", contents(fires("DMA011")));
  const std::string said = refusal_of({fires("DMA016"), "--fix", board});
  EXPECT_TRUE(said.starts_with("carveout: " + board)) << said;
  EXPECT_EQ(contents(board), contents(fires("DMA011")));
}

TEST(LintFix, IsForOneBoardAndForSource) {
  EXPECT_TRUE(
      refusal_of({fires("DMA016"), fires("DMA011"), "--fix", "x.dtso"}).contains("one board"));
  EXPECT_TRUE(refusal_of({fires("DMA016"), "--fix", "x.dtbo"}).contains("NAME.dtso"));
}

TEST(LintFix, SaysSoWhereThereIsNothingToWrite) {
  const TemporaryFolder folder;
  const cli::Answer answer = lint({fixed("DMA001"), "--fix", folder.path("fix.dtso")});
  EXPECT_TRUE(answer.notes.contains("no finding has a fix"));
  EXPECT_FALSE(std::filesystem::exists(folder.path("fix.dtso")));
}

// ---- hostile and many

TEST(LintReservations, ThatShareBytesAreOneFinding) {
  const TemporaryFolder folder;
  std::string source = contents(fires("DMA003"));
  source.insert(source.find("/memreserve/"), "/memreserve/ 0x90081000 0x1000;\n");
  source.replace(source.find(".."), 2, lint_trees());
  const auto found = json_of({folder.write("board.dts", source)});
  EXPECT_EQ(std::ranges::count(found["findings"], "DMA003",
                               [](const auto& finding) { return finding["rule"]; }),
            1);
}

TEST(LintMany, MoreFindingsThanAreListedAreCounted) {
  const TemporaryFolder folder;
  std::string source = "/include/ \"" + lint_trees() + "/base.dtsi\"\n";
  for (int i = 0; i < 10'010; ++i) {
    source += "&reserved { r" + std::to_string(i) + " { }; };\n";
  }
  const cli::Answer answer = lint({folder.write("board.dts", source)});
  EXPECT_TRUE(answer.notes.contains("10 findings more are not listed")) << answer.notes;
  EXPECT_TRUE(answer.data.ends_with("10010 errors, 0 warnings, 0 notes\n"));
}

TEST(LintOptions, ThatMeanNothingAreOneLine) {
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--format", "xml"},
                                               {"--fail-level", "never"},
                                               {"--ignore", "DMA099"},
                                               {"--ignore", ""},
                                               {"--target", "bsd"},
                                               {"--page-size", "5000"},
                                               {"--page-size", "1K"},
                                               {"--ram", "1G"},
                                               {"--ram", "0+0"},
                                               {"--ram", "0xffffffffffffffff+2"},
                                               {"--facts", "/no/such"},
                                               {"--elf", "/no/such"},
                                               {"--ignore-file", "/no/such"}}) {
    std::vector<std::string> arguments{fixed("DMA001")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_TRUE(is_refusal(refusal_of(arguments) + "\n")) << more[0] << more[1];
  }
}

TEST(LintBoards, OfOursHaveNoErrorAndNoWarning) {
  const json answer = json_of({lint_trees() + "/../../../examples/boards/art-pi.dts"});
  for (const json& finding : answer["findings"]) EXPECT_EQ(finding["severity"], "note") << finding;
}

/// "BOARD RULE SEVERITY", and how often.
using Counts = std::map<std::string, std::size_t>;

/// The rows of the table in docs/lint-boards.md.
Counts judged() {
  Counts counts;
  for (const std::string& line :
       trimmed_lines(contents(lint_trees() + "/../../../docs/lint-boards.md"))) {
    std::istringstream cells{line};
    std::string bar;
    std::string board;
    std::string rule;
    std::string severity;
    std::size_t count = 0;
    if (cells >> bar >> board >> bar >> rule >> bar >> severity >> bar >> count) {
      counts[board + ' ' + rule + ' ' + severity] = count;
    }
  }
  return counts;
}

TEST(LintBoards, OfOthersHaveTheFindingsThatAreJudgedInTheDocuments) {
  const char* folder = std::getenv("CARVEOUT_BOARDS");
  const std::filesystem::path boards{folder != nullptr ? folder : CARVEOUT_DEFAULT_BOARDS};
  std::vector<std::string> files;
  if (std::filesystem::is_directory(boards)) {
    for (const auto& entry : std::filesystem::directory_iterator{boards}) {
      if (entry.path().extension() == ".dtb") files.push_back(entry.path().string());
    }
  }
  if (files.empty())
    GTEST_SKIP() << "no boards in " << boards << "; CARVEOUT_BOARDS names a folder";
  const json answer = json_of(files);
  Counts found;
  for (const json& finding : answer["findings"]) {
    const auto board = std::filesystem::path{finding["board"].get<std::string>()}.stem().string();
    ++found[board + ' ' + finding["rule"].get<std::string>() + ' ' +
            finding["severity"].get<std::string>()];
  }
  EXPECT_EQ(found, judged());
}

TEST(Explain, PrintsThePageOfARule) {
  const std::string page = in_process({"explain", "dma1"}).data;
  EXPECT_TRUE(page.starts_with("# DMA001: two regions share memory\n")) << page;
  EXPECT_THROW(static_cast<void>(in_process({"explain", "DMA047"})), cli::Refusal);
}

}  // namespace
}  // namespace carveout::test
