// Rows 52 to 55: pools of blocks of one size.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "carveout/pool/block_pool.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::must;
using test::ram;

/// A pool of fixed blocks, as Linux's dma_pool_create(size, align, boundary) would make it.
class Dma {
 public:
  Dma(std::uint64_t size, std::uint64_t align, std::uint64_t boundary)
      : layout{BlockPool::layout(of(size, align, boundary))} {
    if (!layout) return;
    storage_.resize(BlockPool::storage_bytes(*layout, 1) / sizeof(std::uint64_t) + 1);
    pool_.emplace(
        must(BlockPool::create(of(size, align, boundary), memory_, reaches_, View::uncached,
                               std::as_writable_bytes(std::span{storage_}))));
  }

  /// Where the blocks of a page lie in it, as many as there are.
  [[nodiscard]] std::vector<std::uint64_t> offsets() {
    std::vector<std::uint64_t> all;
    while (const auto block = pool_->take()) {
      all.push_back(block->phys.raw() - test::kCachedRam.raw());
      size_bytes = block->size_bytes;
    }
    std::ranges::sort(all);
    return all;
  }

  std::expected<BlockLayout, Error> layout;
  std::uint64_t size_bytes = 0;

 private:
  static BlockPool::Settings of(std::uint64_t size, std::uint64_t align, std::uint64_t boundary) {
    return {.size_bytes = size, .align_bytes = align, .boundary_bytes = boundary, .most_pages = 1};
  }

  test::SimBoard board_;
  Pool& memory_ = board_.pool("d", ram(0, 0x8000));
  const std::array<Reach, 1> reaches_{Reach::everything()};
  std::vector<std::uint64_t> storage_;
  std::optional<BlockPool> pool_;
};

TEST(Vectors, Row52_64BlocksOf64BytesInAPage) {
  Dma pool{48, 64, 0};
  EXPECT_EQ(pool.offsets().size(), 64U);
  EXPECT_EQ(pool.size_bytes, 64U);
}

TEST(Vectors, Row53_170BlocksOf24BytesInAPage) {
  Dma pool{24, 8, 0};
  EXPECT_EQ(pool.offsets().size(), 170U);
}

TEST(Vectors, Row54_NoBlockCrossesABoundaryOf1024) {
  Dma pool{600, 4, 1024};
  EXPECT_EQ(pool.offsets(), (std::vector<std::uint64_t>{0, 0x400, 0x800, 0xc00}));
}

TEST(Vectors, Row55_ABlockLongerThanItsBoundaryIsRefused) {
  EXPECT_EQ(Dma(600, 4, 512).layout.error(), Error::crosses_boundary);
  EXPECT_EQ(Dma(5000, 64, 4096).layout.error(), Error::crosses_boundary);
}

TEST(Vectors, Row55_ABlockLongerThanAPageHasAPageOfItsOwnLength) {
  Dma pool{5000, 64, 8192};
  EXPECT_EQ(pool.layout->page_bytes, 5056U);
  EXPECT_EQ(pool.offsets(), (std::vector<std::uint64_t>{0}));
}

}  // namespace
}  // namespace carveout
