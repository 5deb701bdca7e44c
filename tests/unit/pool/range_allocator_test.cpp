#include "carveout/pool/range_allocator.hpp"

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <limits>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/support/audit.hpp"

namespace carveout {

void PrintTo(Error error, std::ostream* out) { *out << name_of(error); }

namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;

/// All of memory, at the same addresses.
constexpr Reach kEverything{PhysAddr{0}, PhysAddr{kTop}, DmaAddr{0}};

constexpr PhysRange phys(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}

/// A reach of `size_bytes` from `first` on, that the device has at `dma`.
constexpr Reach reach_at(std::uint64_t first, std::uint64_t size_bytes, std::uint64_t dma) {
  return {PhysAddr{first}, PhysAddr{first + size_bytes - 1}, DmaAddr{dma}};
}

/// An allocator with its storage. Every change of it is followed by a walk of the tables.
class Memory {
 public:
  Memory(std::initializer_list<PhysRange> chunks, std::uint64_t granule_bytes,
         std::size_t blocks = 16)
      : storage_(RangeAllocator::storage_bytes(chunks.size(), blocks)),
        allocator_{*RangeAllocator::create({chunks.begin(), chunks.size()}, granule_bytes, blocks,
                                           storage_)} {}

  std::expected<Grant, Error> take(const Need& need, std::initializer_list<Reach> reaches) {
    const auto grant = allocator_.take(need, {reaches.begin(), reaches.size()});
    EXPECT_EQ(RangeAllocatorAudit::fault(allocator_), "");
    return grant;
  }
  std::expected<Grant, Error> take(const Need& need) { return take(need, {kEverything}); }

  /// Where the request went; an error is a failure of the test.
  std::uint64_t place(const Need& need, std::initializer_list<Reach> reaches) {
    const auto grant = take(need, reaches);
    EXPECT_TRUE(grant) << (grant ? "" : name_of(grant.error()));
    return grant ? grant->range.base.raw() : kTop;
  }
  std::uint64_t place(const Need& need) { return place(need, {kEverything}); }

  /// Why the request was refused; nothing where it was granted.
  std::optional<Error> refusal(const Need& need, std::initializer_list<Reach> reaches) {
    const auto grant = take(need, reaches);
    return grant ? std::nullopt : std::optional{grant.error()};
  }
  std::optional<Error> refusal(const Need& need) { return refusal(need, {kEverything}); }

  /// Nothing where the grant was taken back.
  std::optional<Error> give_back(PhysRange range, std::uint32_t tag, std::uint32_t serial) {
    const auto before = RangeAllocatorAudit::snapshot(allocator_);
    const auto done = allocator_.give_back(range, tag, serial);
    EXPECT_EQ(RangeAllocatorAudit::fault(allocator_), "");
    EXPECT_EQ(done.has_value(), before != RangeAllocatorAudit::snapshot(allocator_));
    return done ? std::nullopt : std::optional{done.error()};
  }
  std::optional<Error> give_back(const Grant& grant) {
    return give_back(grant.range, grant.tag, grant.serial);
  }
  std::optional<Error> give_back_at(std::uint64_t first, std::uint64_t size_bytes) {
    const auto before = RangeAllocatorAudit::snapshot(allocator_);
    const auto done = allocator_.give_back_at(PhysAddr{first}, size_bytes);
    EXPECT_EQ(RangeAllocatorAudit::fault(allocator_), "");
    EXPECT_EQ(done.has_value(), before != RangeAllocatorAudit::snapshot(allocator_));
    return done ? std::nullopt : std::optional{done.error()};
  }

  RangeAllocator& allocator() { return allocator_; }
  [[nodiscard]] Usage usage() const { return allocator_.usage(); }

