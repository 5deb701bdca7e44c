// What a process may be shown of a block.
#include "carveout/map/mmap.hpp"

#include <gtest/gtest.h>

#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::kCachedRam;
using test::kUncachedRam;
using test::must;
using test::ram;
using test::SimBoard;

constexpr std::uint64_t kPage = 0x1000;

MmapRequest pages(std::uint64_t first, std::uint64_t count, View view = View::uncached) {
  return {.first_page = first, .pages = count, .page_bytes = kPage, .view = view};
}

class Mmap : public testing::Test {
 protected:
  [[nodiscard]] std::optional<Error> refusal(const MmapRequest& request) const {
    return error_of(mmap_check(device_, block_, request));
  }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0x4000, 0x8000));
  Device& device_ = board_.device("eth");
  Block block_ = must(alloc_coherent(device_, 3 * kPage, {.align_bytes = kPage}));
};

TEST_F(Mmap, OfTheWholeBlockIsItsPagesByTheirUncachedAddress) {
  const std::uint64_t offset = block_.phys.raw() - kCachedRam.raw();
  EXPECT_EQ(must(mmap_check(device_, block_, pages(0, 3))),
            (PhysRange{PhysAddr{kUncachedRam.raw() + offset}, 3 * kPage}));
}

TEST_F(Mmap, BeginsAtTheOffset) {
  const PhysRange all = must(mmap_check(device_, block_, pages(0, 3)));
  EXPECT_EQ(must(mmap_check(device_, block_, pages(2, 1))),
            (PhysRange{PhysAddr{all.base.raw() + 2 * kPage}, kPage}));
}

TEST_F(Mmap, PastTheEndIsRefusedWhereverItBegins) {
  EXPECT_EQ(refusal(pages(0, 4)), Error::outside_block);
  EXPECT_EQ(refusal(pages(3, 1)), Error::outside_block);
  EXPECT_EQ(refusal(pages(~std::uint64_t{0}, 1)), Error::outside_block);
  EXPECT_EQ(refusal(pages(1, ~std::uint64_t{0})), Error::outside_block);
}

TEST_F(Mmap, SaysWhatWasAskedOfWhichPool) {
  const auto refused = mmap_check(device_, block_, pages(0, 4));
  EXPECT_EQ(refused.error().asked_bytes, 4 * kPage);
  EXPECT_EQ(refused.error().pool, "d");
}

TEST_F(Mmap, OfNothingIsRefused) { EXPECT_EQ(refusal(pages(0, 0)), Error::zero_size); }

TEST_F(Mmap, OfPagesThatAreNoPowerOfTwoIsRefused) {
  EXPECT_EQ(refusal({.first_page = 0, .pages = 1, .page_bytes = 3000}), Error::bad_alignment);
  EXPECT_EQ(refusal({.first_page = 0, .pages = 1, .page_bytes = 0}), Error::bad_alignment);
}

TEST_F(Mmap, ThroughTheCacheIsRefusedForMemoryThatTheDriverSeesPastIt) {
  EXPECT_EQ(refusal(pages(0, 1, View::cached)), Error::wrong_view);
}

TEST_F(Mmap, ShowsNoPageThatOtherBlocksShare) {
  const Block end_shared = must(alloc_coherent(device_, kPage + 64, {.align_bytes = kPage}));
  EXPECT_EQ(must(mmap_check(device_, end_shared, pages(0, 1))).size_bytes, kPage);
  EXPECT_EQ(error_of(mmap_check(device_, end_shared, pages(0, 2))), Error::shared_page);
  EXPECT_EQ(error_of(mmap_check(device_, end_shared, pages(0, 3))), Error::outside_block);
  Block inside = end_shared;
  inside.phys = PhysAddr{inside.phys.raw() + 64};
  inside.cpu += 64;
  inside.size_bytes = kPage;
  EXPECT_EQ(error_of(mmap_check(device_, inside, pages(0, 1))), Error::shared_page);
}

TEST_F(Mmap, OfOrdinaryMemoryIsThroughTheCacheAsTheDriverSeesIt) {
  board_.default_pool("ram", ram(0x10000, 0x4000), Role::ordinary);
  const Block block = must(alloc_coherent(
      device_, kPage, {.align_bytes = kPage, .attributes = Attributes::non_coherent}));
  EXPECT_EQ(must(mmap_check(device_, block, pages(0, 1, View::cached))),
            (PhysRange{block.phys, kPage}));
  EXPECT_EQ(error_of(mmap_check(device_, block, pages(0, 1))), Error::wrong_view);
}

TEST_F(Mmap, OfMemoryThatTheCpuDoesNotSeeIsPastTheCacheButForACoherentDevice) {
  board_.default_pool("ram", ram(0x10000, 0x4000), Role::ordinary);
  const Options opaque{.align_bytes = kPage, .attributes = Attributes::no_cpu_mapping};
  const Block block = must(alloc_coherent(device_, kPage, opaque));
  EXPECT_TRUE(mmap_check(device_, block, pages(0, 1)));
  EXPECT_EQ(error_of(mmap_check(device_, block, pages(0, 1, View::cached))), Error::wrong_view);
  const Device& coherent = board_.device("coherent", {.coherent = true});
  const Block seen = must(alloc_coherent(coherent, kPage, opaque));
  EXPECT_TRUE(mmap_check(coherent, seen, pages(0, 1, View::cached)));
  EXPECT_EQ(error_of(mmap_check(coherent, seen, pages(0, 1))), Error::wrong_view);
}

TEST(MmapWithoutACache, IsTheSameMemoryInEitherView) {
  SimBoard board{sim::MachineFacts{.cache = std::nullopt}};
  board.default_pool("ram", ram(0, 0x4000), Role::ordinary);
  const Device& device = board.device("eth");
  const Block block = must(alloc_coherent(device, kPage, {.align_bytes = kPage}));
  for (const View view : {View::uncached, View::cached}) {
    EXPECT_TRUE(mmap_check(device, block, pages(0, 1, view)).has_value());
  }
}

TEST(MmapOfAView, ThatBeginsInsideAPageIsRefused) {
  constexpr std::uint64_t kLarge = 0x4000;
  constexpr PhysAddr kCached{0x5'0030'0000};
  constexpr PhysAddr kAskew{0x6'0030'1000};
  SimBoard board{{.ram = {{.size_bytes = 0x4000, .cached = kCached, .uncached = kAskew}}}};
  board.default_pool("d", {kCached, 0x4000});
  const Device& device = board.device("eth", {.windows = {}, .mask = test::kAnyAddress});
  const Block block = must(alloc_coherent(device, kLarge, {.align_bytes = kLarge}));
  EXPECT_EQ(
      error_of(mmap_check(device, block, {.first_page = 0, .pages = 1, .page_bytes = kLarge})),
      Error::shared_page);
}

}  // namespace
}  // namespace carveout
