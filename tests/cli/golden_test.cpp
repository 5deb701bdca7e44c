// What the program prints, word by word, on trees of our own. To accept new words on purpose, run
// the tests with CARVEOUT_UPDATE_GOLDEN=1 and read the difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "program.hpp"

namespace carveout::test {
namespace {

struct Golden {
  std::string name;
  std::vector<std::string> arguments;
  int status;
};

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }

const std::string kArtPi = "../../examples/boards/art-pi.dts";
const std::string kPiBus = "trees/pi-bus.dts";
const std::string kOwnPools = "trees/own-pools.dts";
const std::string kEverything = "trees/everything.dts";

std::vector<Golden> goldens() {
  return {
      {"map-art-pi", {"map", kArtPi}, 0},
      {"map-pi-bus", {"map", kPiBus}, 0},
      {"map-own-pools", {"map", kOwnPools}, 0},
      {"map-everything", {"map", kEverything}, 0},
      {"map-refused-pools", {"map", "trees/refused-pools.dts"}, 0},
      {"map-several", {"map", kArtPi, kPiBus}, 0},
      {"map-several-json", {"map", "--json", kArtPi, kPiBus}, 0},
      {"map-overlay", {"map", "trees/overlay-base.dts", "-o", "trees/overlay.dtso"}, 0},

      {"why-first-request", {"why", kArtPi, "--device", "serial0", "--size", "4096"}, 0},
      {"why-third-request",
       {"why", kArtPi, "--device", "serial0", "--size", "400K", "--count", "3"},
       1},
      {"why-own-pool-exhausted",
       {"why", kOwnPools, "--device", "dsp", "--size", "8K", "--count", "4"},
       1},
      {"why-pi-bus", {"why", kPiBus, "--device", "serial0", "--size", "4K"}, 0},
      {"why-any-on-bus", {"why", kPiBus, "--bus", "soc", "--size", "4K", "--mask", "32"}, 0},
      {"why-outside-windows", {"why", kOwnPools, "--device", "camera", "--size", "4K"}, 1},
      {"why-disabled-region", {"why", kOwnPools, "--device", "display", "--size", "4K"}, 0},
      {"why-disabled-device", {"why", kPiBus, "--device", "mmc", "--size", "4K"}, 0},
      {"why-coherent-device", {"why", kOwnPools, "--device", "dma", "--size", "4K"}, 0},
      {"why-behind-iommu", {"why", kOwnPools, "--device", "npu", "--size", "4K"}, 0},
      {"why-named-pool",
       {"why", kOwnPools, "--device", "dsp", "--size", "5000", "--pool", "rings"},
       0},
      {"why-no-pool", {"why", "trees/overlay-base.dts", "--device", "camera", "--size", "4K"}, 1},
      {"why-restricted", {"why", kEverything, "--device", "wifi", "--size", "5M"}, 1},
      {"why-mistakes",
       {"why", kEverything, "--device", "a-device-with-a-rather-long-name", "--size", "4K"},
       0},
      {"why-many-wishes",
       {"why",
        kOwnPools,
        "--device",
        "dsp",
        "--size",
        "0x1001",
        "--align",
        "8K",
        "--boundary",
        "16K",
        "--mask",
        "32",
        "--pool",
        "0",
        "--context",
        "must_not_wait",
        "--attributes",
        "uninitialized",
        "--cpu-coherent",
        "no",
        "--uncached-view",
        "no"},
       0},
      {"why-many-blocks", {"why", kPiBus, "--bus", "/soc", "--size", "4K", "--count", "100"}, 0},

      {"why-json-first-request",
       {"why", kArtPi, "--device", "serial0", "--size", "4096", "--json"},
       0},
      {"why-json-third-request",
       {"why", kArtPi, "--device", "serial0", "--size", "400K", "--count", "3", "--json"},
       1},
      {"why-json-own-pool-exhausted",
       {"why", kOwnPools, "--device", "dsp", "--size", "8K", "--count", "4", "--json"},
       1},
      {"why-json-pi-bus", {"why", kPiBus, "--device", "serial0", "--size", "4K", "--json"}, 0},
      {"why-json-outside-windows",
       {"why", kOwnPools, "--device", "camera", "--size", "4K", "--json"},
       1},

      {"diff-boards", {"diff", kOwnPools, kPiBus}, 0},
      {"diff-overlay", {"diff", "trees/overlay-base.dts", "-o", "trees/overlay.dtso"}, 0},
      {"diff-same", {"diff", kEverything, kEverything}, 0},

      {"lint-overlap", {"lint", "../trees/lint/DMA001/fires.dts"}, 1},
      {"lint-everything", {"lint", kEverything, kOwnPools, "--page-size", "64K"}, 1},
      {"lint-everything-json", {"lint", "--format", "json", kEverything}, 1},
      {"lint-everything-github", {"lint", "--format", "github", kEverything}, 1},
      {"explain", {"explain", "DMA001"}, 0},
      {"simulate-csv", {"simulate", kArtPi, "--trace", "traces/art-pi.csv"}, 1},
      {"simulate-json", {"simulate", kArtPi, "--trace", "traces/art-pi.csv", "--json"}, 1},
      {"simulate-kernel",
       {"simulate", kPiBus, "--trace", "traces/pi-bus.txt", "--name", "mmc1=mmc"},
       1},
      {"simulate-as-csv",
       {"simulate", kPiBus, "--trace", "traces/pi-bus.txt", "--name", "mmc1=mmc", "--csv"},
       0},
      {"simulate-presets",
       {"simulate", kArtPi, "--preset", "uas", "--preset", "wifi=ethernet0"},
       1},

      {"help", {"--help"}, 0},
      {"help-completion", {"completion", "--help"}, 0},
      {"help-diff", {"diff", "--help"}, 0},
      {"help-gen", {"gen", "--help"}, 0},
      {"help-map", {"map", "--help"}, 0},
      {"help-simulate", {"simulate", "--help"}, 0},
      {"help-why", {"why", "--help"}, 0},
      {"help-lint", {"lint", "--help"}, 0},
      {"help-explain", {"explain", "--help"}, 0},
  };
}

class Prints : public testing::TestWithParam<Golden> {};

TEST_P(Prints, TheGoldenOutput) {
  const Golden& golden = GetParam();
  const std::filesystem::path file =
      std::filesystem::path{CARVEOUT_CLI_TESTS} / "golden" / (golden.name + ".txt");
  const Outcome run = carveout(golden.arguments);
  EXPECT_EQ(run.status, golden.status) << run.err;
  if (std::getenv("CARVEOUT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream{file, std::ios::binary} << run.out;
  }
  EXPECT_EQ(run.out, contents(file));
}

class PrintsForPeople : public testing::TestWithParam<Golden> {};

/// A table of the golden output fits a terminal of 100 columns; our trees have no character of more
/// than one byte.
TEST_P(PrintsForPeople, NoLineLongerThanAHundredColumns) {
  const Golden& golden = GetParam();
  std::ifstream file{std::filesystem::path{CARVEOUT_CLI_TESTS} / "golden" / (golden.name + ".txt")};
  for (std::string line; std::getline(file, line);) {
    EXPECT_LE(line.size(), 100U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

std::vector<Golden> without_json() {
  std::vector<Golden> result = goldens();
  std::erase_if(result, [](const Golden& golden) {
    return golden.name.contains("json") || golden.name.contains("github");
  });
  return result;
}

std::string test_name(const testing::TestParamInfo<Golden>& param) {
  std::string name = param.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Carveout, Prints, testing::ValuesIn(goldens()), test_name);
INSTANTIATE_TEST_SUITE_P(Carveout, PrintsForPeople, testing::ValuesIn(without_json()), test_name);

}  // namespace
}  // namespace carveout::test