 private:
  std::vector<std::byte> storage_;
  RangeAllocator allocator_;
};

Failure why_not(std::initializer_list<PhysRange> chunks, std::uint64_t granule_bytes,
                std::size_t blocks = 4, std::size_t storage_bytes = 4096) {
  std::vector<std::byte> storage(storage_bytes);
  const auto made =
      RangeAllocator::create({chunks.begin(), chunks.size()}, granule_bytes, blocks, storage);
  EXPECT_FALSE(made);
  return made ? Failure{.code = Error::no_pool} : made.error();
}

// ---- promises of the types --------------------------------------------------------------------

static_assert(!std::copyable<RangeAllocator> && std::movable<RangeAllocator>,
              "two owners of one table would hand out the same range");
static_assert(!std::is_default_constructible_v<RangeAllocator>);
static_assert(std::is_trivially_destructible_v<RangeAllocator>);

// A microcontroller with a pool of 1 MiB in granules of 32 bytes and 64 live blocks: the tables
// know neither figure but the last.
static_assert(RangeAllocator::storage_bytes(1, 64) <= 24 * 64 + 2048);
static_assert(RangeAllocator::storage_bytes(1, 0) > 0);
static_assert(RangeAllocator::storage_bytes(2, 64) > RangeAllocator::storage_bytes(1, 64));

// No figure, however hostile, wraps to a small table.
constexpr auto kMostBytes = std::numeric_limits<std::size_t>::max();
static_assert(RangeAllocator::storage_bytes(kMostBytes, 1) == kMostBytes);
static_assert(RangeAllocator::storage_bytes(1, kMostBytes) == kMostBytes);
static_assert(RangeAllocator::storage_bytes(1, kMostBytes / 2 + 1) == kMostBytes);
static_assert(RangeAllocator::storage_bytes(kMostBytes, kMostBytes) == kMostBytes);

// ---- create -----------------------------------------------------------------------------------

TEST(RangeAllocatorCreate, RefusesAGranuleThatIsNoPowerOfTwo) {
  EXPECT_EQ(why_not({phys(0, 0x1000)}, 0).code, Error::bad_granule);
  EXPECT_EQ(why_not({phys(0, 0x1000)}, 3).code, Error::bad_granule);
  EXPECT_EQ(why_not({phys(0, 0x1000)}, kTop).code, Error::bad_granule);
}

TEST(RangeAllocatorCreate, RefusesAChunkOfNoBytes) {
  EXPECT_EQ(why_not({phys(0x1000, 0x1000), phys(0x4000, 0)}, 0x1000).code, Error::empty_range);
}

TEST(RangeAllocatorCreate, RefusesAChunkThatPassesTheEndOfMemory) {
  EXPECT_EQ(why_not({phys(kTop - 0xfff, 0x2000)}, 0x1000).code, Error::wraps);
}

TEST(RangeAllocatorCreate, RefusesAChunkThatIsNotWholeGranules) {
  EXPECT_EQ(why_not({phys(0x800, 0x1000)}, 0x1000).code, Error::below_granule);
  EXPECT_EQ(why_not({phys(0x1000, 0x1800)}, 0x1000).code, Error::below_granule);
  EXPECT_EQ(why_not({phys(0x1000, 0x1800)}, 0x1000).asked_bytes, 0x1800U);
}

TEST(RangeAllocatorCreate, RefusesChunksThatShareAGranuleWhicheverTwoTheyAre) {
  const PhysRange low = phys(0x1000, 0x2000);
  const PhysRange high = phys(0x2000, 0x1000);
  const PhysRange apart = phys(0x8000, 0x1000);
  EXPECT_EQ(why_not({low, high, apart}, 0x1000).code, Error::overlaps);
  EXPECT_EQ(why_not({high, apart, low}, 0x1000).code, Error::overlaps);
  EXPECT_EQ(why_not({apart, low, high}, 0x1000).code, Error::overlaps);
  EXPECT_EQ(why_not({apart, low, apart}, 0x1000).code, Error::overlaps);
}

TEST(RangeAllocatorCreate, RefusesMoreGranulesThanItCanNumber) {
  constexpr std::uint64_t kMost = TagStore::kMostGranules;
  EXPECT_EQ(why_not({phys(0, (kMost + 1) * 32)}, 32).code, Error::bad_granule);
  EXPECT_EQ(why_not({phys(0, kMost * 32), phys(kHalf, 32)}, 32).code, Error::bad_granule);
  EXPECT_EQ(why_not({phys(0, kHalf), phys(kHalf, kHalf)}, 1).code, Error::bad_granule);

  Memory most{{phys(0, kMost * 32)}, 32};
  EXPECT_EQ(most.usage().total_bytes, kMost * 32);
  EXPECT_EQ(most.place({.size_bytes = kMost * 32}), 0U);
}

TEST(RangeAllocatorCreate, SaysHowMuchStorageItNeedsAndHowMuchItGot) {
  constexpr std::size_t kNeeded = RangeAllocator::storage_bytes(1, 4);
  const Failure failure = why_not({phys(0, 0x1000)}, 32, 4, kNeeded - 1);
  EXPECT_EQ(failure.code, Error::storage_too_small);
  EXPECT_EQ(failure.asked_bytes, kNeeded);
  EXPECT_EQ(failure.free_bytes, kNeeded - 1);
}

TEST(RangeAllocatorCreate, RefusesTablesThatNoMachineCanHold) {
  EXPECT_EQ(why_not({phys(0, 0x1000)}, 32, kMostBytes).code, Error::storage_too_small);
  EXPECT_EQ(why_not({phys(0, 0x1000)}, 32, kMostBytes / 2 + 1).code, Error::storage_too_small);
}

TEST(RangeAllocatorCreate, KeepsToTheStorageThatItAskedFor) {
  constexpr std::size_t kNeeded = RangeAllocator::storage_bytes(2, 3);
  std::vector<std::byte> storage(kNeeded + 64, std::byte{0xa5});
  const std::array chunks{phys(0x1000, 0x1000), phys(0x8000, 0x1000)};
  auto allocator = *RangeAllocator::create(chunks, 32, 3, storage);
  const std::array reaches{kEverything};
  for (int i = 0; i < 20; ++i) static_cast<void>(allocator.take({.size_bytes = 32}, reaches));
  for (std::size_t i = kNeeded; i < storage.size(); ++i) EXPECT_EQ(storage[i], std::byte{0xa5});
}

TEST(RangeAllocatorCreateDeathTest, TrapsOnStorageThatIsNotAligned) {
  constexpr std::size_t kNeeded = RangeAllocator::storage_bytes(1, 4);
  std::vector<std::byte> storage(kNeeded + 1);
  const std::array chunks{phys(0x1000, 0x1000)};
  EXPECT_DEATH(
      static_cast<void>(RangeAllocator::create(chunks, 32, 4, std::span{storage}.subspan(1))), "");
}

TEST(RangeAllocatorCreate, AnswersTheChunksAndTheGranuleThatItWasGiven) {
  Memory memory{{phys(0x8000, 0x1000), phys(0x1000, 0x2000)}, 0x800};
  EXPECT_EQ(memory.allocator().granule_bytes(), 0x800U);
  ASSERT_EQ(memory.allocator().chunk_count(), 2U);
  EXPECT_EQ(memory.allocator().chunk(0), phys(0x8000, 0x1000));
  EXPECT_EQ(memory.allocator().chunk(1), phys(0x1000, 0x2000));
}

TEST(RangeAllocatorCreate, OverNoChunkReachesNothing) {
  Memory none{{}, 0x1000};
  EXPECT_EQ(none.refusal({.size_bytes = 1}), Error::unreachable);
  EXPECT_EQ(none.usage(), Usage{});
  EXPECT_EQ(none.give_back_at(0, 1), Error::foreign_block);
}

// ---- take: what is refused, and in which order ------------------------------------------------

TEST(RangeAllocatorTake, RefusesZeroBytes) {
  Memory memory{{phys(0x1000, 0x1000)}, 32};
  EXPECT_EQ(memory.refusal({.size_bytes = 0}), Error::zero_size);
}

TEST(RangeAllocatorTake, RefusesAnAlignmentThatIsNoPowerOfTwo) {
  Memory memory{{phys(0x1000, 0x1000)}, 32};
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .align_bytes = 0}), Error::bad_alignment);
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .align_bytes = 48}), Error::bad_alignment);
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .align_bytes = kTop}), Error::bad_alignment);
}

TEST(RangeAllocatorTake, RefusesABoundaryThatIsNoPowerOfTwoExceptNone) {
  Memory memory{{phys(0x1000, 0x1000)}, 32};
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .boundary_bytes = 96}), Error::bad_boundary);
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .boundary_bytes = 0}), std::nullopt);
}

TEST(RangeAllocatorTake, RefusesARequestLargerThanItsBoundary) {
  Memory memory{{phys(0x1000, 0x1000)}, 32};
  EXPECT_EQ(memory.refusal({.size_bytes = 257, .boundary_bytes = 256}), Error::crosses_boundary);
  EXPECT_EQ(memory.refusal({.size_bytes = 256, .boundary_bytes = 256}), std::nullopt);
  EXPECT_EQ(memory.refusal({.size_bytes = kTop, .boundary_bytes = kHalf}), Error::crosses_boundary);
}

