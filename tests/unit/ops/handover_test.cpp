// Memory that changes hands between programs.
#include "carveout/ops/handover.hpp"

#include <gtest/gtest.h>

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

class HandOver : public testing::Test {
 protected:
  static constexpr PhysRange kRange = ram(0x2000, 0x400);

  [[nodiscard]] std::byte* cached() const { return board_.machine.cached_view(kRange); }
  [[nodiscard]] bool nothing_is_in_the_cache() const {
    for (std::size_t at = 0; at < kRange.size_bytes; at += 32) {
      if (board_.machine.line(cached() + at).valid) return false;
    }
    return true;
  }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", kRange);
};

TEST_F(HandOver, LeavesInMemoryWhatWasWrittenThroughTheCache) {
  board_.store(cached(), pattern(0x100));
  clean_for_handover(pool_);
  EXPECT_EQ(board_.in_ram({kRange.base, 0x100}), pattern(0x100));
}

TEST_F(HandOver, LeavesNoLineThatIsWrittenOverWhatTheNextProgramPutsThere) {
  board_.store(cached(), pattern(0x100));
  clean_for_handover(pool_);
  board_.put_in_ram(kRange.base, pattern(0x100, 2));
  board_.push_everything_out_of_the_cache(ram(0x8000, 0x1000));
  EXPECT_EQ(board_.in_ram({kRange.base, 0x100}), pattern(0x100, 2));
  EXPECT_TRUE(nothing_is_in_the_cache());
}

TEST_F(HandOver, OrdersAllThatCameBeforeItAndAllThatComesAfter) {
  board_.port.record();
  clean_for_handover(pool_);
  const auto calls = board_.port.recorded();
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].op, sim::PortOp::full_barrier);
  EXPECT_EQ(calls[1], (sim::PortCall{sim::PortOp::clean_invalidate, cached(), kRange.size_bytes}));
  EXPECT_EQ(calls[2].op, sim::PortOp::full_barrier);
}

TEST_F(HandOver, OfABoardIsOfEveryPool) {
  const PhysRange other = ram(0x6000, 0x400);
  board_.pool("other", other);
  board_.store(board_.machine.cached_view(other), pattern(0x100));
  board_.store(cached(), pattern(0x40, 2));
  clean_for_handover(board_.system->roles());
  EXPECT_EQ(board_.in_ram({other.base, 0x100}), pattern(0x100));
  EXPECT_EQ(board_.in_ram({kRange.base, 0x40}), pattern(0x40, 2));
}

TEST_F(HandOver, WhoTakesOverSeesWhatTheOtherProgramWrote) {
  static_cast<void>(board_.load(cached(), 0x40));
  board_.put_in_ram(kRange.base, pattern(0x40));
  board_.port.record();
  take_over(pool_);
  EXPECT_EQ(board_.load(cached(), 0x40), pattern(0x40));
  EXPECT_EQ(board_.port.recorded().back().op, sim::PortOp::observe_barrier);
}

TEST_F(HandOver, WhoTakesOverWritesNothingBack) {
  board_.store(cached(), pattern(0x40, 9));  // of before
  board_.put_in_ram(kRange.base, pattern(0x40));
  take_over(pool_);
  board_.push_everything_out_of_the_cache(ram(0x8000, 0x1000));
  EXPECT_EQ(board_.in_ram({kRange.base, 0x40}), pattern(0x40));
}

TEST_F(HandOver, WriteBeforeReadWritesEveryByteOfEveryChunkInMemory) {
  const PhysRange chunks[] = {ram(0x6000, 0x400), ram(0x7000, 0x200)};
  Pool& pool = *must(board_.system->declare({.name = "two", .chunks = chunks}));
  for (const PhysRange& chunk : chunks) {
    board_.put_in_ram(chunk.base, pattern(static_cast<std::size_t>(chunk.size_bytes)));
    board_.store(board_.machine.cached_view(chunk), pattern(0x80, 7));
  }
  must(write_before_read(pool));
  board_.push_everything_out_of_the_cache(ram(0x8000, 0x1000));
  for (const PhysRange& chunk : chunks) {
    EXPECT_EQ(board_.in_ram(chunk), Bytes(static_cast<std::size_t>(chunk.size_bytes)));
  }
}

TEST_F(HandOver, WriteBeforeReadIsForAPoolThatNobodyUses) {
  const Block block = must(alloc_coherent(board_.device("eth"), 0x40));
  EXPECT_EQ(error_of(write_before_read(pool_)), Error::in_use);
  must(free_coherent(block));
  must(board_.system->release(pool_));
  EXPECT_EQ(error_of(write_before_read(pool_)), Error::pool_gone);
}

TEST_F(HandOver, WriteBeforeReadIsRefusedThroughTheCacheWhichReadsWhatItWrites) {
  SimBoard board{sim::MachineFacts{
      .ram = {{.size_bytes = 0x10'000, .cached = test::kCachedRam, .uncached = std::nullopt}}}};
  Pool& pool = board.pool("ram", kRange, Memory::ordinary);
  EXPECT_EQ(error_of(write_before_read(pool)), Error::no_uncached_view);
}

}  // namespace
}  // namespace carveout
