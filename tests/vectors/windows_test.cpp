// Rows 19 to 35 and 40: what a bus shows, found in trees. Where a row maps a buffer, the address of
// its first byte is tested, as map() finds it.
#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "tests/vectors/vector_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::in_place;
using test::k32Bits;
using test::must;
using test::Origin;
using test::Rows;
using test::VectorBoard;

/// Board B: the pool's RAM by both of its addresses.
struct Jh7100 : VectorBoard {
  explicit Jh7100(const Origin& origin = {})
      : VectorBoard{"board_b",
                    {{.size_bytes = 0x100'0000,
                      .cached = PhysAddr{0xfa00'0000},
                      .uncached = PhysAddr{0x10'7a00'0000}}},
                    {{.node = "/soc/ethernet@10020000"}},
                    origin} {}
};

TEST_P(Rows, Row19_TheDefaultPoolLiesWhereItIsStated) {
  const Jh7100 board{GetParam()};
  const auto& pool = board.pool("/reserved-memory/linux,dma@107a000000");
  EXPECT_EQ(pool.chunks()[0].range, (PhysRange{PhysAddr{0x10'7a00'0000}, 0x100'0000}));
}

TEST_P(Rows, Row19_TheBusEndsUnder36Bits) {
  const Jh7100 board{GetParam()};
  EXPECT_EQ(board.device().translation.limit(), DmaAddr{0x8'7fff'ffff});
}

TEST(Vectors, Row19_ThatTheTwinIsKeptFreeIsNoMistake) {
  const Jh7100 board;
  EXPECT_TRUE(board.findings.empty());
}

TEST_P(Rows, Row20_TheFirstPageHasTheTwinsAddressAtTheDevice) {
  const Jh7100 board{GetParam()};
  const Block block = must(board.alloc(4096));
  EXPECT_EQ(block.phys, PhysAddr{0x10'7a00'0000});
  EXPECT_EQ(block.dma, DmaAddr{0xfa00'0000});
}

TEST_P(Rows, Row20_TheCpuUsesTheUncachedAddress) {
  const Jh7100 board{GetParam()};
  const Block block = must(board.alloc(4096));
  EXPECT_EQ(block.cpu, board.machine.cpu_view({PhysAddr{0x10'7a00'0000}, 4096}));
}

TEST_P(Rows, Row21_TheNextBlockKeepsTheRelation) {
  const Jh7100 board{GetParam()};
  must(board.alloc(4096));
  const Block block = must(board.alloc(0x1'0000));
  EXPECT_EQ(block.phys.raw() - 0x10'7a00'0000, block.dma.raw() - 0xfa00'0000);
  EXPECT_EQ(block.size_bytes, 0x1'0000U);
}

TEST_P(Rows, Row22_OrdinaryRamIsItself) {
  const Jh7100 board{GetParam()};
  EXPECT_EQ(board.map(0x8000'1000), DmaAddr{0x8000'1000});
}

TEST_P(Rows, Row23_TheCachedTwinIsInNoWindow) {
  const Jh7100 board{GetParam()};
  EXPECT_EQ(board.map(0xfa00'0000), std::nullopt);
}

TEST_P(Rows, Row24_APoolOver4GiBHasAnAddressUnderIt) {
  const VectorBoard board{
      "row24", {in_place(0x4'9480'0000, 0x20'0000)}, {{.node = "/bus/dma@1000"}}, GetParam()};
  const Block block = must(board.alloc(4096));
  EXPECT_EQ(block.phys, PhysAddr{0x4'9480'0000});
  EXPECT_EQ(block.dma, DmaAddr{0x9480'0000});
}

TEST(Vectors, Row25_ThePoolFits32BitsBecauseTheDeviceAddressesCount) {
  const VectorBoard board{
      "row24", {in_place(0x4'9480'0000, 0x20'0000)}, {{.node = "/bus/dma@1000", .mask = k32Bits}}};
  EXPECT_TRUE(board.findings.empty());
  const Block block = must(board.alloc(0x20'0000));
  EXPECT_EQ(block.dma.raw() + block.size_bytes - 1, 0x949f'ffffU);
}

struct Bcm2837 : VectorBoard {
  explicit Bcm2837(const Origin& origin = {})
      : VectorBoard{"board_c_bcm2837",
                    {in_place(0x1e00'0000, 0x40'0000)},
                    {{.node = "/soc/dma@7e007000", .mask = k32Bits}},
                    origin} {}
};

TEST_P(Rows, Row26_MemoryIsC0000000Higher) {
  const Bcm2837 board{GetParam()};
  const Block block = must(board.alloc(65536));
  EXPECT_EQ(block.phys, PhysAddr{0x1e00'0000});
  EXPECT_EQ(block.dma, DmaAddr{0xde00'0000});
}

TEST_P(Rows, Row26_TheBusEndsAtTheTopOfItsWindow) {
  const Bcm2837 board{GetParam()};
  EXPECT_EQ(board.device().translation.limit(), DmaAddr{0xfeff'ffff});
}

TEST_P(Rows, Row27_OneByteBehindTheWindowIsInNone) {
  const Bcm2837 board{GetParam()};
  EXPECT_EQ(board.map(0x3eff'ffff), DmaAddr{0xfeff'ffff});
  EXPECT_EQ(board.map(0x3f00'0000), std::nullopt);
}

TEST_P(Rows, Row28_OnABcm2835MemoryIs40000000Higher) {
  const VectorBoard board{"board_c_bcm2835",
                          {in_place(0x1e00'0000, 0x40'0000)},
                          {{.node = "/soc/dma@7e007000", .mask = k32Bits}},
                          GetParam()};
  const Block block = must(board.alloc(4096));
  EXPECT_EQ(block.phys, PhysAddr{0x1e00'0000});
  EXPECT_EQ(block.dma, DmaAddr{0x5e00'0000});
  EXPECT_EQ(board.device().translation.limit(), DmaAddr{0x5fff'ffff});
}

/// One device of the bus without a pool, and one with a pool in the gap between the windows.
struct TwoWindows : VectorBoard {
  explicit TwoWindows(const Origin& origin = {})
      : VectorBoard{"row29",
                    {in_place(0x3500'0000, 0x1'0000)},
                    {{.node = "/bus/dma@1000"}, {.node = "/bus/dma@2000"}},
                    origin} {}
};

TEST_P(Rows, Row29_TheSecondWindowTranslates) {
  const TwoWindows board{GetParam()};
  EXPECT_EQ(board.map(0x4500'0000), DmaAddr{0xc500'0000});
}

TEST_P(Rows, Row29_TheGapHasNoAddress) {
  const TwoWindows board{GetParam()};
  EXPECT_EQ(board.map(0x3500'0000), std::nullopt);
}

TEST(Vectors, Row30_APoolInTheGapIsRefusedWhenItIsBound) {
  const TwoWindows board;
  ASSERT_EQ(board.findings.size(), 1U);
  EXPECT_EQ(board.findings[0].rule, Rule::out_of_reach);
  EXPECT_EQ(board.findings[0].severity, Severity::error);
  EXPECT_EQ(board.findings[0].node, "/bus/dma@2000");
  EXPECT_EQ(board.findings[0].other, "/reserved-memory/pool@35000000");
}

TEST_P(Rows, Row30_ARequestIsToldSo) {
  const TwoWindows board{GetParam()};
  EXPECT_EQ(error_of(board.alloc(4096, 1)), Error::not_in_window);
}

struct TwoLevels : VectorBoard {
  explicit TwoLevels(const Origin& origin = {})
      : VectorBoard{"row31",
                    {in_place(0x2000'0000, 0x1000)},
                    {{.node = "/outer/inner/dma@1000"}},
                    origin} {}
};

TEST_P(Rows, Row31_BothLevelsTranslate) {
  const TwoLevels board{GetParam()};
  EXPECT_EQ(board.map(0x2000'0000), DmaAddr{0x1'0000'0000});
  EXPECT_EQ(board.map(0x5fff'ffff), DmaAddr{0x1'3fff'ffff});
}

TEST_P(Rows, Row31_TheOuterBusClips) {
  const TwoLevels board{GetParam()};
  EXPECT_EQ(board.map(0x6000'0000), std::nullopt);
}

TEST_P(Rows, Row31_NoMemoryIsBehindWhatTheOuterBusDoesNotCarry) {
  const TwoLevels board{GetParam()};
  EXPECT_EQ(board.unmap(0x1'3fff'ffff), PhysAddr{0x5fff'ffff});
  EXPECT_EQ(board.unmap(0x1'4000'0000), std::nullopt);
}

struct Silence : VectorBoard {
  explicit Silence(const Origin& origin = {})
      : VectorBoard{"row32",
                    {in_place(0x10'0000, 0x1000)},
                    {{.node = "/translating/silent/row32@1000"},
                     {.node = "/translating/silent/silent-too/row33@2000"},
                     {.node = "/empty-outer/empty-inner/row34@3000"}},
                    origin} {}
};

TEST_P(Rows, Row32_OneBusThatSaysNothingIsPassed) {
  const Silence board{GetParam()};
  EXPECT_EQ(board.map(0x10'0000, 0), DmaAddr{0xc010'0000});
}

TEST_P(Rows, Row33_TwoBusesThatSayNothingAreTheIdentity) {
  const Silence board{GetParam()};
  EXPECT_EQ(board.map(0x10'0000, 1), DmaAddr{0x10'0000});
}

TEST_P(Rows, Row33_TheIdentityHasNoLimit) {
  const Silence board{GetParam()};
  EXPECT_EQ(board.device(1).translation.limit(), std::nullopt);
}

TEST_P(Rows, Row34_EmptyStatementsAreTheIdentity) {
  const Silence board{GetParam()};
  EXPECT_EQ(board.map(0x10'0000, 2), DmaAddr{0x10'0000});
}

struct NothingLeft : VectorBoard {
  explicit NothingLeft(const Origin& origin = {})
      : VectorBoard{"row35",
                    {in_place(0x100'0000, 0x10'0000)},
                    {{.node = "/outer/inner/dma@1000"}},
                    origin} {}
};

TEST_P(Rows, Row35_TheTranslationIsInvalid) {
  const NothingLeft board{GetParam()};
  EXPECT_EQ(board.device().translation.kind(), Translation::Kind::invalid);
  EXPECT_EQ(board.map(0x100'0000), std::nullopt);
}

TEST(Vectors, Row35_ThatIsReportedForTheBus) {
  const NothingLeft board;
  ASSERT_EQ(board.findings.size(), 1U);
  EXPECT_EQ(board.findings[0].rule, Rule::malformed_dma_ranges);
  EXPECT_EQ(board.findings[0].node, "/outer/inner");
}

TEST_P(Rows, Row35_TheDeviceReachesNoMemoryAndGetsNoIdentity) {
  const NothingLeft board{GetParam()};
  EXPECT_EQ(error_of(board.alloc(4096)), Error::unreachable);
}

struct Over32Bits : VectorBoard {
  explicit Over32Bits(const Origin& origin = {})
      : VectorBoard{"row40",
                    {in_place(0x1'4000'0000, 0x10'0000)},
                    {{.node = "/dma@1000", .mask = k32Bits}},
                    origin} {}
};

TEST(Vectors, Row40_APoolOverTheMaskIsRefusedWhenItIsBound) {
  const Over32Bits board;
  ASSERT_EQ(board.findings.size(), 1U);
  EXPECT_EQ(board.findings[0].rule, Rule::out_of_reach);
}

TEST_P(Rows, Row40_ARequestIsToldSo) {
  const Over32Bits board{GetParam()};
  EXPECT_EQ(error_of(board.alloc(4096)), Error::unreachable);
}

}  // namespace
}  // namespace carveout
