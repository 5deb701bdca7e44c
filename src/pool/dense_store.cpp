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

/// What the core asks of a store. The tables' place is read once, and not after each write again.
class DenseTags {
 public:
  using Fit = SegregatedFit<DenseTags>;
  /// A tag that is in no list leads anywhere: it is not unlinked.
  static constexpr bool kSelfLinked = false;

  explicit DenseTags(const State& state) : runs_{state.runs} {}

  Tag next(Tag tag) const { return runs_[tag].first; }
  Tag previous(Tag tag) const { return runs_[tag].holder; }
  void set_next(Tag tag, Tag to) const { put(runs_[tag].first, to); }
  void set_previous(Tag tag, Tag to) const { put(runs_[tag].holder, to); }

  static Granules first(Tag tag) { return tag; }
  Granules length(Tag tag) const { return runs_[tag].granules & ~kFree; }

  static bool has_room(const State& /*state*/) { return true; }

  Rest cut(State& /*state*/, Tag run, Granules at, Granules wanted) const {
    const Granules front = at - run;
    const Granules behind = at + wanted;
    const Granules back = length(run) - front - wanted;
    if (front != 0) mark_free(run, front);
    if (back != 0) mark_free(behind, back);
    // In this order: they may be the same tag.
    put(runs_[behind - 1].granules, 0);
    put(runs_[at].first, at);
    put(runs_[at].granules, wanted);
    return {at, front, behind, back};
  }

  /// Most blocks have no free neighbour.
  static void release(State& state, Tag tag) {
    if constexpr (kForSize) return Fit::release(state, tag);
    const DenseTags tags{state};
    const Granules granules = tags.runs_[tag].granules;
    const Granules around = tags.runs_[tag - 1].granules | tags.runs_[tag + granules].granules;
    if ((around & kFree) != 0) return Fit::release(state, tag);
    state.count_released(granules);
    tags.mark_free(tag, granules);
    Fit::link(state, tags, tag, granules);
  }

  Merged merge(State& state, Tag tag) const {
    Granules first = tag;
    Granules end = tag + runs_[tag].granules;
    if (const Granules before = runs_[first - 1].granules; (before & kFree) != 0) {
      first -= before & ~kFree;
      Fit::unlink(state, *this, first);
    }
    if (const Granules behind = runs_[end].granules; (behind & kFree) != 0) {
      Fit::unlink(state, *this, end);
      end += behind & ~kFree;
    }
    mark_free(first, end - first);
    return {first, end - first};
  }

  void settle(Tag /*tag*/) const {}

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
      DenseTags{state}.mark_free(area.first, area.granules);
      Fit::link_rest(state, area.first, area.granules);
    }
  }

  static bool advance(const State& state, Step& step) {
    Tag tag = step.first + step.granules;
    while (tag < state.tags && state.runs[tag].granules == 0) ++tag;  // between two chunks
    if (tag >= state.tags) return false;
    step = at_first(state, tag);
    return true;
  }

 private:
  static constexpr Granules kFree = Granules{1} << 31;

  void mark_free(Granules first, Granules granules) const {
    put(runs_[first].granules, granules | kFree);
    put(runs_[first + granules - 1].granules, granules | kFree);
  }

  static Step at_first(const State& state, Tag tag) {
    const Granules granules = state.runs[tag].granules;
    return {tag, granules & ~kFree, tag, (granules & kFree) != 0};
  }

  Run* runs_;
};

}  // namespace

const Calls kDense{.prepare = DenseTags::prepare,
                   .take = kForSize ? ask_within : DenseTags::Fit::take,
                   .take_within = DenseTags::Fit::take_within,
                   .release = DenseTags::release,
                   .next = DenseTags::advance,
                   .longest = DenseTags::Fit::longest,
                   .give_back = nullptr};

}  // namespace carveout::tables
