// Row 51: what a process may be shown of a block.
#include <gtest/gtest.h>

#include <array>

#include "carveout/map/mmap.hpp"
#include "tests/vectors/vector_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::in_place;
using test::must;
using test::Rows;
using test::VectorBoard;

TEST_P(Rows, Row51_AProcessSeesWholePagesOfTheBlockAndNothingBehindIt) {
  const VectorBoard board{
      "row38", {in_place(0x8000'0000, 0x20'0000)}, {{.node = "/bus/dma@1000"}}, GetParam()};
  const Block block = must(board.alloc(0x3000));
  const auto show = [&](std::uint64_t first, std::uint64_t pages) {
    return mmap_check(board.device(), block,
                      {.first_page = first, .pages = pages, .page_bytes = 0x1000});
  };
  EXPECT_EQ(must(show(1, 2)), (PhysRange{PhysAddr{block.phys.raw() + 0x1000}, 0x2000}));
  EXPECT_EQ(error_of(show(1, 3)), Error::outside_block);
  EXPECT_EQ(error_of(show(0, 4)), Error::outside_block);
}

}  // namespace
}  // namespace carveout
