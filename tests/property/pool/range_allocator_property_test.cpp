// Random pools, random reaches, random requests and random mistakes, against the naive pool. All
// decisions come from one stream of numbers, so the same player serves a seeded generator and
// RapidCheck, which shortens the stream of a failure.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/judged_pool.hpp"

namespace carveout::testing {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

/// Where decisions come from.
class Stream {
 public:
  virtual bool empty() const = 0;
  virtual std::uint64_t next() = 0;

  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint64_t chances) { return below(chances) == 0; }

 protected:
  ~Stream() = default;
};

class Seeded final : public Stream {
 public:
  Seeded(std::uint64_t seed, std::size_t length) : engine_{seed}, left_{length} {}
  bool empty() const override { return left_ == 0; }
  std::uint64_t next() override {
    if (left_ > 0) --left_;
    return engine_() >> 16;
  }

 private:
  std::mt19937_64 engine_;
  std::size_t left_;
};

class Listed final : public Stream {
 public:
  explicit Listed(const std::vector<std::uint32_t>& numbers) : numbers_{numbers} {}
  bool empty() const override { return at_ >= numbers_.size(); }
  std::uint64_t next() override { return empty() ? 0 : numbers_[at_++]; }

 private:
  const std::vector<std::uint32_t>& numbers_;
  std::size_t at_ = 0;
};

/// What happened in a run, so that a test can prove that it was not an idle one.
struct Tally {
  std::uint64_t steps = 0;
  std::uint64_t granted = 0;
  std::array<std::uint64_t, 256> refused{};

  std::uint64_t& of(Error error) { return refused[static_cast<std::size_t>(error)]; }
};

struct Layout {
  std::uint64_t granule;
  std::vector<PhysRange> chunks;
  std::size_t blocks;
  enum class Store : std::uint8_t { sparse, dense, bitmap } store;

  [[nodiscard]] JudgedPool pool() const {
    switch (store) {
      case Store::dense:
        return JudgedPool{chunks, granule, TagStore::dense()};
      case Store::bitmap:
        return JudgedPool{chunks, granule, TagStore::bitmap(), kNoLimit, false};
      default:
        return JudgedPool{chunks, granule, blocks};
    }
  }

  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
};

Layout choose_layout(Stream& stream) {
  constexpr std::array<std::uint64_t, 7> kGranules{1, 4, 32, 64, 4096, 65536, 2 << 20};
  Layout layout{.granule = kGranules[stream.below(kGranules.size())],
                .chunks = {},
                .blocks = static_cast<std::size_t>(stream.between(0, 12)),
                .store = static_cast<Layout::Store>(stream.below(3))};
  // From 64 granules on, blocks are parked.
  const std::uint64_t longer = stream.one_in(3) ? stream.between(1, 6) : 1;
  if (longer > 1) layout.blocks *= 4;
  const std::uint64_t count = stream.between(1, 3);
  // From one of: address 0, an odd granule somewhere, or so that the last chunk may end at 2^64.
  std::uint64_t at = 0;
  const std::uint64_t start = stream.below(3);
  if (start == 1) at = layout.granule * stream.between(1, 1000);
  if (start == 2) at = kTop - layout.granule * 256 + 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t granules = stream.between(1, 14) * longer;
    layout.chunks.push_back({PhysAddr{at}, granules * layout.granule});
    at += (granules + stream.below(2)) * layout.granule;  // at most 3 x 87 granules of 256
  }
  if (start == 2 && stream.one_in(2)) {
    // Stretched to the very last byte of memory.
    PhysRange& last = layout.chunks.back();
    last = PhysRange::from_to(last.base, PhysAddr{kTop});
  }
  if (stream.one_in(2)) std::ranges::reverse(layout.chunks);
  return layout;
}

std::vector<Reach> choose_reaches(Stream& stream, const Layout& layout) {
  std::vector<Reach> reaches;
  const std::uint64_t count = stream.one_in(16) ? 0 : stream.between(1, 3);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (stream.one_in(3)) {
      reaches.push_back({PhysAddr{0}, PhysAddr{kTop}, DmaAddr{0}});
      continue;
    }
    const PhysRange& chunk = layout.chunks[stream.below(layout.chunks.size())];
    std::uint64_t first = chunk.base.raw() + stream.below(chunk.size_bytes);
    if (stream.one_in(2)) first = align_down(first, layout.granule);
    if (stream.one_in(3)) first = chunk.base.raw();
    const std::uint64_t length = stream.below(layout.granule * 40);
    const std::uint64_t last =
        stream.one_in(20) ? first - 1 : first + std::min(length, kTop - first);
    std::uint64_t dma = 0;
    switch (stream.below(5)) {
      case 0:
        dma = first;
        break;
      case 1:
        dma = layout.granule * stream.below(64);
        break;
      case 2:
        dma = stream.below(layout.granule * 64 + 1);
        break;
      case 3:
        dma = kTop - stream.below(layout.granule * 16);
        break;
      default:
        break;
    }
    reaches.push_back({PhysAddr{first}, PhysAddr{last}, DmaAddr{dma}});
  }
  return reaches;
}

