// Rows 43 to 50 and 64: trees with something wrong in them. A mistake disables what it names, and
// the rest of the board works.
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "tests/vectors/vector_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::in_place;
using test::KeptFinding;
using test::must;
using test::Origin;
using test::Rows;
using test::VectorBoard;

std::vector<KeptFinding> of_rule(const VectorBoard& board, Rule rule) {
  std::vector<KeptFinding> found;
  std::ranges::copy_if(board.findings, std::back_inserter(found),
                       [=](const KeptFinding& one) { return one.rule == rule; });
  return found;
}

struct Overlap : VectorBoard {
  Overlap()
      : VectorBoard{"row43",
                    {in_place(0x7c00'0000, 0x400'0000)},
                    {{.node = "/display@1000"}, {.node = "/scaler@2000"}}} {}
};

TEST(Vectors, Row43_TheDynamicRegionAvoidsBoth) {
  const Overlap board;
  EXPECT_EQ(board.pool("/reserved-memory/linux,cma").chunks()[0].range,
            (PhysRange{PhysAddr{0x7c00'0000}, 0x400'0000}));
}

TEST(Vectors, Row43_BothRegionsAreReportedAndEachNamesTheOther) {
  const Overlap board;
  const auto found = of_rule(board, Rule::overlapping_regions);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].node, "/reserved-memory/framebuffer@78000000");
  EXPECT_EQ(found[0].other, "/reserved-memory/multimedia@77000000");
  EXPECT_EQ(found[1].node, "/reserved-memory/multimedia@77000000");
  EXPECT_EQ(found[1].other, "/reserved-memory/framebuffer@78000000");
}

TEST(Vectors, Row43_NeitherRegionServes) {
  const Overlap board;
  EXPECT_EQ(error_of(board.alloc(4096, 0)), Error::overlaps);
  EXPECT_EQ(error_of(board.alloc(4096, 1)), Error::overlaps);
}

TEST_P(Rows, Row44_TheHighestPlaceInsideAllocRangesIsTaken) {
  const VectorBoard board{
      "row44", {in_place(0x8bc0'0000, 0x40'0000)}, {{.node = "/dma@1000"}}, GetParam()};
  EXPECT_EQ(board.pool("/reserved-memory/pool").chunks()[0].range,
            (PhysRange{PhysAddr{0x8bc0'0000}, 0x40'0000}));
  EXPECT_TRUE(board.alloc(0x40'0000));
}

struct WrongCells : VectorBoard {
  explicit WrongCells(const Origin& origin = {})
      : VectorBoard{"row45", {in_place(0x4800'0000, 0x10'0000)}, {{.node = "/dma@1000"}}, origin} {}
};

TEST(Vectors, Row45_NoRegionExists) {
  const WrongCells board;
  EXPECT_EQ(board.system->find_pool("/reserved-memory/pool@48000000"), nullptr);
  EXPECT_EQ(error_of(board.alloc(4096)), Error::no_pool);
}

TEST(Vectors, Row45_ThatIsReportedForTheNode) {
  const WrongCells board;
  const auto found = of_rule(board, Rule::malformed_reserved_memory);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].node, "/reserved-memory");
}

/// Three devices whose memory-region binds nothing, beside a default pool.
struct BindsNothing : VectorBoard {
  explicit BindsNothing(const Origin& origin = {})
      : VectorBoard{"row46",
                    {in_place(0x4800'0000, 0x10'0000)},
                    {{.node = "/row46@1000"}, {.node = "/row47@2000"}, {.node = "/row48@3000"}},
                    origin} {}

  static constexpr Holder kDisabled = 0;
  static constexpr Holder kDangling = 1;
  static constexpr Holder kVendor = 2;

  void expect_default_pool(Holder index) const {
    EXPECT_EQ(must(alloc(4096, index)).pool->name(), "/reserved-memory/linux,dma@48000000");
  }
  void expect_unknown_by_name(Holder index) const {
    EXPECT_EQ(error_of(alloc_coherent(device(index), 4096, {.pool = {.name = "ring"}})),
              Error::unknown_pool);
    EXPECT_EQ(error_of(alloc_coherent(device(index), 4096, {.pool = {.index = 0}})),
              Error::unknown_pool);
  }
};

TEST(Vectors, Row46_ADeviceWhoseRegionIsDisabledTakesTheNormalRoute) {
  const BindsNothing board;
  board.expect_default_pool(BindsNothing::kDisabled);
}

TEST(Vectors, Row46_ADisabledRegionIsAWarning) {
  const BindsNothing board;
  const auto found = of_rule(board, Rule::disabled_region);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_EQ(found[0].node, "/row46@1000");
  EXPECT_EQ(found[0].other, "/reserved-memory/off@49000000");
}

TEST(Vectors, Row46_NamingADisabledRegionIsAnError) {
  const BindsNothing board;
  board.expect_unknown_by_name(BindsNothing::kDisabled);
}

TEST(Vectors, Row47_ADeviceWithADanglingPhandleTakesTheNormalRoute) {
  const BindsNothing board;
  board.expect_default_pool(BindsNothing::kDangling);
}

TEST(Vectors, Row47_ADanglingPhandleIsAnError) {
  const BindsNothing board;
  const auto found = of_rule(board, Rule::no_such_region);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::error);
  EXPECT_EQ(found[0].node, "/row47@2000");
  EXPECT_EQ(found[0].property, "memory-region");
}

