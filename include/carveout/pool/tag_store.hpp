// How a range allocator keeps its tables: the board's choice, made as data. A store that no board
// names is not linked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>

#include "carveout/core/address.hpp"
#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/size.hpp"
#include "carveout/core/window.hpp"
#include "carveout/pool/hot.hpp"
#include "carveout/pool/life.hpp"
#include "carveout/pool/size_classes.hpp"
#include "carveout/port/port.hpp"

namespace carveout {

/// Names whoever holds a range: the index of a device in its System, as a rule.
using Holder = std::uint32_t;

/// Which of the free runs that would do is taken.
enum class Fit : std::uint8_t {
  any,    ///< the allocator's choice, and its fastest
  first,  ///< the lowest in the first reach and chunk that has one
  best,   ///< the shortest of the first reach that has one; of equals the first
};

/// What is wanted of a range.
struct Need {
  std::uint64_t size_bytes;          ///< 1 or more
  std::uint64_t align_bytes = 1;     ///< a power of two; of the device address, absolutely
  std::uint64_t boundary_bytes = 0;  ///< a power of two, or 0; the bytes asked for do not cross it
  Holder holder = 0;
  Fit fit = Fit::any;
  /// must_not_wait never searches longer than a bound, so it may be refused what an exact search
  /// would find, and takes `fit` for a wish.
  Context context = Context::may_wait;
};

class Pool;
struct Block;
enum class View : std::uint8_t;

/// The inside of RangeAllocator, for it and for the stores. Nothing here is for users.
namespace tables {

/// Granules are numbered through all chunks; only a chunk's base is an address.
using Granules = std::uint32_t;
using Tag = std::uint32_t;
inline constexpr Tag kNone = std::numeric_limits<Tag>::max();
/// Of every grant of a store that keeps no serials.
inline constexpr std::uint32_t kOnlySerial = 1;

/// For words that somebody may read or write who does not hold the lock. As cheap as any other
/// access, on every processor.
template <class T>
[[nodiscard]] T peek(const T& word) {
  return __atomic_load_n(&word, __ATOMIC_RELAXED);
}
template <class T>
void put(T& word, std::type_identity_t<T> value) {
  __atomic_store_n(&word, value, __ATOMIC_RELAXED);
}

/// A block, as every store with serials keeps it while it lives. Of a tag that names no block only
/// the serial has this meaning.
struct Run {
  Granules first = 0;
  Granules granules = 0;
  /// Its low two bits say whether the block lives (Life). It is only ever counted up, to the next
  /// number that says what is now: so it names an allocation, is never 0 in a grant, and tells a
  /// grant's copies from its successors.
  std::uint32_t serial = 0;
  Holder holder = 0;

  [[nodiscard]] bool live() const { return is_live(peek(serial)); }
};
static_assert(sizeof(Run) == 16);

/// Where one processor looks for a block that was given back; see Parking. In a line of its own.
struct Slot {
  static constexpr std::size_t kAlign = 64;

  alignas(kAlign) Tag hint;
};
static_assert(sizeof(Slot) == Slot::kAlign);

/// One chunk.
struct Area {
  PhysAddr base;
  Granules first;
  Granules granules;
};
static_assert(sizeof(Area) == 16);

/// The sparse store's: the runs before and behind in the order of addresses.
struct Near {
  std::uint16_t previous;
  std::uint16_t next;
};

/// The sparse store's: the free runs before and behind in the list of a size class.
struct Link {
  std::uint16_t previous;
  std::uint16_t next;
};

/// A step of a walk through all runs in the order of granules.
struct Step {
  Granules first = 0;
  Granules granules = 0;  ///< 0: the walk has not begun
  Tag tag = kNone;        ///< of a block: its tag; of a free run: the store's business
  bool free = false;      ///< nobody has it, and it is not parked
};

struct Calls;
struct SlotCalls;
struct SharedPool;

/// A block that was given back and not yet merged with its neighbours, where there are no slots.
/// Its tag is dead, and its granules count as used in the tables.
struct Parked {
  std::uint64_t base = 0;
  std::uint64_t size_bytes = 0;
  Granules granules = 0;  ///< 0: none is parked, and the rest is of the one before
  Tag tag = 0;

