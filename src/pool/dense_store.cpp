// A tag for each granule. The tag of a run's first granule, and the tag of its last, say how long
// the run is and whether it is free, so the neighbours of a block are found by counting. Chunks are
// kept apart by a tag between them that is never free.
//
// The tag of a free run's first granule is also a link of its list: `first` is the next one and
// `holder` the previous one.
#include <cstddef>
#include <new>
#include <span>

#include "carveout/pool/range_allocator.hpp"
#include "segregated_fit.hpp"

namespace carveout::tables {

namespace {

class DenseTags {
 public:
  using Fit = SegregatedFit<DenseTags>;

  static Tag next(const State& state, Tag tag) { return state.runs[tag].first; }
  static Tag previous(const State& state, Tag tag) { return state.runs[tag].holder; }
  static void set_next(State& state, Tag tag, Tag to) { put(state.runs[tag].first, to); }
  static void set_previous(State& state, Tag tag, Tag to) { put(state.runs[tag].holder, to); }

  static Granules first(const State& /*state*/, Tag tag) { return tag; }
  static Granules length(const State& state, Tag tag) { return state.runs[tag].granules & ~kFree; }

  static bool has_room(const State& /*state*/) { return true; }

  static Rest cut(State& state, Tag run, Granules at, Granules wanted) {
    const Granules front = at - run;
    const Granules behind = at + wanted;
    const Granules back = length(state, run) - front - wanted;
    if (front != 0) mark_free(state, run, front);
    if (back != 0) mark_free(state, behind, back);
    // In this order: they may be the same tag.
    put(state.runs[behind - 1].granules, 0U);
    put(state.runs[at].first, at);
    put(state.runs[at].granules, wanted);
    return {at, front, behind, back};
  }

  static Tag merge(State& state, Tag tag) {
    Granules first = tag;
    Granules end = tag + state.runs[tag].granules;
    if (const Granules before = state.runs[first - 1].granules; (before & kFree) != 0) {
      first -= before & ~kFree;
      Fit::unlink(state, first);
    }
    if (const Granules behind = state.runs[end].granules; (behind & kFree) != 0) {
      Fit::unlink(state, end);
      end += behind & ~kFree;
    }
    mark_free(state, first, end - first);
    return first;
  }

  static void settle(State& /*state*/, Tag /*tag*/) {}

  static void prepare(State& state, std::span<std::byte> storage) {
    const auto tags = static_cast<Tag>(state.total + state.area_count + 1);
    state.runs = static_cast<Run*>(static_cast<void*>(storage.data()));
    state.tags = tags;
    state.heads = tags;
    state.nobody = 0;  // the gap before the first chunk
    for (Tag tag = 0; tag < storage.size() / sizeof(Run); ++tag) {
      // A head begins as an empty list; other tags have a first granule only while they live.
      ::new (static_cast<void*>(state.runs + tag)) Run{.first = tag, .holder = tag};
    }
    for (std::uint32_t i = 0; i < state.area_count; ++i) {
      Area& area = state.areas[i];
      area.first += i + 1;
      mark_free(state, area.first, area.granules);
      Fit::link(state, area.first, area.granules);
    }
  }

  static bool advance(const State& state, Step& step) {
    Tag tag = step.first + step.granules;
    while (tag < state.tags && state.runs[tag].granules == 0) ++tag;  // between two chunks
    if (tag >= state.tags) return false;
    step = at_first(state, tag);
    return true;
  }

  static Step find(const State& state, Granules at) {
    if (state.runs[at].live()) return at_first(state, at);
    Step step;
    while (advance(state, step) && at - step.first >= step.granules) {
    }
    return step;
  }

 private:
  static constexpr Granules kFree = Granules{1} << 31;

  static void mark_free(State& state, Granules first, Granules granules) {
    put(state.runs[first].granules, granules | kFree);
    put(state.runs[first + granules - 1].granules, granules | kFree);
  }

  static Step at_first(const State& state, Tag tag) {
    const Granules granules = state.runs[tag].granules;
    return {tag, granules & ~kFree, tag, (granules & kFree) != 0};
  }
};

}  // namespace

const Calls kDense{.prepare = DenseTags::prepare,
                   .take = DenseTags::Fit::take,
                   .take_within = DenseTags::Fit::take_within,
                   .release = DenseTags::Fit::release,
                   .next = DenseTags::advance,
                   .find = DenseTags::find,
                   .longest = DenseTags::Fit::longest};

}  // namespace carveout::tables
