// The one mechanism. Every role - a device's own pool, the default, contiguous, atomic, bounce - is
// this type; what differs is which role points at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/log.hpp"
#include "carveout/core/window.hpp"
#include "carveout/pool/hot.hpp"
#include "carveout/pool/range_allocator.hpp"
#include "carveout/port/port.hpp"

namespace carveout {

/// What the memory of a pool is; a role asks for one of them.
enum class Memory : std::uint8_t {
  coherent,    ///< reached through an uncached view only
  contiguous,  ///< may be lent to ordinary users until a device wants it
  bounce,      ///< the only memory that its devices may reach
  ordinary,    ///< cacheable RAM that the board set aside for devices
};

/// Through which of its views the CPU is to use a block.
enum class View : std::uint8_t { uncached, cached };

/// A stretch of a pool's memory and how the CPU sees it.
struct Chunk {
  PhysRange range;      ///< as the tree or the board states it, in whole granules
  std::byte* uncached;  ///< its first byte, where no cache is in between; nullptr: no such view
  std::byte* cached;    ///< its first byte through the cache; nullptr: no such view

  [[nodiscard]] std::byte* base(View view) const {
    return view == View::cached ? cached : uncached;
  }
  /// A byte of it; nullptr where it has no such view.
  [[nodiscard]] std::byte* at(PhysAddr inside, View view) const {
    std::byte* const first = base(view);
    return first == nullptr ? nullptr : first + (inside.raw() - range.base.raw());
  }
};

class Pool;
struct Reclaim;  // pool/lent.hpp

/// Memory that was handed out: a plain value. Whoever has it may use it until it is given back;
/// copies of it are the same block, and giving back a second one is refused.
struct Block {
  std::byte* cpu;  ///< the first byte for the CPU; nullptr for memory without a CPU mapping
  DmaAddr dma;     ///< the same byte for the device that asked
  PhysAddr phys;   ///< the same byte, as the tree states it
  std::uint64_t size_bytes;  ///< what was granted: whole granules
  Pool* pool;
  std::uint32_t tag;  ///< with serial: names this one allocation for ever
  std::uint32_t serial;
};

/// Memory, an allocator over it, and a lock: who has which bytes of what.
///
/// Where the board says how many processors share it (TagStore::for_processors()), each parks the
/// block that it gave back last and takes it again without the lock.
///
/// The pool's own state lies outside its memory, in storage of whoever created it. It is not moved:
/// blocks point at it.
class Pool {
 public:
  struct Settings {
    std::string_view name;  ///< outlives the pool
    Memory memory;
    std::uint64_t granule_bytes;  ///< a power of two, the cache line or more
    std::span<const Chunk>
        chunks;    ///< outlives the pool; the ranges that the allocator has, in order
    Log log = {};  ///< for whoever refuses in the pool's name; the pool itself logs nothing
  };

  Pool(const Settings& settings, PortRef port, RangeAllocator allocator);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Hands out memory for a device that reaches `reaches`; the block's CPU pointer is in `view`,
  /// and nullptr where the pool has no such view. The bytes are as the last owner left them, and
  /// the caches too: both are the verbs' business (ops).
  ///
  /// Fails with exactly what RangeAllocator::take() fails with, pool_gone, and would_wait (the port
  /// does not let this context wait for the lock); the failure carries the pool and what was asked
  /// in whole granules, and exhausted and table_full carry what is free and the longest free run
  /// (see RangeAllocator::usage() for who must not wait). Cost: at most one lock; the allocator's,
  /// and of a refusal that of usage(). Context: any, interrupts too, as the port's lock lets them.
  [[nodiscard]] CARVEOUT_HOT Result<Block> take(const Need& need, std::span<const Reach> reaches,
                                                View view) {
    if (!allocator_.has_slots()) return take_locked(tables::Apart<Need>(need), reaches, view);
    if constexpr (tables::kForSize) {
      return allocator_.slot_calls().pool_take(*this, need, reaches, view);
    } else {
      return take_shared(need, reaches, view);
    }
  }

