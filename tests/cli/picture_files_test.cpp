// `map --svg` and `--html`, as a user types them.
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

const std::string kBoard = "trees/own-pools.dts";
const std::string kVision = "../../examples/boards/vision.dts";

TEST(MapPictures, AreWrittenBesideTheTable) {
  const TemporaryFolder folder;
  const std::string svg = folder.path("board.svg");
  const std::string html = folder.path("board.html");
  const Outcome table = carveout({"map", kBoard});
  const Outcome run = carveout({"map", kBoard, "--svg", svg, "--html", html});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out, table.out);
  EXPECT_TRUE(contents(svg).starts_with("<svg "));
  EXPECT_TRUE(contents(html).starts_with("<!DOCTYPE html>\n"));
  EXPECT_NE(contents(html).find(contents(svg)), std::string::npos);
}

TEST(MapPictures, AreWrittenBesideJson) {
  const TemporaryFolder folder;
  const Outcome json = carveout({"map", kBoard, "--json"});
  const Outcome run = carveout({"map", kBoard, "--json", "--svg", folder.path("board.svg")});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out, json.out);
}

TEST(MapPictures, GoToStandardOutputInPlaceOfTheTable) {
  const TemporaryFolder folder;
  const std::string svg = folder.path("board.svg");
  EXPECT_EQ(carveout({"map", kBoard, "--svg", svg}).status, 0);
  const Outcome run = carveout({"map", kBoard, "--svg", "-"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out, contents(svg));
  EXPECT_FALSE(std::filesystem::exists("-"));
}

TEST(MapPictures, AreTheSameBytesEachTime) {
  EXPECT_EQ(carveout({"map", kBoard, "--html", "-"}).out,
            carveout({"map", kBoard, "--html", "-"}).out);
}

TEST(MapPictures, AreAllWrittenOrNone) {
  const TemporaryFolder folder;
  const std::string svg = folder.write("board.svg", "as it was");
  const Outcome run = carveout({"map", kBoard, "--svg", svg, "--html", folder.path("no/b.html")});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(is_refusal(run.err)) << run.err;
  EXPECT_EQ(contents(svg), "as it was");
}

TEST(MapPictures, AreRefusedWhereTheyMakeNoSense) {
  const TemporaryFolder folder;
  const std::string svg = folder.path("board.svg");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"map", "--svg", svg, kBoard, "trees/pi-bus.dts"},
        {"map", "--svg", folder.path("board.dtb"), kBoard},
        {"map", "--html", folder.path("board.svg"), kBoard},
        {"map", "--svg", "-", "--html", "-", kBoard},
        {"map", "--svg", "-", "--json", kBoard}}) {
    const Outcome run = carveout(arguments);
    EXPECT_EQ(run.status, 2) << arguments[1] << " " << arguments[2];
    EXPECT_EQ(run.out, "");
    EXPECT_TRUE(is_refusal(run.err)) << run.err;
  }
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path{svg}.parent_path()));
}

struct Documented {
  std::string name;
  std::vector<std::string> arguments;
};

void PrintTo(const Documented& picture, std::ostream* out) { *out << picture.name; }

class Picture : public testing::TestWithParam<Documented> {};

/// To accept another one on purpose: CARVEOUT_UPDATE_GOLDEN=1.
TEST_P(Picture, OfTheDocumentsIsWhatTheProgramWrites) {
  const std::filesystem::path file =
      std::filesystem::path{CARVEOUT_CLI_TESTS} / "../../docs" / GetParam().name;
  const Outcome run = carveout(GetParam().arguments);
  if (std::getenv("CARVEOUT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream{file, std::ios::binary} << run.out;
  }
  EXPECT_TRUE(run.out == contents(file)) << GetParam().name << " is out of date";
}

INSTANTIATE_TEST_SUITE_P(Documented, Picture,
                         testing::Values(Documented{"board.svg", {"map", kVision, "--svg", "-"}},
                                         Documented{"board-over-time.svg",
                                                    {"simulate", kVision, "--trace",
                                                     "traces/vision.csv", "--svg", "-"}}),
                         [](const auto& picture) {
                           std::string name = picture.param.name;
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace carveout::test
