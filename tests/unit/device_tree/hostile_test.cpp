// Trees made to be slow must get the right answer, or the refusal that the limits name. That they
// get it soon is not asserted here; without the care of the library these tests would not end.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/placement.hpp"
#include "hostile_trees.hpp"
#include "map_json.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout {
namespace {

using device_tree::Node;
using device_tree::TreeError;
using nlohmann::json;

json map_of(const std::string& name) {
  const test::OpenTree tree{test::hostile_tree(name)};
  return json::parse(cli::map_json(tree).value());
}

TreeError::Code refusal_of(const std::string& name) {
  const test::OpenTree tree{test::hostile_tree(name)};
  return cli::map_json(tree).error().code;
}

json window(const char* dma, const char* cpu, const char* size) {
  return {{"dma", dma}, {"cpu", cpu}, {"size", size}};
}

TEST(Hostile, TreesAreBelow4MiB) {
  for (const auto& tree : test::hostile_trees())
    EXPECT_LT(tree.make().size(), 4U << 20) << tree.name;
}

TEST(Hostile, AQuarterOfAMillionNodes) { EXPECT_EQ(map_of("many_nodes")["devices"].size(), 0U); }

TEST(Hostile, FiftyThousandDevicesBehindAnInterconnect) {
  const json map = map_of("many_devices_with_interconnects");
  ASSERT_EQ(map["devices"].size(), 50'000U);
  const json& last = map["devices"].back();
  EXPECT_EQ(last["windows"], json::array({window("0x40000000", "0x0", "0x10000000")}));
  EXPECT_EQ(last["pools"][0]["dma"], "0x40001000");
}

TEST(Hostile, AChainOfFortyThousandBuses) {
  const json map = map_of("chain_of_windows");
  ASSERT_EQ(map["buses"].size(), 40'000U);
  // Each level moves by one.
  EXPECT_EQ(map["buses"].back()["windows"], json::array({window("0x0", "0x1", "0xffff0000")}));
  EXPECT_EQ(map["buses"][0]["windows"], json::array({window("0x0", "0x9c40", "0xfffe63c1")}));
  EXPECT_EQ(map["devices"][0]["windows"], map["buses"][0]["windows"]);
}

TEST(Hostile, AChainOfEmptyBuses) {
  for (const char* name : {"chain_of_empties", "cycle_of_empties"}) {
    const json map = map_of(name);
    EXPECT_EQ(map["buses"].size(), 0U);
    ASSERT_EQ(map["devices"].size(), 2U);
    EXPECT_EQ(map["devices"][0]["translation"], "identity");
  }
  EXPECT_EQ(map_of("devices_on_an_empty_chain")["devices"].back()["translation"], "identity");
}

TEST(Hostile, ACycleOfFortyThousandBusesIsRefused) {
  EXPECT_EQ(refusal_of("cycle_of_windows"), TreeError::Code::too_many_translations);
}

TEST(Hostile, ThreeHundredBusesOf1024WindowsInEachOther) {
  const json map = map_of("nested_windows");
  ASSERT_EQ(map["buses"].size(), 300U);
  EXPECT_EQ(map["buses"][59]["windows"].size(), 1024U);
  // 7^60 modulo 1024 is 161: where entry 1 of the innermost bus has gone.
  EXPECT_EQ(map["buses"][59]["windows"][1], window("0x2000", "0x142000", "0x1000"));
  EXPECT_EQ(map["devices"][59]["windows"], map["buses"][59]["windows"]);
}

TEST(Hostile, BusesOfWhichLittleIsLeft) {
  const json map = map_of("nested_narrow_windows");
  EXPECT_EQ(map["buses"][59]["windows"].size(), 3U);
  EXPECT_EQ(map["buses"][0]["windows"].size(), 1024U);
}

TEST(Hostile, EntriesThatAllOverlap) {
  const json map = map_of("overlapping_entries");
  EXPECT_EQ(map["buses"][0]["translation"], "invalid") << "150000 windows";
  // Only the last inner entry leads anywhere: the first outer entry wins everywhere.
  EXPECT_EQ(map["buses"][1]["windows"],
            json::array({window("0x10000000", "0x10000100", "0x100000")}));
}

TEST(Hostile, BusesThatDoubleTheirWindowsAtEachLevel) {
  const json map = map_of("doubling");
  ASSERT_EQ(map["buses"].size(), 61U);
  EXPECT_EQ(map["buses"][0]["windows"].size(), 2U);
  EXPECT_EQ(map["buses"][9]["windows"].size(), 1024U);
  EXPECT_EQ(map["buses"][10]["translation"], "invalid");
  EXPECT_EQ(map["buses"][60]["translation"], "invalid");
  for (const char* name : {"doubling_to_nowhere", "doubling_to_nowhere_with_leaves"}) {
    EXPECT_EQ(map_of(name)["buses"].back()["translation"], "invalid");
  }
}

TEST(Hostile, ThirtyThousandBusesBelowThoseThatDoubleAreRefused) {
  EXPECT_EQ(refusal_of("doubling_with_leaves"), TreeError::Code::too_many_translations);
}

TEST(Hostile, SixtyThousandBusesOfTooManyWindows) {
  const json map = map_of("star");
  ASSERT_EQ(map["buses"].size(), 60'001U);
  EXPECT_EQ(map["buses"].back()["translation"], "invalid");
}

TEST(Hostile, PiecesThatAreLongEnoughAndNeverAligned) {
  const json map = map_of("misaligned_pieces");
  ASSERT_EQ(map["regions"].size(), 30'000U);
  for (const json& region : map["regions"]) ASSERT_TRUE(region["placed"].is_null());
}

TEST(Hostile, SixtyThousandRegionsAndAHundredThousandPieces) {
  const json map = map_of("many_regions_to_place");
  ASSERT_EQ(map["regions"].size(), 60'000U);
  // Every second one fits into no piece; the others fill the pieces from above, two in each.
  const auto base = [&](std::size_t index) { return map["regions"][index]["placed"]["base"]; };
  EXPECT_EQ(base(0), "0x593de000");
  EXPECT_TRUE(map["regions"][1]["placed"].is_null());
  EXPECT_EQ(base(2), "0x593dd000");
  EXPECT_EQ(base(4), "0x593db000");
}

TEST(Hostile, MemoryThatOverlapsAThousandfold) {
  const json map = map_of("overlapping_memory");
  ASSERT_EQ(map["regions"].size(), 8'000U);
  EXPECT_EQ(map["regions"][0]["placed"]["base"], "0x11fffd000");
  EXPECT_EQ(map["regions"][1]["placed"]["base"], "0x11fff9000");
}

TEST(Hostile, TenThousandAllocRangesForEachRegion) {
  const json map = map_of("many_alloc_ranges");
  ASSERT_EQ(map["regions"].size(), 40U);
  EXPECT_TRUE(map["regions"][39]["placed"].is_null());
}

TEST(Hostile, BindingsByTheHundredThousand) {
  const json map = map_of("many_bindings");
  const json& pools = map["devices"][0]["pools"];
  ASSERT_EQ(pools.size(), 200'000U);
  EXPECT_TRUE(pools.back()["dma"].is_null());
  EXPECT_TRUE(pools.back()["name"].is_null());
  EXPECT_EQ(pools[999]["name"], "");
  EXPECT_EQ(map_of("wide_region")["devices"][0]["pools"][299'999]["dma"], "0x1000");
}

TEST(Hostile, MoreThan64MiBOfOutputIsRefused) {
  for (const char* name : {"too_many_bindings", "long_paths", "windows_of_many_devices"}) {
    EXPECT_EQ(refusal_of(name), TreeError::Code::too_much_output) << name;
  }
}

TEST(Hostile, ABusOfAHundredThousandPropertiesForEachOfItsDevices) {
  const json map = map_of("wide_bus");
  ASSERT_EQ(map["devices"].size(), 60'000U);
  EXPECT_EQ(map["devices"].back()["coherent"], true);
  EXPECT_EQ(map["devices"].back()["limit"], "0x40000fff");
}

TEST(Hostile, NamesThatShareOneLongTail) { EXPECT_EQ(map_of("long_names")["model"], nullptr); }

TEST(Hostile, OnePhandleForAll) {
  const test::OpenTree tree{test::hostile_tree("one_phandle_for_all")};
  EXPECT_EQ(tree->by_phandle(1), Node{1});
  EXPECT_EQ(tree->dma_parent(Node{tree->node_count() - 1}), Node{1});
}

TEST(Hostile, InterconnectsOfTwentyFiveThousandEntries) {
  EXPECT_EQ(map_of("long_interconnects")["devices"][19]["limit"], "0xfff");
}

TEST(Hostile, RegionsAndReservationsByTheHundredThousand) {
  EXPECT_EQ(map_of("many_region_nodes")["regions"].size(), 60'000U);
  EXPECT_EQ(map_of("many_reservations")["memreserve"].size(), 250'000U);
}

}  // namespace
}  // namespace carveout
