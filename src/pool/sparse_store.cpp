// A tag for each live block, in the order of addresses. A free run has no tag of its own: it is
// what lies between the end of one tag's block and the beginning of the next one's, and is known by
// the tag before it. At the front of each chunk, and behind the last, stands a tag without a block.
#include <cstddef>
#include <new>
#include <span>

#include "carveout/pool/range_allocator.hpp"
#include "segregated_fit.hpp"

namespace carveout::tables {

namespace {

/// What the core asks of a store. The tables' place is read once, and not after each write again.
class SparseTags {
 public:
  using Fit = SegregatedFit<SparseTags>;
  /// A tag with no gap behind it is a list of its own, so that it can be unlinked like any other.
  static constexpr bool kSelfLinked = true;

  explicit SparseTags(const State& state)
      : runs_{state.runs}, near_{state.near}, links_{state.links} {}

  Tag next(Tag tag) const { return links_[tag].next; }
  Tag previous(Tag tag) const { return links_[tag].previous; }
  void set_next(Tag tag, Tag to) const { links_[tag].next = static_cast<std::uint16_t>(to); }
  void set_previous(Tag tag, Tag to) const {
    links_[tag].previous = static_cast<std::uint16_t>(to);
  }

  Granules first(Tag tag) const { return runs_[tag].first + runs_[tag].granules; }
  Granules length(Tag tag) const { return runs_[near_[tag].next].first - first(tag); }

  static bool has_room(const State& state) { return state.spares != kNoSpare; }

  Rest cut(State& state, Tag run, Granules at, Granules wanted) const {
    const Tag tag = state.spares;
    const Tag behind = near_[run].next;
    state.spares = near_[tag].next;
    near_[tag] = {static_cast<std::uint16_t>(run), static_cast<std::uint16_t>(behind)};
    near_[run].next = static_cast<std::uint16_t>(tag);
    near_[behind].previous = static_cast<std::uint16_t>(tag);
    const Granules front = at - first(run);
    put(runs_[tag].first, at);
    put(runs_[tag].granules, wanted);
    return {tag, front, tag, runs_[behind].first - at - wanted};
  }

  /// What was free on both sides and what the block had is one gap as soon as its tag is gone.
  Merged merge(State& state, Tag tag) const {
    const Near near = near_[tag];
    Fit::unlink(state, *this, near.previous);
    Fit::unlink(state, *this, tag);
    near_[near.previous].next = near.next;
    near_[near.next].previous = near.previous;
    near_[tag].next = static_cast<std::uint16_t>(state.spares);
    state.spares = tag;
    return {near.previous, runs_[near.next].first - first(near.previous)};
  }

  void settle(Tag tag) const {
    links_[tag] = {static_cast<std::uint16_t>(tag), static_cast<std::uint16_t>(tag)};
  }

  static void prepare(State& state, std::span<std::byte> storage) {
    // The number of blocks follows from the length, which is exact.
    constexpr std::size_t kTag = sizeof(Run) + sizeof(Near) + sizeof(Link);
    constexpr std::size_t kHeads = SizeClass::kCount * sizeof(Link);
    const std::size_t tags = (storage.size() - kHeads) / kTag;
    const std::size_t blocks = tags - state.area_count - 1;
    state.runs = static_cast<Run*>(static_cast<void*>(storage.data()));
    state.near = static_cast<Near*>(static_cast<void*>(state.runs + tags));
    state.links = static_cast<Link*>(static_cast<void*>(state.near + tags));
    state.tags = static_cast<Tag>(blocks);
    state.heads = static_cast<Tag>(tags);
    state.nobody = state.tags;  // the first front, or the end
    state.spares = blocks == 0 ? kNoSpare : 0;

    for (Tag tag = 0; tag < tags; ++tag) {
      ::new (static_cast<void*>(state.runs + tag)) Run{};
      ::new (static_cast<void*>(state.near + tag))
          Near{kNoSpare, static_cast<std::uint16_t>(tag + 1 < blocks ? tag + 1 : kNoSpare)};
    }
    for (Tag tag = 0; tag < tags + SizeClass::kCount; ++tag) {
      ::new (static_cast<void*>(state.links + tag)) Link{};
      SparseTags{state}.settle(tag);
    }
    Granules end = 0;
    for (std::uint32_t i = 0; i <= state.area_count; ++i) {
      const Tag tag = static_cast<Tag>(blocks) + i;
      if (i < state.area_count) {
        state.near[tag].next = static_cast<std::uint16_t>(tag + 1);
        end = state.areas[i].first + state.areas[i].granules;
        state.runs[tag + 1].first = end;
      }
      if (i > 0) state.near[tag].previous = static_cast<std::uint16_t>(tag - 1);
    }
    for (std::uint32_t i = 0; i < state.area_count; ++i) {
      Fit::link_rest(state, static_cast<Tag>(blocks) + i, state.areas[i].granules);
    }
  }

  static bool advance(const State& state, Step& step) {
    const Tag end = state.tags + state.area_count;
    if (end == 0 && state.area_count == 0) return false;
    Tag tag = step.tag;
    const SparseTags store{state};
    bool gap = !step.free;  // comes after the block of the same tag
    if (step.granules == 0) {
      tag = state.tags;
      gap = true;
    }
    for (;;) {
      if (tag == end) return false;
      if (gap && store.length(tag) != 0) {
        step = {store.first(tag), store.length(tag), tag, true};
        return true;
      }
      tag = state.near[tag].next;
      if (state.runs[tag].granules != 0) {
        step = {state.runs[tag].first, state.runs[tag].granules, tag, false};
        return true;
      }
      gap = true;
    }
  }

 private:
  static constexpr std::uint16_t kNoSpare = 0xffff;

  Run* runs_;
  Near* near_;
  Link* links_;
};

}  // namespace

const Calls kSparse{.prepare = SparseTags::prepare,
                    .take = kForSize ? ask_within : SparseTags::Fit::take,
                    .take_within = SparseTags::Fit::take_within,
                    .release = SparseTags::Fit::release,
                    .next = SparseTags::advance,
                    .longest = SparseTags::Fit::longest,
                    .give_back = nullptr};

}  // namespace carveout::tables
