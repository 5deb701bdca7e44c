// What `map` draws and prints of a pool is what its device is told.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "board_map.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "machine.hpp"
#include "node_name.hpp"
#include "offline.hpp"
#include "picture/scene.hpp"
#include "program.hpp"
#include "region_use.hpp"

namespace carveout::cli {
namespace {

const std::string kRefusedPools = CARVEOUT_CLI_TESTS "/trees/refused-pools.dts";

/// What `why` finds for an entry of a device's memory-region; nothing where it serves.
std::optional<Error> told(const Device& device, std::uint32_t index) {
  for (const Binding* own = device.bindings; own != nullptr; own = own->next) {
    if (own->index == index) return own->refused;
  }
  return std::nullopt;
}

/// The first trouble with the places of a region.
std::optional<Error> shown(MapRegion& region, const MapView& view) {
  for (std::size_t at = 0; at < std::max<std::size_t>(region.places.size(), 1); ++at) {
    const auto trouble = use_of(region, at, view, UsedAs::own).trouble;
    if (!trouble || trouble->kind == Trouble::Kind::disabled) continue;
    return trouble->kind == Trouble::Kind::not_reached ? Error::not_in_window : trouble->error;
  }
  return std::nullopt;
}

/// @return how many entries of memory-region were compared.
std::size_t compare(const std::string& file) {
  const Board board = read_board(file, {});
  const device_tree::Tree& tree = board.tree();
  BoardMap map{tree};
  find_refused(board, map);
  std::size_t compared = 0;
  for (const device_tree::Node node : tree.nodes()) {
    if (!tree.has_memory_region(node)) continue;
    const std::string path = path_of(tree, node);
    const std::array specs{
        setup::DeviceSpec{.node = path, .coherent_mask = DmaAddr{~std::uint64_t{0}}}};
    const Offline offline{
        board,
        specs,
        machine_of(tree),
        {.devices_coherent = false, .uncached_view = true, .blocks = 1, .blame = "test"},
        [](const Finding&) {}};
    for (const device_tree::Binding& entry : device_tree::MemoryRegions{tree, node}) {
      MapRegion* const region = entry.region ? map.region_at(*entry.region) : nullptr;
      if (region == nullptr || region->facts.kind == device_tree::RegionKind::carveout) continue;
      EXPECT_EQ(shown(*region, map.of_device(node)), told(offline.device(0), entry.index))
          << file << " " << path << " " << entry.index;
      ++compared;
    }
  }
  return compared;
}

TEST(RegionUse, OfAPoolIsWhatItsDeviceIsTold) {
  std::size_t compared = 0;
  for (const char* const folder : {"/trees", "/../trees/lint", "/../../examples/boards"}) {
    for (const auto& file :
         std::filesystem::recursive_directory_iterator{CARVEOUT_CLI_TESTS + std::string{folder}}) {
      if (file.path().extension() == ".dts") compared += compare(file.path());
    }
  }
  EXPECT_GT(compared, 100U);
}

struct Shown {
  std::string device;
  std::string pool;
  std::string trouble;

  bool operator==(const Shown&) const = default;
};

void PrintTo(const Shown& shown, std::ostream* out) {
  *out << shown.device << " " << shown.pool << " '" << shown.trouble << "'";
}

TEST(PictureScene, CallsKindsAsTheTableDoes) {
  const Board board = read_board(CARVEOUT_CLI_TESTS "/trees/everything.dts", {});
  BoardMap map{board.tree()};
  const picture::Scene scene = picture::scene_of(board);
  std::size_t compared = 0;
  for (const picture::Place& place : scene.places) {
    const auto node = board.tree().find(place.path);
    if (!node) continue;
    EXPECT_TRUE(picture::word_of(place.kind).starts_with(name_of(map.region_at(*node)->facts.kind)))
        << place.path;
    ++compared;
  }
  EXPECT_GT(compared, 5U);
}

TEST(PictureScene, SaysWhyAllRegionsAreDisabled) {
  const Board board =
      read_board(CARVEOUT_CLI_TESTS "/../trees/reserved-memory-cells-differ.dts", {});
  const picture::Scene scene = picture::scene_of(board);
  ASSERT_FALSE(scene.places.empty());
  EXPECT_TRUE(scene.places[0].remark.starts_with(
      "disabled with all of /reserved-memory: its #size-cells is not the root's"))
      << scene.places[0].remark;
}

TEST(RegionUse, OfARefusedPoolIsInThePictureARefusal) {
  const picture::Scene scene = picture::scene_of(read_board(kRefusedPools, {}));
  std::vector<Shown> all;
  for (const picture::Asker& asker : scene.askers) {
    for (const picture::Use& use : asker.uses) all.push_back({asker.name, use.name, use.trouble});
  }
  EXPECT_EQ(all, (std::vector<Shown>{
                     {"display@1000", "frames@88000000", "refused: overlaps"},
                     {"camera@2000", "halves@89000000", "refused: not_in_window"},
                     {"camera@2000", "halves@89000000, chunk 1", "NOT REACHED"},
                     {"camera@2000", "nowhere", "refused: not_placed"},
                     {"dsp@3000", "firmware@8a000000", ""},
                     {"any other device on soc", "board@88100000", "refused: overlaps"},
                     {"any other device", "board@88100000", "refused: overlaps"},
                 }));
}

}  // namespace
}  // namespace carveout::cli
