// The core: two-level segregated fit over boundary tags that lie outside the memory. One template,
// one instance for each store.
//
// A free run is in the list of its size class. Lists are circular, with their heads among the tags,
// so that linking and unlinking ask nothing about ends. docs/allocator.md has the picture and the
// bound.
#pragma once

#include <cstdint>
#include <optional>

#include "carveout/pool/range_allocator.hpp"
#include "carveout/pool/size_classes.hpp"
#include "placer.hpp"

namespace carveout::tables {

/// What a cut leaves free on both sides. A length of 0 is no run.
struct Rest {
  Tag tag;         ///< of the new block
  Granules front;  ///< what is left of the run that was cut, under its old tag
  Tag behind;      ///< the tag of what is left behind
  Granules back;
};

/// A free run that is in no list yet.
struct Merged {
  Tag run;
  Granules length;
};

/// `Tags` is a store, made of a State. It answers for the tag of a free run, of any of the lists:
///   next, previous, set_next, set_previous   the neighbours in the list
///   first, length                            of a run, not of a head
/// and besides:
///   has_room      whether cut() can make another block
///   cut           makes granules of an unlinked run a block
///   merge         makes a block a free run together with its free neighbours, which it unlinks
///   settle        of a tag that has no free run any more
///   kSelfLinked   a tag in no list has itself for its neighbours, and may be unlinked
template <class Tags>
class SegregatedFit {
 public:
  static Tag take(State& state, Granules wanted, Context context) {
    const Tags tags{state};
    Tag run = kNone;
    if (!find(state, tags, wanted, run) || !Tags::has_room(state)) [[unlikely]]
      return take_at_last(state, wanted, context);
    return carve(state, tags, run, wanted);
  }

  static Tag take_within(State& state, const Need& need, const Reach& reach) {
    const Placer placer{state, need, reach};
    if (placer.wanted() == 0) return kExhausted;
    const bool exact = need.context == Context::may_wait;
    // What is parked is free, so the first or the best fit is known only when it is merged.
    bool all = exact && need.fit != Fit::any;
    for (;; all = true) {
      if (all) collect(state);
      Granules at = 0;
      const Tag run = all && exact ? search(state, placer, need.fit, kNone, at)
                                   : search(state, placer, Fit::any, kProbes, at);
      if (run != kNone && Tags::has_room(state)) return carve_at(state, run, at, placer.wanted());
      if (all) return run == kNone ? kExhausted : kTableFull;
    }
  }

  static void release(State& state, Tag tag) {
    const Tags tags{state};
    state.count_released(state.runs[tag].granules);
    const Merged free = tags.merge(state, tag);
    link_rest(state, free.run, free.length);
  }

  static Granules longest(const State& state, std::uint32_t most_looks) {
    const unsigned size_class = state.classes.last();
    if (size_class == SizeClass::kCount) return 0;
    const Tags tags{state};
    const Tag head = state.heads + size_class;
    Granules longest = 0;
    for (Tag run = tags.next(head); run != head && most_looks-- != 0; run = tags.next(run)) {
      const Granules length = tags.length(run);
      if (length <= SizeClass::kPerOctave) return length;  // as long as all others of its class
      if (length > longest) longest = length;
    }
    return longest;
  }

  /// The lower address first, as far as one comparison tells: runs are taken from the front.
  CARVEOUT_HOT static void link(State& state, const Tags tags, Tag run, Granules length) {
    const unsigned size_class = SizeClass::of(length).floor;
    Tag before = state.heads + size_class;
    Tag after = tags.next(before);
    if (after == before) [[unlikely]] {
      if constexpr (!kForSize) return link_alone(state, run, size_class);
      state.classes.set(size_class);
    } else if (tags.first(after) < tags.first(run)) {
      before = after;
      after = tags.next(before);
    }
    tags.set_previous(run, before);
    tags.set_next(run, after);
    tags.set_next(before, run);
    tags.set_previous(after, run);
  }

  /// The same, out of line.
  CARVEOUT_RARE static void link_rest(State& state, Tag run, Granules length) {
    link(state, Tags{state}, run, length);
  }

  static void unlink(State& state, const Tags tags, Tag run) {
    const Tag before = tags.previous(run);
    const Tag after = tags.next(run);
    tags.set_next(before, after);
    tags.set_previous(after, before);
    // Only a list's last run has the head on both sides.
    if (before == after && (!Tags::kSelfLinked || after >= state.heads)) {
      unmark(state, after - state.heads);
    }
  }

 private:
  /// How many runs of one class a bounded search looks at.
  static constexpr std::uint32_t kProbes = 4;

