#include "carveout/pool/block_pool.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carveout/port/no_machine.hpp"

namespace carveout {
namespace {

constexpr BlockPool::Settings of(std::uint64_t size, std::uint64_t align, std::uint64_t boundary) {
  return {.size_bytes = size, .align_bytes = align, .boundary_bytes = boundary};
}

// Rows 52 to 55 of the shared vectors. Row 53's 24 bytes stay 24: nothing is kept in free blocks.
static_assert(BlockPool::layout(of(48, 64, 0))->block_bytes == 64);
static_assert(BlockPool::layout(of(48, 64, 0))->per_page == 64);
static_assert(BlockPool::layout(of(24, 8, 0))->per_page == 170);
static_assert(BlockPool::layout(of(600, 4, 1024))->per_page == 4);
static_assert(BlockPool::layout(of(600, 4, 1024))->offset_of(3) == 0xc00);
static_assert(BlockPool::layout(of(600, 4, 512)).error() == Error::crosses_boundary);
static_assert(BlockPool::layout(of(5000, 64, 4096)).error() == Error::crosses_boundary);
static_assert(BlockPool::layout(of(5000, 64, 8192))->page_bytes == 5056);
static_assert(BlockPool::layout(of(5000, 64, 8192))->per_page == 1);
static_assert(BlockPool::layout(of(0, 64, 0)).error() == Error::zero_size);
static_assert(BlockPool::layout(of(8, 3, 0)).error() == Error::bad_alignment);
static_assert(BlockPool::layout(of(8, 8, 48)).error() == Error::bad_boundary);
static_assert(BlockPool::layout(of(~std::uint64_t{0}, 8, 0)).error() == Error::size_overflow);
static_assert(BlockPool::layout(of(std::uint64_t{1} << 40, 8, 0)).error() == Error::exhausted);
static_assert(!std::is_copy_constructible_v<BlockPool>);

/// A port with one mutex for all pools, as Mutex has: nobody may lock twice.
struct OneMutex : NoMachine {
  [[nodiscard]] LockState lock(LockWord& /*word*/) noexcept {
    nested = nested || held;
    held = true;
    return 0;
  }
  void unlock(LockWord& /*word*/, LockState /*state*/) noexcept { held = false; }
  [[nodiscard]] bool may_lock() const noexcept { return !in_interrupt; }

  bool held = false;
  bool nested = false;
  bool in_interrupt = false;
};

class Bench {
 public:
  explicit Bench(const BlockPool::Settings& settings)
      : storage_(BlockPool::storage_bytes(*BlockPool::layout(settings), settings.most_pages)),
        blocks_{*BlockPool::create(settings, pool_, kReaches, View::uncached, storage_)} {}

  Pool& pool() { return pool_; }
  BlockPool& blocks() { return blocks_; }
  OneMutex& port() { return port_; }

 private:
  static constexpr std::array kReaches{
      Reach{PhysAddr{0x20000000}, PhysAddr{0x2fffffff}, DmaAddr{0x800}}};

