// Two bits for each granule: whether it is taken, and whether it is the last of a block. Everything
// here is a walk.
#include <cstddef>
#include <expected>
#include <new>
#include <optional>
#include <span>

#include "carveout/pool/range_allocator.hpp"
#include "placer.hpp"

namespace carveout::tables {

namespace {

class Bitmap {
 public:
  static void prepare(State& state, std::span<std::byte> storage) {
    state.words = static_cast<std::uint32_t*>(static_cast<void*>(storage.data()));
    for (std::size_t i = 0; i < storage.size() / sizeof(std::uint32_t); ++i) {
      ::new (static_cast<void*>(state.words + i)) std::uint32_t{0};
    }
  }

  static Tag take_within(State& state, const Need& need, const Reach& reach) {
    const Placer placer{state, need, reach};
    if (placer.wanted() == 0) return kExhausted;
    Granules best = kNone;
    Granules best_length = 0;
    Step step;
    while (next(state, step)) {
      if (!step.free || (best != kNone && step.granules >= best_length)) continue;
      const Granules at = placer.in(step.first, step.granules);
      if (at == kNone) continue;
      best = at;
      best_length = step.granules;
      if (need.fit != Fit::best) break;
    }
    if (best == kNone) return kExhausted;

    const Granules wanted = placer.wanted();
    for (Granules i = 0; i < wanted; ++i) put(state, best + i, kTaken);
    put(state, best + wanted - 1, kTaken | kLast);
    state.count_taken(wanted);
    return best;
  }

  static std::expected<void, Error> give_back(State& state, PhysAddr first,
                                              std::uint64_t size_bytes) {
    const auto block = block_at(state, first, size_bytes);
    if (!block) return std::unexpected{block.error()};
    state.note_peak(state.used);
    release(state, block->tag);
    return {};
  }

  static void release(State& state, Tag tag) {
    Granules granules = 0;
    for (bool last = false; !last; ++granules) {
      last = (at_granule(state, tag + granules) & kLast) != 0;
      put(state, tag + granules, 0);
    }
    state.count_released(granules);
  }

  static bool next(const State& state, Step& step) {
    const Granules first = step.first + step.granules;
    if (first >= state.total) return false;
    const Area& area = state.area_of(first);
    const bool free = at_granule(state, first) == 0;
    Granules last = first;
    while (!is_last(state, area, last, free)) ++last;
    step = {first, last - first + 1, first, free};
    return true;
  }

  static Granules longest(const State& state, std::uint32_t /*most_looks*/) {
    Granules longest = 0;
    Step step;
    while (next(state, step)) {
      if (step.free && step.granules > longest) longest = step.granules;
    }
    return longest;
  }

 private:
  static constexpr unsigned kTaken = 1;
  static constexpr unsigned kLast = 2;
  static constexpr unsigned kPerWord = 16;

  static unsigned at_granule(const State& state, Granules at) {
    return (state.words[at / kPerWord] >> (at % kPerWord * 2)) & (kTaken | kLast);
  }

  static void put(State& state, Granules at, unsigned bits) {
    std::uint32_t& word = state.words[at / kPerWord];
    const unsigned shift = at % kPerWord * 2;
    word = (word & ~(std::uint32_t{kTaken | kLast} << shift)) | (std::uint32_t{bits} << shift);
  }

  static bool is_last(const State& state, const Area& area, Granules at, bool free) {
    if (at - area.first == area.granules - 1) return true;
    return free ? at_granule(state, at + 1) != 0 : (at_granule(state, at) & kLast) != 0;
  }
};

}  // namespace

const Calls kBitmap{.prepare = Bitmap::prepare,
                    .take = ask_within,
                    .take_within = Bitmap::take_within,
                    .release = Bitmap::release,
                    .next = Bitmap::next,
                    .longest = Bitmap::longest,
                    .give_back = Bitmap::give_back};

}  // namespace carveout::tables