  [[nodiscard]] bool none() const { return granules == 0; }
};

/// All that an allocator knows, but for what is in its tables.
struct State {
  const Calls* calls = nullptr;
  Run* runs = nullptr;  ///< by tag; nullptr in a store without serials
  Tag tags = 0;         ///< every block's tag is less
  Parked parked{};
  Granules park_most = 0;  ///< longer blocks are merged at once
  std::uint64_t granule_bytes = 1;
  unsigned granule_shift = 0;
  std::uint32_t area_count = 0;
  Area* areas = nullptr;
  /// What nearly every block needs of its chunk, which is the first: where granule 0 would be, and
  /// the first granule that is not its.
  std::uint64_t origin = 0;
  Granules origin_end = 0;
  std::uint64_t lowest = 0;   ///< the first byte of all chunks
  std::uint64_t highest = 0;  ///< the last one

  std::uint64_t total = 0;  ///< granules; of the width that a request is compared in
  Granules used = 0;        ///< by blocks and by the parked one
  /// The most that blocks alone had when one of them was given back: it only falls then.
  Granules peak = 0;
  std::uint32_t blocks = 0;  ///< with the parked one

  Tag heads = 0;   ///< the head of the list of size class c is heads + c
  Tag spares = 0;  ///< sparse: the first tag that names nothing
  ClassMap classes{};
  Near* near = nullptr;  ///< sparse
  union {
    Link* links = nullptr;  ///< sparse
    std::uint32_t* words;   ///< bitmap: two bits for each granule
  };

  Tag nobody = 0;         ///< a tag that never names a block
  Slot* slots = nullptr;  ///< nullptr: one processor, which parks in `parked`
  std::uint32_t slot_count = 0;
  const SlotCalls* slot_calls = nullptr;

  [[nodiscard]] Granules used_by_blocks() const { return used - parked.granules; }
  void note_peak(Granules in_use) {
    if (in_use > peak) [[unlikely]]
      put(peak, in_use);
  }
  void count_taken(Granules granules) {
    put(used, used + granules);
    ++blocks;
  }
  void count_released(Granules granules) {
    put(used, used - granules);
    --blocks;
  }

  [[nodiscard]] bool shows_all(const Reach& reach) const {
    const std::uint64_t last = highest - reach.first.raw() + reach.dma.raw();
    return reach.first.raw() <= lowest && highest <= reach.last.raw() && reach.dma.raw() <= last;
  }
  /// Whether a request asks for nothing but bytes, and of all chunks. Then nothing is wrong with it
  /// but perhaps its size.
  [[nodiscard]] CARVEOUT_HOT bool is_plain(const Need& need, std::span<const Reach> reaches) const {
    if (need.fit != Fit::any || need.boundary_bytes != 0 || reaches.empty()) return false;
    const Reach& reach = reaches.front();
    if (kForSize || need.align_bytes != 1) {
      const std::uint64_t offset = reach.dma.raw() - reach.first.raw();
      // Of 0 the largest number.
      const std::uint64_t below = need.align_bytes - 1;
      if (below >= granule_bytes || ((need.align_bytes | offset) & below) != 0) return false;
    }
    return shows_all(reach);
  }

