// Who has which bytes. The allocator hands out ranges of memory that it never touches: all it knows
// is in tables that the caller gives it, so a device that overwrites the whole pool changes
// nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/function_ref.hpp"
#include "carveout/core/size.hpp"
#include "carveout/core/window.hpp"
#include "carveout/pool/hot.hpp"
#include "carveout/pool/tag_store.hpp"

namespace carveout {

/// A range handed out. Together, tag and serial name this one allocation
/// among the 2^30 under its tag.
struct Grant {
  PhysRange range;    ///< whole granules
  DmaAddr dma;        ///< of its first byte, by the reach that it was taken from
  std::uint32_t tag;  ///< where the tables keep it
  std::uint32_t chunk;
  std::uint32_t serial;  ///< of this allocation, never 0; the next one under its tag has another
};

/// How full the memory is, in bytes. Where a figure would be 2^64, it is 2^64 - 1.
struct Usage {
  std::uint64_t total_bytes;
  std::uint64_t used_bytes;
  std::uint64_t peak_bytes;  ///< the most that was ever used at once
  std::uint64_t largest_run_bytes;
  std::uint32_t blocks;

  constexpr bool operator==(const Usage&) const = default;

  [[nodiscard]] constexpr std::uint64_t free_bytes() const { return total_bytes - used_bytes; }
};

/// What a refusal says of the memory that is left.
struct Room {
  std::uint64_t free_bytes;
  std::uint64_t largest_run_bytes;
};

/// A live block, and who has it.
struct Held {
  PhysRange range;
  Holder holder;  ///< 0 where the store keeps none
};

/// How many free runs there are of each length: entry i counts those of 2^i granules or more, and
/// less than 2^(i+1).
using FreeRuns = std::array<std::uint32_t, 32>;

/// A range allocator over one or several chunks of physical memory.
///
/// Guarantees: what it hands out is never handed out again before it is given back; a range lies
/// whole in one chunk and in one reach; a refused call changes nothing that a caller can see; no
/// value of any argument makes it read or write outside its tables. But for give_back_shared() it
/// takes no lock and calls nobody: Pool does that.
///
/// A block of at most 1/64 of the memory that is given back is parked (in what is compiled for size
/// only where processors share it): the next request of its length gets it; it becomes free when
/// the next one is parked, and before anything is refused. For a caller it is free memory, but for
/// two: where each processor parks blocks for itself, those of the others count as used in the
/// peak, and a block that one of them is just driving out of its slot may be missed by another's
/// request.
///
/// One owner: it may be moved, and the source of a move is not used again.
class RangeAllocator {
 public:
  static constexpr std::size_t kStorageAlign = alignof(std::uint64_t);

  /// Bytes of storage for so many chunks and live blocks, on this machine, in the sparse store. It
  /// depends neither on the granule nor on the size of the chunks. The largest std::size_t for
  /// tables that no machine can hold.
  [[nodiscard]] static constexpr std::size_t storage_bytes(std::size_t chunks, std::size_t blocks) {
    return TagStore::sparse(blocks).storage_bytes(chunks, 0);
  }

  /// An allocator over `chunks`, which share no byte, and whose bases and sizes are multiples of
  /// `granule_bytes`. Chunks that touch stay apart: no range spans two.
  ///
  /// @param storage  as long as `store` says; aligned to kStorageAlign; outlives the allocator;
  ///                 nobody else writes there.
  /// Fails with exactly one of: bad_granule (not a power of two, or the chunks together have more
  /// of them than TagStore::kMostGranules), empty_range, wraps, below_granule (a chunk is not whole
  /// granules), overlaps (two chunks), storage_too_small (with what is needed and what was given).
  /// Cost: linear in the tables.
  [[nodiscard]] static Result<RangeAllocator> create(std::span<const PhysRange> chunks,
                                                     std::uint64_t granule_bytes, TagStore store,
                                                     std::span<std::byte> storage);
  /// The same with the sparse store.
  ///
  /// @param blocks  how many live blocks the tables have room for, exactly.
  [[nodiscard]] static Result<RangeAllocator> create(std::span<const PhysRange> chunks,
                                                     std::uint64_t granule_bytes,
                                                     std::size_t blocks,
                                                     std::span<std::byte> storage) {
    return create(chunks, granule_bytes, TagStore::sparse(blocks), storage);
  }