TEST(RangeAllocatorTake, NamesTheFirstOfSeveralMistakesInTheOrderOfTheList) {
  Memory memory{{phys(0x1000, 0x1000)}, 32};
  EXPECT_EQ(memory.refusal({.size_bytes = 0, .align_bytes = 0, .boundary_bytes = 3}, {}),
            Error::zero_size);
  EXPECT_EQ(memory.refusal({.size_bytes = 9, .align_bytes = 0, .boundary_bytes = 3}, {}),
            Error::bad_alignment);
  EXPECT_EQ(memory.refusal({.size_bytes = 9, .boundary_bytes = 3}, {}), Error::bad_boundary);
  EXPECT_EQ(memory.refusal({.size_bytes = 9, .boundary_bytes = 8}, {}), Error::crosses_boundary);
  EXPECT_EQ(memory.refusal({.size_bytes = 0x9000}, {}), Error::unreachable);
  EXPECT_EQ(memory.refusal({.size_bytes = 0x9000}), Error::exhausted);
}

TEST(RangeAllocatorTake, IsUnreachableOnlyIfNoByteOfAnyChunkIsReached) {
  Memory memory{{phys(0x1000, 0x1000), phys(0x4000, 0x1000)}, 0x1000};
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {}), Error::unreachable);
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {reach_at(0x2000, 0x2000, 0)}), Error::unreachable);
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {reach_at(0x1fff, 0x2001, 0)}), Error::exhausted)
      << "the last byte of the first chunk is reached, and serves nobody";
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {reach_at(0x2000, 0x2001, 0)}), Error::exhausted);
}

TEST(RangeAllocatorTake, TreatsAReachThatIsUpsideDownAsNone) {
  Memory memory{{phys(0x1000, 0x1000)}, 0x1000};
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {{PhysAddr{0x1fff}, PhysAddr{0x1000}, DmaAddr{0}}}),
            Error::unreachable);
}

TEST(RangeAllocatorTake, HostileSizesAreExhaustedOrAnOverflowAndDoNotWrap) {
  for (const std::uint64_t granule : {std::uint64_t{1}, std::uint64_t{32}, std::uint64_t{0x1000}}) {
    Memory memory{{phys(0x10000, 0x1000)}, granule};
    for (const std::uint64_t size :
         {kTop - granule, kTop - granule + 1, kHalf, std::uint64_t{1} << 32, granule << 31,
          (granule << 31) + granule, (granule << 32) + granule}) {
      EXPECT_EQ(memory.refusal({.size_bytes = size}), Error::exhausted) << size;
    }
    if (granule == 1) continue;  // every number is whole granules
    for (const std::uint64_t size : {kTop - granule + 2, kTop - 1, kTop}) {
      EXPECT_EQ(memory.refusal({.size_bytes = size}), Error::size_overflow) << size;
      EXPECT_EQ(memory.refusal({.size_bytes = size, .align_bytes = 0x1000}), Error::size_overflow);
    }
  }
}

TEST(RangeAllocatorTake, HostileAlignmentsAreHonouredOrExhausted) {
  Memory memory{{phys(0x10000, 0x1000)}, 0x1000};
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .align_bytes = kHalf}), Error::exhausted);
  EXPECT_EQ(memory.place({.size_bytes = 1, .align_bytes = kHalf}, {reach_at(0x10000, 0x1000, 0)}),
            0x10000U)
      << "device address 0 has every alignment";
}

// ---- take: sizes ------------------------------------------------------------------------------

TEST(RangeAllocatorTake, GrantsWholeGranulesAndNeverPowersOfTwo) {
  Memory memory{{phys(0xc1f00000, 0x100000)}, 0x1000};
  EXPECT_EQ(memory.take({.size_bytes = 1})->range.size_bytes, 0x1000U);
  EXPECT_EQ(memory.take({.size_bytes = 5000})->range.size_bytes, 0x2000U);
  EXPECT_EQ(memory.take({.size_bytes = 0x3000})->range.size_bytes, 0x3000U);
  EXPECT_EQ(memory.usage().used_bytes, 0x6000U);
}

TEST(RangeAllocatorTake, CanTakeEverythingInOneBlockAndNothingMore) {
  Memory memory{{phys(0x10000, 0x8000)}, 0x1000};
  EXPECT_EQ(memory.refusal({.size_bytes = 0x8001}), Error::exhausted);
  EXPECT_EQ(memory.place({.size_bytes = 0x8000}), 0x10000U);
  EXPECT_EQ(memory.refusal({.size_bytes = 1}), Error::exhausted);
}

TEST(RangeAllocatorTake, FreedNeighboursServeOneLargeBlockInEveryOrderOfFreeing) {
  for (const auto& order : {std::array{0, 1, 2}, std::array{0, 2, 1}, std::array{1, 0, 2},
                            std::array{1, 2, 0}, std::array{2, 0, 1}, std::array{2, 1, 0}}) {
    Memory memory{{phys(0x3000, 0x3000)}, 0x1000};
    std::vector<Grant> grants;
    for (int i = 0; i < 3; ++i) grants.push_back(*memory.take({.size_bytes = 0x1000}));
    for (const int i : order) {
      EXPECT_EQ(memory.give_back(grants[static_cast<std::size_t>(i)]), std::nullopt);
    }
    EXPECT_EQ(memory.place({.size_bytes = 0x3000}), 0x3000U);
  }
}

// ---- take: which place ------------------------------------------------------------------------

TEST(RangeAllocatorTake, FirstFitTakesTheLowestThatWillDo) {
  Memory memory{{phys(0x10000, 0x10000)}, 0x1000};
  const Grant low = *memory.take({.size_bytes = 0x1000});
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  const Grant high = *memory.take({.size_bytes = 0x3000});
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  memory.give_back(low);
  memory.give_back(high);
  EXPECT_EQ(memory.place({.size_bytes = 0x2000, .fit = Fit::first}), 0x12000U);
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .fit = Fit::first}), 0x10000U);
}

TEST(RangeAllocatorTake, BestFitTakesTheShortestRunAndOfEqualsTheLowest) {
  Memory memory{{phys(0x10000, 0x10000)}, 0x1000};
  const Grant three = *memory.take({.size_bytes = 0x3000});
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  const Grant two = *memory.take({.size_bytes = 0x2000});
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  const Grant also_two = *memory.take({.size_bytes = 0x2000});
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  memory.give_back(also_two);
  memory.give_back(two);
  memory.give_back(three);
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .fit = Fit::best}), two.range.base.raw());
  EXPECT_EQ(memory.place({.size_bytes = 0x2000, .fit = Fit::best}), also_two.range.base.raw());
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .fit = Fit::best}), two.range.base.raw() + 0x1000);
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .fit = Fit::first}), three.range.base.raw());
}

