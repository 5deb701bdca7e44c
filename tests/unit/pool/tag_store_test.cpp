// What the stores promise each for itself, and what parking may not change.
#include "carveout/pool/tag_store.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "carveout/pool/range_allocator.hpp"
#include "tests/support/audit.hpp"

namespace carveout {
namespace {

constexpr std::uint64_t kBase = 0x8000'0000;
constexpr Reach kEverything{PhysAddr{0}, PhysAddr{~std::uint64_t{0}}, DmaAddr{0}};

// The figures of performance.md: 64 MiB of 4 KiB granules in 0.4 %, 1 MiB of 64 bytes in 24 bytes a
// block and 2 KiB, and a bitmap below 1 % even at the smallest granule.
static_assert(TagStore::dense().storage_bytes(1, 16384) <= (64ULL << 20) * 4 / 1000);
static_assert(TagStore::sparse(300).storage_bytes(1, 16384) <= 24 * 300 + 2048);
static_assert(TagStore::sparse(300).storage_bytes(1, 16384) ==
              TagStore::sparse(300).storage_bytes(1, 1 << 20));
static_assert(TagStore::bitmap().storage_bytes(1, 4096) <= 4096 * 32 / 100);
static_assert(TagStore::sparse(TagStore::kMostSparseBlocks + 1).storage_bytes(0, 1) ==
              std::numeric_limits<std::size_t>::max());
static_assert(TagStore::dense().storage_bytes(1, TagStore::kMostGranules + 1) ==
              std::numeric_limits<std::size_t>::max());

class Pool4K {
 public:
  explicit Pool4K(TagStore store, std::uint64_t granules = 1024)
      : chunk_{PhysRange{PhysAddr{kBase}, granules * 4096}},
        storage_(store.storage_bytes(1, granules)),
        allocator_{*RangeAllocator::create(chunk_, 4096, store, storage_)} {}

  RangeAllocator* operator->() { return &allocator_; }
  RangeAllocator& operator*() { return allocator_; }

  Grant take(std::uint64_t granules, Context context = Context::may_wait) {
    const auto grant =
        allocator_.take({.size_bytes = granules * 4096, .context = context}, {&kEverything, 1});
    EXPECT_TRUE(grant);
    EXPECT_EQ(RangeAllocatorAudit::fault(allocator_), "");
    return *grant;
  }
  void give_back(const Grant& grant) {
    EXPECT_TRUE(allocator_.give_back(grant.range, grant.tag, grant.serial));
    EXPECT_EQ(RangeAllocatorAudit::fault(allocator_), "");
  }
  std::optional<Error> refusal(const Grant& grant) {
    const auto done = allocator_.give_back(grant.range, grant.tag, grant.serial);
    return done ? std::nullopt : std::optional{done.error()};
  }

