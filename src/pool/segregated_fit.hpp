// The core: two-level segregated fit over boundary tags that lie outside the memory. One template,
// one instance for each store.
//
// A free run is in the list of its size class. Lists are circular, with their heads among the tags,
// so that linking and unlinking ask nothing about ends. docs/allocator.md has the picture and the
// bound.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "carveout/core/error.hpp"
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

/// `Tags` is a store. It answers for the tag of a free run, of any of the lists:
///   next, previous, set_next, set_previous   the neighbours in the list
///   first, length                            of a run, not of a head
/// and besides:
///   has_room   whether cut() can make another block
///   cut        makes granules of an unlinked run a block
///   merge      makes a block a free run together with its free neighbours, which it unlinks;
///              answers the tag of it, in no list yet
///   settle     of a tag that has no free run any more
template <class Tags>
class SegregatedFit {
 public:
  static std::expected<Grant, Error> take(State& state, std::uint64_t size_bytes, Holder holder,
                                          Context context, const Reach& reach) {
    const std::uint64_t granules = granules_for(state, size_bytes);
    if (granules - 1 >= state.total) [[unlikely]]
      return std::unexpected{why_none(state, granules)};
    const auto wanted = static_cast<Granules>(granules);
    const Tag run = find(state, wanted);
    if (run == kNone || !Tags::has_room(state)) [[unlikely]] {
      return take_at_last(state, wanted, holder, context, reach);
    }
    return carve<true>(state, run, Tags::first(state, run), wanted, holder, reach);
  }

  static std::expected<Grant, Error> take_within(State& state, const Need& need,
                                                 const Reach& reach) {
    const std::optional<Placer> placer = Placer::of(state, need, reach);
    if (!placer) return std::unexpected{Error::exhausted};
    const bool exact = need.context == Context::may_wait;
    std::optional<Place> place;
    if (need.fit == Fit::any || !exact) place = probe(state, *placer);
    if (!place || !Tags::has_room(state)) {
      flush(state);
      place = exact ? search(state, *placer, need.fit) : probe(state, *placer);
      if (!place) return std::unexpected{Error::exhausted};
      if (!Tags::has_room(state)) return std::unexpected{Error::table_full};
    }
    return carve<false>(state, place->run, place->first, placer->wanted(), need.holder, reach);
  }

  static void release(State& state, Tag tag) {
    Run& block = state.runs[tag];
    put(block.serial, next(Life::none, peek(block.serial)));
    state.count_released(block.granules);
    const Tag run = Tags::merge(state, tag);
    link(state, run, Tags::length(state, run));
  }

  static Granules longest(const State& state) {
    const unsigned size_class = state.classes.last();
    if (size_class == SizeClass::kCount) return 0;
    const Tag head = state.heads + size_class;
    Granules longest = 0;
    for (Tag run = Tags::next(state, head); run != head; run = Tags::next(state, run)) {
      const Granules length = Tags::length(state, run);
      if (length <= SizeClass::kPerOctave) return length;  // as long as all others of its class
      if (length > longest) longest = length;
    }
    return longest;
  }

  /// The lower address first, as far as one comparison tells: runs are taken from the front.
  static void link(State& state, Tag run, Granules length) {
    const unsigned size_class = SizeClass::of(length).floor;
    Tag before = state.heads + size_class;
    Tag after = Tags::next(state, before);
    if (after == before) {
      state.classes.set(size_class);
    } else if (Tags::first(state, after) < Tags::first(state, run)) {
      before = after;
      after = Tags::next(state, before);
    }
    Tags::set_previous(state, run, before);
    Tags::set_next(state, run, after);
    Tags::set_next(state, before, run);
    Tags::set_previous(state, after, run);
  }

  static void unlink(State& state, Tag run) {
    const Tag before = Tags::previous(state, run);
    const Tag after = Tags::next(state, run);
    Tags::set_next(state, before, after);
    Tags::set_previous(state, after, before);
    // Only a list's head has itself on both sides.
    if (before == after && after >= state.heads) state.classes.clear(after - state.heads);
  }

 private:
  struct Place {
    Tag run;
    Granules first;
  };

  /// How many runs of one class a bounded search looks at.
  static constexpr unsigned kProbes = 4;

