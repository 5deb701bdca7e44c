// The lock-free part of a pool that several processors share. Linked only where a board says how
// many there are (TagStore::for_processors()): a processor without an atomic compare-exchange never
// comes here.
#include "carveout/pool/tag_store.hpp"
#include "carveout/port/port.hpp"
#include "parking.hpp"
#include "placer.hpp"

namespace carveout::tables {

namespace {

template <Order order>
constexpr int kOrder = order == Order::relaxed   ? __ATOMIC_RELAXED
                       : order == Order::acquire ? __ATOMIC_ACQUIRE
                                                 : __ATOMIC_SEQ_CST;

/// Serials and slots, where they are.
class Words {
 public:
  explicit Words(State& state) : state_{&state} {}

  template <Order order>
  [[nodiscard]] std::uint32_t serial(Tag tag) const {
    return __atomic_load_n(&state_->runs[tag].serial, kOrder<order>);
  }
  template <Order order>
  [[nodiscard]] Tag slot(std::uint32_t index) const {
    return __atomic_load_n(&state_->slots[index].hint, kOrder<order>);
  }
  template <Order order>
  [[nodiscard]] bool claim(Tag tag, std::uint32_t from, std::uint32_t to) const {
    return __atomic_compare_exchange_n(&state_->runs[tag].serial, &from, to, false, kOrder<order>,
                                       __ATOMIC_RELAXED);
  }
  template <Order order>
  [[nodiscard]] Tag swap(std::uint32_t index, Tag tag) const {
    return __atomic_exchange_n(&state_->slots[index].hint, tag, kOrder<order>);
  }

 private:
  State* state_;
};

/// Whether the granule is the first byte of that address. It may be any number: who looks without
/// the lock may look at a tag that was dead long since.
bool is_at(const State& state, Granules first, PhysAddr base) {
  for (const Area& area : state.chunks()) {
    if (first - area.first < area.granules) return state.address_of(area, first) == base;
  }
  return false;
}

bool take(State& state, std::uint32_t processor, const Need& need, std::span<const Reach> reaches,
          Grant& grant) {
  if (need.size_bytes == 0 || !is_power_of_two(need.align_bytes)) return false;
  if (!state.is_plain(need, reaches)) return false;
  const std::uint64_t wanted = granules_for(state, need.size_bytes);
  const auto fits = [&](Tag tag) { return peek(state.runs[tag].granules) == wanted; };
  const auto taken = Parking{Words{state}}.take(processor % state.slot_count, fits);
  if (taken.serial == 0) return false;
  Run& run = state.runs[taken.tag];
  put(run.holder, need.holder);
  const PhysAddr base = state.address_of(run.first);
  grant = {.range = {base, wanted << state.granule_shift},
           .dma = reaches.front().to_dma(base),
           .tag = taken.tag,
           .chunk = state.chunk_of(run.first),
           .serial = taken.serial};
  return true;
}

Given give_back(State& state, PortRef port, LockWord& lock, PhysRange range, Tag tag,
                std::uint32_t serial) {
  if (tag >= state.tags || !is(Life::live, serial)) return Given::refused;
  const Run& run = state.runs[tag];
  // A live block's place does not change. If it is not that block, ending its life fails.
  const Granules granules = peek(run.granules);
  if (peek(run.serial) != serial || !is_at(state, peek(run.first), range.base) ||
      range.size_bytes != std::uint64_t{granules} << state.granule_shift) {
    return Given::refused;
  }
  if (!port.may_lock()) return Given::would_wait;

  Parking parking{Words{state}};
  const bool parks = granules <= state.park_most;
  if (!parks || peek(state.used) > peek(state.peak)) {
    const LockGuard guard{port, lock};
    if (!parks) {
      if (!parking.end(tag, serial, Life::none)) return Given::refused;
      state.note_peak(state.used);
      state.calls->release(state, tag);
      return Given::done;
    }
    state.note_peak(state.used);
  }
  if (!parking.end(tag, serial, Life::parked)) return Given::refused;
  parking.park(
      port.processor() % state.slot_count, tag,
      [&](auto critical) {
        const LockGuard guard{port, lock};
        critical();
      },
      [&](Tag out) { state.calls->release(state, out); });
  return Given::done;
}

void collect_slots(State& state) {
  Parking parking{Words{state}};
  for (std::uint32_t slot = 0; slot < state.slot_count; ++slot) {
    parking.collect(slot, [&](Tag out) { state.calls->release(state, out); });
  }
}

}  // namespace

const SlotCalls kSlots{.take = take, .give_back = give_back, .collect = collect_slots};

}  // namespace carveout::tables
