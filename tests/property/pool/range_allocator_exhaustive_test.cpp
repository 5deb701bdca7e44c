// Every sequence of operations on small pools, not a sample of them. CARVEOUT_PROOF=full in the
// environment goes to depth 7 everywhere: tools/prove-allocator.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/judged_pool.hpp"

namespace carveout::testing {
namespace {

constexpr std::uint64_t kGranule = 32;

/// Tries every operation in the pool's state, and after each that changed it, every sequence of
/// `depth` - 1 more. A refused one is known to change nothing, so nothing new follows it.
class Explorer {
 public:
  /// @param lengths     of what is asked for, in granules.
  /// @param processors  each operation is tried on each of them.
  Explorer(std::span<const std::uint64_t> lengths, std::span<const Fit> fits,
           std::uint64_t align_bytes, std::uint32_t processors = 1)
      : lengths_{lengths}, fits_{fits}, align_bytes_{align_bytes}, processors_{processors} {}

  void explore(const JudgedPool& pool, int depth) {
    for (std::uint32_t processor = 0; processor < processors_; ++processor) {
      explore_on(processor, pool, depth);
    }
  }

  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  /// Of operations that succeed.
  [[nodiscard]] std::uint64_t sequences() const { return sequences_; }

 private:
  void explore_on(std::uint32_t processor, const JudgedPool& pool, int depth) {
    std::optional<JudgedPool> next{pool};
    next->runs_on(processor, true);
    const auto go_on = [&] {
      if (depth > 1) explore(*next, depth - 1);
      ++sequences_;
      next.emplace(pool);
      next->runs_on(processor, true);
    };
    for (const std::uint64_t length : lengths_) {
      if (stopped_) return;
      for (const Fit fit : fits_) {
        judge(next->take({.size_bytes = length * kGranule, .align_bytes = align_bytes_, .fit = fit},
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

  static constexpr std::array kReaches{
      Reach{PhysAddr{0}, PhysAddr{std::numeric_limits<std::uint64_t>::max()}, DmaAddr{0}}};

  void judge(const std::string& fault) {
    ++operations_;
    if (fault.empty()) return;
    ADD_FAILURE() << fault << ", in operation " << operations_;
    stopped_ = true;
  }

  std::span<const std::uint64_t> lengths_;
  std::span<const Fit> fits_;
  std::uint64_t align_bytes_;
  std::uint32_t processors_;
  std::uint64_t operations_ = 0;
  std::uint64_t sequences_ = 0;
  bool stopped_ = false;
};

constexpr std::array kAny{Fit::any};
constexpr std::array kFirst{Fit::first};
constexpr std::array kBest{Fit::best};
constexpr std::array kBoth{Fit::first, Fit::best};

bool in_full() {
  const char* const proof = std::getenv("CARVEOUT_PROOF");
  return proof != nullptr && std::string_view{proof} == "full";
}

/// Seven where all is tried.
int depth(int usual) { return in_full() ? 7 : usual; }

/// Which allocator is explored. What a board would not have is that blocks are parked in pools of a
/// few granules.
struct Kind {
  std::optional<TagStore> store{};  ///< nothing: sparse, with room for `blocks`
  std::size_t blocks = 8;
  std::uint32_t park_up_to = 0;
  bool serials = true;
  std::uint32_t processors = 1;
};

/// How many operations were tried on chunks of so many granules, which touch.
std::uint64_t explored(std::initializer_list<std::uint64_t> chunk_granules, int depth,
                       std::span<const Fit> fits, const Kind& kind = {},
                       std::uint64_t align_bytes = 1) {
  std::vector<PhysRange> chunks;
  std::uint64_t at = kGranule * 3;
  for (const std::uint64_t granules : chunk_granules) {
    chunks.push_back({PhysAddr{at}, granules * kGranule});
    at += granules * kGranule;
  }
  constexpr auto kNoLimit = std::numeric_limits<std::size_t>::max();
  JudgedPool pool{chunks, kGranule, kind.store.value_or(TagStore::sparse(kind.blocks)),
                  kind.store ? kNoLimit : kind.blocks, kind.serials};
  pool.park_up_to(kind.park_up_to);
  std::vector<std::uint64_t> lengths(std::max(chunk_granules));
  std::iota(lengths.begin(), lengths.end(), 1);
  Explorer explorer{lengths, fits, align_bytes, kind.processors};
  explorer.explore(pool, depth);
  if (in_full()) {
    std::printf("  to depth %d: %llu sequences, %llu operations\n", depth,
                static_cast<unsigned long long>(explorer.sequences()),
                static_cast<unsigned long long>(explorer.operations()));
  }
  return explorer.operations();
}

/// On a pool of eight granules; where all is tried, on every shorter one as well.
std::uint64_t explored_up_to_eight(int usual, std::span<const Fit> fits, const Kind& kind = {}) {
  for (std::uint64_t granules = 1; in_full() && granules < 8; ++granules) {
    explored({granules}, depth(usual), fits, kind);
  }
  return explored({8}, depth(usual), fits, kind);
}

// The counts below are floors: they say that the search took place.

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSevenOnPoolsOfUpToEightGranules) {
  for (std::uint64_t granules = 1; granules < 6; ++granules) {
    EXPECT_GT(explored({granules}, 7, kAny), 20U);
  }
  EXPECT_GT(explored({6}, 7, kAny), 80'000U);
  EXPECT_GT(explored({7}, 7, kAny), 150'000U);
  EXPECT_GT(explored({8}, in_full() ? 8 : 7, kAny), 300'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceInTheDenseStore) {
  EXPECT_GT(explored_up_to_eight(6, kAny, {.store = TagStore::dense()}), 60'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceInTheBitmap) {
  const Kind bitmap{.store = TagStore::bitmap(), .serials = false};
  EXPECT_GT(explored_up_to_eight(6, kAny, bitmap), 30'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceWhereBlocksAreParked) {
  for (const std::uint32_t longest : {1U, 8U}) {
    EXPECT_GT(explored_up_to_eight(5, kAny, {.park_up_to = longest}), 5'000U);
    const Kind dense{.store = TagStore::dense(), .park_up_to = longest};
    EXPECT_GT(explored_up_to_eight(5, kAny, dense), 5'000U);
  }
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceWhereBlocksAreParkedInSlots) {
  const Kind sparse{.store = TagStore::sparse(8).for_processors(2), .park_up_to = 8};
  EXPECT_GT(explored_up_to_eight(5, kAny, sparse), 5'000U);
  const Kind dense{.store = TagStore::dense().for_processors(2), .park_up_to = 8};
  EXPECT_GT(explored_up_to_eight(5, kAny, dense), 5'000U);
  // Each step on either processor.
  for (const TagStore& store :
       {TagStore::sparse(8).for_processors(2), TagStore::dense().for_processors(2)}) {
    const Kind kind{.store = store, .park_up_to = 4, .processors = 2};
    EXPECT_GT(explored({4}, depth(5), kAny, kind), 5'000U);
  }
}

/// From a full pool whose blocks of one size class have two lengths, with one granule between each.
TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfFiveWhereAClassHasSeveralLengths) {
  constexpr std::array<std::uint64_t, 3> kLengths{1, 17, 18};
  for (const TagStore& store : {TagStore::sparse(16), TagStore::dense()}) {
    for (const std::array<std::uint64_t, 3>& order :
         {std::array<std::uint64_t, 3>{17, 17, 18}, {18, 17, 17}, {17, 18, 17}}) {
      const std::array chunks{PhysRange{PhysAddr{kGranule}, (3 + 17 + 17 + 18) * kGranule}};
      JudgedPool pool{chunks, kGranule, store};
      const Reach all{PhysAddr{0}, PhysAddr{std::numeric_limits<std::uint64_t>::max()}, DmaAddr{0}};
      for (const std::uint64_t length : order) {
        ASSERT_EQ(pool.take({.size_bytes = length * kGranule}, {&all, 1}), "");
        ASSERT_EQ(pool.take({.size_bytes = kGranule}, {&all, 1}), "");
      }
      Explorer explorer{kLengths, kAny, 1};
      explorer.explore(pool, 5);
      EXPECT_GT(explorer.operations(), 5'000U);
    }
  }
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfFirstAndOfBestFit) {
  EXPECT_GT(explored_up_to_eight(6, kFirst), 60'000U);
  EXPECT_GT(explored_up_to_eight(6, kBest), 60'000U);
  EXPECT_GT(explored({5}, depth(6), kBoth), 70'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSevenWhereTheTablesAreShort) {
  EXPECT_GT(explored({6}, 7, kFirst, {.blocks = 0}), 5U);
  EXPECT_GT(explored({6}, 7, kFirst, {.blocks = 1}), 500U);
  EXPECT_GT(explored({6}, 7, kFirst, {.blocks = 2}), 5'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceOfSevenOverTwoChunksThatTouch) {
  EXPECT_GT(explored({3, 2}, 7, kFirst), 10'000U);
  EXPECT_GT(explored({3, 2}, 7, kAny, {.store = TagStore::dense()}), 10'000U);
}

TEST(RangeAllocatorExhaustive, AgreesOnEverySequenceAtTwiceTheGranulesAlignment) {
  EXPECT_GT(explored({7}, depth(6), kFirst, {}, 2 * kGranule), 5'000U);
}

}  // namespace
}  // namespace carveout::testing
