// `gen` as a user runs it: what is written, what is not, and what is said of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "program.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout::test {
namespace {

namespace fs = std::filesystem;

const std::string kArtPi = "../../examples/boards/art-pi.dts";
const std::string kOwnPools = "trees/own-pools.dts";
const std::string kNames = "../gen/trees/names.dts";

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

const std::vector<std::string> kAllThree{"carveout.ld", "carveout_mpu.hpp", "carveout_tables.hpp"};

TEST(Gen, WritesThreeFilesForACoreWithAnMpuAndTwoForOthersAndPrintsNothing) {
  const TemporaryFolder folder;
  const Outcome m7 =
      carveout({"gen", kArtPi, "--target", "armv7m", "--out", folder.path("deep/m7")});
  EXPECT_EQ(m7.status, 0) << m7.err;
  EXPECT_EQ(m7.out + m7.err, "");
  EXPECT_EQ(names_in(folder.path("deep/m7")), kAllThree);
  const Outcome other = carveout({"gen", kArtPi, "--target", "riscv", "--out", folder.path("rv")});
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_EQ(names_in(folder.path("rv")),
            (std::vector<std::string>{"carveout.ld", "carveout_tables.hpp"}));
}

TEST(Gen, WritesTheSameBytesWhereverTheBoardComesFromAndWhereverTheyGo) {
  const TemporaryFolder folder;
  const std::string blob = compiled("../../gen/trees/names.dts");
  const auto made = [&](const std::string& board, const std::string& out) {
    return carveout({"gen", board, "--target", "armv8m", "--out", folder.path(out)},
                    {.input = blob})
        .status;
  };
  EXPECT_EQ(made(kNames, "a"), 0);
  EXPECT_EQ(made("-", "b"), 0);
  for (const std::string& name : kAllThree) {
    EXPECT_FALSE(contents(folder.path("a/" + name)).empty()) << name;
    EXPECT_EQ(contents(folder.path("a/" + name)), contents(folder.path("b/" + name)));
  }
}

/// The image for an emulated board is built with what is kept beside it.
void expect_kept(const std::string& board, std::vector<std::string> options) {
  const TemporaryFolder folder;
  const std::string kept = std::string{CARVEOUT_CLI_TESTS} + "/../boards/" + board + "/generated";
  const bool update = std::getenv("CARVEOUT_UPDATE_GOLDEN") != nullptr;
  const std::string tree = "../boards/" + board + "/" + board + ".dts";
  options.insert(options.begin(), {"gen", tree, "--out", update ? kept : folder.path("out")});
  const Outcome made = carveout(options);
  EXPECT_EQ(made.status, 0) << made.err;
  if (update) return;
  for (const std::string& name : kAllThree) {
    EXPECT_EQ(contents(folder.path("out/" + name)), contents(fs::path{kept} / name)) << name;
  }
}

TEST(Gen, MakesOfAnEmulatedBoardWhatItsImageIsBuiltWith) {
  expect_kept("mps2_an500", {"--target", "armv7m", "--device", "ethernet=32", "--device",
                             "camera=32", "--namespace", "an500"});
  expect_kept("mps2_an505", {"--target", "armv8m", "--device", "dma=32", "--namespace", "an505"});
}

TEST(Gen, ReplacesItsOwnFilesAndLeavesOthersAlone) {
  const TemporaryFolder folder;
  const std::string out = fs::path{folder.write("carveout.ld", "old")}.parent_path();
  folder.write("mine.txt", "mine");
  EXPECT_EQ(carveout({"gen", kArtPi, "--target", "generic", "--out", out}).status, 0);
  EXPECT_NE(contents(folder.path("carveout.ld")), "old");
  EXPECT_EQ(contents(folder.path("mine.txt")), "mine");
  EXPECT_EQ(names_in(out),
            (std::vector<std::string>{"carveout.ld", "carveout_tables.hpp", "mine.txt"}));
}

TEST(Gen, SaysWhatTheRoundingSwallows) {
  const TemporaryFolder folder;
  // One region each but for the chunk of 0x1100 bytes, which would need two.
  const Outcome made = carveout(
      {"gen", kNames, "--target", "armv7m", "--mpu-regions", "6", "--out", folder.path("out")});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_NE(made.err.find("carveout: ../gen/trees/names.dts: the MPU region of pool_a_pool_2_1 "
                          "takes 0x20031100 to 0x200313ff with it"),
            std::string::npos)
      << made.err;
  EXPECT_NE(contents(folder.path("out/carveout_mpu.hpp")).find("0x300 bytes more than the pool"),
            std::string::npos);
}

TEST(Gen, ABoardThatDoesNotFitIsExitStatus1AndWritesNothing) {
  const TemporaryFolder folder;
  const Outcome made = carveout(
      {"gen", kNames, "--target", "armv7m", "--mpu-regions", "5", "--out", folder.path("out")});
  EXPECT_EQ(made.status, 1);
  EXPECT_EQ(made.out, "");
  EXPECT_NE(
      made.err.find("carveout: ../gen/trees/names.dts: its pools take at least 6 MPU regions, none "
                    "over what lies between two, and may take 5 (--mpu-regions)\n"),
      std::string::npos)
      << made.err;
  EXPECT_FALSE(fs::exists(folder.path("out")));
}

TEST(Gen, AMistakeOfTheTreeIsExitStatus1WithItsRule) {
  const TemporaryFolder folder;
  const Outcome made = carveout(
      {"gen", kOwnPools, "--target", "generic", "--device", "camera", "--out", folder.path("out")});
  EXPECT_EQ(made.status, 1);
  EXPECT_TRUE(
      made.err.starts_with("carveout: trees/own-pools.dts: DMA027 /soc/camera@2000 "
                           "memory-region: "))
      << made.err;
  EXPECT_FALSE(fs::exists(folder.path("out")));
}

/// A pool's name, and its `reg` in pairs of cells.
using PoolText = std::pair<std::string, std::string>;

/// Runs `gen` on a board whose device is bound to these pools.
Outcome made_of(const TemporaryFolder& folder, const std::vector<PoolText>& pools,
                const std::string& target) {
  std::string regions;
  std::string bound;
  for (const auto& [name, reg] : pools) {
    regions += name + ": " + name + " { compatible = \"shared-dma-pool\"; no-map; reg = <" + reg +
               ">; };\n";
    bound += (bound.empty() ? "<&" : ", <&") + name + ">";
  }
  const std::string board = folder.write(
      "board.dts",
      "/dts-v1/;\n/ { #address-cells = <2>; #size-cells = <2>;\n"
      "memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x10000000>; };\n"
      "reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n" +
          regions + "};\nmaster { memory-region = " + bound + "; };\n};\n");
  return carveout(
      {"gen", board, "--target", target, "--device", "master=64", "--out", folder.path("out")});
}

TEST(Gen, RegionsThatCannotBePoolsAreNamedAndNothingIsWritten) {
  std::vector<PoolText> many;
  for (std::uint32_t i = 0; i < 40; ++i) {
    many.emplace_back("r" + std::to_string(i),
                      "0 " + std::to_string(0x8000'0000 + i * 0x10000) + " 0 0x1000");
  }
  const std::string good = "0 0x80000000 0 0x1000";
  const std::vector<std::pair<std::vector<PoolText>, std::string>> boards{
      {{{"nothing", "0 0x80000000 0 0"}}, "/reserved-memory/nothing reg: has a range of 0 bytes"},
      {{{"partly", good + " 0 0x80002000 0 0"}},
       "/reserved-memory/partly reg: has a range of 0 bytes"},
      {{{"small", "0 0x80000000 0 0x10"}}, "/reserved-memory/small reg: a range has no whole"},
      {{{"twice", good}, {"again", good}}, "/reserved-memory/twice reg: shares 4 KiB"},
      {{{"round", "0xffffffff 0xfffff000 0 0x2000"}},
       "/reserved-memory/round reg: base and size pass 2^64"},
      {{{"all", "0 0 0xffffffff 0xffffffff"}}, "/reserved-memory/all reg: has too many granules"},
      {{{"high", "1 0 0 0x1000"}}, "pool_high ends above 4 GiB"},
      {many,
       "its pools take at least 40 MPU regions, none over what lies between two, and may take 8 "
       "(--mpu-regions)"},
  };
  for (const auto& [pools, reason] : boards) {
    for (const std::string target : {"armv7m", "armv8m"}) {
      const TemporaryFolder folder;
      const Outcome made = made_of(folder, pools, target);
      EXPECT_EQ(made.status, 1) << reason;
      EXPECT_EQ(made.out, "");
      EXPECT_NE(made.err.find(reason), std::string::npos) << reason << '\n' << made.err;
      EXPECT_EQ(names_in(folder.path("")), std::vector<std::string>{"board.dts"}) << reason;
    }
  }
}

/// No compiler of trees makes such names, and a blob may have them.
TEST(Gen, NamesThatAreNoNamesLeadNowhereAndGiveNoSymbolTwice) {
  const std::vector<std::string> names{"../../up", "a..b",          "a-b",
                                       "*/ end",   "x\n} evil : {", "\xff"};
  TreeMaker maker;
  maker.counts(1, 1).string("model", "*/\n#error");
  maker.begin("reserved-memory").counts(1, 1).empty("ranges");
  std::uint32_t phandle = 0;
  for (const std::string& name : names) {
    maker.begin(name).string("compatible", "shared-dma-pool").empty("no-map");
    maker.cells("reg", {0x8000'0000 + ++phandle * 0x10000, 0x1000});
    maker.cells("phandle", {phandle}).end();
  }
  maker.end().begin("master").cells("memory-region", {1, 2, 3, 4, 5, 6}).end();
  const std::vector<std::byte> blob = maker.finish();
  const TemporaryFolder folder;
  const Outcome made =
      carveout({"gen", "-", "--target", "armv7m", "--out", folder.path("deep/deeper/out")},
               {.input = {reinterpret_cast<const char*>(blob.data()), blob.size()}});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(names_in(folder.path("")), std::vector<std::string>{"deep"});
  EXPECT_EQ(names_in(folder.path("deep")), std::vector<std::string>{"deeper"});
  EXPECT_EQ(names_in(folder.path("deep/deeper/out")), kAllThree);
  const std::string script = contents(folder.path("deep/deeper/out/carveout.ld"));
  for (const char* id : {"up", "a_b", "a_b_2", "end", "x_evil"}) {
    const std::string symbol = "    carveout_pool_" + std::string{id} + "_start = .;\n";
    const std::size_t at = script.find(symbol);
    EXPECT_NE(at, std::string::npos) << symbol << script;
    EXPECT_EQ(script.find(symbol, at + 1), std::string::npos) << symbol;
  }
  EXPECT_EQ(script.find("} evil"), std::string::npos);
  EXPECT_EQ(contents(folder.path("deep/deeper/out/carveout_tables.hpp")).find("#error"),
            std::string::npos);
}

TEST(Gen, WrongUseIsOneLineAndExitStatus2) {
  const TemporaryFolder folder;
  const std::string out = folder.path("out");
  const std::vector<std::vector<std::string>> wrong{
      {"--target", "armv6m", "--out", out},
      {"--target", "armv7m", "--out", ""},
      {"--target", "armv7m"},
      {"--out", out},
      {"--target", "armv7m", "--out", out, "--device", "nobody"},
      {"--target", "armv7m", "--out", out, "--device", "serial0=65"},
      {"--target", "armv7m", "--out", out, "--device", "serial0="},
      {"--target", "armv7m", "--out", out, "--device", "=32"},
      {"--target", "armv7m", "--out", out, "--device", "serial0", "--device", "serial0"},
      {"--target", "armv7m", "--out", out, "--mpu-regions", "0"},
      {"--target", "armv7m", "--out", out, "--mpu-regions", "17"},
      {"--target", "riscv", "--out", out, "--mpu-regions", "8"},
      {"--target", "armv7m", "--out", out, "--namespace", "a-b"},
      {"--target", "armv7m", "--out", out, "--world", "secure"},
      {"--target", "armv8m", "--out", out, "--world", "third"},
      {"--target", "armv7m", "--out", out, "--namespace", "a::"},
      {"--target", "armv7m", "--out", out, "--namespace", "7a"},
      {"--target", "armv7m", "--out", out, "--namespace", "class"},
      {"--target", "armv7m", "--out", out, "--namespace", "a::xor_eq"},
      {"--target", "armv7m", "--out", out, "--namespace", "a::alignas"},
      {"--target", "armv7m", "--out", out, "--namespace", "std::a"},
      {"--target", "armv7m", "--out", out, "--namespace", "_a"},
      {"--target", "armv7m", "--out", out, "--namespace", "a__b"},
      {"--target", "armv7m", "--out", out, "--namespace", "a:::b"},
  };
  for (std::vector<std::string> arguments : wrong) {
    arguments.insert(arguments.begin(), {"gen", kArtPi});
    const Outcome made = carveout(arguments);
    EXPECT_EQ(made.status, 2) << arguments.back();
    EXPECT_EQ(made.out, "");
    EXPECT_TRUE(is_refusal(made.err)) << made.err;
    EXPECT_FALSE(fs::exists(out)) << arguments.back();
  }
}

TEST(Gen, ANamespaceMayHaveSeveralParts) {
  const TemporaryFolder folder;
  const Outcome made = carveout({"gen", kArtPi, "--target", "generic", "--namespace",
                                 "a::b_2::classes", "--out", folder.path("out")});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_NE(contents(folder.path("out/carveout_tables.hpp")).find("namespace a::b_2::classes {"),
            std::string::npos);
}

TEST(Gen, WhereOneFileCannotBeWrittenNoneIs) {
  const TemporaryFolder folder;
  const std::string in_the_way = folder.path("out/carveout_tables.hpp/x");
  fs::create_directories(in_the_way);
  const Outcome made = carveout({"gen", kArtPi, "--target", "armv7m", "--out", folder.path("out")});
  EXPECT_EQ(made.status, 2);
  EXPECT_TRUE(is_refusal(made.err)) << made.err;
  EXPECT_EQ(names_in(folder.path("out")), std::vector<std::string>{"carveout_tables.hpp"});

  folder.write("file", "a file");
  const Outcome no_folder =
      carveout({"gen", kArtPi, "--target", "armv7m", "--out", folder.path("file/out")});
  EXPECT_EQ(no_folder.status, 2);
  EXPECT_TRUE(is_refusal(no_folder.err)) << no_folder.err;
  EXPECT_EQ(contents(folder.path("file")), "a file");
}

}  // namespace
}  // namespace carveout::test