  RangeAllocator(RangeAllocator&&) = default;
  RangeAllocator& operator=(RangeAllocator&&) = default;
  RangeAllocator(const RangeAllocator&) = delete;
  RangeAllocator& operator=(const RangeAllocator&) = delete;

  /// Takes a range. Reaches are tried in the order given, each as if it were all there is.
  ///
  /// The range begins on the granules of physical memory, and on the alignment at the device. Where
  /// a reach moves addresses by an offset that leaves no such place, it serves nothing. A reach
  /// that would pass 2^64 at the device ends there.
  ///
  /// Fails with exactly one of:
  ///   zero_size         size_bytes == 0
  ///   bad_alignment     align_bytes is not a power of two; 0 is none
  ///   bad_boundary      boundary_bytes is neither 0 nor a power of two
  ///   crosses_boundary  size_bytes > boundary_bytes, which is not 0
  ///   size_overflow     size_bytes, rounded up to granules, passes 2^64
  ///   unreachable       no byte of any chunk lies in any reach
  ///   table_full        a free run would do, and as many blocks live as the tables have room for
  ///   exhausted         no free run would do, or (must_not_wait) none that a bounded search finds
  /// A plain request - Fit::any, no boundary, an alignment up to the granule, a first reach that
  /// shows every chunk - is granted in constant time whenever there is a free run of its guaranteed
  /// class: n granules, or up to 1/16 more where n is over 16. So is one that asks for more
  /// alignment, with the alignment less a granule added to n.
  /// Cost: constant for what is said above. Otherwise bounded by the number of size classes, and
  /// after that, for may_wait only, linear in the free runs; each times reaches and chunks.
  [[nodiscard]] CARVEOUT_HOT std::expected<Grant, Error> take(const Need& need,
                                                              std::span<const Reach> reaches) {
    if constexpr (tables::kForSize) return take_carefully(need, reaches);
    // Of 0 bytes the last is beyond every pool.
    const std::uint64_t last = (need.size_bytes - 1) >> state_.granule_shift;
    if (last >= state_.total || !state_.is_plain(need, reaches)) [[unlikely]]
      return take_carefully(tables::Apart<Need>(need), reaches);
    const auto granules = static_cast<Granules>(last + 1);
    Tag tag = state_.parked.tag;
    if (granules == state_.parked.granules) {
      state_.parked.granules = 0;
      // The same as below, without a look at the chunks.
      const PhysRange range{PhysAddr{state_.parked.base}, state_.parked.size_bytes};
      Run& run = state_.runs[tag];
      run.holder = need.holder;
      ++run.serial;  // live
      return grant_of({tag, run.serial}, range, run.first, reaches.front());
    }
    tag = state_.calls->take(state_, granules, need.context);
    if (tag >= tables::kAskWithin) [[unlikely]] {
      if (tag == tables::kAskWithin) return take_carefully(tables::Apart<Need>(need), reaches);
      return std::unexpected{error_of(tag)};
    }
    return grant_of(tag, state_.bytes_of(granules), need.holder, reaches.front());
  }