  /// Every granule has a tag, that of a block's first one names the block.
  [[nodiscard]] bool is_dense() const { return runs != nullptr && near == nullptr; }
  [[nodiscard]] std::span<Area> chunks() const { return {areas, area_count}; }
  [[nodiscard]] CARVEOUT_HOT std::uint64_t bytes_of(Granules granules) const {
    return std::uint64_t{granules} << granule_shift;
  }
  /// The chunk that has granule `at`, which one of them has.
  [[nodiscard]] CARVEOUT_HOT const Area& area_of(Granules at) const {
    if (!kForSize && at < origin_end) [[likely]]
      return *areas;
    return area_behind_first(at);
  }
  [[nodiscard]] [[gnu::pure]] const Area& area_behind_first(Granules at) const;
  [[nodiscard]] CARVEOUT_HOT std::uint32_t chunk_of(Granules at) const {
    if (!kForSize && at < origin_end) [[likely]]
      return 0;
    return static_cast<std::uint32_t>(&area_behind_first(at) - areas);
  }
  [[nodiscard]] PhysAddr address_of(const Area& area, Granules at) const {
    return PhysAddr{area.base.raw() + bytes_of(at - area.first)};
  }
  [[nodiscard]] CARVEOUT_HOT PhysAddr address_of(Granules at) const {
    if (!kForSize && at < origin_end) [[likely]]
      return PhysAddr{origin + bytes_of(at)};
    return address_of(area_behind_first(at), at);
  }
  [[nodiscard]] CARVEOUT_HOT PhysRange range_of(Granules first, Granules granules) const {
    return {address_of(first), bytes_of(granules)};
  }
};

/// In place of a tag: nothing free would do, and something would, but no tag is left for it.
inline constexpr Tag kExhausted = kNone;
inline constexpr Tag kTableFull = kNone - 1;
/// Of take() alone: take_within() is to be asked instead. So says a bitmap, and a library that is
/// compiled for size, whichever way its callers are.
inline constexpr Tag kAskWithin = kNone - 2;

/// What a store does.
struct Calls {
  /// Lays the tables out in `storage`, which is long enough; areas are filled in already.
  void (*prepare)(State& state, std::span<std::byte> storage);
  /// Makes a block of granules, which are 1 or more and no more than there are: its tag, whose
  /// serial and holder are the caller's to write, or kExhausted or kTableFull. Constant time; where
  /// that finds nothing and the caller may wait, a search of all runs that could do.
  Tag (*take)(State& state, Granules granules, Context context);
  /// The same for any request, without a fault of its own, within one reach that touches a chunk.
  Tag (*take_within)(State& state, const Need& need, const Reach& reach);
  /// Makes the run of a tag, which is dead, free, and one with its free neighbours.
  void (*release)(State& state, Tag tag);
  /// Goes on to the next run; false behind the last one.
  bool (*next)(const State& state, Step& step);
  /// The longest free run, or of so many of its size class the longest. Parked blocks are not free.
  Granules (*longest)(const State& state, std::uint32_t most_looks);
  /// RangeAllocator::give_back_at() of a store without serials; nullptr in others.
  std::expected<void, Error> (*give_back)(State& state, PhysAddr first, std::uint64_t size_bytes);
};

/// take() of who leaves it to take_within().
Tag ask_within(State& state, Granules granules, Context context);
/// Makes free whatever is parked.
void collect(State& state);
/// The live block of that range, or the error of RangeAllocator::give_back_at().
[[nodiscard]] std::expected<Step, Error> block_at(const State& state, PhysAddr first,
                                                  std::uint64_t size_bytes);

extern const Calls kSparse;
extern const Calls kDense;
extern const Calls kBitmap;

/// What came of a block that was given back.
enum class Given : std::uint8_t {
  done,
  refused,     ///< it is not the live block that it says
  would_wait,  ///< only the lock could tell, and the caller may not wait for it
};

/// What processors that share a pool do without its lock. The first two answer in registers: what
/// is made of that is inlined where it is wanted.
struct SlotCalls {
  /// A block that was parked, for a plain request of so many bytes.
  BlockName (*take)(State& state, std::uint32_t processor, std::uint64_t size_bytes, Holder holder);
  /// Takes the lock where it must.
  Given (*give_back)(State& state, const PortRef& port, LockWord& lock, PhysAddr base,
                     std::uint64_t size_bytes, BlockName block);
  /// Makes free whatever is parked. The lock is held.
  void (*collect)(State& state);

  /// The verbs of a pool that is shared, for who is compiled for size.
  Result<Block> (*pool_take)(Pool& pool, const Need& need, std::span<const Reach> reaches,
                             View view);
  Result<void> (*pool_give_back)(Pool& pool, const Block& block);
};
extern const SlotCalls kSlots;

}  // namespace tables

class StoreWithSerials;

/// Which tables a range allocator keeps. All three hand out the same exact ranges under the same
/// rules; they differ in what they cost and in what they notice.
///
///             bytes                         give_back_at()   notices
///   sparse    24 per live block, 40 per     linear in live   every misuse of a block
///             chunk, 1728 besides;          blocks
///             whatever the granule
///   dense     16 per granule, and 16 for    constant; a      every misuse of a block
///             each size class it can have   refusal linear
///   bitmap    1/4 per granule               linear           all but the reuse of exactly the same
///                                                            range: it keeps no serials and no
///                                                            holders
///
/// The bitmap is linear in granules in everything it does, and meant for pools of a few hundred.
class TagStore {
 public:
  /// For small granules, and where the number of live blocks is known.
  ///
  /// @param blocks  the most that may live at once, up to kMostSparseBlocks less the chunks.
  [[nodiscard]] static constexpr StoreWithSerials sparse(std::size_t blocks);
  /// For granules of 1 KiB and more, and where blocks are given back by address.
  [[nodiscard]] static constexpr StoreWithSerials dense();
  /// For the smallest parts.
  [[nodiscard]] static constexpr TagStore bitmap() {
    return TagStore{Kind::bitmap, &tables::kBitmap, 0};
  }

