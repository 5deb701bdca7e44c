// A System of generated tables routes, and hands out, as the System of the tree does.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "node_name.hpp"
#include "refusal.hpp"
#include "tests/gen/gen_board.hpp"
#include "tests/support/route_world.hpp"

namespace carveout::test {
namespace {

namespace fs = std::filesystem;

std::vector<Options> every_wish() {
  std::vector<Options> wishes;
  for (const Attributes attributes : {Attributes::none, Attributes::non_coherent,
                                      Attributes::no_cpu_mapping, Attributes::force_contiguous}) {
    for (const Context context : {Context::may_wait, Context::must_not_wait}) {
      wishes.push_back({.attributes = attributes, .context = context});
    }
  }
  for (std::uint32_t index = 0; index < 3; ++index) wishes.push_back({.pool = {.index = index}});
  wishes.push_back({.pool = {.name = "nobody"}});
  return wishes;
}

std::string answer(const Device& device, const Options& wish) {
  std::string said;
  const auto taken = take_by_route(device, 4096, wish, [&](const Candidate& candidate) {
    said += brief(candidate) + (candidate.has_stand_in ? "+ " : " ");
    if (candidate.error) said += std::string{name_of(*candidate.error)} + ' ';
  });
  if (!taken) return said + std::string{name_of(taken.error().code)};
  if (!taken->block) return said + "elsewhere";
  return said + std::string{taken->block->pool->name()} + ' ' +
         std::to_string(taken->block->phys.raw()) + ' ' + std::to_string(taken->block->dma.raw());
}

}  // namespace

std::string difference(const Described& a, const Described& b, std::size_t devices) {
  for (std::size_t i = 0; i < devices; ++i) {
    const Device& one = *a.system->device(static_cast<Holder>(i));
    const Device& other = *b.system->device(static_cast<Holder>(i));
    std::vector<Options> wishes = every_wish();
    for (const Binding* own = one.bindings; own != nullptr; own = own->next) {
      if (!own->name.empty()) wishes.push_back({.pool = {.name = own->name}});
    }
    for (const Options& wish : wishes) {
      const std::string first = answer(one, wish);
      const std::string second = answer(other, wish);
      if (first != second) return std::string{one.name} + ":\n" + first + '\n' + second;
    }
  }
  return {};
}

namespace {

constexpr std::array kWorlds{World{.granule_bytes = 4096, .devices_coherent = false},
                             World{.granule_bytes = 32, .devices_coherent = true}};

struct Count {
  std::size_t compared = 0;  ///< devices
  std::size_t refused = 0;   ///< by a mistake that the tree has
};

void compare(const cli::Board& board, const cli::GenRequest& request, Count& count) {
  const cli::GenPlan plan = cli::plan(board, request);
  const auto tree = from_tree(board.tree(), plan, kWorlds[1]);
  ASSERT_NE(tree->system, nullptr);
  if (!plan.refused.empty()) {
    // Nothing else is refused here: an MPU is not asked for.
    EXPECT_NE(tree->refused, 0U) << plan.refused[0];
    ++count.refused;
    return;
  }
  const TablesOf tables{plan};
  for (const World& world : kWorlds) {
    const auto from_the_tree = from_tree(board.tree(), plan, world);
    const auto from_the_tables = from_tables(tables.tables(), world);
    ASSERT_TRUE(from_the_tree->system != nullptr && from_the_tables->system != nullptr);
    EXPECT_EQ(difference(*from_the_tree, *from_the_tables, plan.devices.size()), "")
        << board.source;
  }
  count.compared += plan.devices.size();
}

/// Each device alone, since a mistake of one refuses all; then all that had none together.
void compare_devices(const cli::Board& board, Count& count) {
  constexpr std::size_t kMost = 40;
  std::vector<cli::GenDeviceRequest> sound;
  std::map<std::string, unsigned> paths;
  std::size_t asked = 0;
  for (const bool with_memory : {true, false}) {
    for (const auto node : board.tree().nodes()) {
      if (board.tree().has_memory_region(node) != with_memory || asked == kMost) continue;
      if (node == device_tree::Tree::root()) continue;
      const std::string path = cli::path_of(board.tree(), node);
      if (paths[path]++ != 0) continue;
      ++asked;
      const cli::GenDeviceRequest device{.node = path, .mask_bits = asked % 2 == 0 ? 32U : 64U};
      const std::size_t before = count.refused;
      compare(board, {.target = cli::GenTarget::generic, .devices = {device}}, count);
      if (count.refused == before) sound.push_back(device);
    }
  }
  if (!sound.empty()) {
    compare(board, {.target = cli::GenTarget::generic, .devices = sound}, count);
  }
}

Count compare_trees(const std::vector<fs::path>& paths) {
  Count count;
  for (const fs::path& path : paths) {
    try {
      compare_devices(cli::read_board(path.string(), {}), count);
    } catch (const cli::Refusal&) {  // wrong on purpose, so that no verb reads it
    }
  }
  return count;
}

std::vector<fs::path> files(const std::string& folder, const std::string& extension) {
  std::vector<fs::path> found;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    if (entry.path().extension() == extension) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

TEST(GeneratedTables, OfOurTreesRouteAsTheTreesDo) {
  Count all;
  for (const char* folder : {"tests/trees", "tests/cli/trees", "tests/gen/trees", "examples/boards",
                             "tests/boards/mps2_an500"}) {
    const Count count = compare_trees(files(source_path(folder), ".dts"));
    EXPECT_NE(count.compared, 0U) << folder;
    all.compared += count.compared;
    all.refused += count.refused;
  }
  std::printf("%zu devices compared, %zu refused by a mistake in their tree\n", all.compared,
              all.refused);
  EXPECT_GT(all.compared, 200U);
}

TEST(GeneratedTables, OfRealBoardsRouteAsTheTreesDo) {
  const char* folder = std::getenv("CARVEOUT_BOARDS");
  const auto boards = files(folder != nullptr ? folder : CARVEOUT_DEFAULT_BOARDS, ".dtb");
  if (boards.empty()) GTEST_SKIP() << "no boards; CARVEOUT_BOARDS names a folder of them";
  const Count count = compare_trees(boards);
  std::printf("%zu devices of %zu boards compared, %zu refused by a mistake in their tree\n",
              count.compared, boards.size(), count.refused);
  EXPECT_GT(count.compared, boards.size());
}

}  // namespace
}  // namespace carveout::test