  /// Gives a grant back.
  ///
  /// Fails with exactly one of:
  ///   foreign_block  no such tag, or nothing was given under it with this serial
  ///   stale_block    given back before, and a live block has bytes of it now
  ///   double_free    given back before, and all of it is free now
  ///   wrong_address  lives, and begins elsewhere
  ///   wrong_size     lives, and was granted with another size
  /// A tag's serials come round after 2^30 allocations under it: an older grant than that may be
  /// called foreign, or be taken for the live block, if that has its very range.
  /// Cost: linear in chunks; a refusal, in chunks + blocks.
  CARVEOUT_HOT std::expected<void, Error> give_back(const PhysRange& range, std::uint32_t tag,
                                                    std::uint32_t serial) {
    if (tag < state_.tags) [[likely]] {
      Run& run = state_.runs[tag];
      const std::uint64_t size_bytes = state_.bytes_of(run.granules);
      if (run.serial == serial && tables::is_live(serial) && range.size_bytes == size_bytes &&
          range.base == state_.address_of(run.first)) [[likely]] {
        release(run, range, tag, serial);
        return {};
      }
    }
    return give_back_carefully(tables::Apart<PhysRange>(range), tag, serial);
  }

  /// Gives back by address alone, for callers that kept nothing else. Detects everything but the
  /// reuse of exactly the same range.
  ///
  /// @param size_bytes  as asked or as granted: both are as many granules.
  /// Fails with exactly one of: foreign_block (in no chunk), double_free (free memory),
  /// wrong_address (inside a block), wrong_size.
  /// Cost: linear in chunks, and in blocks where the store is not dense.
  std::expected<void, Error> give_back_at(PhysAddr first, std::uint64_t size_bytes);

  /// What is left, and how long the longest run of it is. What is parked is merged first: it is
  /// free.
  ///
  /// @param context  must_not_wait: largest_run_bytes may be up to 1/16 too little, as only a few
  ///                 runs of the longest size class are looked at.
  /// Cost: linear in the slots and, for may_wait, in the free runs of the longest size class.
  [[nodiscard]] Room room(Context context) const;
  /// room() of who may wait, and the rest.
  [[nodiscard]] Usage usage() const;
  /// Whoever holds the live block of the lowest address of the first chunk that has one. 0 where
  /// the store keeps no holders.
  /// Cost: linear in chunks + blocks.
  [[nodiscard]] std::optional<Holder> any_holder() const;

  /// Calls `see` with every live block, in the order of chunks and addresses.
  /// Cost: linear in chunks + blocks.
  void visit(FunctionRef<void(const Held&)> see) const;
  /// What is parked is not among the free runs; usage() merges it. Cost: linear in chunks + blocks.
  [[nodiscard]] FreeRuns free_runs() const;

  /// For a pool whose processors park blocks for themselves (TagStore::for_processors()). What has
  /// "parked" or "shared" in its name may be called without the lock that all else needs, and
  /// take(), give_back() and give_back_at() are not used beside it but for a take() under the lock.
  [[nodiscard]] bool has_slots() const { return state_.slot_calls != nullptr; }
  [[nodiscard]] const tables::SlotCalls& slot_calls() const { return *state_.slot_calls; }
  /// A block that this processor parked, for a plain request of its length. Serial 0: there is
  /// none. Cost: constant.
  [[nodiscard]] CARVEOUT_HOT tables::BlockName take_parked(const Need& need,
                                                           std::span<const Reach> reaches,
                                                           const PortRef& port) {
    if (!state_.is_plain(need, reaches)) [[unlikely]]
      return {.tag = 0, .serial = 0};
    return state_.slot_calls->take(state_, port.processor(), need.size_bytes, need.holder);
  }
  /// What take_parked() took, from the first reach.
  [[nodiscard]] CARVEOUT_HOT Grant grant_of(tables::BlockName block, const Reach& reach) const {
    const Run& run = state_.runs[block.tag];
    const Granules first = tables::peek(run.first);
    return grant_of(block, state_.range_of(first, tables::peek(run.granules)), first, reach);
  }
  /// give_back() that takes the lock where it must: to make room in a slot, and for what is not
  /// parked.
  CARVEOUT_HOT tables::Given give_back_shared(const PortRef& port, LockWord& lock, PhysRange range,
                                              std::uint32_t tag, std::uint32_t serial) {
    return state_.slot_calls->give_back(state_, port, lock, range.base, range.size_bytes,
                                        {tag, serial});
  }
  /// Makes free what is parked, with the lock held.
  void collect() { tables::collect(state_); }
  /// Why a block is refused, of which it is known that it is.
  [[nodiscard]] Error why_refused(const PhysRange& range, std::uint32_t tag,
                                  std::uint32_t serial) const;

