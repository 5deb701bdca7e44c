// What a tree's bytes become in files that a compiler and a linker read.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "gen/files.hpp"
#include "gen/names.hpp"
#include "tests/gen/gen_board.hpp"

namespace carveout::test {
namespace {

TEST(GenIdentifiers, AreWhatIsALetterOrADigitOfAName) {
  cli::Identifiers ids;
  EXPECT_EQ(ids.make("device", "ethernet@40028000"), "device_ethernet_40028000");
  EXPECT_EQ(ids.make("pool", "linux,cma"), "pool_linux_cma");
  EXPECT_EQ(ids.make("pool", "__a..b--"), "pool_a_b");
  EXPECT_EQ(ids.make("pool", "default"), "pool_default");
  EXPECT_EQ(ids.make("pool", "\xc3\xa4\n\""), "pool");
  EXPECT_EQ(ids.make("pool", "7"), "pool_7");
}

TEST(GenIdentifiers, AreGivenOutOnceWhateverWasGivenOutBefore) {
  cli::Identifiers ids;
  EXPECT_EQ(ids.make("p", "a_2"), "p_a_2");
  EXPECT_EQ(ids.make("p", "a"), "p_a");
  EXPECT_EQ(ids.make("p", "a"), "p_a_3");
  EXPECT_EQ(ids.make("p", "a@2"), "p_a_2_2");
  std::set<std::string> all;
  for (const char* name : {"x", "x_2", "x-2", "x", "x,2,2", "x_2", "X", "x_2_2"}) {
    EXPECT_TRUE(all.insert(ids.make("p", name)).second) << name;
  }
}

TEST(GenWords, NothingOfATreeEndsACommentOrContinuesItsLine) {
  EXPECT_EQ(cli::in_comment("a,b@1/c (d)"), "a,b@1/c (d)");
  EXPECT_EQ(cli::in_comment("*/\\\nx"), "_/__x");
  for (const char c : cli::in_comment("*/ \\\n?\?/\xff\"$`{}#;")) {
    EXPECT_NE(std::string_view{" _/"}.find(c), std::string_view::npos) << c;
  }
}

TEST(GenWords, ALiteralIsExactlyItsBytes) {
  EXPECT_EQ(cli::literal("ab@1"), "\"ab@1\"");
  EXPECT_EQ(cli::literal("\"\\\n1\xff?"), "\"\\042\\134\\0121\\377\\077\"");
}

TEST(GenFiles, AreTheSameBytesForTheSameBoardAndAnotherLayoutForAnother) {
  const auto board = cli::read_board(source_path("tests/gen/trees/names.dts"), {});
  const cli::GenRequest request{.target = cli::GenTarget::armv7m};
  const auto files = cli::files_of(cli::plan(board, request), request);
  const auto again = cli::files_of(cli::plan(board, request), request);
  ASSERT_EQ(files.size(), 3U);
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(files[i].content, again[i].content);
  const auto layout = [](const std::vector<cli::OutputFile>& of, std::size_t file) {
    const std::string& text = of[file].content;
    const std::size_t at =
        file == 2 ? text.find("kLayout == 0x") + 13 : text.find("carveout_layout_") + 16;
    return text.substr(at, 16);
  };
  EXPECT_EQ(layout(files, 0), layout(files, 1));
  EXPECT_EQ(layout(files, 0), layout(files, 2));
  cli::GenPlan moved = cli::plan(board, request);
  moved.pools[0].chunks[0].range.size_bytes -= 32;
  EXPECT_NE(layout(cli::files_of(moved, request), 0), layout(files, 0));
}

}  // namespace
}  // namespace carveout::test
