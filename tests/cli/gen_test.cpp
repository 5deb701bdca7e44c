// `gen` as a user runs it: what is written, what is not, and what is said of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "program.hpp"

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

/// The image for the emulated board is built with what is kept beside it.
TEST(Gen, MakesOfTheEmulatedBoardWhatItsImageIsBuiltWith) {
  const TemporaryFolder folder;
  const std::string board = "../boards/mps2_an500/";
  const std::string kept = std::string{CARVEOUT_CLI_TESTS} + "/../boards/mps2_an500/generated";
  const bool update = std::getenv("CARVEOUT_UPDATE_GOLDEN") != nullptr;
  const Outcome made = carveout({"gen", board + "mps2_an500.dts", "--target", "armv7m", "--device",
                                 "ethernet=32", "--device", "camera=32", "--namespace", "an500",
                                 "--out", update ? kept : folder.path("out")});
  EXPECT_EQ(made.status, 0) << made.err;
  if (update) return;
  for (const std::string& name : kAllThree) {
    EXPECT_EQ(contents(folder.path("out/" + name)), contents(fs::path{kept} / name)) << name;
  }
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
  EXPECT_NE(made.err.find(
                "carveout: ../gen/trees/names.dts: its pools take at least 6 MPU regions, and may "
                "take 5 (--mpu-regions)\n"),
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
  const Outcome made = carveout(
      {"gen", kArtPi, "--target", "generic", "--namespace", "a::b_2", "--out", folder.path("out")});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_NE(contents(folder.path("out/carveout_tables.hpp")).find("namespace a::b_2 {"),
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
