// Random pools, random reaches, random requests and random mistakes, against the naive pool. All
// decisions come from one stream of numbers, so the same player serves a seeded generator,
// RapidCheck, which shortens the stream of a failure, and a fuzzer.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/judged_pool.hpp"

namespace carveout::testing {

inline constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

/// Where decisions come from.
class Stream {
 public:
  [[nodiscard]] virtual bool empty() const = 0;
  virtual std::uint64_t next() = 0;

  virtual std::uint64_t below(std::uint64_t limit) { return next() % limit; }
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
  [[nodiscard]] bool empty() const override { return left_ == 0; }
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
  [[nodiscard]] bool empty() const override { return at_ >= numbers_.size(); }
  std::uint64_t next() override { return empty() ? 0 : numbers_[at_++]; }

 private:
  const std::vector<std::uint32_t>& numbers_;
  std::size_t at_ = 0;
};

/// A fuzzer's: no more bytes for a decision than it needs.
class Bytes final : public Stream {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
  [[nodiscard]] bool empty() const override { return bytes_.empty(); }
  std::uint64_t next() override { return number_of(sizeof(std::uint64_t)); }
  std::uint64_t below(std::uint64_t limit) override {
    if (limit <= 1) return 0;
    return number_of(static_cast<std::size_t>(std::bit_width(limit - 1) + 7) / 8) % limit;
  }

 private:
  std::uint64_t number_of(std::size_t bytes) {
    std::uint64_t number = 0;
    for (; bytes > 0 && !bytes_.empty(); --bytes) {
      number = number << 8 | bytes_.front();
      bytes_ = bytes_.subspan(1);
    }
    return number;
  }

  std::span<const std::uint8_t> bytes_;
};

/// What happened in a run, so that a test can prove that it was not an idle one.
struct Tally {
  std::uint64_t pools = 0;
  std::uint64_t steps = 0;
  std::uint64_t granted = 0;
  std::uint64_t parked = 0;  ///< steps after which a block was parked
  std::array<std::uint64_t, 256> refused{};

  std::uint64_t& of(Error error) { return refused[static_cast<std::size_t>(error)]; }
};

/// Memory that nobody can read or write, so that whoever touches what it manages ends there. A
/// device that overwrites it all the time could do no more.
inline std::uint64_t untouchable() {
  constexpr std::size_t kBytes = 4 << 20;
  static void* const at =
      mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return std::bit_cast<std::uintptr_t>(at);
}

struct Layout {
  std::uint64_t granule;
  std::vector<PhysRange> chunks;
  std::size_t blocks;
  enum class Store : std::uint8_t { sparse, dense, bitmap } store;
  std::uint32_t processors;
  std::optional<std::uint32_t> park_up_to;  ///< nothing: what the allocator does by itself
  bool plain;  ///< hardly anything is asked for but bytes, and of all chunks
  /// Not 0: most blocks have this length or one granule more, so that runs of one class have
  /// several lengths.
  std::uint64_t length;

  [[nodiscard]] JudgedPool pool() const {
    switch (store) {
      case Store::dense:
        return JudgedPool{chunks, granule, TagStore::dense().for_processors(processors)};
      case Store::bitmap:
        return JudgedPool{chunks, granule, TagStore::bitmap(), kNoLimit, false};
      default:
        return JudgedPool{chunks, granule, TagStore::sparse(blocks).for_processors(processors),
                          blocks};
    }
  }

  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
};

inline Layout choose_layout(Stream& stream) {
  constexpr std::array<std::uint64_t, 7> kGranules{1, 4, 32, 64, 4096, 65536, 2 << 20};
  Layout layout{.granule = kGranules[stream.below(kGranules.size())],
                .chunks = {},
                .blocks = static_cast<std::size_t>(stream.between(0, 12)),
                .store = static_cast<Layout::Store>(stream.below(3)),
                .processors = 1,
                .park_up_to = {},
                .plain = stream.one_in(2),
                .length = 0};
  if (stream.one_in(3)) layout.processors = static_cast<std::uint32_t>(stream.between(2, 4));
  // From 64 granules on, blocks are parked.
  const std::uint64_t longer = stream.one_in(3) ? stream.between(1, 6) : 1;
  if (longer > 1) layout.blocks *= 4;
  if (longer > 2 && stream.one_in(2)) layout.length = stream.between(17, 50);
  if (stream.one_in(2)) layout.park_up_to = static_cast<std::uint32_t>(stream.below(9));
  const std::uint64_t count = stream.between(1, 3);
  // From one of: address 0, an odd granule somewhere, so that the last chunk may end at 2^64, or
  // where memory is that nobody may touch.
  std::uint64_t at = 0;
  const std::uint64_t start = stream.below(4);
  if (start == 1) at = layout.granule * stream.between(1, 1000);
  if (start == 2) at = kTop - layout.granule * 256 + 1;
  if (start == 3 && layout.granule <= 4096) at = untouchable();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t granules = stream.between(1, 14) * longer;
    layout.chunks.push_back({PhysAddr{at}, granules * layout.granule});
    at += (granules + stream.below(2)) * layout.granule;  // at most 3 x 85 granules of 256
  }
  if (start == 2 && stream.one_in(2)) {
    // Stretched to the very last byte of memory.
    PhysRange& last = layout.chunks.back();
    last = PhysRange::from_to(last.base, PhysAddr{kTop});
  }
  if (stream.one_in(2)) std::ranges::reverse(layout.chunks);
  return layout;
}

