// Every sequence of operations on small pools, not a sample of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/support/judged_pool.hpp"

namespace carveout::testing {
namespace {

constexpr std::uint64_t kGranule = 32;

/// Tries every operation in the pool's state, and after each that changed it, every sequence of
/// `depth` - 1 more. A refused one is known to change nothing, so nothing new follows it.
class Explorer {
 public:
  Explorer(std::uint64_t granules, std::span<const Fit> fits, std::uint64_t align_bytes)
      : granules_{granules}, fits_{fits}, align_bytes_{align_bytes} {}

  void explore(const JudgedPool& pool, int depth) {
    std::optional<JudgedPool> next{pool};
    const auto go_on = [&] {
      if (depth > 1) explore(*next, depth - 1);
      next.emplace(pool);
    };
    for (std::uint64_t size = 1; size <= granules_ && !stopped_; ++size) {
      for (const Fit fit : fits_) {
        judge(next->take({.size_bytes = size * kGranule, .align_bytes = align_bytes_, .fit = fit},
                         kReaches));
        if (next->taken()) go_on();
      }
    }
    for (const auto& [name, given] : pool.naive().given()) {
      if (stopped_) return;
      judge(next->give_back(given.range, name.first, name.second));
      if (!given.live) continue;
      // The same block a second time, at once.
      judge(next->give_back(given.range, name.first, name.second));
      go_on();
    }
  }

  [[nodiscard]] std::uint64_t operations() const { return operations_; }

 private:
  static constexpr std::array kReaches{
      Reach{PhysAddr{0}, PhysAddr{std::numeric_limits<std::uint64_t>::max()}, DmaAddr{0}}};

  void judge(const std::string& fault) {
    ++operations_;
    EXPECT_EQ(fault, "") << "operation " << operations_;
    if (!fault.empty()) stopped_ = true;
  }

  std::uint64_t granules_;
  std::span<const Fit> fits_;
  std::uint64_t align_bytes_;
  std::uint64_t operations_ = 0;
  bool stopped_ = false;
};

constexpr std::array kFirst{Fit::first};
constexpr std::array kBoth{Fit::first, Fit::best};

/// How many operations were tried on chunks of so many granules, which touch.
std::uint64_t explored(std::initializer_list<std::uint64_t> chunk_granules, std::size_t blocks,
                       int depth, std::span<const Fit> fits = kFirst,
                       std::uint64_t align_bytes = 1) {
  std::vector<PhysRange> chunks;
  std::uint64_t at = kGranule * 3;
  for (const std::uint64_t granules : chunk_granules) {
    chunks.push_back({PhysAddr{at}, granules * kGranule});
    at += granules * kGranule;
  }
  Explorer explorer{std::max(chunk_granules), fits, align_bytes};
  explorer.explore(JudgedPool{chunks, kGranule, blocks}, depth);
  return explorer.operations();
}

// The counts below are floors: they say that the search took place.

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSevenOnPoolsOfUpToSixGranules) {
  for (std::uint64_t granules = 1; granules < 6; ++granules) {
    EXPECT_GT(explored({granules}, granules, 7), 20U);
  }
  EXPECT_GT(explored({6}, 6, 7), 80'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSixOnAPoolOfEightGranules) {
  EXPECT_GT(explored({8}, 8, 6), 60'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSixWithBothFitsMixed) {
  EXPECT_GT(explored({5}, 5, 6, kBoth), 70'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSevenWhereTheTablesAreShort) {
  EXPECT_GT(explored({6}, 0, 7), 5U);
  EXPECT_GT(explored({6}, 1, 7), 500U);
  EXPECT_GT(explored({6}, 2, 7), 5'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSevenOverTwoChunksThatTouch) {
  EXPECT_GT(explored({3, 2}, 5, 7), 10'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSixAtTwiceTheGranulesAlignment) {
  EXPECT_GT(explored({7}, 7, 6, kFirst, 2 * kGranule), 5'000U);
}

}  // namespace
}  // namespace carveout::testing