TEST(RangeAllocatorTake, BestFitPassesTheShortestRunWhereAlignmentLeavesNoRoomInIt) {
  Memory memory{{phys(0x10000, 0x10000)}, 0x1000};
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  const Grant odd = *memory.take({.size_bytes = 0x1000});
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  memory.give_back(odd);
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .align_bytes = 0x2000, .fit = Fit::best}),
            0x14000U);
}

TEST(RangeAllocatorTake, TriesTheReachesInTheOrderGiven) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Reach low = reach_at(0x10000, 0x2000, 0);
  const Reach high = reach_at(0x12000, 0x2000, 0x80000);
  const auto first = memory.take({.size_bytes = 0x1000}, {high, low});
  EXPECT_EQ(first->range.base, PhysAddr{0x12000});
  EXPECT_EQ(first->dma, DmaAddr{0x80000});
  EXPECT_EQ(memory.place({.size_bytes = 0x2000}, {high, low}), 0x10000U);
}

TEST(RangeAllocatorTake, BestFitDoesNotLeaveTheFirstReachThatHasAPlace) {
  Memory memory{{phys(0x10000, 0x4000), phys(0x20000, 0x1000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .fit = Fit::best},
                         {reach_at(0x10000, 0x4000, 0), reach_at(0x20000, 0x1000, 0)}),
            0x10000U);
}

TEST(RangeAllocatorTake, TriesTheChunksInTheOrderGivenAndNamesTheOneTaken) {
  Memory memory{{phys(0x20000, 0x1000), phys(0x10000, 0x1000)}, 0x1000};
  const auto first = memory.take({.size_bytes = 1});
  const auto second = memory.take({.size_bytes = 1});
  EXPECT_EQ(first->range.base, PhysAddr{0x20000});
  EXPECT_EQ(first->chunk, 0U);
  EXPECT_EQ(second->range.base, PhysAddr{0x10000});
  EXPECT_EQ(second->chunk, 1U);
}

TEST(RangeAllocatorTake, NeverSpansTwoChunksEvenWhereTheyTouch) {
  Memory memory{{phys(0x10000, 0x1000), phys(0x11000, 0x1000)}, 0x1000};
  EXPECT_EQ(memory.refusal({.size_bytes = 0x2000}), Error::exhausted);
  const Grant low = *memory.take({.size_bytes = 0x1000});
  const Grant high = *memory.take({.size_bytes = 0x1000});
  memory.give_back(low);
  memory.give_back(high);
  EXPECT_EQ(memory.usage().largest_run_bytes, 0x1000U);
  EXPECT_EQ(memory.refusal({.size_bytes = 0x2000}), Error::exhausted);
}

TEST(RangeAllocatorTake, NeverSpansTwoReachesEvenWhereTheyTouch) {
  Memory memory{{phys(0x10000, 0x2000)}, 0x1000};
  EXPECT_EQ(memory.refusal({.size_bytes = 0x2000},
                           {reach_at(0x10000, 0x1000, 0), reach_at(0x11000, 0x1000, 0x1000)}),
            Error::exhausted);
}

TEST(RangeAllocatorTake, KeepsToTheReachAtBothEndsToTheByte) {
  Memory memory{{phys(0x10000, 0x10000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 0x1000}, {reach_at(0x12fff, 0x2001, 0x2fff)}), 0x13000U);
  EXPECT_EQ(memory.place({.size_bytes = 0x1000}, {reach_at(0x12fff, 0x2001, 0x2fff)}), 0x14000U);
  EXPECT_EQ(memory.refusal({.size_bytes = 0x1000}, {reach_at(0x12fff, 0x2001, 0x2fff)}),
            Error::exhausted);
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {reach_at(0x15000, 0xfff, 0x5000)}), Error::exhausted)
      << "the rounded tail belongs to the block, and would be out of reach";
}

TEST(RangeAllocatorTake, ServesTheLastGranuleOfMemory) {
  Memory memory{{phys(kTop - 0x1fff, 0x2000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 0x1000}), kTop - 0x1fff);
  const auto last = memory.take({.size_bytes = 0x1000});
  EXPECT_EQ(last->range, phys(kTop - 0xfff, 0x1000));
  EXPECT_EQ(last->dma, DmaAddr{kTop - 0xfff});
  EXPECT_EQ(memory.give_back(*last), std::nullopt);
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .align_bytes = 0x4000}), Error::exhausted)
      << "the next aligned place would be at 2^64";
}

TEST(RangeAllocatorTake, ServesAllOfMemoryInTwoChunksAndTwoGranules) {
  Memory memory{{phys(0, kHalf), phys(kHalf, kHalf)}, kHalf};
  EXPECT_EQ(memory.usage().total_bytes, kTop) << "2^64 is more than the field can say";
  EXPECT_EQ(memory.place({.size_bytes = kHalf}), 0U);
  EXPECT_EQ(memory.place({.size_bytes = 1, .align_bytes = kHalf, .boundary_bytes = kHalf}), kHalf);
  EXPECT_EQ(memory.usage().used_bytes, kTop);
}

TEST(RangeAllocatorTake, CutsAReachWhereItWouldPassTheEndAtTheDevice) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Reach reach{PhysAddr{0x10000}, PhysAddr{0x13fff}, DmaAddr{kTop - 0x1fff}};
  EXPECT_EQ(memory.refusal({.size_bytes = 0x3000}, {reach}), Error::exhausted);
  EXPECT_EQ(memory.place({.size_bytes = 0x2000}, {reach}), 0x10000U);
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {reach}), Error::exhausted);

  const Reach beyond{PhysAddr{0xf000}, PhysAddr{0x13fff}, DmaAddr{kTop - 0xfff}};
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {beyond}), Error::unreachable);
}

// ---- take: alignment --------------------------------------------------------------------------

TEST(RangeAllocatorTake, AlignsTheDeviceAddressAndNotThePhysicalOne) {
  Memory memory{{phys(0x10000, 0x10000)}, 0x1000};
  const auto grant =
      memory.take({.size_bytes = 1, .align_bytes = 0x8000}, {reach_at(0x10000, 0x10000, 0x3000)});
  EXPECT_EQ(grant->dma, DmaAddr{0x8000});
  EXPECT_EQ(grant->range.base, PhysAddr{0x15000});
}