  static Tag find(const State& state, Granules wanted) {
    unsigned from = wanted - 1;
    if (wanted > SizeClass::kPerOctave) {
      // Good fit: a run of the own class wastes less than one of the next.
      const SizeClass size_class = SizeClass::of(wanted);
      from = size_class.ceil;
      const Tag head = state.heads + size_class.floor;
      const Tag one = Tags::next(state, head);
      if (one != head) {
        if (Tags::length(state, one) >= wanted) return one;
        const Tag two = Tags::next(state, one);
        if (two != head && Tags::length(state, two) >= wanted) return two;
      }
    }
    const unsigned found = state.classes.first_from(from);
    return found == SizeClass::kCount ? kNone : Tags::next(state, state.heads + found);
  }

  /// What there is besides the bounded search: the parked block, and for who may wait the rest of
  /// the own class.
  [[gnu::noinline]] static std::expected<Grant, Error> take_at_last(State& state, Granules wanted,
                                                                    Holder holder, Context context,
                                                                    const Reach& reach) {
    flush(state);
    Tag run = find(state, wanted);
    if (run == kNone && context == Context::may_wait) run = find_in_own_class(state, wanted);
    if (run == kNone) return std::unexpected{Error::exhausted};
    if (!Tags::has_room(state)) return std::unexpected{Error::table_full};
    return carve<false>(state, run, Tags::first(state, run), wanted, holder, reach);
  }

  /// The one class that find() does not look through: its runs may be shorter.
  static Tag find_in_own_class(const State& state, Granules wanted) {
    const Tag head = state.heads + SizeClass::of(wanted).floor;
    for (Tag run = Tags::next(state, head); run != head; run = Tags::next(state, run)) {
      if (Tags::length(state, run) >= wanted) return run;
    }
    return kNone;
  }

  static std::optional<Place> probe(const State& state, const Placer& placer) {
    unsigned size_class = SizeClass::of(placer.wanted()).floor;
    while ((size_class = state.classes.first_from(size_class)) != SizeClass::kCount) {
      const Tag head = state.heads + size_class;
      Tag run = Tags::next(state, head);
      for (unsigned i = 0; i < kProbes && run != head; ++i) {
        const Granules first = Tags::first(state, run);
        if (const auto at = placer.in(first, Tags::length(state, run))) return Place{run, *at};
        run = Tags::next(state, run);
      }
      ++size_class;
    }
    return std::nullopt;
  }

  /// All runs that are long enough, and of those that would do the one that `fit` prefers.
  static std::optional<Place> search(const State& state, const Placer& placer, Fit fit) {
    std::optional<Place> best;
    Granules best_length = 0;
    unsigned size_class = SizeClass::of(placer.wanted()).floor;
    while ((size_class = state.classes.first_from(size_class)) != SizeClass::kCount) {
      const Tag head = state.heads + size_class;
      for (Tag run = Tags::next(state, head); run != head; run = Tags::next(state, run)) {
        const Granules first = Tags::first(state, run);
        const Granules length = Tags::length(state, run);
        const bool lower = !best || first < best->first;
        const bool better = fit == Fit::best
                                ? !best || length < best_length || (length == best_length && lower)
                                : lower;
        if (!better) continue;
        const auto at = placer.in(first, length);
        if (!at) continue;
        best = Place{run, *at};
        best_length = length;
        if (fit == Fit::any) return best;
      }
      // The runs of the next class are longer.
      if (fit == Fit::best && best) return best;
      ++size_class;
    }
    return best;
  }

  /// @tparam kAtFront  first is the run's first.
  template <bool kAtFront>
  static Grant carve(State& state, Tag run, Granules first, Granules wanted, Holder holder,
                     const Reach& reach) {
    unlink(state, run);
    const Rest rest = Tags::cut(state, run, first, wanted);
    if (!kAtFront && rest.front != 0) {
      link(state, run, rest.front);
    } else {
      Tags::settle(state, run);
    }
    if (rest.back != 0) {
      link(state, rest.behind, rest.back);
    } else {
      Tags::settle(state, rest.behind);
    }
    Run& block = state.runs[rest.tag];
    put(block.holder, holder);
    const std::uint32_t serial = peek(block.serial) + 1;  // it was of no block
    put(block.serial, serial);
    return grant_of(state, rest.tag, first, wanted, serial, reach);
  }

  /// No pool is that long, or nothing was asked for.
  static Error why_none(const State& state, std::uint64_t granules) {
    if (granules == 0) return Error::zero_size;
    return state.area_count == 0 ? Error::unreachable : Error::exhausted;
  }

  static void flush(State& state) {
    if (state.slots != nullptr) state.slot_calls->collect(state);
    if (state.parked.none()) return;
    const Tag tag = state.parked.tag;
    state.parked.tag = kNone;
    release(state, tag);
  }
};

}  // namespace carveout::tables
