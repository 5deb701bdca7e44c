// Arguments: what is wrong with them is one line and exit status 2, whoever found it.
#include "command_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "program.hpp"
#include "refusal.hpp"

namespace carveout::test {
namespace {

/// The line that arguments are refused with; empty where they are not.
std::string refusal_of(const std::vector<std::string>& arguments) {
  try {
    static_cast<void>(cli::parse(arguments)(cli::Terminal{.colour = false}));
  } catch (const cli::Refusal& refusal) {
    return refusal.what();
  }
  return "";
}

std::vector<std::string> why(std::vector<std::string> more) {
  std::vector<std::string> arguments{"why", "trees/own-pools.dts", "--device", "dsp"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(CommandLine, WithoutAVerb) {
  const Outcome run = carveout({});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "carveout: command line: a verb is missing (carveout --help)\n");
}

TEST(CommandLine, VerbsThatAreNotBuiltDoNotExist) {
  const std::string help = carveout({"--help"}).out;
  for (const std::string verb : {"maps", "-"}) {
    EXPECT_EQ(refusal_of({verb, "trees/pi-bus.dts"}),
              "carveout: command line: '" + verb + "' is no verb of carveout (carveout --help)");
    EXPECT_EQ(help.find("carveout " + verb + " "), std::string::npos);
  }
}

TEST(CommandLine, UnknownOptions) {
  EXPECT_EQ(refusal_of({"--bogus"}),
            "carveout: command line: unknown option or extra argument: --bogus (carveout --help)");
  EXPECT_EQ(refusal_of({"map", "--pdf", "x"}),
            "carveout: map: unknown option or extra argument: --pdf (carveout map --help)");
  EXPECT_EQ(refusal_of(why({"--size", "1", "--bogus"})),
            "carveout: why: unknown option or extra argument: --bogus (carveout why --help)");
}

TEST(CommandLine, MissingArguments) {
  EXPECT_EQ(refusal_of({"map"}), "carveout: map: BOARD is required (carveout map --help)");
  EXPECT_EQ(refusal_of({"why", "--device", "dsp", "--size", "1"}),
            "carveout: why: BOARD is required (carveout why --help)");
  EXPECT_EQ(refusal_of(why({})), "carveout: why: --size is required (carveout why --help)");
  EXPECT_EQ(refusal_of({"why", "trees/own-pools.dts", "--size", "1"}),
            "carveout: why: --device NODE or --bus NODE is missing (carveout why --help)");
  EXPECT_NE(refusal_of({"map", "trees/pi-bus.dts", "-o"}), "");
}

TEST(CommandLine, OneBoardForWhy) {
  EXPECT_EQ(refusal_of(why({"--size", "1", "second.dtb"})),
            "carveout: why: unknown option or extra argument: second.dtb (carveout why --help)");
}

TEST(CommandLine, DeviceAndBusExcludeEachOther) {
  EXPECT_EQ(refusal_of(why({"--size", "1", "--bus", "/soc"})),
            "carveout: why: --device and --bus exclude each other (carveout why --help)");
}

TEST(CommandLine, ValuesThatMeanNothing) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--size", "12Q"}, "--size '12Q' has the unit 'Q' (a size is 4096, 0x1000, 4K, 1M or 1G)"},
      {{"--size", ""}, "--size '' is not a size (a size is 4096, 0x1000, 4K, 1M or 1G)"},
      {{"--size", "-1"}, ""},
      {{"--size", "1", "--align", "big"},
       "--align 'big' is not a size (a size is 4096, 0x1000, 4K, 1M or 1G)"},
      {{"--size", "1", "--boundary", "0"}, "--boundary is 0 (for no boundary leave it out)"},
      {{"--size", "1", "--mask", "0"}, "--mask '0' is not a number from 1 to 64 (in decimal)"},
      {{"--size", "1", "--mask", "65"}, "--mask '65' is not a number from 1 to 64 (in decimal)"},
      {{"--size", "1", "--count", "0"}, "--count '0' is not a number from 1 to 65000 (in decimal)"},
      {{"--size", "1", "--context", "soon"},
       "--context does not know 'soon' (may_wait, must_not_wait)"},
      {{"--size", "1", "--attributes", "write_combine"},
       "--attributes does not know 'write_combine' (non_coherent, no_cpu_mapping, uninitialized, "
       "force_contiguous)"},
      {{"--size", "1", "--attributes", "non_coherent,"},
       "--attributes does not know '' (non_coherent, no_cpu_mapping, uninitialized, "
       "force_contiguous)"},
      {{"--size", "1", "--cpu-coherent", "maybe"},
       "--cpu-coherent does not know 'maybe' (yes, no)"},
      {{"--size", "1", "--uncached-view", "1"}, "--uncached-view does not know '1' (yes, no)"},
      {{"--size", "1", "--pool", ""}, "--pool is empty (an index or a name)"},
      {{"--size", "1", "--pool", "99999999999"},
       "--pool '99999999999' is not a number from 0 to 4294967295 (in decimal)"},
      {{"--size", "1", "--json=yes"}, ""},
  };
  for (const auto& [arguments, words] : cases) {
    const std::string line = refusal_of(why(arguments));
    EXPECT_TRUE(is_refusal(line + "\n")) << line;
    if (!words.empty()) {
      EXPECT_EQ(line, "carveout: why: " + words);
    }
  }
}

TEST(CommandLine, AMistakeHasExitStatusTwo) {
  const Outcome run = carveout(why({"--size", "12Q"}));
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(is_refusal(run.err)) << run.err;
}

TEST(CommandLine, Version) {
  const Outcome run = carveout({"--version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.out.rfind("carveout ", 0), 0U);
  EXPECT_EQ(run.err, "");
}

TEST(CommandLine, HelpNeedsNothingElse) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"-h"}, {"map", "--help"}, {"why", "-h"}}) {
    const Outcome run = carveout(arguments);
    EXPECT_EQ(run.status, 0);
    EXPECT_LT(run.out.find("Examples:"), run.out.find("Usage:"));
    EXPECT_EQ(run.err, "");
  }
}

TEST(CommandLine, OptionsMayStandBehindTheBoard) {
  const Outcome before = carveout({"map", "--json", "trees/pi-bus.dts"});
  EXPECT_EQ(carveout({"map", "trees/pi-bus.dts", "--json"}).out, before.out);
}

}  // namespace
}  // namespace carveout::test
