// The short form of tools/prove-allocator, with the sanitizers; and arithmetic at the edges of 64
// bits.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/random_play.hpp"

namespace carveout::testing {
namespace {

TEST(RangeAllocatorProperty, DoesWhatTheNaivePoolDoesInALongSeededRun) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Seeded stream{seed, 1500};
    ASSERT_EQ(play(stream, tally), "") << "seed " << seed;
  }
  // The run is only worth something if it went everywhere.
  EXPECT_GT(tally.granted, 4'000U);
  EXPECT_GT(tally.parked, 500U);
  for (const Error error :
       {Error::zero_size, Error::bad_alignment, Error::bad_boundary, Error::crosses_boundary,
        Error::unreachable, Error::table_full, Error::exhausted}) {
    EXPECT_GT(tally.of(error), 15U) << name_of(error);
  }
}

TEST(RangeAllocatorProperty, DoesWhatTheNaivePoolDoesWhateverTheDecisions) {
  EXPECT_TRUE(rc::check("the allocator and the naive pool agree", [] {
    const auto length = *rc::gen::inRange<std::size_t>(0, 400);
    const auto numbers = *rc::gen::container<std::vector<std::uint32_t>>(
        length, rc::gen::arbitrary<std::uint32_t>());
    Listed stream{numbers};
    Tally tally;
    const std::string fault = play(stream, tally);
    if (!fault.empty()) RC_FAIL(fault);
  }));
}

/// A request's place in one free run, by 128-bit trial of every granule, for arithmetic at the
/// edges of 64 bits that small pools do not reach.
TEST(RangeAllocatorProperty, PlacesRequestsRightAtTheEdgesOfMemory) {
  std::mt19937_64 random{7};
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  std::uint64_t granted = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t granule = std::uint64_t{1} << (1 + below(62));
    const std::uint64_t most = kTop / granule;  // granules below 2^64, less one
    const std::uint64_t granules = 1 + below(std::min<std::uint64_t>(most, 12));
    const std::uint64_t places = most - granules + 2;
    const std::uint64_t near = below(std::min<std::uint64_t>(places, 8));
    const std::uint64_t at = below(2) == 0 ? near : places - 1 - near;
    const std::array chunks{PhysRange{PhysAddr{at * granule}, granules * granule}};
    JudgedPool pool{chunks, granule, 2};

    const std::uint64_t first = below(2) == 0 ? 0 : chunks[0].base.raw() + below(granule);
    const std::uint64_t last = below(2) == 0 ? kTop : chunks[0].last().raw() - below(granule);
    const std::uint64_t dma =
        below(2) == 0 ? first : (below(2) == 0 ? kTop - below(granule) : below(kTop));
    const std::array reaches{Reach{PhysAddr{first}, PhysAddr{last}, DmaAddr{dma}},
                             Reach{PhysAddr{0}, PhysAddr{kTop}, DmaAddr{0}}};
    const std::uint64_t size = 1 + below(below(2) == 0 ? granule : chunks[0].size_bytes);
    const Need need{.size_bytes = size,
                    .align_bytes = std::uint64_t{1} << below(64),
                    .boundary_bytes = below(2) == 0 ? 0 : std::uint64_t{1} << below(64)};
    ASSERT_EQ(pool.take(need, reaches), "") << "round " << round;
    if (pool.taken()) ++granted;
  }
  EXPECT_GT(granted, 5'000U);
}

}  // namespace
}  // namespace carveout::testing
