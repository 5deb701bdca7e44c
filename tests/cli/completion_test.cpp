// Completions and the man page: all that the parser knows is in them, and each shell offers it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "program.hpp"

namespace carveout::test {
namespace {

using Set = std::set<std::string>;

std::string made(const std::string& form) {
  const Outcome run = carveout({"completion", form});
  EXPECT_EQ(run.status, 0) << run.err;
  return run.out;
}

/// What a command of this test prints on standard output.
std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), got);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return text;
}

Set lines_of(const std::string& text) {
  Set lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    // fish has a description behind a tab.
    lines.insert(text.substr(at, std::min(text.find('\t', at), end) - at));
    at = end + 1;
  }
  return lines;
}

class Shell : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_.path("boards"));
    for (const char* file : {"a.dtb", "b.dts", "c.dtbo", "d.txt"}) folder_.write(file, "");
  }

  [[nodiscard]] Set bash(const std::string& words) const {
    const std::string script = folder_.write("carveout.bash", made("bash"));
    return lines_of(output_of("cd " + folder_.path("") +
                              " && bash " CARVEOUT_CLI_TESTS "/completion_test.bash " + script +
                              " carveout " + words));
  }
  [[nodiscard]] Set fish(const std::string& line) const {
    const std::string script = folder_.write("carveout.fish", made("fish"));
    return lines_of(output_of("cd " + folder_.path("") + " && HOME=" + folder_.path("") +
                              " fish --no-config -c 'source " + script +
                              "; complete -C\"carveout " + line + "\"' </dev/null"));
  }
  [[nodiscard]] std::string zsh(const std::string& line) const {
    folder_.write("_carveout", made("zsh"));
    return output_of("cd " + folder_.path("") +
                     " && zsh -f " CARVEOUT_CLI_TESTS "/completion_test.zsh " + folder_.path("") +
                     " 'carveout " + line + "'");
  }

  TemporaryFolder folder_;
};

using Completion = Shell;

TEST_F(Completion, BashOffersVerbsOptionsAndTheirWords) {
  EXPECT_EQ(bash("li"), Set{"lint"});
  EXPECT_EQ(bash("m"), Set{"map"});
  EXPECT_EQ(bash("lint --fo"), Set{"--format"});
  EXPECT_EQ(bash("lint --format ''"), (Set{"text", "json", "sarif", "github"}));
  EXPECT_EQ(bash("lint --format = s"), Set{"sarif"});
  EXPECT_EQ(bash("gen x --target armv8"), Set{"armv8m"});
  EXPECT_EQ(bash("why x --attributes no_cpu_mapping,non"), Set{"no_cpu_mapping,non_coherent"});
  EXPECT_EQ(bash("explain DMA04"),
            (Set{"DMA040", "DMA041", "DMA042", "DMA043", "DMA044", "DMA045", "DMA046"}));
  EXPECT_EQ(bash("simulate x --preset cam"), Set{"camera"});
  EXPECT_EQ(bash("completion z"), Set{"zsh"});
  EXPECT_EQ(bash("why x --size ''"), Set{});
}

TEST_F(Completion, BashOffersTheFilesThatFit) {
  EXPECT_EQ(bash("map ''"), (Set{"a.dtb", "b.dts", "boards"}));
  EXPECT_EQ(bash("map a.dtb -o ''"), (Set{"c.dtbo", "boards"}));
  EXPECT_EQ(bash("gen a.dtb --out ''"), Set{"boards"});
  EXPECT_TRUE(bash("lint a.dtb --facts ''").contains("d.txt"));
}

TEST_F(Completion, FishOffersVerbsOptionsWordsAndFiles) {
  EXPECT_EQ(fish("li"), Set{"lint"});
  EXPECT_EQ(fish("lint --forma"), Set{"--format"});
  EXPECT_EQ(fish("lint --format "), (Set{"text", "json", "sarif", "github"}));
  EXPECT_EQ(fish("explain DMA046"), Set{"DMA046"});
  EXPECT_TRUE(fish("map ").contains("a.dtb"));
  EXPECT_TRUE(fish("map ").contains("b.dts"));
  EXPECT_TRUE(fish("map -o ").contains("c.dtbo"));
  EXPECT_EQ(fish("completion z"), Set{"zsh"});
}

TEST_F(Completion, ZshOffersVerbsOptionsWordsAndFiles) {
  const auto offers = [&](const std::string& line, const std::string& expected) {
    const std::string screen = zsh(line);
    EXPECT_NE(screen.find(expected), std::string::npos) << line << ":\n" << screen;
    return screen;
  };
  offers("li", "lint");
  offers("lint --forma", "--format=");
  const std::string formats = offers("lint --format ", "sarif");
  EXPECT_NE(formats.find("github"), std::string::npos) << formats;
  offers("explain DMA01", "DMA019");
  const std::string boards = offers("map ", "a.dtb");
  EXPECT_EQ(boards.find("d.txt"), std::string::npos) << boards;
}

