// The words themselves: headers that the program wrote while this was built, compiled.
#include <gtest/gtest.h>

#include <cstddef>
#include <iterator>
#include <string>

#include "art_pi/carveout_mpu.hpp"
#include "art_pi/carveout_tables.hpp"
#include "names/carveout_mpu.hpp"
#include "names/carveout_tables.hpp"
#include "own_pools/carveout_tables.hpp"
#include "tests/gen/gen_board.hpp"

namespace carveout::test {
namespace {

constexpr World kWorld{.granule_bytes = 32, .devices_coherent = false};

/// The header's tables against the tree that it was made of.
void expect_same(const std::string& name, const cli::GenRequest& request,
                 const setup::Tables& tables, std::size_t storage_bytes) {
  const cli::Board board = cli::read_board(source_path(name), {});
  const cli::GenPlan plan = cli::plan(board, request);
  ASSERT_TRUE(plan.refused.empty()) << plan.refused[0];
  EXPECT_EQ(tables.devices.size(), plan.devices.size());
  EXPECT_EQ(tables.pools.size(), plan.pools.size());
  EXPECT_EQ(storage_bytes, setup::measure(TablesOf{plan}.tables()));
  const auto tree = from_tree(board.tree(), plan, kWorld);
  const auto header = from_tables(tables, kWorld);
  ASSERT_TRUE(tree->system != nullptr && header->system != nullptr);
  EXPECT_EQ(header->refused, 0U);
  EXPECT_EQ(difference(*tree, *header, plan.devices.size()), "");
}

TEST(GeneratedHeader, OfTheArtPiSaysWhatItsTreeSays) {
  expect_same(
      "examples/boards/art-pi.dts",
      {.target = cli::GenTarget::armv7m,
       .devices = {{.node = "serial0", .mask_bits = {}}, {.node = "ethernet0", .mask_bits = {}}}},
      art_pi::kTables, art_pi::kStorageBytes);
  EXPECT_EQ(art_pi::kDevices[art_pi::device_ethernet0].name, "/soc/ethernet@40028000");
  // Row 56 of the vectors.
  ASSERT_EQ(std::size(art_pi::kMpuRegions), 1U);
  EXPECT_EQ(art_pi::kMpuRegions[0].rbar, 0xc1f0'0000U);
  EXPECT_EQ(art_pi::kMpuRegions[0].size_field(), 19U);
  EXPECT_EQ(art_pi::kAliases[0].uncached, PhysAddr{0xc1f0'0000});
}

TEST(GeneratedHeader, OfDevicesWithPoolsOfTheirOwnSaysWhatTheirTreeSays) {
  expect_same("tests/cli/trees/own-pools.dts",
              {.target = cli::GenTarget::generic,
               .devices = {{.node = "dsp", .mask_bits = {}},
                           {.node = "dma", .mask_bits = {}},
                           {.node = "display", .mask_bits = {}},
                           {.node = "npu", .mask_bits = {}}}},
              own_pools::kTables, own_pools::kStorageBytes);
  EXPECT_TRUE(own_pools::kDevices[own_pools::device_npu].behind_iommu);
  EXPECT_EQ(own_pools::kDevices[own_pools::device_dma].coherent, true);
  EXPECT_EQ(own_pools::kDevices[own_pools::device_dsp].coherent, std::nullopt);
}

TEST(GeneratedHeader, OfHostileNamesSaysWhatTheirTreeSays) {
  expect_same("tests/gen/trees/names.dts",
              {.target = cli::GenTarget::armv7m,
               .devices = {{.node = "class", .mask_bits = 40},
                           {.node = "/soc/class@2000", .mask_bits = {}},
                           {.node = "other", .mask_bits = {}}}},
              names::kTables, names::kStorageBytes);
  EXPECT_EQ(names::kPools[names::pool_a_pool].name, "/reserved-memory/a-pool");
  EXPECT_EQ(names::kPools[names::pool_a_pool_2].name, "/reserved-memory/a,pool");
  EXPECT_EQ(names::kPools[names::pool_a_pool_2_2].name, "/reserved-memory/a_pool_2");
  EXPECT_EQ(names::kPools[names::pool_default].memory, Memory::coherent);
  EXPECT_EQ(names::kPools[names::pool_contiguous].memory, Memory::contiguous);
  EXPECT_EQ(names::kBindings[0].settings.name, "r\"x\n");
  EXPECT_EQ(names::kDevices[names::device_class].coherent_mask, DmaAddr{0xff'ffff'ffff});
  EXPECT_EQ(names::kDevices[names::device_class_2000].coherent, true);
  EXPECT_EQ(names::kDevices[names::device_other].coherent, false);
}

TEST(GeneratedHeader, HasARegionForEveryChunkAndNoneOverWhatIsNotAPools) {
  for (const PoolSettings& pool : names::kPools) {
    for (const PhysRange& chunk : pool.chunks) {
      EXPECT_TRUE(pmsa_v7::cover(names::kMpuRegions, chunk)) << pool.name;
    }
  }
  for (const pmsa_v7::Region& region : names::kMpuRegions) {
    EXPECT_FALSE(region.covered().overlaps({PhysAddr{0x2007'0000}, 0x1000}));
  }
}

}  // namespace
}  // namespace carveout::test
