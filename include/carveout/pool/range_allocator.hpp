// Who has which bytes. The allocator hands out ranges of memory that it never touches: all it knows
// is in tables that the caller gives it, so a device that overwrites the whole pool changes
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/size.hpp"
#include "carveout/core/window.hpp"

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
  Context context = Context::may_wait;  ///< must_not_wait may be refused what an exact search finds
};

/// A range handed out. Together, tag and serial name this one allocation for ever.
struct Grant {
  PhysRange range;  ///< whole granules
  DmaAddr dma;      ///< of its first byte, by the reach that it was taken from
  std::uint32_t chunk;
  std::uint32_t tag;     ///< where the tables keep it
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

/// A range allocator over one or several chunks of physical memory.
///
/// Guarantees: what it hands out is never handed out again before it is given back; a range lies
/// whole in one chunk and in one reach; a refused call changes nothing; no value of any argument
/// makes it read or write outside its tables. It takes no lock and calls nobody: Pool does that.
///
/// One owner: it may be moved, and the source of a move is not used again.
class RangeAllocator {
 public:
  static constexpr std::size_t kStorageAlign = alignof(std::uint64_t);

  /// Bytes of storage for so many chunks and live blocks, on this machine. It depends neither on
  /// the granule nor on the size of the chunks. The largest std::size_t for tables that no machine
  /// can hold.
  [[nodiscard]] static constexpr std::size_t storage_bytes(std::size_t chunks, std::size_t blocks);

  /// An allocator over `chunks`, which share no byte, and whose bases and sizes are multiples of
  /// `granule_bytes`. Chunks that touch stay apart: no range spans two.
  ///
  /// @param blocks   how many live blocks the tables have room for, at least.
  /// @param storage  aligned to kStorageAlign; outlives the allocator; nobody else writes there.
  /// Fails with exactly one of: bad_granule (not a power of two, or the chunks together have 2^32
  /// of them or more), empty_range, wraps, below_granule (a chunk is not whole granules), overlaps
  /// (two chunks), storage_too_small (with what is needed and what was given).
  [[nodiscard]] static Result<RangeAllocator> create(std::span<const PhysRange> chunks,
                                                     std::uint64_t granule_bytes,
                                                     std::size_t blocks,
                                                     std::span<std::byte> storage);

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
  ///   unreachable       no byte of any chunk lies in any reach
  ///   table_full        free runs would do, but each would have to be cut, and the tables have no
  ///                     room for the pieces; never while fewer than the blocks of create() live
  ///   exhausted         no free run would do
  /// Cost: linear in reaches x (chunks + blocks), whatever the sizes.
  [[nodiscard]] std::expected<Grant, Error> take(const Need& need, std::span<const Reach> reaches);

  /// Gives a grant back.
  ///
  /// Fails with exactly one of:
  ///   foreign_block  no such tag, or nothing was given under it with this serial
  ///   stale_block    given back before, and a live block has bytes of it now
  ///   double_free    given back before, and all of it is free now
  ///   wrong_address  lives, and begins elsewhere
  ///   wrong_size     lives, and was granted with another size
  /// A tag's serials come round after 2^31 allocations under it: an older grant than that may be
  /// called foreign, or be taken for the live block, if that has its very range.
  /// Cost: linear in chunks; a refusal, in chunks + blocks.
  std::expected<void, Error> give_back(PhysRange range, std::uint32_t tag, std::uint32_t serial);

  /// Gives back by address alone, for callers that kept nothing else. Detects everything but the
  /// reuse of exactly the same range.
  ///
  /// @param size_bytes  as asked or as granted: both are as many granules.
  /// Fails with exactly one of: foreign_block (in no chunk), double_free (free memory),
  /// wrong_address (inside a block), wrong_size.
  /// Cost: linear in chunks + blocks.
  std::expected<void, Error> give_back_at(PhysAddr first, std::uint64_t size_bytes);

  /// Cost: linear in chunks + blocks.
  [[nodiscard]] Usage usage() const;
  /// Whoever holds the live block of the lowest address of the first chunk that has one.
  [[nodiscard]] std::optional<Holder> any_holder() const;