std::uint64_t choose_power(Stream& stream, std::uint64_t around) {
  if (stream.one_in(40)) return std::uint64_t{1} << stream.below(64);
  if (stream.one_in(60)) return stream.below(100);
  const auto middle = static_cast<std::uint64_t>(std::countr_zero(around));
  const std::uint64_t shift = middle + stream.below(9);
  return shift < 4 ? 1 : std::uint64_t{1} << std::min<std::uint64_t>(shift - 4, 63);
}

Need choose_need(Stream& stream, const Layout& layout) {
  Need need{.size_bytes = stream.between(1, layout.granule * (stream.one_in(4) ? 16 : 4))};
  if (stream.one_in(3)) need.size_bytes = align_up(need.size_bytes, layout.granule).value_or(1);
  if (stream.one_in(60)) need.size_bytes = 0;
  if (stream.one_in(60)) need.size_bytes = kTop - stream.below(3);
  if (stream.one_in(2)) need.align_bytes = choose_power(stream, layout.granule);
  if (stream.one_in(2)) need.boundary_bytes = choose_power(stream, layout.granule * 4);
  need.holder = static_cast<Holder>(stream.below(5));
  constexpr std::array kFits{Fit::any, Fit::first, Fit::best};
  need.fit = kFits[stream.below(kFits.size())];
  if (stream.one_in(3)) need.context = Context::must_not_wait;
  return need;
}

/// One block that was ever given, live ones more often.
const std::pair<const NaivePool::Name, NaivePool::Given>* choose_given(Stream& stream,
                                                                       const NaivePool& naive) {
  const auto& given = naive.given();
  if (given.empty()) return nullptr;
  const bool prefer_live = !stream.one_in(4);
  const std::size_t start = stream.below(given.size());
  auto at = std::next(given.begin(), static_cast<std::ptrdiff_t>(start));
  for (std::size_t i = 0; prefer_live && !at->second.live && i < given.size(); ++i) {
    if (++at == given.end()) at = given.begin();
  }
  return &*at;
}

std::string give_back(Stream& stream, JudgedPool& pool, const Layout& layout) {
  const auto* chosen = choose_given(stream, pool.naive());
  if (chosen == nullptr) {
    return pool.give_back({PhysAddr{stream.next()}, stream.next()},
                          static_cast<std::uint32_t>(stream.below(40)),
                          static_cast<std::uint32_t>(stream.below(9)));
  }
  PhysRange range = chosen->second.range;
  auto [tag, serial] = chosen->first;
  if (stream.one_in(4)) {
    switch (stream.below(6)) {
      case 0:
        range.base = PhysAddr{range.base.raw() + layout.granule};
        break;
      case 1:
        range.size_bytes += layout.granule;
        break;
      case 2:
        range.size_bytes -= 1;
        break;
      case 3:
        serial += static_cast<std::uint32_t>(stream.between(1, 3));
        break;
      case 4:
        tag += static_cast<std::uint32_t>(stream.between(1, 40));
        break;
      default:
        range = {PhysAddr{stream.next()}, stream.next()};
        break;
    }
  }
  return pool.give_back(range, tag, serial);
}

std::string give_back_at(Stream& stream, JudgedPool& pool, const Layout& layout) {
  const auto* chosen = choose_given(stream, pool.naive());
  if (chosen == nullptr) return pool.give_back_at(layout.chunks[0].base, layout.granule);
  std::uint64_t first = chosen->second.range.base.raw();
  std::uint64_t size_bytes = chosen->second.range.size_bytes;
  if (stream.one_in(4)) first += stream.below(layout.granule * 3);
  if (stream.one_in(4)) size_bytes -= stream.below(layout.granule);
  if (stream.one_in(8)) size_bytes += stream.below(layout.granule * 2);
  if (stream.one_in(20)) first = stream.next();
  return pool.give_back_at(PhysAddr{first}, size_bytes);
}

/// Plays one pool until the stream is empty. Answers what is wrong; empty where nothing is.
std::string play(Stream& stream, Tally& tally) {
  const Layout layout = choose_layout(stream);
  JudgedPool pool = layout.pool();
  std::vector<Reach> reaches = choose_reaches(stream, layout);
  while (!stream.empty()) {
    ++tally.steps;
    if (stream.one_in(8)) reaches = choose_reaches(stream, layout);
    std::string fault;
    const std::uint64_t verb = stream.below(10);
    if (verb < 6) {
      const Need need = choose_need(stream, layout);
      const auto expected = pool.naive().find(need, reaches);
      ++(expected ? tally.granted : tally.of(expected.error()));
      fault = pool.take(need, reaches);
    } else if (verb < 9) {
      fault = give_back(stream, pool, layout);
    } else {
      fault = give_back_at(stream, pool, layout);
    }
    if (!fault.empty()) return "step " + std::to_string(tally.steps) + ": " + fault;
  }
  return {};
}

TEST(RangeAllocatorProperty, DoesWhatTheNaivePoolDoesInALongSeededRun) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    Seeded stream{seed, 2500};
    ASSERT_EQ(play(stream, tally), "") << "seed " << seed;
  }
  // The run is only worth something if it went everywhere.
  EXPECT_GT(tally.granted, 20'000U);
  for (const Error error :
       {Error::zero_size, Error::bad_alignment, Error::bad_boundary, Error::crosses_boundary,
        Error::unreachable, Error::table_full, Error::exhausted}) {
    EXPECT_GT(tally.of(error), 300U) << name_of(error);
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