TEST(RangeAllocatorTake, AlignsAbsolutelyAndNotFromTheBaseOfThePool) {
  Memory memory{{phys(0xc1f01000, 0x10000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 0x4000, .align_bytes = 0x4000}), 0xc1f04000U);
}

TEST(RangeAllocatorTake, WhatAlignmentSkipsStaysFree) {
  Memory memory{{phys(0x11000, 0x4000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .align_bytes = 0x4000}), 0x14000U);
  EXPECT_EQ(memory.place({.size_bytes = 0x3000}), 0x11000U);
}

TEST(RangeAllocatorTake, AnAlignmentBelowTheGranuleCostsNothing) {
  Memory memory{{phys(0x11000, 0x4000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 1, .align_bytes = 64}), 0x11000U);
  EXPECT_EQ(memory.place({.size_bytes = 1, .align_bytes = 0x1000}), 0x12000U);
}

TEST(RangeAllocatorTake, AReachWhoseOffsetBreaksTheAlignmentServesNothing) {
  Memory memory{{phys(0x10000, 0x10000)}, 0x1000};
  const Reach odd = reach_at(0x10000, 0x10000, 0x810);
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .align_bytes = 0x20}, {odd}), Error::exhausted);
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .align_bytes = 0x1000}, {odd}), Error::exhausted);
  EXPECT_EQ(memory.refusal({.size_bytes = 1, .align_bytes = 0x4000}, {odd}), Error::exhausted);
  EXPECT_EQ(memory.take({.size_bytes = 1, .align_bytes = 0x10}, {odd})->dma, DmaAddr{0x810});
  EXPECT_EQ(memory.take({.size_bytes = 1, .align_bytes = 0x4000}, {odd, kEverything})->dma,
            DmaAddr{0x14000})
      << "and the next reach is tried";
}

TEST(RangeAllocatorTake, KeepsThePhysicalGranuleWhateverTheOffset) {
  Memory memory{{phys(0x10000, 0x10000)}, 0x1000};
  const auto grant = memory.take({.size_bytes = 1}, {reach_at(0x10001, 0xf000, 0x7)});
  EXPECT_EQ(grant->range.base, PhysAddr{0x11000});
  EXPECT_EQ(grant->dma, DmaAddr{0x1006});
}

// ---- take: boundary ---------------------------------------------------------------------------

TEST(RangeAllocatorTake, StepsOverABoundaryAndLeavesWhatIsBeforeItFree) {
  Memory memory{{phys(0x13000, 0x5000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 0x2000, .boundary_bytes = 0x4000}), 0x14000U);
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .boundary_bytes = 0x4000}), 0x13000U);
}

TEST(RangeAllocatorTake, HoldsTheBoundaryForTheDeviceAddress) {
  Memory memory{{phys(0x10000, 0x8000)}, 0x1000};
  const auto grant = memory.take({.size_bytes = 0x2000, .boundary_bytes = 0x4000},
                                 {reach_at(0x10000, 0x8000, 0x3000)});
  EXPECT_EQ(grant->dma, DmaAddr{0x4000});
}

TEST(RangeAllocatorTake, TheBoundaryIsForTheBytesAskedForAndNotForTheRoundedTail) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Reach shifted = reach_at(0x10000, 0x4000, 0xe00);
  const Need need{.size_bytes = 0x200, .boundary_bytes = 0x1000};
  EXPECT_EQ(memory.take(need, {shifted})->dma, DmaAddr{0xe00}) << "0xe00 to 0xfff: just fits";
  EXPECT_EQ(memory.refusal({.size_bytes = 0x201, .boundary_bytes = 0x1000}, {shifted}),
            Error::exhausted)
      << "every place of this reach lies 0x200 before a boundary";
}

TEST(RangeAllocatorTake, ABoundaryBelowTheGranuleHolds) {
  Memory memory{{phys(0x10000, 0x2000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 64, .boundary_bytes = 64}), 0x10000U);
  EXPECT_EQ(
      memory.refusal({.size_bytes = 64, .boundary_bytes = 64}, {reach_at(0x10000, 0x2000, 1)}),
      Error::exhausted);
}

TEST(RangeAllocatorTake, AlignmentAndBoundaryHoldTogether) {
  Memory memory{{phys(0x10000, 0x20000)}, 0x1000};
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  EXPECT_EQ(memory.place({.size_bytes = 0x5000, .align_bytes = 0x2000, .boundary_bytes = 0x8000}),
            0x12000U);
  EXPECT_EQ(memory.place({.size_bytes = 0x5000, .align_bytes = 0x2000, .boundary_bytes = 0x8000}),
            0x18000U);
  EXPECT_EQ(memory.place({.size_bytes = 0x1000, .align_bytes = 0x8000, .boundary_bytes = 0x1000}),
            0x20000U);
}

TEST(RangeAllocatorTake, ABoundaryOfHalfOfMemoryHolds) {
  Memory memory{{phys(kHalf - 0x1000, 0x3000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 0x2000, .boundary_bytes = kHalf}), kHalf);
}

// ---- tables -----------------------------------------------------------------------------------

TEST(RangeAllocatorTables, HaveRoomForAsManyBlocksAsWereOrderedInTheWorstPattern) {
  constexpr std::size_t kBlocks = 5;
  Memory memory{{phys(0x10000, 0x20000)}, 0x1000, kBlocks};
  // Every second granule: a free run before each block and after the last.
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    const std::uint64_t at = 0x11000 + i * 0x2000;
    EXPECT_EQ(memory.place({.size_bytes = 0x1000}, {reach_at(at, 0x1000, at)}), at);
  }
}

TEST(RangeAllocatorTables, AreFullWhenAsManyBlocksLiveAsWereOrdered) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000, 1};
  const Grant block = *memory.take({.size_bytes = 0x1000});
  EXPECT_EQ(memory.refusal({.size_bytes = 0x1000}), Error::table_full);
  EXPECT_EQ(memory.refusal({.size_bytes = 0x1000}, {reach_at(0x12000, 0x2000, 0)}),
            Error::table_full);
  EXPECT_EQ(memory.refusal({.size_bytes = 0x4000}), Error::exhausted)
      << "not the table's fault: no run is that long";
  EXPECT_EQ(memory.give_back(block), std::nullopt);
  EXPECT_EQ(memory.place({.size_bytes = 0x4000}), 0x10000U);
}