TEST(Vectors, Row47_NamingADanglingPhandleIsAnError) {
  const BindsNothing board;
  board.expect_unknown_by_name(BindsNothing::kDangling);
}

TEST(Vectors, Row48_ADeviceWithARegionOfAVendorsKindTakesTheNormalRoute) {
  const BindsNothing board;
  board.expect_default_pool(BindsNothing::kVendor);
}

TEST(Vectors, Row48_HavingARegionOfAVendorsKindIsNoMistake) {
  const BindsNothing board;
  for (const KeptFinding& one : board.findings) EXPECT_NE(one.node, "/row48@3000");
}

TEST(Vectors, Row48_NamingARegionOfAVendorsKindIsAnError) {
  const BindsNothing board;
  board.expect_unknown_by_name(BindsNothing::kVendor);
}

struct TwoDefaults : VectorBoard {
  explicit TwoDefaults(const Origin& origin = {})
      : VectorBoard{"row49",
                    {in_place(0xc100'0000, 0x10'0000), in_place(0xc080'0000, 0x10'0000)},
                    {{.node = "/dma@1000"}},
                    origin} {}
};

TEST(Vectors, Row49_TheFirstInTreeOrderStays) {
  const TwoDefaults board;
  EXPECT_EQ(must(board.alloc(4096)).phys, PhysAddr{0xc100'0000});
}

TEST(Vectors, Row49_TheSecondIsAnErrorThatNamesBoth) {
  const TwoDefaults board;
  const auto found = of_rule(board, Rule::second_default);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::error);
  EXPECT_EQ(found[0].node, "/reserved-memory/d2@c0800000");
  EXPECT_EQ(found[0].other, "/reserved-memory/d1@c1000000");
}

struct NeitherMappedNorNot : VectorBoard {
  explicit NeitherMappedNorNot(const Origin& origin = {})
      : VectorBoard{"row50", {in_place(0xc100'0000, 0x10'0000)}, {{.node = "/dma@1000"}}, origin} {}
};

TEST_P(Rows, Row50_ThePoolWorks) {
  const NeitherMappedNorNot board{GetParam()};
  EXPECT_EQ(must(board.alloc(4096)).phys, PhysAddr{0xc100'0000});
}

TEST(Vectors, Row50_ItIsAWarning) {
  const NeitherMappedNorNot board;
  const auto found = of_rule(board, Rule::neither_no_map_nor_reusable);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_EQ(found[0].node, "/reserved-memory/pool@c1000000");
}

struct RestrictedWithoutAMap : VectorBoard {
  RestrictedWithoutAMap()
      : VectorBoard{"row64", {in_place(0x8000'0000, 0x20'0000)}, {{.node = "/bus/dma@1000"}}} {}
};

TEST(Vectors, Row64_ARestrictedPoolWithNoMapIsRejected) {
  const RestrictedWithoutAMap board;
  const auto found = of_rule(board, Rule::restricted_conflict);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::error);
  EXPECT_EQ(found[0].node, "/reserved-memory/only@80000000");
  EXPECT_EQ(board.system->find_pool("/reserved-memory/only@80000000"), nullptr);
}

TEST(Vectors, Row64_TheDeviceThatWasToBeRestrictedGetsNoOtherMemory) {
  const RestrictedWithoutAMap board;
  EXPECT_EQ(error_of(board.alloc(4096)), Error::wrong_kind);
  EXPECT_EQ(board.pool("/reserved-memory/global@80100000").usage().peak_bytes, 0U);
}

}  // namespace
}  // namespace carveout
