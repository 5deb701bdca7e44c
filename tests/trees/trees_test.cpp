// `map --json` of every tree here equals the file beside it. Each tree stands for a rule; its first
// lines say which. A board's tree is compared in the same way, where boards are at hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "map_json.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> found;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    if (entry.path().extension() == extension) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::vector<std::byte> as_bytes(const std::string& text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

std::string read(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// -f, because some of our trees are wrong on purpose.
std::string compile(const fs::path& source) {
  const std::string command = "dtc -q -q -f -I dts -O dtb '" + source.string() + "' 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), pclose};
  std::string blob;
  std::array<char, 4096> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe.get())) {
    blob.append(part.data(), size);
  }
  return blob;
}

nlohmann::json map_of(std::vector<std::byte> blob) {
  const test::OpenTree tree{std::move(blob)};
  const auto text = cli::map_json(tree);
  if (!text) return std::string{text.error().what()};
  return nlohmann::json::parse(*text);
}

fs::path boards() {
  const char* folder = std::getenv("CARVEOUT_BOARDS");
  return folder != nullptr ? folder : CARVEOUT_DEFAULT_BOARDS;
}

std::string test_name(const testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.stem().string();
  std::ranges::replace_if(
      name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

class OurTree : public testing::TestWithParam<fs::path> {};

TEST_P(OurTree, MapsToTheFileBesideIt) {
  const auto expected =
      nlohmann::json::parse(read(fs::path{GetParam()}.replace_extension(".json")));
  const nlohmann::json actual = map_of(as_bytes(compile(GetParam())));
  // By keys, so that a failure is short.
  EXPECT_EQ(actual.size(), expected.size());
  for (const auto& [key, value] : expected.items())
    EXPECT_EQ(actual.value(key, nlohmann::json{}), value) << key;
}

INSTANTIATE_TEST_SUITE_P(Trees, OurTree, testing::ValuesIn(files(CARVEOUT_TREES, ".dts")),
                         test_name);

TEST(OurTrees, EachHasItsExpectedFile) {
  std::vector<std::string> sources;
  for (const auto& path : files(CARVEOUT_TREES, ".dts")) sources.push_back(path.stem());
  std::vector<std::string> expected;
  for (const auto& path : files(CARVEOUT_TREES, ".json")) expected.push_back(path.stem());
  EXPECT_EQ(sources, expected);
  EXPECT_GE(sources.size(), 50U);
}

TEST(MapJson, HasItsKeysInTheOrderOfTheContract) {
  const test::OpenTree tree{test::TreeMaker{}.finish()};
  EXPECT_EQ(
      cli::map_json(tree).value(),
      R"({"schema":"carveout.map/1","model":null,"compatible":[],"memory":[],"memreserve":[],)"
      R"("regions":[],"buses":[],"devices":[]})");
}

TEST(MapJson, NamesItsSourceWhereItIsOneOfSeveral) {
  const test::OpenTree tree{test::TreeMaker{}.finish()};
  const auto text = cli::map_json(tree, {.source = "a \"board\".dtb"});
  EXPECT_EQ(nlohmann::json::parse(text.value())["source"], "a \"board\".dtb");
}

TEST(MapJson, RefusesOneByteMoreThanItsLimit) {
  const test::OpenTree tree{test::TreeMaker{}.finish()};
  const std::size_t size = cli::map_json(tree).value().size();
  EXPECT_TRUE(cli::map_json(tree, {.max_bytes = size}));
  const auto refused = cli::map_json(tree, {.max_bytes = size - 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, device_tree::TreeError::Code::too_much_output);
}

TEST(Boards, MapToWhatIsExpectedOfThem) {
  const auto trees = files(boards(), ".dtb");
  if (trees.empty())
    GTEST_SKIP() << "no boards in " << boards() << "; CARVEOUT_BOARDS names a folder";
  for (const auto& path : trees) {
    const auto file = path.parent_path() / "expected" / (path.stem().string() + ".json");
    ASSERT_TRUE(fs::exists(file)) << "nobody says what is expected of " << path;
    EXPECT_EQ(map_of(as_bytes(read(path))), nlohmann::json::parse(read(file))) << path.filename();
  }
}

}  // namespace
}  // namespace carveout
