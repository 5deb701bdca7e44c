// Standard output: complete or a refusal, and colour only where somebody sees it.
#include <gtest/gtest.h>

#include <string>

#include "program.hpp"

namespace carveout::test {
namespace {

TEST(Output, AFullDiskIsNoticed) {
  RunOptions options;
  options.output_file = "/dev/full";
  for (const std::string form : {"--json", "--version"}) {
    const Outcome run = form == "--json" ? carveout({"map", form, "trees/pi-bus.dts"}, options)
                                         : carveout({form}, options);
    EXPECT_EQ(run.status, 2) << form;
    EXPECT_TRUE(is_refusal(run.err)) << run.err;
    EXPECT_NE(run.err.find("standard output: No space left on device (after 0 of "),
              std::string::npos)
        << run.err;
  }
}

TEST(Output, AClosedStandardOutputIsNoticed) {
  RunOptions options;
  options.closed = {1};
  const Outcome run = carveout({"map", "trees/pi-bus.dts"}, options);
  EXPECT_EQ(run.status, 2);
  EXPECT_NE(run.err.find("standard output: Bad file descriptor"), std::string::npos) << run.err;
}

TEST(Output, WithNoStandardStreamAtAllNothingElseIsWritten) {
  const TemporaryFolder folder;
  const std::string blob = compiled("pi-bus.dts");
  const std::string board = folder.write("board.dtb", blob);
  RunOptions options;
  options.closed = {0, 1, 2};
  EXPECT_EQ(carveout({"map", board}, options).status, 2);
  EXPECT_EQ(contents(board), blob);
}

TEST(Output, NoColourInAFile) {
  const Outcome run = carveout({"map", "trees/everything.dts"});
  EXPECT_EQ(run.out.find('\x1b'), std::string::npos);
}

TEST(Output, ColourOnATerminal) {
  RunOptions options;
  options.on_a_terminal = true;
  options.environment = {{"TERM", "xterm"}};
  EXPECT_NE(carveout({"map", "trees/everything.dts"}, options).out.find("\x1b[1m"),
            std::string::npos);
  EXPECT_EQ(carveout({"map", "--json", "trees/everything.dts"}, options).out.find('\x1b'),
            std::string::npos);
}

TEST(Output, NeverColourWithNoColor) {
  RunOptions options;
  options.on_a_terminal = true;
  options.environment = {{"TERM", "xterm"}, {"NO_COLOR", "1"}};
  const Outcome run = carveout({"map", "trees/everything.dts"}, options);
  EXPECT_EQ(run.status, 0);
  EXPECT_NE(run.out.find("Reserved regions"), std::string::npos);
  EXPECT_EQ(run.out.find('\x1b'), std::string::npos);
}

TEST(Output, TheSameInputGivesTheSameBytes) {
  for (const std::string verb : {"map", "why"}) {
    std::vector<std::string> arguments{verb, "trees/everything.dts"};
    if (verb == "why") arguments.insert(arguments.end(), {"--device", "wifi", "--size", "4K"});
    EXPECT_EQ(carveout(arguments).out, carveout(arguments).out);
  }
}

}  // namespace
}  // namespace carveout::test