/// Every option that a verb's help lists, as `verb --option`.
std::vector<std::pair<std::string, std::string>> options_by_verb() {
  std::vector<std::pair<std::string, std::string>> options;
  const std::string help = carveout({"--help"}).out;
  std::size_t at = help.find("\nVerbs:\n") + 8;
  while (help.compare(at, 2, "  ") == 0) {
    const std::string verb = help.substr(at + 2, help.find(' ', at + 2) - at - 2);
    at = help.find('\n', at) + 1;
    const std::string of_verb = carveout({verb, "--help"}).out;
    for (std::size_t dash = of_verb.find("\nOptions:\n") + 9; dash < of_verb.size();
         dash = of_verb.find('\n', dash + 1)) {
      if (of_verb.compare(dash + 1, 3, "  -") == 0) {
        const std::size_t word = dash + 3;
        options.emplace_back(verb, of_verb.substr(word, of_verb.find(' ', word) - word));
      }
      if (of_verb.compare(dash + 1, 1, "\n") == 0) break;
    }
  }
  return options;
}

TEST(CompletionScripts, EveryOptionOfTheParserIsInEach) {
  const auto options = options_by_verb();
  ASSERT_GT(options.size(), 40U);
  const std::string bash = made("bash");
  const std::string zsh = made("zsh");
  const std::string fish = made("fish");
  const std::string page = made("man");
  for (const auto& [verb, names] : options) {
    const std::string name = names.substr(names.find("--"));
    const std::size_t in_bash = bash.find("    " + verb + ":*)");
    ASSERT_NE(in_bash, std::string::npos) << verb;
    const std::string words = bash.substr(in_bash, bash.find(";;", in_bash) - in_bash);
    EXPECT_TRUE(words.contains(" " + name + " ") || words.contains(" " + name + "'"))
        << verb << name;
    const std::size_t in_zsh = zsh.find("      " + verb + ") _arguments");
    ASSERT_NE(in_zsh, std::string::npos) << verb;
    const std::string specs = zsh.substr(in_zsh, zsh.find(";;", in_zsh) - in_zsh);
    EXPECT_TRUE(specs.contains(name + "[") || specs.contains(name + "=[")) << verb << name;
    bool in_fish = false;
    const std::string start = "complete -c carveout -n '__fish_seen_subcommand_from " + verb + "'";
    for (std::size_t at = fish.find(start); at != std::string::npos;
         at = fish.find(start, at + 1)) {
      in_fish |= fish.substr(at, fish.find('\n', at) - at).contains(" -l " + name.substr(2) + " ");
    }
    EXPECT_TRUE(in_fish) << verb << name;
    std::string in_roff;
    for (const char each : name) in_roff += each == '-' ? "\\-" : std::string{each};
    const std::size_t section = page.find(".SS " + verb + "\n");
    ASSERT_NE(section, std::string::npos) << verb;
    EXPECT_TRUE(page.substr(section, page.find("\n.S", section + 1) - section).contains(in_roff))
        << verb << name;
  }
}

TEST(CompletionScripts, EveryVerbsHelpBeginsWithExamplesAndFitsAHundredColumns) {
  Set verbs;
  for (const auto& [verb, option] : options_by_verb()) verbs.insert(verb);
  EXPECT_GE(verbs.size(), 8U);
  for (const std::string& verb : verbs) {
    const std::string help = carveout({verb, "--help"}).out;
    EXPECT_NE(help.find("\n\nExamples:\n  "), std::string::npos) << help;
    EXPECT_NE(help.find("carveout " + verb + " "), std::string::npos) << help;
    for (const std::string& line : lines_of(help)) EXPECT_LE(line.size(), 100U) << line;
  }
}

TEST(ManPage, HasNothingThatItsCheckersFind) {
  const TemporaryFolder folder;
  const std::string page = folder.write("carveout.1", made("man"));
  EXPECT_EQ(output_of("mandoc -T lint -W style " + page + " 2>&1 || true"), "");
  EXPECT_EQ(
      output_of("LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z " +
                page + " 2>&1 >/dev/null"),
      "");
}

TEST(ManPage, HasTheSectionsThatOneLooksFor) {
  const std::string page = made("man");
  for (const char* section : {"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "VERBS", "EXIT STATUS",
                              "ENVIRONMENT", "FILES", "SEE ALSO"}) {
    EXPECT_NE(page.find(".SH " + std::string{section} + "\n"), std::string::npos) << section;
  }
  EXPECT_NE(page.find(".B NO_COLOR"), std::string::npos);
}

}  // namespace
}  // namespace carveout::test