  // Rare, and kept out of the way of what is not: the first run of a class, and the last.
  CARVEOUT_RARE static void link_alone(State& state, Tag run, unsigned size_class) {
    const Tags tags{state};
    const Tag head = state.heads + size_class;
    state.classes.set(size_class);
    tags.set_previous(run, head);
    tags.set_next(run, head);
    tags.set_next(head, run);
    tags.set_previous(head, run);
  }
  CARVEOUT_RARE static void unmark(State& state, unsigned size_class) {
    state.classes.clear(size_class);
  }

  /// false: none is that long, but perhaps in the class of that length. `run` may be anything then.
  CARVEOUT_HOT static bool find(const State& state, const Tags tags, Granules wanted, Tag& run) {
    unsigned found = 0;
    if (wanted <= SizeClass::kPerOctave) [[likely]] {
      if (!state.classes.first_from_exact(wanted - 1, found)) return false;
    } else {
      // Good fit: a run of the own class wastes less than one of the next.
      const SizeClass size_class = SizeClass::of(wanted);
      const Tag head = state.heads + size_class.floor;
      run = tags.next(head);
      if (run != head) {
        if (tags.length(run) >= wanted) return true;
        run = tags.next(run);
        if (run != head && tags.length(run) >= wanted) return true;
      }
      if (!state.classes.first_from(size_class.ceil, found)) return false;
    }
    run = tags.next(state.heads + found);
    return true;
  }

  /// What there is besides the bounded search: what is parked, and for who may wait the rest of the
  /// own class.
  CARVEOUT_RARE static Tag take_at_last(State& state, Granules wanted, Context context) {
    collect(state);
    const Tags tags{state};
    Tag run = kNone;
    if (!find(state, tags, wanted, run)) {
      run = context == Context::may_wait ? find_in_own_class(state, wanted) : kNone;
    }
    if (run == kNone) return kExhausted;
    if (!Tags::has_room(state)) return kTableFull;
    return carve_at(state, run, tags.first(run), wanted);
  }

  /// The one class that find() does not look through: its runs may be shorter.
  static Tag find_in_own_class(const State& state, Granules wanted) {
    const Tags tags{state};
    const Tag head = state.heads + SizeClass::of(wanted).floor;
    for (Tag run = tags.next(head); run != head; run = tags.next(run)) {
      if (tags.length(run) >= wanted) return run;
    }
    return kNone;
  }

  /// Of the runs that would do the one that `fit` prefers; kNone: there is
  /// none.
  ///
  /// @param most  how many runs of each class are looked at.
  /// @param at    receives the place in it.
  CARVEOUT_RARE static Tag search(const State& state, const Placer& placer, Fit fit,
                                  std::uint32_t most, Granules& at) {
    Tag best = kNone;
    Granules best_length = 0;
    const Tags tags{state};
    unsigned size_class = SizeClass::of(placer.wanted()).floor;
    while (state.classes.first_from(size_class, size_class)) {
      const Tag head = state.heads + size_class;
      std::uint32_t left = most;
      for (Tag run = tags.next(head); run != head && left != 0; run = tags.next(run), --left) {
        const Granules length = tags.length(run);
        if (best != kNone && fit == Fit::best && length > best_length) continue;
        const Granules found = placer.in(tags.first(run), length);
        if (found == kNone) continue;
        if (best == kNone || found < at || (fit == Fit::best && length < best_length)) {
          best = run;
          best_length = length;
          at = found;
        }
        if (fit == Fit::any) return best;
      }
      // The runs of the next class are longer.
      if (fit == Fit::best && best != kNone) return best;
      ++size_class;
    }
    return best;
  }

  /// From the front of a run.
  CARVEOUT_HOT static Tag carve(State& state, const Tags tags, Tag run, Granules wanted) {
    unlink(state, tags, run);
    const Rest rest = tags.cut(state, run, tags.first(run), wanted);
    state.count_taken(wanted);
    tags.settle(run);
    if (rest.back != 0) {
      link_rest(state, rest.behind, rest.back);
    } else {
      tags.settle(rest.behind);
    }
    return rest.tag;
  }

  /// From anywhere in a run.
  CARVEOUT_RARE static Tag carve_at(State& state, Tag run, Granules first, Granules wanted) {
    const Tags tags{state};
    unlink(state, tags, run);
    const Rest rest = tags.cut(state, run, first, wanted);
    state.count_taken(wanted);
    tags.settle(run);
    tags.settle(rest.behind);
    if (rest.front != 0) link_rest(state, run, rest.front);
    if (rest.back != 0) link_rest(state, rest.behind, rest.back);
    return rest.tag;
  }
};

}  // namespace carveout::tables
