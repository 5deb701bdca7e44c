// Rows 1 to 15: the default pool of a board, found in its tree, and who does without it.
#include <gtest/gtest.h>

#include <vector>

#include "tests/vectors/vector_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::in_place;
using test::must;
using test::Origin;
using test::origin_name;
using test::Rows;
using test::VectorBoard;

constexpr std::string_view kDma = "/soc/dma@40026000";
constexpr std::string_view kRegion = "/reserved-memory/linux,cma";
constexpr std::uint64_t kPoolBase = 0xc1f0'0000;
constexpr std::uint64_t kPoolBytes = 0x10'0000;

/// Board A. Rows that say "after 2" begin with what row 2 took, and so on.
struct BoardA : VectorBoard {
  explicit BoardA(const Origin& origin = {})
      : VectorBoard{"board_a", {in_place(kPoolBase, kPoolBytes)}, {{.node = kDma}}, origin} {}
};

/// A block of the default pool of board A: addresses are the same on both sides.
void expect_in_pool(const Result<Block>& block, std::uint64_t size_bytes) {
  ASSERT_TRUE(block);
  EXPECT_EQ(block->pool->name(), kRegion);
  EXPECT_EQ(block->size_bytes, size_bytes);
  EXPECT_EQ(block->dma.raw(), block->phys.raw());
  EXPECT_TRUE((PhysRange{PhysAddr{kPoolBase}, kPoolBytes}.contains(
      PhysRange{block->phys, block->size_bytes})));
}

TEST_P(Rows, Row01_ThePoolIsPlacedAtTheTopOfMemory) {
  const BoardA board{GetParam()};
  const auto chunks = board.pool(kRegion).chunks();
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(chunks[0].range, (PhysRange{PhysAddr{kPoolBase}, kPoolBytes}));
}

TEST_P(Rows, Row02_APageComesFromTheDefaultPool) {
  const BoardA board{GetParam()};
  const auto block = board.alloc(4096);
  expect_in_pool(block, 4096);
  EXPECT_EQ(block->phys, PhysAddr{kPoolBase});
}

TEST_P(Rows, Row03_5000BytesTakeTwoPages) {
  const BoardA board{GetParam()};
  must(board.alloc(4096));
  expect_in_pool(board.alloc(5000), 8192);
}

TEST_P(Rows, Row04_APageAfterThat) {
  const BoardA board{GetParam()};
  must(board.alloc(4096));
  must(board.alloc(5000));
  expect_in_pool(board.alloc(4096), 4096);
}

TEST_P(Rows, Row05_OneByteTakesAPage) {
  const BoardA board{GetParam()};
  must(board.alloc(4096));
  must(board.alloc(5000));
  must(board.alloc(4096));
  expect_in_pool(board.alloc(1), 4096);
}

TEST_P(Rows, Row06_TheWholePoolThenNothingAndNoFallback) {
  const BoardA board{GetParam()};
  const auto whole = board.alloc(kPoolBytes);
  expect_in_pool(whole, kPoolBytes);
  EXPECT_EQ(whole->phys, PhysAddr{kPoolBase});
  EXPECT_EQ(error_of(board.alloc(1)), Error::exhausted);
}

TEST_P(Rows, Row07_TheWholePoolDoesNotFitBesideAPageAndHalfOfItDoes) {
  const BoardA board{GetParam()};
  expect_in_pool(board.alloc(1), 4096);
  EXPECT_EQ(error_of(board.alloc(kPoolBytes)), Error::exhausted);
  expect_in_pool(board.alloc(0x8'0000), 0x8'0000);
}

TEST_P(Rows, Row08_ThreeTimes260KiBFit) {
  const BoardA board{GetParam()};
  for (int i = 0; i < 3; ++i) expect_in_pool(board.alloc(260 * 1024), 260 * 1024);
}

TEST_P(Rows, Row09_ZeroBytesAreRefused) {
  const BoardA board{GetParam()};
  EXPECT_EQ(error_of(board.alloc(0)), Error::zero_size);
}

/// The RAM of board A: what rows 10 to 14 call "any RAM".
constexpr PhysRange kOrdinary[] = {{PhysAddr{0xc000'0000}, 0x1f0'0000}};

TEST_P(Rows, Row10_ACoherentDeviceGetsOrdinaryMemoryAndNeverThePool) {
  const VectorBoard board{"row10",
                          {in_place(kPoolBase, kPoolBytes)},
                          {{.node = kDma}},
                          GetParam(),
                          {.ordinary = kOrdinary}};
  EXPECT_EQ(board.served(4096), Role::ordinary);
  EXPECT_EQ(board.pool(kRegion).usage().peak_bytes, 0U);
}

TEST_P(Rows, Row11_WithoutACacheEveryDeviceIsCoherent) {
  const VectorBoard board{"board_a",
                          {in_place(kPoolBase, kPoolBytes)},
                          {{.node = kDma}},
                          GetParam(),
                          {.no_cache = true, .ordinary = kOrdinary}};
  EXPECT_TRUE(board.device().coherent);
  EXPECT_EQ(board.served(4096), Role::ordinary);
}

TEST(Vectors, Row12_WithoutARegionThereIsNoPool) {
  const VectorBoard board{"row12", {in_place(0xc000'0000, 0x1000)}, {{.node = kDma}}};
  EXPECT_EQ(error_of(board.alloc(4096)), Error::no_pool);
}

TEST_P(Rows, Row13_NonCoherentMemoryIsOrdinaryMemory) {
  const VectorBoard board{"board_a",
                          {in_place(kPoolBase, kPoolBytes)},
                          {{.node = kDma}},
                          GetParam(),
                          {.ordinary = kOrdinary}};
  EXPECT_EQ(board.served(4096, Attributes::non_coherent), Role::ordinary);
  EXPECT_EQ(board.served(4096), Role::default_pool);
}

TEST_P(Rows, Row14_MemoryThatTheCpuDoesNotUseIsNotFromThePool) {
  const VectorBoard board{"board_a",
                          {in_place(kPoolBase, kPoolBytes)},
                          {{.node = kDma}},
                          GetParam(),
                          {.ordinary = kOrdinary}};
  EXPECT_EQ(board.served(4096, Attributes::no_cpu_mapping), Role::ordinary);
}

TEST_P(Rows, Row15_HalfAMebibyteAtTheTopOf8MiB) {
  const VectorBoard board{"row15", {in_place(0xc078'0000, 0x8'0000)}, {{.node = kDma}}, GetParam()};
  const auto block = must(board.alloc(0x8'0000));
  EXPECT_EQ(block.phys, PhysAddr{0xc078'0000});
  EXPECT_EQ(block.dma, DmaAddr{0xc078'0000});
}

INSTANTIATE_TEST_SUITE_P(Vectors, Rows, testing::ValuesIn(test::kOrigins), origin_name);

}  // namespace
}  // namespace carveout
