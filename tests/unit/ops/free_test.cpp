// Giving blocks back: each mistake by its name, and a refused call that changes nothing.
#include <gtest/gtest.h>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::must;
using test::ram;
using test::SimBoard;

class Free : public testing::Test {
 protected:
  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0, 0x1000));
  Device& device_ = board_.device("eth");
  Block block_ = must(alloc_coherent(device_, 0x100));
};

TEST_F(Free, GivesTheMemoryBack) {
  must(free_coherent(block_));
  EXPECT_EQ(pool_.usage().used_bytes, 0U);
}

TEST_F(Free, LetsTheSameMemoryBeHandedOutAgain) {
  must(free_coherent(block_));
  EXPECT_TRUE(alloc_coherent(device_, 0x1000));
}

TEST_F(Free, OfAFreeBlockIsADoubleFree) {
  must(free_coherent(block_));
  EXPECT_EQ(error_of(free_coherent(block_)), Error::double_free);
}

TEST_F(Free, OfACopyIsADoubleFree) {
  const Block copy = block_;
  must(free_coherent(block_));
  EXPECT_EQ(error_of(free_coherent(copy)), Error::double_free);
}

TEST_F(Free, AfterTheRangeWasHandedOutAgainIsStale) {
  must(free_coherent(block_));
  const Block next = must(alloc_coherent(device_, 0x100));
  ASSERT_EQ(next.phys, block_.phys);
  EXPECT_EQ(error_of(free_coherent(block_)), Error::stale_block);
}

TEST_F(Free, OfAStaleBlockLeavesItsSuccessorAlive) {
  must(free_coherent(block_));
  const Block next = must(alloc_coherent(device_, 0x100));
  ASSERT_FALSE(free_coherent(block_));
  EXPECT_TRUE(free_coherent(next));
}

TEST_F(Free, WithAnotherPoolIsForeign) {
  Block moved = block_;
  moved.pool = &board_.pool("other", ram(0x2000, 0x1000));
  EXPECT_EQ(error_of(free_coherent(moved)), Error::foreign_block);
}

TEST_F(Free, WithAnotherSizeIsRefused) {
  Block longer = block_;
  longer.size_bytes *= 2;
  EXPECT_EQ(error_of(free_coherent(longer)), Error::wrong_size);
}

TEST_F(Free, WithAnotherAddressIsRefused) {
  Block shifted = block_;
  shifted.phys = PhysAddr{shifted.phys.raw() + 0x20};
  EXPECT_EQ(error_of(free_coherent(shifted)), Error::wrong_address);
}

TEST_F(Free, OfABlockThatWasMadeUpIsForeign) {
  Block made_up = block_;
  made_up.serial += 2;
  EXPECT_EQ(error_of(free_coherent(made_up)), Error::foreign_block);
}

TEST_F(Free, ThatIsRefusedChangesNothing) {
  const Usage before = pool_.usage();
  Block longer = block_;
  longer.size_bytes *= 2;
  ASSERT_FALSE(free_coherent(longer));
  EXPECT_EQ(pool_.usage(), before);
  EXPECT_TRUE(free_coherent(block_));
}

TEST_F(Free, AfterThePoolsEndIsToldSo) {
  must(free_coherent(block_));
  must(board_.system->release(pool_));
  EXPECT_EQ(error_of(free_coherent(block_)), Error::pool_gone);
}

TEST_F(Free, SaysWhichPoolItIsAbout) {
  must(free_coherent(block_));
  EXPECT_EQ(free_coherent(block_).error().pool, "d");
}

TEST_F(Free, SearchesNoOtherPool) {
  Pool& other = board_.pool("other", ram(0x2000, 0x1000));
  const auto before = other.usage();
  must(free_coherent(block_));
  EXPECT_EQ(other.usage(), before);
}

TEST_F(Free, CausesNoCacheWork) {
  board_.port.record();
  must(free_coherent(block_));
  for (const sim::PortCall& call : board_.port.recorded()) EXPECT_EQ(call.at, nullptr);
}

}  // namespace
}  // namespace carveout