 private:
  std::array<PhysRange, 1> chunk_;
  std::vector<std::byte> storage_;
  RangeAllocator allocator_;
};

class EveryStore : public ::testing::TestWithParam<TagStore> {};
INSTANTIATE_TEST_SUITE_P(Stores, EveryStore,
                         ::testing::Values(TagStore::sparse(64), TagStore::dense(),
                                           TagStore::bitmap()));

TEST_P(EveryStore, FreesByAddressAndTellsEveryMistake) {
  Pool4K pool{GetParam()};
  pool.take(2);
  EXPECT_EQ(pool->give_back_at(PhysAddr{kBase + 0x1000}, 0x1000).error(), Error::wrong_address);
  EXPECT_EQ(pool->give_back_at(PhysAddr{kBase}, 0x1000).error(), Error::wrong_size);
  EXPECT_EQ(pool->give_back_at(PhysAddr{kBase + 0x5000}, 0x1000).error(), Error::double_free);
  EXPECT_EQ(pool->give_back_at(PhysAddr{kBase - 1}, 0x1000).error(), Error::foreign_block);
  EXPECT_TRUE(pool->give_back_at(PhysAddr{kBase}, 0x2000));
  EXPECT_EQ(pool->give_back_at(PhysAddr{kBase}, 0x2000).error(), Error::double_free);
}

TEST_P(EveryStore, ServesTheWholePoolAgainAfterAnyUse) {
  Pool4K pool{GetParam()};
  std::vector<Grant> grants;
  for (std::uint64_t i = 1; i <= 40; ++i) grants.push_back(pool.take(i % 7 + 1));
  for (std::size_t i = 0; i < grants.size(); i += 2) pool.give_back(grants[i]);
  for (std::size_t i = 1; i < grants.size(); i += 2) pool.give_back(grants[i]);
  EXPECT_EQ(pool->usage().largest_run_bytes, 1024U * 4096);
  EXPECT_EQ(pool.take(1024).range, (PhysRange{PhysAddr{kBase}, 1024 * 4096}));
}

TEST_P(EveryStore, ShowsWhoHoldsWhatAndHowTheFreeRunsAre) {
  Pool4K pool{GetParam()};
  pool.take(3);
  const Grant gap = pool.take(32);  // longer than what is parked
  pool.take(5);
  pool.give_back(gap);
  std::vector<PhysRange> seen;
  pool->visit([&](const Held& held) { seen.push_back(held.range); });
  EXPECT_EQ(seen, (std::vector{PhysRange{PhysAddr{kBase}, 3 * 4096},
                               PhysRange{PhysAddr{kBase + 35 * 4096}, 5 * 4096}}));
  FreeRuns runs{};
  runs[5] = 1;  // 32 granules
  runs[9] = 1;  // 984
  EXPECT_EQ(pool->free_runs(), runs);
}

class StoreWithSerials : public ::testing::TestWithParam<TagStore> {};
INSTANTIATE_TEST_SUITE_P(Stores, StoreWithSerials,
                         ::testing::Values(TagStore::sparse(64), TagStore::dense()));

/// Of pools that processors do not share.
constexpr bool kParks = !tables::kForSize;

TEST_P(StoreWithSerials, AParkedBlockIsTheNextOfItsLength) {
  Pool4K pool{GetParam()};
  pool.take(2);
  const Grant first = pool.take(2);
  pool.take(1);
  pool.give_back(first);
  EXPECT_EQ(RangeAllocatorAudit::has_parked(*pool), kParks);
  const Grant again = pool.take(2);
  EXPECT_EQ(again.range, first.range) << "not parked, it is the shortest run that will do";
  EXPECT_NE(again.serial, first.serial);
  EXPECT_EQ(pool.refusal(first), Error::stale_block);
}

TEST_P(StoreWithSerials, AParkedBlockIsFreeForACaller) {
  Pool4K pool{GetParam()};
  const Grant grant = pool.take(2);
  pool.give_back(grant);
  ASSERT_EQ(RangeAllocatorAudit::has_parked(*pool), kParks);
  EXPECT_EQ(pool->usage().used_bytes, 0U);
  EXPECT_EQ(pool->usage().blocks, 0U);
  EXPECT_EQ(pool->usage().largest_run_bytes, 1024U * 4096);
  EXPECT_EQ(pool->any_holder(), std::nullopt);
  EXPECT_EQ(pool.refusal(grant), Error::double_free);
  EXPECT_EQ(pool->give_back_at(grant.range.base, grant.range.size_bytes).error(),
            Error::double_free);
  pool.take(1024, Context::must_not_wait);
}

TEST_P(StoreWithSerials, APlainRequestIsGrantedWithoutWaitingWhereItsGuaranteedClassHasARun) {
  Pool4K pool{GetParam()};
  // Holes of 97 and one of 100 granules, one class; the longest at the end of its list, behind as
  // many as are looked at whatever is compiled for.
  std::vector<Grant> holes;
  for (const std::uint64_t length : {97U, 97U, 97U, 97U, 100U}) {
    holes.push_back(pool.take(length));
    pool.take(1);
  }
  pool.take(1024 - 97 * 4 - 100 - 5);
  const Grant longest = holes.back();
  pool.give_back(longest);
  holes.pop_back();
  for (const Grant& hole : holes) pool.give_back(hole);
  const std::array reaches{kEverything};
  const Need need{.size_bytes = 100 * 4096, .context = Context::must_not_wait};
  EXPECT_EQ(pool->take(need, reaches).error(), Error::exhausted) << "beyond the bound";
  EXPECT_EQ(pool.take(96, Context::must_not_wait).range.size_bytes, 96U * 4096);
  EXPECT_EQ(pool.take(100).range, longest.range) << "and found by who may wait";
}

}  // namespace
}  // namespace carveout