  std::vector<std::byte> memory_ = std::vector<std::byte>(0x8000);
  std::array<Chunk, 1> chunks_{
      Chunk{PhysRange{PhysAddr{0x20000000}, 0x8000}, memory_.data(), nullptr}};
  std::array<PhysRange, 1> ranges_{PhysRange{PhysAddr{0x20000000}, 0x8000}};
  std::vector<std::byte> tables_ = std::vector<std::byte>(RangeAllocator::storage_bytes(1, 8));
  OneMutex port_;
  Pool pool_{{.name = "bench", .memory = Memory::coherent, .granule_bytes = 64, .chunks = chunks_},
             port_,
             *RangeAllocator::create(ranges_, 64, 8, tables_)};
  std::vector<std::byte> storage_;
  BlockPool blocks_;
};

TEST(BlockPool, HandsOutTheBlockThatWasGivenBackLast) {
  Bench bench{{.size_bytes = 48, .align_bytes = 64}};
  const Block a = *bench.blocks().take();
  const Block b = *bench.blocks().take();
  EXPECT_EQ(b.phys.raw() - a.phys.raw(), 64U);
  EXPECT_EQ(b.dma.raw() - a.dma.raw(), 64U);
  EXPECT_EQ(b.cpu - a.cpu, 64);
  ASSERT_TRUE(bench.blocks().give_back(a));
  EXPECT_EQ(bench.blocks().take()->phys, a.phys);
}

TEST(BlockPool, KeepsTheAlignmentAndTheBoundaryAtTheDevice) {
  Bench bench{{.size_bytes = 600, .align_bytes = 64, .boundary_bytes = 1024, .most_pages = 2}};
  for (int i = 0; i < 8; ++i) {
    const auto block = bench.blocks().take();
    ASSERT_TRUE(block);
    EXPECT_EQ(block->dma.raw() % 64, 0U);
    EXPECT_EQ(block->dma.raw() / 1024, (block->dma.raw() + 599) / 1024);
  }
  EXPECT_EQ(bench.blocks().take().error().code, Error::table_full);
  EXPECT_EQ(bench.blocks().usage(), (BlockPool::Usage{8, 8, 2, 4096}));
}

TEST(BlockPool, NeverLocksTwiceAtATime) {
  Bench bench{{.size_bytes = 2048, .most_pages = 2}};
  std::vector<Block> taken;
  while (auto block = bench.blocks().take()) taken.push_back(*block);
  EXPECT_EQ(taken.size(), 4U);
  for (const Block& block : taken) EXPECT_TRUE(bench.blocks().give_back(block));
  EXPECT_TRUE(bench.blocks().close());
  EXPECT_FALSE(bench.port().nested);
}

TEST(BlockPool, TellsWhoMayNotWaitForTheLock) {
  Bench bench{{.size_bytes = 64}};
  const Block block = *bench.blocks().take();
  bench.port().in_interrupt = true;
  EXPECT_EQ(bench.blocks().take().error().code, Error::would_wait);
  EXPECT_EQ(bench.blocks().give_back(block).error().code, Error::would_wait);
  EXPECT_EQ(bench.blocks().close().error().code, Error::would_wait);
  bench.port().in_interrupt = false;
  EXPECT_TRUE(bench.blocks().give_back(block));
}

TEST(BlockPool, ABlockIsForeignToThePoolItWasCutFromAndAPageToTheBlockPool) {
  Bench bench{{.size_bytes = 4096}};
  const Block block = *bench.blocks().take();
  EXPECT_EQ(bench.pool().give_back(block).error().code, Error::foreign_block);
  const std::array reach{Reach{PhysAddr{0x20000000}, PhysAddr{0x2fffffff}, DmaAddr{0x800}}};
  const Block page = *bench.pool().take({.size_bytes = 4096}, reach, View::uncached);
  EXPECT_EQ(bench.blocks().give_back(page).error().code, Error::foreign_block);
  EXPECT_EQ(bench.blocks().usage().blocks, 1U);
  EXPECT_EQ(bench.pool().usage().blocks, 2U);
}

TEST(BlockPool, DetectsEveryMisuseAndChangesNothing) {
  Bench bench{{.size_bytes = 64, .align_bytes = 64}};
  BlockPool& blocks = bench.blocks();
  const Block block = *blocks.take();
  Block wrong = block;
  wrong.tag = 7;
  EXPECT_EQ(blocks.give_back(wrong).error().code, Error::foreign_block);
  wrong = block;
  wrong.serial += 2;
  EXPECT_EQ(blocks.give_back(wrong).error().code, Error::foreign_block);
  wrong = block;
  wrong.phys = PhysAddr{block.phys.raw() + 64};
  EXPECT_EQ(blocks.give_back(wrong).error().code, Error::wrong_address);
  wrong = block;
  wrong.size_bytes = 128;
  EXPECT_EQ(blocks.give_back(wrong).error().code, Error::wrong_size);
  wrong = block;
  wrong.pool = nullptr;
  EXPECT_EQ(blocks.give_back(wrong).error().code, Error::foreign_block);
  EXPECT_EQ(blocks.usage().blocks, 1U);
  ASSERT_TRUE(blocks.give_back(block));
  EXPECT_EQ(blocks.give_back(block).error().code, Error::double_free);
  static_cast<void>(blocks.take());
  EXPECT_EQ(blocks.give_back(block).error().code, Error::stale_block);
}

TEST(BlockPool, ClosesOnlyWhenNoBlockLivesAndThenGivesEveryPageBack) {
  Bench bench{{.size_bytes = 64}};
  const Block block = *bench.blocks().take();
  EXPECT_EQ(bench.blocks().close().error().code, Error::in_use);
  ASSERT_TRUE(bench.blocks().give_back(block));
  EXPECT_EQ(bench.pool().usage().blocks, 1U) << "pages are kept";
  ASSERT_TRUE(bench.blocks().close());
  EXPECT_EQ(bench.pool().usage().blocks, 0U);
  EXPECT_EQ(bench.blocks().take().error().code, Error::pool_gone);
  EXPECT_EQ(bench.blocks().give_back(block).error().code, Error::pool_gone);
  EXPECT_EQ(bench.blocks().close().error().code, Error::pool_gone);
}

TEST(BlockPool, LeavesNothingUsableWhereItWasMovedFrom) {
  Bench bench{{.size_bytes = 64}};
  const Block block = *bench.blocks().take();
  BlockPool moved{std::move(bench.blocks())};
  EXPECT_EQ(bench.blocks().take().error().code, Error::pool_gone);
  EXPECT_EQ(bench.blocks().give_back(block).error().code, Error::pool_gone);
  EXPECT_EQ(bench.blocks().close().error().code, Error::pool_gone);
  EXPECT_EQ(bench.blocks().usage().blocks, 0U);
  EXPECT_EQ(moved.usage().blocks, 1U);
  ASSERT_TRUE(moved.give_back(block));
  ASSERT_TRUE(moved.close());
  EXPECT_EQ(bench.pool().usage().blocks, 0U);
}

TEST(BlockPool, PassesOnWhyThePoolHasNoPage) {
  Bench bench{{.size_bytes = 0x8000, .most_pages = 2}};
  ASSERT_TRUE(bench.blocks().take());
  EXPECT_EQ(bench.blocks().take().error().code, Error::exhausted);
}

}  // namespace
}  // namespace carveout