TEST(RangeAllocatorTables, OfNoBlocksGrantNothing) {
  Memory memory{{phys(0x10000, 0x2000)}, 0x1000, 0};
  EXPECT_EQ(memory.refusal({.size_bytes = 0x1000}), Error::table_full);
  EXPECT_EQ(memory.refusal({.size_bytes = 0x3000}), Error::exhausted);
}

TEST(RangeAllocatorTables, ThatAreFullInOneReachAreSaidSoThoughAnotherReachIsExhausted) {
  Memory memory{{phys(0x10000, 0x2000), phys(0x20000, 0x1000)}, 0x1000, 1};
  const Reach free = reach_at(0x10000, 0x2000, 0);
  const Reach taken = reach_at(0x20000, 0x1000, 0);
  static_cast<void>(memory.take({.size_bytes = 0x1000}, {taken}));
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {free, taken}), Error::table_full);
  EXPECT_EQ(memory.refusal({.size_bytes = 1}, {taken, free}), Error::table_full);
}

// ---- serials ----------------------------------------------------------------------------------

TEST(RangeAllocatorSerials, AreNeverZeroAndDifferFromUseToUseOfOneTag) {
  Memory memory{{phys(0x10000, 0x1000)}, 0x1000};
  std::uint32_t previous = 0;
  for (int i = 0; i < 100; ++i) {
    const Grant grant = *memory.take({.size_bytes = 1});
    EXPECT_NE(grant.serial, 0U);
    EXPECT_NE(grant.serial, previous);
    previous = grant.serial;
    memory.give_back(grant);
  }
}

TEST(RangeAllocatorSerials, ComeRoundWithoutAZeroAndTheOldOnesAreForeign) {
  Memory memory{{phys(0x10000, 0x1000)}, 0x1000};
  RangeAllocatorAudit::set_serial(memory.allocator(), 0, 0xfffffffc);
  const Grant last = *memory.take({.size_bytes = 1});
  EXPECT_EQ(last.serial, 0xfffffffdU);
  EXPECT_EQ(memory.give_back(last), std::nullopt);
  const Grant first = *memory.take({.size_bytes = 1});
  EXPECT_EQ(first.serial, 1U);
  EXPECT_EQ(memory.give_back(last), Error::foreign_block);
  EXPECT_EQ(memory.give_back(first), std::nullopt);
}

// ---- give_back --------------------------------------------------------------------------------

TEST(RangeAllocatorGiveBack, MakesTheRangeFreeAgain) {
  Memory memory{{phys(0x10000, 0x1000)}, 0x1000};
  const Grant grant = *memory.take({.size_bytes = 0x1000});
  EXPECT_EQ(memory.refusal({.size_bytes = 1}), Error::exhausted);
  EXPECT_EQ(memory.give_back(grant), std::nullopt);
  EXPECT_EQ(memory.place({.size_bytes = 0x1000}), 0x10000U);
}

TEST(RangeAllocatorGiveBack, KnowsTheFirstBlockOfEveryChunk) {
  Memory memory{{phys(0x10000, 0x1000), phys(0x30000, 0x2000), phys(0x20000, 0x1000)}, 0x1000};
  std::vector<Grant> grants;
  for (int i = 0; i < 4; ++i) grants.push_back(*memory.take({.size_bytes = 0x1000}));
  for (const Grant& grant : grants) EXPECT_EQ(memory.give_back(grant), std::nullopt);
  EXPECT_EQ(memory.usage().blocks, 0U);
}

TEST(RangeAllocatorGiveBack, RefusesATagThatIsNotInTheTables) {
  Memory memory{{phys(0x10000, 0x1000)}, 0x1000, 2};
  const Grant grant = *memory.take({.size_bytes = 1});
  EXPECT_EQ(memory.give_back(grant.range, 5, grant.serial), Error::foreign_block);
  EXPECT_EQ(memory.give_back(grant.range, 0xffffffff, grant.serial), Error::foreign_block);
}

TEST(RangeAllocatorGiveBack, RefusesASerialThatItNeverGave) {
  Memory memory{{phys(0x10000, 0x1000)}, 0x1000};
  EXPECT_EQ(memory.give_back(phys(0x10000, 0x1000), 0, 0), Error::foreign_block);
  EXPECT_EQ(memory.give_back(phys(0x10000, 0x1000), 0, 1), Error::foreign_block)
      << "the next one, not yet given";
  const Grant grant = *memory.take({.size_bytes = 1});
  EXPECT_EQ(memory.give_back(grant.range, grant.tag, grant.serial + 1), Error::foreign_block);
  EXPECT_EQ(memory.give_back(grant.range, grant.tag, grant.serial + 2), Error::foreign_block);
  EXPECT_EQ(memory.give_back(grant.range, grant.tag, 0), Error::foreign_block);
}

TEST(RangeAllocatorGiveBack, RefusesASecondTime) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Grant grant = *memory.take({.size_bytes = 0x1000});
  EXPECT_EQ(memory.give_back(grant), std::nullopt);
  EXPECT_EQ(memory.give_back(grant), Error::double_free);
}

TEST(RangeAllocatorGiveBack, RefusesASecondTimeAfterTheBlockWasMergedIntoEitherNeighbour) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Grant a = *memory.take({.size_bytes = 0x1000});
  const Grant b = *memory.take({.size_bytes = 0x1000});
  const Grant c = *memory.take({.size_bytes = 0x1000});
  const Grant d = *memory.take({.size_bytes = 0x1000});
  memory.give_back(a);
  memory.give_back(b);  // merges into a's run
  memory.give_back(d);
  memory.give_back(c);  // merges with both sides
  for (const Grant& grant : {a, b, c, d}) {
    EXPECT_EQ(memory.give_back(grant), Error::double_free);
  }
}

TEST(RangeAllocatorGiveBack, TellsAStaleBlockFromADoubleFree) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Grant old = *memory.take({.size_bytes = 0x2000});
  memory.give_back(old);
  const Grant other = *memory.take({.size_bytes = 0x1000});
  EXPECT_EQ(memory.give_back(old), Error::stale_block) << "half of it has a new owner";
  memory.give_back(other);
  EXPECT_EQ(memory.give_back(old), Error::double_free) << "all of it is free again";
}

