// The forms that a board can have: all of them say the same.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "program.hpp"

namespace carveout::test {
namespace {

std::string json_of(const std::string& board, const RunOptions& options = {}) {
  const Outcome run = carveout({"map", "--json", "--", board}, options);
  EXPECT_EQ(run.status, 0) << run.err;
  return run.out;
}

std::string expected() {
  const TemporaryFolder folder;
  return json_of(folder.write("board.dtb", compiled("own-pools.dts")));
}

/// A tree directory with what own-pools.dts has in its memory and one region.
void make_directory(const TemporaryFolder& folder) {
  namespace fs = std::filesystem;
  const auto cells = [](std::initializer_list<unsigned> values) {
    std::string bytes;
    for (const unsigned value : values) {
      for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
    }
    return bytes;
  };
  static_cast<void>(folder.write("compatible", std::string{"carveout,directory\0", 19}));
  static_cast<void>(folder.write("#address-cells", cells({1})));
  static_cast<void>(folder.write("#size-cells", cells({1})));
  fs::create_directories(folder.path("memory@80000000"));
  static_cast<void>(folder.write("memory@80000000/device_type", std::string{"memory\0", 7}));
  static_cast<void>(folder.write("memory@80000000/reg", cells({0x80000000, 0x1000000})));
  for (const std::string region : {"b@80200000", "a@80100000"}) {
    const std::string path = "reserved-memory/" + region;
    fs::create_directories(folder.path(path));
    static_cast<void>(folder.write(path + "/compatible", std::string{"shared-dma-pool\0", 16}));
    static_cast<void>(folder.write(path + "/no-map", ""));
    static_cast<void>(
        folder.write(path + "/reg", cells({region[0] == 'a' ? 0x80100000U : 0x80200000U, 0x1000})));
  }
  static_cast<void>(folder.write("reserved-memory/#address-cells", cells({1})));
  static_cast<void>(folder.write("reserved-memory/#size-cells", cells({1})));
  static_cast<void>(folder.write("reserved-memory/ranges", ""));
}

TEST(Input, ABlob) {
  EXPECT_NE(expected().find("\"schema\":\"carveout.map/1\""), std::string::npos);
}

TEST(Input, ABlobOnStandardInput) {
  EXPECT_EQ(json_of("-", {.input = compiled("own-pools.dts")}), expected());
}

TEST(Input, ABlobWithBytesBehindIt) {
  const TemporaryFolder folder;
  std::string blob = compiled("own-pools.dts");
  blob.append(100'000, '\xff');
  EXPECT_EQ(json_of(folder.write("padded.dtb", blob)), expected());
  EXPECT_EQ(json_of("-", {.input = blob}), expected());
}

TEST(Input, ABlobWhateverItsName) {
  const TemporaryFolder folder;
  EXPECT_EQ(json_of(folder.write("board.dts", compiled("own-pools.dts"))), expected());
  EXPECT_EQ(json_of(folder.write("-", compiled("own-pools.dts"))), expected());
}

TEST(Input, Source) { EXPECT_EQ(json_of("trees/own-pools.dts"), expected()); }

TEST(Input, SourceWithASpaceAndADashInItsName) {
  const TemporaryFolder folder;
  const std::string source =
      contents(std::filesystem::path{CARVEOUT_CLI_TESTS} / "trees/own-pools.dts");
  EXPECT_EQ(json_of(folder.write("-my; board.dts", source)), expected());
}

TEST(Input, SourceIsKnownByItsFirstLineToo) {
  const TemporaryFolder folder;
  EXPECT_EQ(json_of(folder.write("board.txt", "/dts-v1/;\n/ { model = \"x\"; };\n")),
            json_of(folder.write("board.dts", "/* x */\n/dts-v1/;\n/ { model = \"x\"; };\n")));
}

TEST(Input, WarningsOfDtcGoToStandardError) {
  const TemporaryFolder folder;
  const Outcome run = carveout({"map", folder.write("board.dts", "/dts-v1/;\n/ { a@1 { }; };\n")});
  EXPECT_EQ(run.status, 0);
  EXPECT_NE(run.err.find("Warning"), std::string::npos) << run.err;
  EXPECT_EQ(run.out.find("Warning"), std::string::npos);
}

TEST(Input, ADirectoryInByteOrderOfNames) {
  const TemporaryFolder folder;
  make_directory(folder);
  const std::string json = json_of(folder.path(""));
  EXPECT_NE(json.find("\"memory\":[{\"base\":\"0x80000000\",\"size\":\"0x1000000\"}]"),
            std::string::npos);
  const std::size_t a = json.find("/reserved-memory/a@80100000");
  const std::size_t b = json.find("/reserved-memory/b@80200000");
  ASSERT_NE(a, std::string::npos) << json;
  ASSERT_NE(b, std::string::npos) << json;
  EXPECT_LT(a, b);
  EXPECT_NE(json.find("\"memreserve\":[]"), std::string::npos);
}

TEST(Input, ADirectoryBehindASymbolicLink) {
  const TemporaryFolder folder;
  const TemporaryFolder other;
  make_directory(folder);
  std::filesystem::create_directory_symlink(folder.path(""), other.path("device-tree"));
  EXPECT_EQ(json_of(other.path("device-tree")), json_of(folder.path("")));
}

TEST(Input, OverlaysAreAppliedFirst) {
  const Outcome run =
      carveout({"map", "--json", "-o", "trees/overlay.dtso", "trees/overlay-base.dts"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_NE(run.out.find("\"node\":\"/reserved-memory/frames@88000000\""), std::string::npos);
  EXPECT_NE(run.out.find("\"dma\":\"0x88000000\""), std::string::npos);
}

TEST(Input, OverlaysAsBlobs) {
  const TemporaryFolder folder;
  const std::string base = folder.write("base.dtb", compiled("overlay-base.dts", {"-@"}));
  const std::string overlay = folder.write("overlay.dtbo", compiled("overlay.dtso", {"-@"}));
  const Outcome run = carveout({"map", "--json", base, "--overlay", overlay});
  EXPECT_EQ(run.status, 0) << run.err;
  const Outcome twice = carveout({"map", "--json", base, "-o", overlay, "-o", overlay});
  EXPECT_EQ(twice.out, run.out) << twice.err;
}

TEST(Input, ABoardInThePlaceOfAnOverlayIsRefused) {
  const Outcome run = carveout({"map", "-o", "trees/overlay-base.dts", "trees/overlay-base.dts"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_NE(run.err.find("has no fragment"), std::string::npos) << run.err;
}

TEST(Input, AnOverlayThatDoesNotApplyIsNamedWithTheReason) {
  const Outcome run =
      carveout({"map", "-o", "trees/overlay-unknown.dtso", "trees/overlay-base.dts"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            "carveout: trees/overlay-base.dts: overlay trees/overlay-unknown.dtso does not apply: "
            "FDT_ERR_NOTFOUND (fdt_overlay_apply)\n");
}

TEST(Input, AnOverlayForABoardWithoutSymbols) {
  const TemporaryFolder folder;
  const std::string base = folder.write("base.dtb", compiled("overlay-base.dts"));
  const Outcome run = carveout({"map", "-o", "trees/overlay.dtso", base});
  EXPECT_EQ(run.status, 2);
  EXPECT_NE(run.err.find("overlay trees/overlay.dtso does not apply"), std::string::npos);
}

TEST(Input, AnOverlayThatIsMissing) {
  const Outcome run = carveout({"map", "-o", "trees/no-such.dtbo", "trees/overlay-base.dts"});
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(is_refusal(run.err)) << run.err;
  EXPECT_NE(run.err.find("carveout: trees/no-such.dtbo: "), std::string::npos) << run.err;
}

TEST(Input, StandardInputTwice) {
  const Outcome run = carveout({"map", "-", "-"}, {.input = compiled("own-pools.dts")});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.err, "carveout: map: standard input is named twice, and can be read once (-)\n");
}

TEST(Input, SeveralBoardsAreOneObjectALine) {
  const Outcome run = carveout({"map", "--json", "trees/own-pools.dts", "trees/pi-bus.dts"});
  ASSERT_EQ(run.status, 0) << run.err;
  const std::size_t line = run.out.find('\n');
  ASSERT_NE(line, std::string::npos);
  EXPECT_EQ(run.out.rfind("{\"source\":\"trees/own-pools.dts\",", 0), 0U);
  EXPECT_EQ(run.out.compare(line + 1, 30, "{\"source\":\"trees/pi-bus.dts\",\"s", 30), 0);
  EXPECT_EQ(run.out.find('\n', line + 1), run.out.size() - 1);
}

}  // namespace
}  // namespace carveout::test