  [[nodiscard]] std::uint64_t granule_bytes() const { return state_.granule_bytes; }
  [[nodiscard]] std::size_t chunk_count() const { return state_.area_count; }
  /// @param index  less than chunk_count().
  [[nodiscard]] PhysRange chunk(std::size_t index) const;

 private:
  friend struct RangeAllocatorAudit;  // tests/support/audit.hpp: walks and judges the tables

  using Granules = tables::Granules;
  using Tag = tables::Tag;
  using Run = tables::Run;
  using Area = tables::Area;

  explicit RangeAllocator(const tables::State& state) : state_{state} {}

  [[nodiscard]] CARVEOUT_HOT Grant grant_of(tables::BlockName block, const PhysRange& range,
                                            Granules first, const Reach& reach) const {
    return {.range = range,
            .dma = reach.to_dma(range.base),
            .tag = block.tag,
            .chunk = state_.chunk_of(first),
            .serial = block.serial};
  }

  /// Of a block that nobody has yet.
  [[nodiscard]] CARVEOUT_HOT Grant grant_of(Tag tag, std::uint64_t size_bytes, Holder holder,
                                            const Reach& reach) {
    Granules first = tag;
    std::uint32_t serial = tables::kOnlySerial;
    if (state_.runs != nullptr) [[likely]] {
      Run& run = state_.runs[tag];
      tables::put(run.holder, holder);
      serial = tables::peek(run.serial) + 1;  // live
      tables::put(run.serial, serial);
      first = run.first;
    }
    return grant_of({tag, serial}, {state_.address_of(first), size_bytes}, first, reach);
  }

  static Error error_of(Tag tag) {
    return tag == tables::kTableFull ? Error::table_full : Error::exhausted;
  }
  /// Any request but a plain one of a length that the memory might have.
  [[nodiscard]] [[gnu::cold]] std::expected<Grant, Error> take_carefully(
      const Need& need, std::span<const Reach> reaches);

  /// Of a live block.
  CARVEOUT_HOT void release(Run& run, const PhysRange& range, Tag tag, std::uint32_t serial) {
    run.serial = serial + 3;  // dead: next(Life::none, serial)
    if (tables::kForSize || run.granules > state_.park_most) [[unlikely]] {
      state_.note_peak(state_.used_by_blocks());
      state_.calls->release(state_, tag);
      return;
    }
    const bool replaces = !state_.parked.none();
    const Tag before = state_.parked.tag;
    state_.parked.base = range.base.raw();
    state_.parked.size_bytes = range.size_bytes;
    tables::put(state_.parked.granules,
                run.granules);  // not a vector with the tag: that takes longer
    tables::put(state_.parked.tag, tag);
    if (replaces) state_.calls->release(state_, before);
    // The parked block still counts, so this is what blocks had until now.
    state_.note_peak(state_.used);
  }

  /// What give_back() did not settle at once: a store without serials, or a refusal.
  [[gnu::cold]] std::expected<void, Error> give_back_carefully(const PhysRange& range, Tag tag,
                                                               std::uint32_t serial);

  [[nodiscard]] std::uint64_t stated(Granules granules) const;
  [[nodiscard]] bool touches(const Reach& reach) const;
  [[nodiscard]] bool is_live(const tables::Step& step) const;
  [[nodiscard]] bool is_live(const PhysRange& range) const;
  [[nodiscard]] PhysRange range_of(const tables::Step& step) const;

  mutable tables::State state_;  ///< usage() merges what is parked
};

}  // namespace carveout