TEST(RangeAllocatorGiveBack, RefusesAnOldBlockOfExactlyTheRangeThatLivesNow) {
  Memory memory{{phys(0x10000, 0x1000)}, 0x1000};
  const Grant old = *memory.take({.size_bytes = 0x1000});
  memory.give_back(old);
  const Grant now = *memory.take({.size_bytes = 0x1000});
  ASSERT_EQ(now.range, old.range);
  EXPECT_EQ(memory.give_back(old), Error::stale_block);
  EXPECT_EQ(memory.give_back(now), std::nullopt);
}

TEST(RangeAllocatorGiveBack, IsADoubleFreeAlsoWhenTheTagServesAnotherRange) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000, 2};
  const Grant a = *memory.take({.size_bytes = 0x1000});
  const Grant b = *memory.take({.size_bytes = 0x1000});
  memory.give_back(b);
  memory.give_back(a);
  // Two blocks at the far end: one of them may sit in a's or b's node, a's and b's bytes are free.
  const Reach far = reach_at(0x12000, 0x2000, 0x2000);
  static_cast<void>(memory.take({.size_bytes = 0x1000}, {far}));
  static_cast<void>(memory.take({.size_bytes = 0x1000}, {far}));
  EXPECT_EQ(memory.give_back(a), Error::double_free);
  EXPECT_EQ(memory.give_back(b), Error::double_free);
}

TEST(RangeAllocatorGiveBack, RefusesALiveBlockWithAnotherAddress) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Grant grant = *memory.take({.size_bytes = 0x2000});
  for (const std::uint64_t base : {0x11000ULL, 0x10001ULL, 0xf000ULL, 0x0ULL}) {
    EXPECT_EQ(memory.give_back(phys(base, 0x2000), grant.tag, grant.serial), Error::wrong_address);
  }
  EXPECT_EQ(memory.give_back(grant), std::nullopt);
}

TEST(RangeAllocatorGiveBack, RefusesALiveBlockWithAnotherSize) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Grant grant = *memory.take({.size_bytes = 0x1800});
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{0x1000}, std::uint64_t{0x1800},
                                   std::uint64_t{0x2001}, std::uint64_t{0x3000}, kTop}) {
    EXPECT_EQ(memory.give_back(phys(0x10000, size), grant.tag, grant.serial), Error::wrong_size);
  }
  EXPECT_EQ(memory.give_back(grant), std::nullopt);
}

TEST(RangeAllocatorGiveBack, AnOldBlockWithAHostileRangeIsOnlyRefused) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Grant old = *memory.take({.size_bytes = 0x1000});
  memory.give_back(old);
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  EXPECT_EQ(memory.give_back(phys(kTop, kTop), old.tag, old.serial), Error::double_free);
  EXPECT_EQ(memory.give_back(phys(0, kTop), old.tag, old.serial), Error::stale_block);
  EXPECT_EQ(memory.give_back(phys(0x10000, 0), old.tag, old.serial), Error::double_free);
}

// ---- give_back_at -----------------------------------------------------------------------------

TEST(RangeAllocatorGiveBackAt, TakesTheSizeAsAskedAndAsGranted) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  static_cast<void>(memory.take({.size_bytes = 0x1801}));
  EXPECT_EQ(memory.give_back_at(0x10000, 0x1801), std::nullopt);
  static_cast<void>(memory.take({.size_bytes = 0x1801}));
  EXPECT_EQ(memory.give_back_at(0x10000, 0x2000), std::nullopt);
}

TEST(RangeAllocatorGiveBackAt, RefusesAnAddressInNoChunk) {
  Memory memory{{phys(0x10000, 0x1000), phys(0x20000, 0x1000)}, 0x1000};
  for (const std::uint64_t at : {std::uint64_t{0xffff}, std::uint64_t{0x11000}, kTop}) {
    EXPECT_EQ(memory.give_back_at(at, 0x1000), Error::foreign_block);
  }
}

TEST(RangeAllocatorGiveBackAt, RefusesFreeMemory) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  static_cast<void>(memory.take({.size_bytes = 0x1000}));
  EXPECT_EQ(memory.give_back_at(0x11000, 0x1000), Error::double_free);
  EXPECT_EQ(memory.give_back_at(0x10000, 0x1000), std::nullopt);
  EXPECT_EQ(memory.give_back_at(0x10000, 0x1000), Error::double_free);
}

TEST(RangeAllocatorGiveBackAt, RefusesTheInsideOfABlock) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  static_cast<void>(memory.take({.size_bytes = 0x2000}));
  EXPECT_EQ(memory.give_back_at(0x10001, 0x2000), Error::wrong_address);
  EXPECT_EQ(memory.give_back_at(0x11000, 0x1000), Error::wrong_address);
  EXPECT_EQ(memory.give_back_at(0x11fff, 1), Error::wrong_address);
}

TEST(RangeAllocatorGiveBackAt, RefusesAnotherNumberOfGranules) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  static_cast<void>(memory.take({.size_bytes = 0x2000}));
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x1000}, std::uint64_t{0x2001}, kTop}) {
    EXPECT_EQ(memory.give_back_at(0x10000, size), Error::wrong_size) << size;
  }
}

TEST(RangeAllocatorGiveBackAt, MakesTheBlocksOwnGrantADoubleFree) {
  Memory memory{{phys(0x10000, 0x4000)}, 0x1000};
  const Grant grant = *memory.take({.size_bytes = 0x2000});
  EXPECT_EQ(memory.give_back_at(0x10000, 0x2000), std::nullopt);
  EXPECT_EQ(memory.give_back(grant), Error::double_free);
}

// ---- usage and holders ------------------------------------------------------------------------

TEST(RangeAllocatorUsage, CountsGrantedBytesAndRemembersThePeak) {
  Memory memory{{phys(0x10000, 0x4000), phys(0x20000, 0x2000)}, 0x1000};
  EXPECT_EQ(memory.usage(), (Usage{.total_bytes = 0x6000,
                                   .used_bytes = 0,
                                   .peak_bytes = 0,
                                   .largest_run_bytes = 0x4000,
                                   .blocks = 0}));
  const Grant a = *memory.take({.size_bytes = 0x1001, .fit = Fit::first});
  const Grant b = *memory.take({.size_bytes = 1, .fit = Fit::first});
  EXPECT_EQ(memory.usage(), (Usage{.total_bytes = 0x6000,
                                   .used_bytes = 0x3000,
                                   .peak_bytes = 0x3000,
                                   .largest_run_bytes = 0x2000,
                                   .blocks = 2}));
  EXPECT_EQ(memory.usage().free_bytes(), 0x3000U);
  memory.give_back(b);
  memory.give_back(a);
  static_cast<void>(memory.take({.size_bytes = 0x2000}));
  EXPECT_EQ(memory.usage().peak_bytes, 0x3000U);
  EXPECT_EQ(memory.usage().blocks, 1U);
}