  /// Takes a block back. A refused call changes nothing.
  ///
  /// Fails with exactly one of: pool_gone, foreign_block (of another pool, or never given),
  /// would_wait, and what else RangeAllocator::give_back() fails with; the failure carries the pool
  /// and the block's size. Of several calls for one block at the same time, one succeeds.
  CARVEOUT_HOT Result<void> give_back(const Block& block) {
    if (!allocator_.has_slots()) return give_back_locked(block);
    if constexpr (tables::kForSize) {
      return allocator_.slot_calls().pool_give_back(*this, block);
    } else {
      return give_back_shared(block);
    }
  }

  /// Ends the pool. Blocks that are given back afterwards are told pool_gone, as long as the pool's
  /// storage exists. Fails with: in_use (blocks live), pool_gone (ended before).
  /// Context: of this and of all below that take the lock, none that may not wait for it.
  Result<void> close();

  [[nodiscard]] Usage usage() const;
  /// Calls `see` with every live block, in the order of chunks and addresses, and the lock held.
  void visit(FunctionRef<void(const Held&)> see) const;
  /// How many free runs there are of each length.
  [[nodiscard]] FreeRuns free_runs() const;
  /// Whoever holds the live block of the lowest address of the first chunk that has one; nothing
  /// where no block lives.
  [[nodiscard]] std::optional<Holder> any_holder() const;

  [[nodiscard]] std::string_view name() const { return settings_.name; }
  [[nodiscard]] Memory memory() const { return settings_.memory; }
  [[nodiscard]] std::uint64_t granule_bytes() const { return settings_.granule_bytes; }
  [[nodiscard]] std::span<const Chunk> chunks() const { return settings_.chunks; }
  [[nodiscard]] PortRef port() const { return port_; }
  [[nodiscard]] const Log& log() const { return settings_.log; }
  /// How ordinary users are asked to leave; nullptr: nothing of the pool is lent.
  [[nodiscard]] const Reclaim* reclaim() const { return reclaim_; }
  /// Lets ordinary users in, before anybody allocates. `reclaim` outlives the pool.
  void lend(const Reclaim& reclaim) { reclaim_ = &reclaim; }
  [[nodiscard]] bool closed() const;

  /// A block's first byte in `view`; nullptr where the pool has no such view. The caller knows who
  /// else looks through the other one.
  [[nodiscard]] std::byte* pointer(const Block& block, View view) const;
  /// Whether every chunk has such a view.
  [[nodiscard]] bool has(View view) const;

 private:
  [[nodiscard]] CARVEOUT_HOT Block block_of(const Grant& grant, View view) {
    return {.cpu = settings_.chunks[grant.chunk].at(grant.range.base, view),
            .dma = grant.dma,
            .phys = grant.range.base,
            .size_bytes = grant.range.size_bytes,
            .pool = this,
            .tag = grant.tag,
            .serial = grant.serial};
  }
  /// Where the board said how many processors share it. A program compiled for size comes here by
  /// way of tables::SlotCalls, so that only one that has such a pool has this code.
  [[nodiscard]] CARVEOUT_HOT Result<Block> take_shared(const Need& need,
                                                       std::span<const Reach> reaches, View view) {
    // A pool that is closed has nothing parked.
    const tables::BlockName taken = allocator_.take_parked(need, reaches, port_);
    if (taken.serial != 0) [[likely]]
      return block_of(allocator_.grant_of(taken, reaches.front()), view);
    return take_locked(tables::Apart<Need>(need), reaches, view);
  }
  CARVEOUT_HOT Result<void> give_back_shared(const Block& block) {
    if (block.pool == this) [[likely]] {
      // A pool that is closed has no live block, so every block is refused here. Who may not wait
      // is told so by what comes then.
      const tables::Given given = allocator_.give_back_shared(
          port_, lock_, {block.phys, block.size_bytes}, block.tag, block.serial);
      if (given == tables::Given::done) [[likely]]
        return {};
    }
    return give_back_locked(block);
  }
  [[gnu::cold]] Result<Block> take_locked(const Need& need, std::span<const Reach> reaches,
                                          View view);
  [[gnu::cold]] Result<void> give_back_locked(const Block& block);
  friend struct tables::SharedPool;  // the two above, by a pointer

  Settings settings_;
  PortRef port_;
  mutable LockWord lock_;
  RangeAllocator allocator_;
  const Reclaim* reclaim_ = nullptr;
  bool closed_ = false;
};

}  // namespace carveout
