// The reference allocators of the benchmarks, against models that look at one granule at a time;
// and the traces, on what each peer hands out.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "bench/peers/carveout.hpp"
#include "bench/peers/reference.hpp"
#include "bench/player.hpp"
#include "bench/workloads.hpp"

namespace carveout::bench {
namespace {

// A pool that is not whole words of the bit map.
constexpr PoolShape kTiny{"tiny", std::uint64_t{333} * 64, 64};

using Granules = std::vector<bool>;  // true: taken

bool is_free(const Granules& pool, std::size_t first, std::size_t count) {
  if (first + count > pool.size()) return false;
  for (std::size_t i = first; i < first + count; ++i) {
    if (pool[i]) return false;
  }
  return true;
}

/// The first place that is a multiple of `align`.
std::optional<std::size_t> lowest(const Granules& pool, std::size_t count, std::size_t align) {
  for (std::size_t at = 0; at < pool.size(); at += align) {
    if (is_free(pool, at, count)) return at;
  }
  return std::nullopt;
}

/// The front of the shortest run of free granules that has `count`; of equals the lowest.
std::optional<std::size_t> tightest(const Granules& pool, std::size_t count) {
  std::optional<std::size_t> best;
  std::size_t best_length = pool.size() + 1;
  for (std::size_t at = 0; at < pool.size(); ++at) {
    if (pool[at] || (at > 0 && !pool[at - 1])) continue;
    std::size_t length = 0;
    while (is_free(pool, at, length + 1)) ++length;
    if (length >= count && length < best_length) {
      best = at;
      best_length = length;
    }
  }
  return best;
}

struct Live {
  std::size_t first;
  std::size_t granules;
};

/// Random sizes on a peer and on its model, which must choose the same place each time.
///
/// @param choose  the model: (pool, granules asked for, alignment in granules) to a place.
/// @param taken   how many granules it takes for how many.
template <class Peer, bool kAligned>
void compare(auto choose, auto taken) {
  std::mt19937 random{7};
  const auto granules_of = [](std::uint64_t bytes) { return (bytes + 63) / 64; };
  Peer peer{Site{kTiny, 333, 0}};
  Granules pool(333, false);
  std::vector<std::pair<typename Peer::Handle, Live>> live;
  int refused = 0;
  for (int step = 0; step < 6000; ++step) {
    if (random() % 5 < 2 && !live.empty()) {
      const std::size_t at = random() % live.size();
      peer.give_back(live[at].first);
      const Live& gone = live[at].second;
      std::fill_n(pool.begin() + static_cast<std::ptrdiff_t>(gone.first), gone.granules, false);
      live[at] = live.back();
      live.pop_back();
      continue;
    }
    const std::uint32_t largest = random() % 8 == 0 ? 100 * 64 : 12 * 64;
    const auto size = static_cast<std::uint32_t>(1 + random() % largest);
    const std::uint32_t align = kAligned ? 64U << (random() % 5) : 64U;
    const std::optional<std::size_t> place = choose(pool, granules_of(size), align / 64);
    auto handle = Peer::nothing();
    bool done = false;
    if constexpr (kAligned) {
      done = peer.take(handle, size, align);
    } else {
      done = peer.take(handle, size);
    }
    ASSERT_EQ(done, place.has_value()) << "step " << step << ", " << size << " bytes";
    if (!done) {
      ++refused;
      continue;
    }
    const std::size_t length = taken(granules_of(size));
    ASSERT_EQ(handle.first, *place) << "step " << step << ", " << size << " bytes";
    ASSERT_EQ(peer.taken_bytes(handle), length * 64);
    std::fill_n(pool.begin() + static_cast<std::ptrdiff_t>(*place), length, true);
    live.push_back({handle, {*place, length}});
  }
  EXPECT_GT(refused, 100) << "the pool was never full";
}

std::size_t exactly(std::size_t granules) { return granules; }
std::size_t to_power(std::size_t granules) { return std::bit_ceil(granules); }

TEST(ReferencePeers, DmaCoherentTakesTheFirstFreeRegionOfTheOrder) {
  compare<DmaCoherent, false>(
      [](const Granules& pool, std::size_t granules, std::size_t /*align*/) {
        const std::size_t order = std::bit_ceil(granules);
        return lowest(pool, order, order);
      },
      to_power);
}

TEST(ReferencePeers, GenallocFirstFitTakesTheLowestRun) {
  compare<GenallocFirstFit, false>([](const Granules& pool, std::size_t granules,
                                      std::size_t align) { return lowest(pool, granules, align); },
                                   exactly);
}

TEST(ReferencePeers, GenallocFirstFitTakesTheLowestAlignedRun) {
  compare<GenallocFirstFit, true>([](const Granules& pool, std::size_t granules,
                                     std::size_t align) { return lowest(pool, granules, align); },
                                  exactly);
}

TEST(ReferencePeers, GenallocBestFitTakesTheShortestRun) {
  compare<GenallocBestFit, false>([](const Granules& pool, std::size_t granules,
                                     std::size_t /*align*/) { return tightest(pool, granules); },
                                  exactly);
}

TEST(ReferencePeers, CmaTakesTheLowestRunAlignedToThePowerAboveTheSize) {
  compare<Cma, false>(
      [](const Granules& pool, std::size_t granules, std::size_t /*align*/) {
        return lowest(pool, granules, std::min<std::size_t>(std::bit_ceil(granules), 256));
      },
      exactly);
}

// Why dma-coherent, which refuses most of all with mixed sizes, refuses none of eight frames: with
// seven live frames of at most an eighth of the pool, one eighth is free, and it is a region.
TEST(ReferencePeers, DmaCoherentAlwaysHasRoomForOneOfEightFrames) {
  const Trace trace = *workload("W2", kSmall, 5000, 1);
  DmaCoherent peer{site_for(kSmall, trace)};
  std::vector<Seat<DmaCoherent>> seats(trace.slots);
  EXPECT_EQ(play<DmaCoherent>(peer, trace.before, seats), 0U);
  EXPECT_EQ(play<DmaCoherent>(peer, trace.steps, seats), 0U);
}

/// First byte and length of what a handle stands for.
struct Bytes {
  std::uint64_t first;
  std::uint64_t length;
};
Bytes bytes_of(const BitMapPeer::Handle& handle, const PoolShape& pool) {
  return {handle.first * pool.granule_bytes, handle.granules * pool.granule_bytes};
}
template <class Handle>
Bytes bytes_of(const Handle& handle, const PoolShape& /*pool*/) {
  return {handle.base - 0x8000'0000, handle.size_bytes};
}

/// Every block lies in the pool, is as long as asked, aligned, and shares no byte with another.
template <class Peer>
void play_and_judge(const PoolShape& pool, std::string_view name) {
  SCOPED_TRACE(name);
  const Trace trace = *workload(name, pool, 300, 1);
  Peer peer{site_for(pool, trace)};
  std::vector<Seat<Peer>> seats(trace.slots);
  std::vector<bool> taken(pool.bytes / 64, false);
  const auto mark = [&](const Bytes& bytes, bool value) {
    for (std::uint64_t at = bytes.first / 64; at < (bytes.first + bytes.length) / 64; ++at) {
      if (taken[at] == value) return false;
      taken[at] = value;
    }
    return true;
  };
  std::vector<Step> steps = trace.before;
  if (trace.punched) {
    const std::vector<Step> holes = punch(trace.slots - kHeld);
    steps.insert(steps.end(), holes.begin(), holes.end());
  }
  steps.insert(steps.end(), trace.steps.begin(), trace.steps.end());
  for (const Step& step : steps) {
    const Seat<Peer> was = seats[step.slot];
    const std::size_t refused = trace.aligned ? play<Peer, true>(peer, {&step, 1}, seats)
                                              : play<Peer>(peer, {&step, 1}, seats);
    if (step.size_bytes == 0) {
      if (was.taken) {
        ASSERT_TRUE(mark(bytes_of(was.handle, pool), false));
      }
      continue;
    }
    ASSERT_FALSE(was.taken) << "the trace takes a slot twice";
    if (refused != 0) continue;
    const Bytes bytes = bytes_of(seats[step.slot].handle, pool);
    ASSERT_LE(bytes.first + bytes.length, pool.bytes);
    ASSERT_GE(bytes.length, step.size_bytes);
    ASSERT_EQ(bytes.length, peer.taken_bytes(seats[step.slot].handle));
    ASSERT_EQ(bytes.first % step.align_bytes, 0U);
    ASSERT_TRUE(mark(bytes, true)) << "two blocks share a byte";
  }
}

template <class Peer>
class Peers : public testing::Test {};
using PeerTypes = testing::Types<Carveout<Tags::dense>, Carveout<Tags::sparse>, DmaCoherent,
                                 GenallocFirstFit, Cma>;
TYPED_TEST_SUITE(Peers, PeerTypes);

TYPED_TEST(Peers, HandOutDisjointRangesOfThePoolInEveryWorkload) {
  for (const std::string_view name : kWorkloads) {
    if (!name.starts_with("W5") && !name.starts_with("W4c"))
      play_and_judge<TypeParam>(kSmall, name);
  }
}

TEST(Workloads, TheAdversaryLeavesOneHoleAtTheEnd) {
  play_and_judge<Carveout<Tags::sparse>>(kSmall, "W5");
  play_and_judge<Carveout<Tags::sparse>>(kSmall, "W5-held");
  for (const std::uint32_t taken : {2U, 2 * kHeld, 77U, 78U}) {
    Granules pool(taken, true);
    for (const Step& step : punch(taken)) {
      ASSERT_TRUE(pool[step.slot]) << "given back twice";
      pool[step.slot] = false;
    }
    EXPECT_EQ(lowest(pool, 2, 1), taken - std::min(taken, 2 * kHeld)) << taken;
  }
}

/// Blocks that are found where they were parked cost no search.
bool asks_for_what_was_given_back_last(std::string_view name, const PoolShape& pool) {
  const Trace trace = *workload(name, pool, 3000, 1);
  std::vector<std::uint32_t> sizes(trace.slots, 0);
  std::uint32_t last = 0;
  std::size_t hits = 0;
  for (const std::vector<Step>* steps : {&trace.before, &trace.steps}) {
    for (const Step& step : *steps) {
      const std::uint64_t granules =
          (step.size_bytes + pool.granule_bytes - 1) / pool.granule_bytes;
      if (step.size_bytes == 0) last = sizes[step.slot];
      if (steps == &trace.steps && step.size_bytes != 0 && granules == last) ++hits;
      sizes[step.slot] = static_cast<std::uint32_t>(granules);
    }
  }
  return 4 * hits > trace.pairs;
}

TEST(Workloads, OnlySomeAskForTheLengthThatWasGivenBackLast) {
  for (const PoolShape& pool : {kLarge, kSmall}) {
    for (const std::string_view name : {"W1", "W4-64", "W4-4096", "W4c", "W5"}) {
      EXPECT_TRUE(asks_for_what_was_given_back_last(name, pool)) << pool.name << ' ' << name;
    }
    for (const std::string_view name : {"W1-turns", "W4-turns", "W4c-turns"}) {
      EXPECT_FALSE(asks_for_what_was_given_back_last(name, pool)) << pool.name << ' ' << name;
    }
  }
}

}  // namespace
}  // namespace carveout::bench
