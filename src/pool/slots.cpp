// The lock-free part of a pool that several processors share. Linked only where a board says how
// many there are (TagStore::for_processors()): a processor without an atomic compare-exchange never
// comes here.
#include <span>

#include "carveout/pool/pool.hpp"
#include "carveout/pool/range_allocator.hpp"
#include "carveout/port/port.hpp"
#include "parking.hpp"
#include "placer.hpp"

namespace carveout::tables {

namespace {

template <Order order>
constexpr int kOrder = order == Order::relaxed   ? __ATOMIC_RELAXED
                       : order == Order::acquire ? __ATOMIC_ACQUIRE
                                                 : __ATOMIC_SEQ_CST;

/// Serials and slots, where they are. Read once, and not after each atomic step again.
class Words {
 public:
  explicit Words(const State& state) : runs_{state.runs}, slots_{state.slots} {}

  template <Order order>
  [[nodiscard]] std::uint32_t serial(Tag tag) const {
    return __atomic_load_n(&runs_[tag].serial, kOrder<order>);
  }
  template <Order order>
  [[nodiscard]] Tag slot(std::uint32_t index) const {
    return __atomic_load_n(&slots_[index].hint, kOrder<order>);
  }
  template <Order order>
  [[nodiscard]] bool claim(Tag tag, std::uint32_t from, std::uint32_t to) const {
    return __atomic_compare_exchange_n(&runs_[tag].serial, &from, to, false, kOrder<order>,
                                       __ATOMIC_RELAXED);
  }
  template <Order order>
  [[nodiscard]] Tag swap(std::uint32_t index, Tag tag) const {
    return __atomic_exchange_n(&slots_[index].hint, tag, kOrder<order>);
  }

 private:
  Run* runs_;
  Slot* slots_;
};

/// Without a division where the port numbers processors as the board counts them.
std::uint32_t slot_of(const State& state, std::uint32_t processor) {
  return processor < state.slot_count ? processor : processor % state.slot_count;
}

// The steps are few, so a call more would show: what is rare is kept out of line.

/// Whether the granule is the first byte of that address. It may be any number: who looks without
/// the lock may look at a tag that was dead long since.
[[gnu::noinline]] bool is_behind_first(const State& state, Granules first, PhysAddr base) {
  for (const Area& area : state.chunks()) {
    if (first - area.first < area.granules) return state.address_of(area, first) == base;
  }
  return false;
}
bool is_at(const State& state, Granules first, PhysAddr base) {
  if (first < state.origin_end) [[likely]]
    return base.raw() == state.origin + state.bytes_of(first);
  return is_behind_first(state, first, base);
}

BlockName take(State& state, std::uint32_t processor, std::uint64_t size_bytes, Holder holder) {
  const auto fits = [&](Tag tag) {
    // Rounded up to granules, the size is the block's. No block has 0 bytes, and none fits them.
    const std::uint64_t bytes = state.bytes_of(peek(state.runs[tag].granules));
    return bytes - size_bytes < state.granule_bytes;
  };
  const BlockName taken = Parking{Words{state}}.take(slot_of(state, processor), fits);
  if (taken.serial != 0) [[likely]]
    put(state.runs[taken.tag].holder, holder);
  return taken;
}

CARVEOUT_HOT inline Given park(State& state, const PortRef& port, LockWord& lock, BlockName block,
                               std::uint32_t slot) {
  Parking parking{Words{state}};
  if (!parking.end(block.tag, block.serial, Life::parked)) [[unlikely]]
    return Given::refused;
  parking.park(
      slot, block.tag,
      [&port, &lock](auto critical) {
        const LockGuard guard{port, lock};
        critical();
      },
      [&state](Tag out) { state.calls->release(state, out); });
  return Given::done;
}

[[gnu::noinline]] Given note_peak_and_park(State& state, const PortRef& port, LockWord& lock,
                                           BlockName block, std::uint32_t slot) {
  {
    const LockGuard guard{port, lock};
    state.note_peak(state.used);
  }
  return park(state, port, lock, block, slot);
}

/// A block that is too long to be parked.
[[gnu::noinline]] Given make_free(State& state, const PortRef& port, LockWord& lock,
                                  BlockName block) {
  const LockGuard guard{port, lock};
  if (!Parking{Words{state}}.end(block.tag, block.serial, Life::none)) return Given::refused;
  state.note_peak(state.used);
  state.calls->release(state, block.tag);
  return Given::done;
}

Given give_back(State& state, const PortRef& port, LockWord& lock, PhysAddr base,
                std::uint64_t size_bytes, BlockName block) {
  if (block.tag >= state.tags || !is(Life::live, block.serial)) [[unlikely]]
    return Given::refused;
  // A live block's place does not change. If it is not that block, ending its life fails.
  const Run& run = state.runs[block.tag];
  const Granules granules = peek(run.granules);
  if (peek(run.serial) != block.serial || !is_at(state, peek(run.first), base) ||
      size_bytes != state.bytes_of(granules)) [[unlikely]] {
    return Given::refused;
  }
  if (!port.may_lock()) [[unlikely]]
    return Given::would_wait;
  if (granules > state.park_most) [[unlikely]]
    return make_free(state, port, lock, block);
  const std::uint32_t slot = slot_of(state, port.processor());
  if (peek(state.used) > peek(state.peak)) [[unlikely]]
    return note_peak_and_park(state, port, lock, block, slot);
  return park(state, port, lock, block, slot);
}

void collect_slots(State& state) {
  Parking parking{Words{state}};
  for (std::uint32_t slot = 0; slot < state.slot_count; ++slot) {
    parking.collect(slot, [&](Tag out) { state.calls->release(state, out); });
  }
}

}  // namespace

struct SharedPool {
  static Result<Block> take(Pool& pool, const Need& need, std::span<const Reach> reaches,
                            View view) {
    return pool.take_shared(need, reaches, view);
  }
  static Result<void> give_back(Pool& pool, const Block& block) {
    return pool.give_back_shared(block);
  }
};

const SlotCalls kSlots{.take = take,
                       .give_back = give_back,
                       .collect = collect_slots,
                       .pool_take = SharedPool::take,
                       .pool_give_back = SharedPool::give_back};

}  // namespace carveout::tables