  [[nodiscard]] std::uint64_t granule_bytes() const { return std::uint64_t{1} << granule_shift_; }
  [[nodiscard]] std::size_t chunk_count() const { return chunks_.size(); }
  /// @param index  less than chunk_count().
  [[nodiscard]] PhysRange chunk(std::size_t index) const;

 private:
  friend struct RangeAllocatorAudit;  // tests/support/audit.hpp: walks and judges the tables

  /// Granules are numbered through all chunks; only a chunk's base is an address.
  using Granules = std::uint32_t;
  using Tag = std::uint32_t;
  static constexpr Tag kNone = std::numeric_limits<Tag>::max();

  /// One run, live or free; or, with no granules, a spare for the pieces of a later cut.
  struct Node {
    Granules first = 0;
    Granules granules = 0;
    Tag previous = kNone;  ///< of the same chunk, in rising order
    Tag next = kNone;      ///< likewise; of a spare: the next spare
    /// Odd while the run lives. Taking and giving back add 1, and nothing ever resets it: so it
    /// names an allocation, is never 0 in a grant, and tells a grant's copies from its successors.
    std::uint32_t serial = 0;
    Holder holder = 0;

    [[nodiscard]] constexpr bool live() const { return (serial & 1) != 0; }
  };
  static_assert(sizeof(Node) <= 24);

  /// One chunk: its runs lie end to end from its first granule to its last, no two free ones next
  /// to each other.
  struct Area {
    PhysAddr base;
    Granules first;
    Granules granules;
    Tag lowest;  ///< the run at its base
  };
  static_assert(alignof(Area) <= kStorageAlign && alignof(Node) <= alignof(Area));

  struct Place;
  class Grid;

  RangeAllocator(std::span<Area> chunks, std::span<Node> nodes, unsigned granule_shift)
      : chunks_{chunks}, nodes_{nodes}, granule_shift_{granule_shift} {}

  /// Between two live blocks, and at both ends of a chunk, there may be a free run.
  static constexpr std::size_t nodes_for(std::size_t chunks, std::size_t blocks);

  [[nodiscard]] bool touches(const Reach& reach) const;
  [[nodiscard]] std::expected<Place, Error> find(const Need& need, const Reach& reach) const;

  [[nodiscard]] std::uint64_t granules_for(std::uint64_t size_bytes) const;
  [[nodiscard]] std::uint64_t bytes_of(std::uint64_t granules) const;
  [[nodiscard]] PhysRange range_of(const Area& area, const Node& node) const;
  [[nodiscard]] const Area& area_of(const Node& node) const;
  [[nodiscard]] bool is_live(PhysRange range) const;

  [[nodiscard]] bool has_spares(unsigned wanted) const;
  Tag insert_after(Tag tag, Granules first, Granules granules);
  void merge_with_next(Tag tag);
  Grant cut(const Place& place, const Need& need, const Reach& reach);
  void release(Tag tag);

  std::span<Area> chunks_;
  std::span<Node> nodes_;
  Tag spares_ = kNone;
  Granules total_ = 0;
  Granules used_ = 0;
  Granules peak_ = 0;
  std::uint32_t blocks_ = 0;
  unsigned granule_shift_;
};

constexpr std::size_t RangeAllocator::nodes_for(std::size_t chunks, std::size_t blocks) {
  const auto pieces = checked_multiply(blocks, 2);
  const auto nodes = pieces ? checked_add(*pieces, chunks) : std::nullopt;
  return nodes && *nodes < kNone ? static_cast<std::size_t>(*nodes)
                                 : std::numeric_limits<std::size_t>::max();
}

constexpr std::size_t RangeAllocator::storage_bytes(std::size_t chunks, std::size_t blocks) {
  const auto areas_bytes = checked_multiply(chunks, sizeof(Area));
  const auto nodes_bytes = checked_multiply(nodes_for(chunks, blocks), sizeof(Node));
  const auto bytes =
      areas_bytes && nodes_bytes ? checked_add(*areas_bytes, *nodes_bytes) : std::nullopt;
  constexpr auto kNever = std::numeric_limits<std::size_t>::max();
  return bytes && *bytes < kNever ? static_cast<std::size_t>(*bytes) : kNever;
}

}  // namespace carveout
