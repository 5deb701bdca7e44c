// borrow(), and the verbs of devices over memory that was lent: caches, zeroes, and the route.
#include "carveout/ops/lent.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::error_of;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

class Borrow : public testing::Test {
 protected:
  Borrow() { must(board_.system->lend(pool_, reclaim_)); }

  Bytes read(const Block& block) {
    Bytes bytes(static_cast<std::size_t>(block.size_bytes));
    board_.machine.read(block.cpu, bytes);
    return bytes;
  }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("cma", ram(0, 0x1000), Role::contiguous_default);
  Device& eth_ = board_.device("eth");
  std::optional<Block> borrowed_;
  const Reclaim reclaim_{.vacate =
                             [](void* context, const Held&, PhysRange) {
                               must(free_coherent(**static_cast<std::optional<Block>*>(context)));
                               return Vacated::yes;
                             },
                         .context = &borrowed_};
};

TEST_F(Borrow, GivesZeroedMemoryThroughTheCache) {
  board_.put_in_ram(ram(0, 1).base, pattern(0x1000));
  const Block block = must(borrow(pool_, 0x100, 3));
  EXPECT_EQ(block.cpu, board_.twin(block));
  EXPECT_EQ(read(block), Bytes(0x100));
}

TEST_F(Borrow, WhatADeviceLeftIsNotReadByTheNextOrdinaryUser) {
  const Block device = must(alloc_coherent(eth_, 0x1000));
  ASSERT_TRUE(board_.engine(eth_).write(device.dma, pattern(0x1000)));
  must(free_coherent(device));
  EXPECT_EQ(read(must(borrow(pool_, 0x1000, 3))), Bytes(0x1000));
}

TEST_F(Borrow, ADirtyLineOfAnOrdinaryUserIsNotWrittenBackOverWhatTheDeviceWrote) {
  borrowed_ = must(borrow(pool_, 0x1000, 3));
  board_.machine.write(borrowed_->cpu, pattern(0x1000, 5));
  const Block device = must(alloc_coherent(eth_, 0x1000));
  ASSERT_TRUE(board_.engine(eth_).write(device.dma, pattern(0x1000, 9)));
  board_.push_everything_out_of_the_cache(ram(0x8000, 0x8000));
  EXPECT_EQ(read(device), pattern(0x1000, 9));
}

TEST_F(Borrow, AnAllocationTakesLentMemoryBack) {
  borrowed_ = must(borrow(pool_, 0x1000, 3));
  EXPECT_EQ(must(alloc_coherent(eth_, 64)).pool, &pool_);
}

TEST_F(Borrow, AnAllocationThatMustNotWaitTakesNothingBack) {
  borrowed_ = must(borrow(pool_, 0x1000, 3));
  EXPECT_EQ(error_of(alloc_coherent(eth_, 64, {.context = Context::must_not_wait})),
            Error::exhausted);
  EXPECT_TRUE(free_coherent(*borrowed_));
}

TEST_F(Borrow, TheVerbOfDefaultContiguousMemoryTakesLentMemoryBack) {
  borrowed_ = must(borrow(pool_, 0x1000, 3));
  EXPECT_EQ(must(alloc_from_default_contiguous(eth_, 0x1000)).size_bytes, 0x1000U);
}

TEST_F(Borrow, OfADevicesOwnContiguousMemoryIsTakenBackToo) {
  Pool& own = board_.pool("own", ram(0x2000, 0x1000), Memory::contiguous);
  must(board_.system->lend(own, reclaim_));
  must(board_.system->bind(eth_, own));
  borrowed_ = must(borrow(own, 0x1000, 3));
  EXPECT_EQ(must(alloc_coherent(eth_, 64)).pool, &own);
}

TEST_F(Borrow, IsGivenBackLikeAnyBlock) {
  const Block block = must(borrow(pool_, 64, 3));
  must(free_coherent(block));
  EXPECT_EQ(error_of(free_coherent(block)), Error::double_free);
  EXPECT_EQ(pool_.usage().used_bytes, 0U);
}

TEST_F(Borrow, MemoryThatTheCpuReachesPastItsCacheOnlyIsNotOrdinary) {
  sim::MachineFacts facts;
  facts.ram[0].cached = facts.ram[0].uncached;
  SimBoard board{facts, [](Platform& platform) { platform.aliases = {}; }};
  const PhysRange elsewhere{PhysAddr{0x100}, 0x1000};
  Pool& pool = board.pool("none", elsewhere, Memory::contiguous);
  must(board.system->lend(pool, reclaim_));
  const auto refused = borrow(pool, 64, 3);
  ASSERT_EQ(error_of(refused), Error::wrong_view);
  EXPECT_EQ(refused.error().pool, "none");
}

TEST_F(Borrow, OfAPoolThatIsNotLentIsRefused) {
  Pool& plain = board_.pool("plain", ram(0x2000, 0x1000), Memory::contiguous);
  EXPECT_EQ(error_of(borrow(plain, 64, 3)), Error::wrong_kind);
}

}  // namespace
}  // namespace carveout
