// Which MPU regions the pools get, and what that costs.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "carveout/port/pmsa_v7.hpp"
#include "carveout/port/pmsa_v8.hpp"
#include "gen/files.hpp"
#include "gen/mpu.hpp"
#include "tests/gen/gen_board.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout::test {
namespace {

using cli::GenTarget;

struct Place {
  std::uint64_t base;
  std::uint64_t size_bytes;
  bool pool = true;  ///< else somebody's else
};

/// A mebibyte of memory at 0x20000000, and these in it; each pool is that of one device.
cli::Board board_with(const std::vector<Place>& places, std::uint64_t memory = 0x2000'0000) {
  TreeMaker maker;
  maker.counts(2, 2);
  maker.begin("memory").string("device_type", "memory").wide("reg", {memory, 0x10'0000}).end();
  maker.begin("reserved-memory").counts(2, 2).empty("ranges");
  std::vector<std::uint32_t> pools;
  for (std::size_t i = 0; i < places.size(); ++i) {
    maker.begin("r" + std::to_string(i)).wide("reg", {places[i].base, places[i].size_bytes});
    if (places[i].pool) {
      pools.push_back(static_cast<std::uint32_t>(i + 1));
      maker.string("compatible", "shared-dma-pool").empty("no-map").phandle(pools.back());
    }
    maker.end();
  }
  maker.end();
  maker.begin("device").cells("memory-region", pools).end();
  return board_of(maker.finish());
}

cli::GenPlan planned(const std::vector<Place>& places, GenTarget target, unsigned budget) {
  return cli::plan(
      board_with(places),
      {.target = target, .devices = {{.node = "device", .mask_bits = 64}}, .mpu_regions = budget});
}

/// 0x1100 bytes at 0x3000'1000 are row 58: no single region.
constexpr Place kTwoRegions{.base = 0x2000'1000, .size_bytes = 0x1100};
constexpr Place kOneRegion{.base = 0x2001'0000, .size_bytes = 0x1000};

TEST(MpuBudget, APoolIsExactlyUncachedWhereThereAreRegionsEnough) {
  const auto plan = planned({kTwoRegions, kOneRegion}, GenTarget::armv7m, 3);
  ASSERT_TRUE(plan.refused.empty());
  EXPECT_TRUE(plan.notes.empty());
  ASSERT_EQ(plan.regions.size(), 3U);
  std::uint64_t covered = 0;
  for (const auto& region : plan.regions) covered += region.covered.size_bytes;
  EXPECT_EQ(covered, 0x2100U);
  EXPECT_EQ(plan.regions[2].covered, (PhysRange{PhysAddr{0x2001'0000}, 0x1000}));
}

TEST(MpuBudget, WithOneRegionLessAPoolIsRoundedAndWhatThatSwallowsIsSaidAndLeftUnused) {
  const auto plan = planned({kTwoRegions, kOneRegion}, GenTarget::armv7m, 2);
  ASSERT_TRUE(plan.refused.empty());
  ASSERT_EQ(plan.regions.size(), 2U);
  EXPECT_EQ(plan.regions[0].covered, (PhysRange{PhysAddr{0x2000'1000}, 0x1800}));
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_NE(plan.notes[0].find("pool_r0 takes 0x20002100 to 0x200027ff"), std::string::npos)
      << plan.notes[0];
  for (const auto& memory : plan.memory) {
    EXPECT_FALSE(memory.range.overlaps(plan.regions[0].covered)) << memory.id;
  }
}

TEST(MpuBudget, ThePoolIsRoundedThatSwallowsLeast) {
  // 0x700 bytes beside the first, 0x60 beside the second.
  const Place cheap{.base = 0x2002'0000, .size_bytes = 0x3a0};
  const auto plan = planned({kTwoRegions, cheap}, GenTarget::armv7m, 3);
  ASSERT_TRUE(plan.refused.empty());
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_NE(plan.notes[0].find("pool_r1"), std::string::npos) << plan.notes[0];
}

TEST(MpuBudget, NothingIsSwallowedThatSomebodyHas) {
  const Place neighbour{.base = 0x2000'2100, .size_bytes = 0x20, .pool = false};
  const auto plan = planned({kTwoRegions, kOneRegion, neighbour}, GenTarget::armv7m, 2);
  ASSERT_EQ(plan.refused.size(), 1U);
  EXPECT_EQ(
      plan.refused[0],
      "its pools take at least 3 MPU regions, none over what lies between two, and may take 2 "
      "(--mpu-regions)");
}

TEST(MpuBudget, NothingIsSwallowedThatIsNoMemory) {
  // The first bytes of memory: before them may be a device's registers.
  const auto with = [](unsigned budget) {
    return cli::plan(board_with({{0x2000'1f00, 0x1100}}, 0x2000'1f00),
                     {.target = GenTarget::armv7m,
                      .devices = {{.node = "device", .mask_bits = 64}},
                      .mpu_regions = budget});
  };
  EXPECT_EQ(with(2).regions.size(), 2U);
  EXPECT_FALSE(with(1).refused.empty());
}

TEST(MpuBudget, MorePoolsThanRegionsAreRefused) {
  std::vector<Place> places;
  for (std::uint64_t i = 0; i < 9; ++i) places.push_back({0x2000'0000 + i * 0x2000, 0x1000});
  for (const GenTarget target : {GenTarget::armv7m, GenTarget::armv8m}) {
    EXPECT_EQ(planned(places, target, 9).regions.size(), 9U);
    const auto plan = planned(places, target, cli::kDefaultMpuRegions);
    ASSERT_EQ(plan.refused.size(), 1U);
    EXPECT_EQ(plan.refused[0],
              "its pools take at least 9 MPU regions, none over what lies between two, and may "
              "take 8 (--mpu-regions)");
  }
}

TEST(MpuBudget, PoolsThatTouchTakeOneRegionThatIsNamedAfterBoth) {
  // In the tree the higher one is first.
  const std::vector<Place> places{{0x2001'1000, 0x1000}, {0x2001'0000, 0x1000}};
  for (const GenTarget target : {GenTarget::armv7m, GenTarget::armv8m}) {
    const auto plan = planned(places, target, 1);
    ASSERT_TRUE(plan.refused.empty());
    EXPECT_TRUE(plan.notes.empty());
    ASSERT_EQ(plan.regions.size(), 1U);
    EXPECT_EQ(plan.regions[0].covered, (PhysRange{PhysAddr{0x2001'0000}, 0x2000}));
    const std::string text = cli::mpu_text(plan, {.target = target}, "0");
    EXPECT_NE(text.find("// pool_r0, pool_r1: 0x20010000 to 0x20011fff\n"), std::string::npos)
        << text;
    for (const std::string pool : {"0", "1"}) {
      EXPECT_NE(text.find("{&kMpuRegions[0], 1}, kChunks" + pool + "[0])"), std::string::npos)
          << text;
    }
  }
}

TEST(MpuBudget, WhereTwoPoolsTouchNeedBeNoEndOfARegion) {
  // Apart, each takes two regions.
  const auto plan = planned({kTwoRegions, {0x2000'2100, 0x1700}}, GenTarget::armv7m, 1);
  ASSERT_TRUE(plan.refused.empty());
  EXPECT_TRUE(plan.notes.empty());
  ASSERT_EQ(plan.regions.size(), 1U);
  EXPECT_EQ(plan.regions[0].covered, (PhysRange{PhysAddr{0x2000'1000}, 0x2800}));
}

TEST(MpuBudget, TheEndOfPoolsThatTouchIsRoundedWhereTheirBeginningCannotBe) {
  // 0x20000f00 to 0x200020ff is exact in three; before it lies somebody's, so one cannot do.
  const std::vector<Place> places{
      {0x2000'0f00, 0x100, true}, {0x2000'1000, 0x1100, true}, {0x2000'0ee0, 0x20, false}};
  EXPECT_EQ(planned(places, GenTarget::armv7m, 3).notes.size(), 0U);
  const auto two = planned(places, GenTarget::armv7m, 2);
  ASSERT_TRUE(two.refused.empty());
  ASSERT_EQ(two.regions.size(), 2U);
  ASSERT_EQ(two.notes.size(), 1U);
  EXPECT_NE(two.notes[0].find("takes 0x20002100 to "), std::string::npos) << two.notes[0];
  const auto one = planned(places, GenTarget::armv7m, 1);
  ASSERT_EQ(one.refused.size(), 1U);
  EXPECT_NE(one.refused[0].find("at least 2 MPU regions"), std::string::npos) << one.refused[0];
}

TEST(MpuBudget, MemoryBetweenTwoPoolsIsNotBridged) {
  const std::vector<Place> places{{0x2001'0000, 0x800}, {0x2001'0820, 0x7e0}};
  for (const GenTarget target : {GenTarget::armv7m, GenTarget::armv8m}) {
    EXPECT_FALSE(planned(places, target, 1).refused.empty());
  }
}

TEST(MpuBudget, AnArmv8mRegionEndsAtAny32Bytes) {
  const auto plan = planned({kTwoRegions}, GenTarget::armv8m, 1);
  ASSERT_EQ(plan.regions.size(), 1U);
  const auto region = *pmsa_v8::region({PhysAddr{0x2000'1000}, 0x1100}, cli::kMairIndex);
  EXPECT_EQ(plan.regions[0].rbar, region.rbar);
  EXPECT_EQ(plan.regions[0].rasr_or_rlar, region.rlar);
}

TEST(MpuBudget, APoolIsUsedInwardToWhatARegionCanHave) {
  const auto plan = planned({{0x2000'1010, 0x1000}}, GenTarget::armv8m, 1);
  ASSERT_TRUE(plan.refused.empty());
  EXPECT_EQ(plan.pools[0].chunks[0].range, (PhysRange{PhysAddr{0x2000'1020}, 0xfe0}));
  EXPECT_EQ(plan.regions[0].covered, plan.pools[0].chunks[0].range);
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_TRUE(plan.notes[0].starts_with("DMA013 /reserved-memory/r0 reg: ")) << plan.notes[0];
}

TEST(MpuBudget, ATargetWithoutSuchAUnitHasNoRegions) {
  for (const GenTarget target : {GenTarget::riscv, GenTarget::generic}) {
    const auto plan = planned({kTwoRegions}, target, 1);
    EXPECT_TRUE(plan.refused.empty());
    EXPECT_TRUE(plan.regions.empty());
  }
}

TEST(MpuBudget, WhatLiesAbove4GiBIsRefusedWhereThereIsAnMpu) {
  const auto board = board_with({{0x1'0000'0000, 0x1000}}, 0x1'0000'0000);
  const std::vector<cli::GenDeviceRequest> devices{{.node = "device", .mask_bits = 64}};
  EXPECT_TRUE(cli::plan(board, {.target = GenTarget::riscv, .devices = devices}).refused.empty());
  const auto plan = cli::plan(board, {.target = GenTarget::armv7m, .devices = devices});
  ASSERT_EQ(plan.refused.size(), 1U);
  EXPECT_EQ(plan.refused[0], "pool_r0 ends above 4 GiB, where this target has no memory");
}

}  // namespace
}  // namespace carveout::test