inline std::vector<Reach> choose_reaches(Stream& stream, const Layout& layout) {
  std::vector<Reach> reaches;
  if (layout.plain && !stream.one_in(8)) {
    reaches.push_back({PhysAddr{0}, PhysAddr{kTop}, DmaAddr{0}});
    return reaches;
  }
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

inline std::uint64_t choose_power(Stream& stream, std::uint64_t around) {
  if (stream.one_in(40)) return std::uint64_t{1} << stream.below(64);
  if (stream.one_in(60)) return stream.below(100);
  const auto middle = static_cast<std::uint64_t>(std::countr_zero(around));
  const std::uint64_t shift = middle + stream.below(9);
  return shift < 4 ? 1 : std::uint64_t{1} << std::min<std::uint64_t>(shift - 4, 63);
}

inline Need choose_need(Stream& stream, const Layout& layout) {
  Need need{.size_bytes = stream.between(1, layout.granule * (stream.one_in(4) ? 16 : 4))};
  switch (stream.below(64)) {
    case 0:
      need.size_bytes = 0;
      break;
    case 1:
      need.size_bytes = kTop - stream.below(3);
      break;
    case 2:
    case 3:
    case 4:
    case 5:
      // Of a class that has several lengths.
      need.size_bytes = layout.granule * stream.between(17, 80);
      break;
    default:
      break;
  }
  if (layout.length != 0 && !stream.one_in(4)) {
    const std::uint64_t kind = stream.below(4);
    need.size_bytes = layout.granule * (kind == 0 ? 1 : layout.length + kind % 2);
  }
  if (stream.one_in(3)) need.size_bytes = align_up(need.size_bytes, layout.granule).value_or(1);
  need.holder = static_cast<Holder>(stream.below(5));
  if (stream.one_in(3)) need.context = Context::must_not_wait;
  if (layout.plain && !stream.one_in(8)) return need;
  if (stream.one_in(2)) need.align_bytes = choose_power(stream, layout.granule);
  if (stream.one_in(2)) need.boundary_bytes = choose_power(stream, layout.granule * 4);
  constexpr std::array kFits{Fit::any, Fit::any, Fit::first, Fit::best};
  need.fit = kFits[stream.below(kFits.size())];
  return need;
}

/// One block that was ever given, live ones more often.
inline const std::pair<const NaivePool::Name, NaivePool::Given>* choose_given(
    Stream& stream, const NaivePool& naive) {
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

inline std::string give_back(Stream& stream, JudgedPool& pool, const Layout& layout) {
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

inline std::string give_back_at(Stream& stream, JudgedPool& pool, const Layout& layout) {
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

/// A block goes and comes, which is what parking is for; then who had it gives it back once more.
inline std::string reuse(Stream& stream, JudgedPool& pool, std::span<const Reach> reaches) {
  const auto* chosen = choose_given(stream, pool.naive());
  if (chosen == nullptr || reaches.empty()) return {};
  const auto [name, given] = *chosen;
  std::string fault = pool.give_back(given.range, name.first, name.second);
  if (!fault.empty()) return fault;
  const Reach& reach = reaches.front();
  fault = pool.take({.size_bytes = given.range.size_bytes, .holder = given.holder}, {&reach, 1});
  if (!fault.empty()) return fault;
  if (!pool.naive().keeps_serials()) return {};  // it takes the new one for the old one
  return pool.give_back(given.range, name.first, name.second);
}

/// One call, and what is wrong with it.
inline std::string play_step(Stream& stream, JudgedPool& pool, const Layout& layout,
                             std::span<const Reach> reaches, Tally& tally) {
  const bool slots = pool.allocator().has_slots();
  if (slots) {
    pool.runs_on(static_cast<std::uint32_t>(stream.below(std::uint64_t{layout.processors} + 1)),
                 !stream.one_in(8));
  }
  const std::uint64_t verb = stream.below(18);
  if (verb == 0) return pool.judge();
  if (verb < 3) {
    return slots ? give_back(stream, pool, layout) : give_back_at(stream, pool, layout);
  }
  if (verb < 8) return give_back(stream, pool, layout);
  if (verb == 8) return reuse(stream, pool, reaches);
  const Need need = choose_need(stream, layout);
  std::string fault = pool.take(need, reaches);
  const std::optional<Error> expected = pool.expected();
  ++(expected ? tally.of(*expected) : tally.granted);
  return fault;
}

/// Plays one pool until the stream is empty. Answers what is wrong; empty where nothing is.
inline std::string play(Stream& stream, Tally& tally, Walk walk = Walk::each_step) {
  const Layout layout = choose_layout(stream);
  JudgedPool pool = layout.pool();
  pool.walk(walk);
  if (layout.park_up_to) pool.park_up_to(*layout.park_up_to);
  ++tally.pools;
  std::vector<Reach> reaches = choose_reaches(stream, layout);
  for (std::uint64_t step = 1; !stream.empty(); ++step) {
    if (stream.one_in(8)) reaches = choose_reaches(stream, layout);
    std::string fault = play_step(stream, pool, layout, reaches, tally);
    if (!fault.empty()) return "step " + std::to_string(step) + ": " + fault;
    ++tally.steps;
    if (RangeAllocatorAudit::any_parked(pool.allocator())) ++tally.parked;
  }
  return pool.judge();
}

}  // namespace carveout::testing