  /// Links of the sparse store have 16 bits.
  static constexpr std::size_t kMostSparseBlocks = 0xffff - SizeClass::kCount - 1;
  /// That any store can number.
  static constexpr std::uint64_t kMostGranules = SizeClass::kMost;

  /// Bytes of storage for chunks of so many granules together. The largest std::size_t for tables
  /// that no machine can hold.
  [[nodiscard]] constexpr std::size_t storage_bytes(std::size_t chunks,
                                                    std::uint64_t granules) const;

  /// Whether the tables say who holds a block.
  [[nodiscard]] constexpr bool keeps_holders() const { return kind_ != Kind::bitmap; }
  [[nodiscard]] constexpr std::size_t blocks() const { return blocks_; }
  [[nodiscard]] constexpr std::uint32_t slots() const { return slots_; }
  /// Bytes of the slots, which are the last of the storage.
  [[nodiscard]] constexpr std::uint64_t slots_bytes() const {
    // To the next line, and a line each.
    return slots_ == 0 ? 0 : (std::uint64_t{slots_} + 1) * sizeof(tables::Slot);
  }
  [[nodiscard]] constexpr const tables::SlotCalls* slot_calls() const { return slot_calls_; }
  [[nodiscard]] constexpr const tables::Calls* calls() const { return calls_; }

 protected:
  enum class Kind : std::uint8_t { sparse, dense, bitmap };

  constexpr TagStore(Kind kind, const tables::Calls* calls, std::size_t blocks)
      : kind_{kind}, calls_{calls}, blocks_{blocks} {}

  constexpr void share(std::uint32_t processors) {
    slots_ = processors;
    slot_calls_ = &tables::kSlots;
  }

 private:
  Kind kind_;
  const tables::Calls* calls_;
  std::size_t blocks_;
  std::uint32_t slots_ = 0;
  const tables::SlotCalls* slot_calls_ = nullptr;
};

/// A store that several processors may share; a bitmap, which has no serials, is none.
class StoreWithSerials : public TagStore {
 public:
  /// The same for several processors, each of which parks blocks for itself, without the pool's
  /// lock: see Pool. They must have an atomic compare-exchange of 32 bits.
  ///
  /// @param processors  the port numbers them. 64 bytes each; for one and none, nothing changes.
  [[nodiscard]] constexpr TagStore for_processors(std::uint32_t processors) const {
    StoreWithSerials store = *this;
    if (processors >= 2) store.share(processors);
    return store;
  }

 private:
  friend TagStore;
  using TagStore::TagStore;
};

constexpr StoreWithSerials TagStore::sparse(std::size_t blocks) {
  return StoreWithSerials{Kind::sparse, &tables::kSparse, blocks};
}
constexpr StoreWithSerials TagStore::dense() {
  return StoreWithSerials{Kind::dense, &tables::kDense, 0};
}

constexpr std::size_t TagStore::storage_bytes(std::size_t chunks, std::uint64_t granules) const {
  constexpr auto kNever = std::numeric_limits<std::size_t>::max();
  std::uint64_t bytes = 0;
  if (kind_ == Kind::sparse) {
    // A tag for each block, for the front of each chunk and for the end.
    if (blocks_ > kMostSparseBlocks || chunks > kMostSparseBlocks - blocks_) return kNever;
    bytes = (blocks_ + chunks + 1) *
                (sizeof(tables::Run) + sizeof(tables::Near) + sizeof(tables::Link)) +
            SizeClass::kCount * sizeof(tables::Link);
  } else if (kind_ == Kind::dense) {
    if (granules > kMostGranules || chunks > kMostGranules - granules) return kNever;
    // A tag for each granule, for the gap before each chunk and for the end.
    const std::uint64_t tags = granules + chunks + 1;
    const unsigned classes =
        granules == 0 ? 0 : SizeClass::of(static_cast<std::uint32_t>(granules)).floor + 1;
    bytes = (tags + classes) * sizeof(tables::Run);
  } else {
    if (granules > kMostGranules) return kNever;
    bytes = (granules + 15) / 16 * sizeof(std::uint32_t);
  }
  const auto areas_bytes = checked_multiply(chunks, sizeof(tables::Area));
  const auto all = areas_bytes ? checked_add(*areas_bytes, bytes + slots_bytes()) : std::nullopt;
  return all && *all < kNever ? static_cast<std::size_t>(*all) : kNever;
}

}  // namespace carveout