TEST(RangeAllocatorUsage, DoesNotTakeALiveBlockForARun) {
  Memory memory{{phys(0x10000, 0x4000), phys(0x20000, 0x2000)}, 0x1000};
  static_cast<void>(memory.take({.size_bytes = 0x4000}));
  EXPECT_EQ(memory.usage().largest_run_bytes, 0x2000U);
  static_cast<void>(memory.take({.size_bytes = 0x2000}));
  EXPECT_EQ(memory.usage().largest_run_bytes, 0U);
}

TEST(RangeAllocatorUsage, NamesTheHolderOfTheLowestBlockOfTheFirstChunkThatHasOne) {
  Memory memory{{phys(0x20000, 0x2000), phys(0x10000, 0x2000)}, 0x1000};
  EXPECT_EQ(memory.allocator().any_holder(), std::nullopt);
  const Reach second = reach_at(0x10000, 0x2000, 0);
  static_cast<void>(memory.take({.size_bytes = 1, .holder = 7}, {second}));
  EXPECT_EQ(memory.allocator().any_holder(), 7U);
  const Grant low = *memory.take({.size_bytes = 1, .holder = 8, .fit = Fit::first});
  static_cast<void>(memory.take({.size_bytes = 1, .holder = 9, .fit = Fit::first}));
  EXPECT_EQ(memory.allocator().any_holder(), 8U);
  memory.give_back(low);
  EXPECT_EQ(memory.allocator().any_holder(), 9U);
}

TEST(RangeAllocator, GoesOnWhereItWasAfterAMove) {
  Memory memory{{phys(0x10000, 0x2000)}, 0x1000};
  const Grant grant = *memory.take({.size_bytes = 1});
  RangeAllocator moved = std::move(memory.allocator());
  EXPECT_EQ(moved.usage().blocks, 1U);
  EXPECT_TRUE(moved.give_back(grant.range, grant.tag, grant.serial));
  EXPECT_EQ(RangeAllocatorAudit::fault(moved), "");
}

// ---- rows of the shared test vectors that the allocator decides -------------------------------

class ArtPiPool : public ::testing::Test {
 protected:
  Memory memory_{{phys(0xc1f00000, 0x100000)}, 0x1000};
};

TEST_F(ArtPiPool, Rows2To5GrantExactGranulesOneBehindTheOther) {
  EXPECT_EQ(memory_.place({.size_bytes = 4096}), 0xc1f00000U);
  EXPECT_EQ(memory_.place({.size_bytes = 5000}), 0xc1f01000U);
  EXPECT_EQ(memory_.place({.size_bytes = 4096}), 0xc1f03000U);
  EXPECT_EQ(memory_.place({.size_bytes = 1}), 0xc1f04000U);
}

TEST_F(ArtPiPool, Row6TakesTheWholePoolAndThenHasNothing) {
  EXPECT_EQ(memory_.place({.size_bytes = 0x100000}), 0xc1f00000U);
  EXPECT_EQ(memory_.refusal({.size_bytes = 1}), Error::exhausted);
}

TEST_F(ArtPiPool, Row7ServesHalfThePoolBehindASinglePage) {
  EXPECT_EQ(memory_.place({.size_bytes = 1}), 0xc1f00000U);
  EXPECT_EQ(memory_.refusal({.size_bytes = 0x100000}), Error::exhausted);
  EXPECT_EQ(memory_.place({.size_bytes = 0x80000}), 0xc1f01000U);
}

TEST_F(ArtPiPool, Row8GrantsTheThirdRequestThatPowersOfTwoRefuse) {
  EXPECT_EQ(memory_.place({.size_bytes = 260 << 10}), 0xc1f00000U);
  EXPECT_EQ(memory_.place({.size_bytes = 260 << 10}), 0xc1f41000U);
  EXPECT_EQ(memory_.place({.size_bytes = 260 << 10}), 0xc1f82000U);
}

TEST_F(ArtPiPool, Row9RefusesZeroBytes) {
  EXPECT_EQ(memory_.refusal({.size_bytes = 0}), Error::zero_size);
}

TEST(Vectors, Row17AnOddPoolServesItsLastPage) {
  Memory memory{{phys(0x1000, 0x3000)}, 0x1000};
  EXPECT_EQ(memory.place({.size_bytes = 8192}), 0x1000U);
  EXPECT_EQ(memory.refusal({.size_bytes = 8192}), Error::exhausted);
  EXPECT_EQ(memory.place({.size_bytes = 4096}), 0x3000U);
}

TEST(Vectors, Row18AWrongSizeIsRefusedAndTheNeighbourKeepsItsPage) {
  Memory memory{{phys(0x1000, 0x4000)}, 0x1000};
  static_cast<void>(memory.take({.size_bytes = 4096}));
  static_cast<void>(memory.take({.size_bytes = 4096}));
  EXPECT_EQ(memory.give_back_at(0x1000, 8192), Error::wrong_size);
  EXPECT_EQ(memory.place({.size_bytes = 8192}), 0x3000U);
}

TEST(Vectors, Row36DeviceAddressZeroIsHandedOut) {
  Memory memory{{phys(0x80000000, 0x10000)}, 0x1000};
  const Reach declared = reach_at(0x80000000, 0x10000, 0);
  EXPECT_EQ(memory.take({.size_bytes = 4096}, {declared})->dma, DmaAddr{0});
  EXPECT_EQ(memory.take({.size_bytes = 4096}, {declared})->dma, DmaAddr{0x1000});
}

TEST(Vectors, Row59ExactSizesServeThreeOf65UnitsIn256) {
  Memory memory{{phys(0x10000, 256 * 32)}, 32};
  EXPECT_EQ(memory.place({.size_bytes = std::uint64_t{65} * 32}), 0x10000U);
  EXPECT_EQ(memory.place({.size_bytes = std::uint64_t{65} * 32}), 0x10000U + 65 * 32);
  EXPECT_EQ(memory.place({.size_bytes = std::uint64_t{65} * 32}), 0x10000U + 130 * 32);
  EXPECT_EQ(memory.refusal({.size_bytes = std::uint64_t{65} * 32}), Error::exhausted);
}

}  // namespace
}  // namespace carveout
