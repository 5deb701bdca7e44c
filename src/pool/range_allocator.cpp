#include "carveout/pool/range_allocator.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <new>

#include "carveout/core/assert.hpp"
#include "placer.hpp"

namespace carveout {

namespace {

using tables::granules_for;

/// A reach as the search may trust it: cut at 2^64 of the device's side; nothing where it is upside
/// down.
std::optional<Reach> bounded(const Reach& reach) {
  if (reach.last < reach.first) return std::nullopt;
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - reach.dma.raw();
  const std::uint64_t span = std::min(reach.last.raw() - reach.first.raw(), room);
  return Reach{reach.first, PhysAddr{reach.first.raw() + span}, reach.dma};
}

/// What is wrong with a request whatever the memory.
std::optional<Error> fault_of(const Need& need) {
  if (need.size_bytes == 0) return Error::zero_size;
  if (!is_power_of_two(need.align_bytes)) return Error::bad_alignment;
  if (need.boundary_bytes != 0) {
    if (!is_power_of_two(need.boundary_bytes)) return Error::bad_boundary;
    if (need.size_bytes > need.boundary_bytes) return Error::crosses_boundary;
  }
  return std::nullopt;
}

}  // namespace

const tables::Area& tables::State::area_behind_first(Granules at) const {
  const Area* area = areas;
  while (at - area->first >= area->granules) ++area;
  return *area;
}

Result<RangeAllocator> RangeAllocator::create(std::span<const PhysRange> chunks,
                                              std::uint64_t granule_bytes, TagStore store,
                                              std::span<std::byte> storage) {
  if (!is_power_of_two(granule_bytes)) return refuse(Error::bad_granule);
  const auto shift = static_cast<unsigned>(std::countr_zero(granule_bytes));

  std::uint64_t total = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const PhysRange& chunk = chunks[i];
    const auto no = [&](Error code) {
      return std::unexpected{Failure{.code = code, .asked_bytes = chunk.size_bytes}};
    };
    if (chunk.empty()) return no(Error::empty_range);
    if (chunk.wraps()) return no(Error::wraps);
    if (((chunk.base.raw() | chunk.size_bytes) & (granule_bytes - 1)) != 0) {
      return no(Error::below_granule);
    }
    const auto overlaps = [&](const PhysRange& other) { return other.overlaps(chunk); };
    if (std::ranges::any_of(chunks.first(i), overlaps)) return no(Error::overlaps);
    // Compared before it is added: with granules of one byte the sum may pass 2^64.
    const std::uint64_t granules = chunk.size_bytes >> shift;
    if (granules > std::numeric_limits<Granules>::max() - total) return no(Error::bad_granule);
    total += granules;
  }

  const std::size_t needed = store.storage_bytes(chunks.size(), total);
  if (storage.size() < needed || needed == std::numeric_limits<std::size_t>::max()) {
    return std::unexpected{Failure{
        .code = Error::storage_too_small, .asked_bytes = needed, .free_bytes = storage.size()}};
  }
  CARVEOUT_ASSERT(std::bit_cast<std::uintptr_t>(storage.data()) % kStorageAlign == 0);

  tables::State state;
  state.calls = store.calls();
  state.granule_bytes = granule_bytes;
  state.granule_shift = shift;
  state.areas = static_cast<Area*>(static_cast<void*>(storage.data()));
  state.area_count = static_cast<std::uint32_t>(chunks.size());
  state.lowest = std::numeric_limits<std::uint64_t>::max();
  state.total = static_cast<Granules>(total);
  Granules first = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto granules = static_cast<Granules>(chunks[i].size_bytes >> shift);
    ::new (static_cast<void*>(state.areas + i))
        Area{.base = chunks[i].base, .first = first, .granules = granules};
    first += granules;
    state.lowest = std::min(state.lowest, chunks[i].base.raw());
    state.highest = std::max(state.highest, chunks[i].last().raw());
  }
  const std::size_t table_bytes = needed - static_cast<std::size_t>(store.slots_bytes());
  state.calls->prepare(state, storage.first(table_bytes).subspan(chunks.size() * sizeof(Area)));
  if (state.runs != nullptr) state.park_most = state.total / 64;
  if (store.slots() != 0) {
    constexpr std::uintptr_t kLine = sizeof(tables::Slot);
    std::byte* const behind = storage.data() + table_bytes;
    std::byte* const slots = behind + (0 - std::bit_cast<std::uintptr_t>(behind)) % kLine;
    state.slots = static_cast<tables::Slot*>(static_cast<void*>(slots));
    state.slot_count = store.slots();
    state.slot_calls = store.slot_calls();
    for (std::uint32_t i = 0; i < state.slot_count; ++i) {
      ::new (static_cast<void*>(state.slots + i)) tables::Slot{.hint = state.nobody};
    }
  }
  if (!chunks.empty()) {
    const Area& area = *state.areas;  // numbered as the store likes
    state.origin = area.base.raw() - (std::uint64_t{area.first} << shift);
    state.origin_end = area.first + area.granules;
  }
  return RangeAllocator{state};
}

std::expected<Grant, Error> RangeAllocator::take(const Need& need, std::span<const Reach> reaches) {
  if (const auto fault = fault_of(need)) return std::unexpected{*fault};

  if (is_plain(need, reaches)) {
    return take_plain(need.size_bytes, need.holder, need.context, reaches.front());
  }

  Error refusal = Error::unreachable;
  for (const Reach& stated : reaches) {
    const std::optional<Reach> reach = bounded(stated);
    if (!reach || !touches(*reach)) continue;
    const Tag tag = state_.calls->take_within(state_, need, *reach);
    if (tag < tables::kTableFull) {
      return grant_of(tag, static_cast<Granules>(granules_for(state_, need.size_bytes)),
                      need.holder, *reach);
    }
    if (refusal != Error::table_full) refusal = error_of(tag);
  }
  return std::unexpected{refusal};
}

std::optional<Grant> RangeAllocator::take_parked(const Need& need, std::span<const Reach> reaches,
                                                 std::uint32_t processor) {
  if (fault_of(need) || !is_plain(need, reaches)) return std::nullopt;
  Grant grant{.range = {PhysAddr{0}, 0}, .dma = DmaAddr{0}, .tag = 0, .chunk = 0, .serial = 0};
  if (!state_.slot_calls->take(state_, processor, need.size_bytes, need.holder, reaches.front(),
                               grant)) {
    return std::nullopt;
  }
  return grant;
}

bool RangeAllocator::is_plain(const Need& need, std::span<const Reach> reaches) const {
  if (need.fit != Fit::any || need.boundary_bytes != 0 || reaches.empty()) return false;
  const Reach& reach = reaches.front();
  const std::uint64_t offset = reach.dma.raw() - reach.first.raw();
  return need.align_bytes <= state_.granule_bytes && (offset & (need.align_bytes - 1)) == 0 &&
         shows_all(reach);
}

/// What give_back() did not settle at once: a store without serials, or a refusal.
std::expected<void, Error> RangeAllocator::give_back_carefully(PhysRange range, Tag tag,
                                                               std::uint32_t serial) {
  if (state_.runs == nullptr && serial == tables::kOnlySerial) {
    return give_back_at(range.base, range.size_bytes);
  }
  return std::unexpected{why_refused(range, tag, serial)};
}

Error RangeAllocator::why_refused(PhysRange range, Tag tag, std::uint32_t serial) const {
  if (tag >= state_.tags || state_.runs == nullptr) return Error::foreign_block;
  const Run& run = state_.runs[tag];
  const std::uint32_t now = tables::peek(run.serial);
  if (!is(tables::Life::live, serial) || serial > now) return Error::foreign_block;
  if (serial != now) return is_live(range) ? Error::stale_block : Error::double_free;
  return range.base != state_.address_of(run.first) ? Error::wrong_address : Error::wrong_size;
}

std::expected<void, Error> RangeAllocator::give_back_at(PhysAddr first, std::uint64_t size_bytes) {
  for (const Area& area : state_.chunks()) {
    const std::uint64_t offset = first.raw() - area.base.raw();
    if (offset >> state_.granule_shift >= area.granules) continue;
    const auto at = area.first + static_cast<Granules>(offset >> state_.granule_shift);
    const tables::Step step = state_.calls->find(state_, at);
    if (!is_live(step)) return std::unexpected{Error::double_free};
    if (first != range_of(step).base) return std::unexpected{Error::wrong_address};
    if (granules_for(state_, size_bytes) != step.granules) {
      return std::unexpected{Error::wrong_size};
    }
    if (state_.runs != nullptr) {
      const std::uint32_t serial = tables::peek(state_.runs[step.tag].serial);
      return give_back(range_of(step), step.tag, serial);
    }
    state_.note_peak(state_.used);
    state_.calls->release(state_, step.tag);
    return {};
  }
  return std::unexpected{Error::foreign_block};
}

Usage RangeAllocator::usage() const {
  Granules longest = state_.calls->longest(state_);
  const Granules used = state_.used_by_blocks();
  std::uint32_t blocks = state_.blocks;
  if (!state_.parked.none()) {
    // For a caller the parked block is free, and one with what is free beside it.
    const Run& parked = state_.runs[state_.parked.tag];
    --blocks;
    Granules first = parked.first;
    Granules end = parked.first + parked.granules;
    const Area& area = state_.area_of(first);
    if (first != area.first) {
      const tables::Step before = state_.calls->find(state_, first - 1);
      if (before.free) first = before.first;
    }
    if (end - area.first != area.granules) {
      const tables::Step behind = state_.calls->find(state_, end);
      if (behind.free) end = behind.first + behind.granules;
    }
    longest = std::max(longest, end - first);
  }
  return {.total_bytes = bytes_of(state_.total),
          .used_bytes = bytes_of(used),
          .peak_bytes = bytes_of(std::max(state_.peak, used)),
          .largest_run_bytes = bytes_of(longest),
          .blocks = blocks};
}

std::optional<Holder> RangeAllocator::any_holder() const {
  tables::Step step;
  while (state_.calls->next(state_, step)) {
    if (is_live(step))
      return state_.runs == nullptr ? 0 : tables::peek(state_.runs[step.tag].holder);
  }
  return std::nullopt;
}

void RangeAllocator::visit(FunctionRef<void(const Held&)> see) const {
  tables::Step step;
  while (state_.calls->next(state_, step)) {
    if (!is_live(step)) continue;
    see({range_of(step), state_.runs == nullptr ? 0 : tables::peek(state_.runs[step.tag].holder)});
  }
}

FreeRuns RangeAllocator::free_runs() const {
  FreeRuns runs{};
  tables::Step step;
  while (state_.calls->next(state_, step)) {
    if (step.free) ++runs[static_cast<std::size_t>(std::bit_width(step.granules)) - 1];
  }
  return runs;
}

PhysRange RangeAllocator::chunk(std::size_t index) const {
  CARVEOUT_ASSERT(index < state_.area_count);
  return {state_.areas[index].base, bytes_of(state_.areas[index].granules)};
}

/// Whether a byte of any chunk lies in the reach.
bool RangeAllocator::touches(const Reach& reach) const {
  for (std::size_t i = 0; i < state_.area_count; ++i) {
    if (reach.first <= chunk(i).last() && chunk(i).base <= reach.last) return true;
  }
  return false;
}

std::uint64_t RangeAllocator::bytes_of(std::uint64_t granules) const {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  // Two chunks of half the address space each are the only case.
  return granules > (kMost >> state_.granule_shift) ? kMost : granules << state_.granule_shift;
}

PhysRange RangeAllocator::range_of(const tables::Step& step) const {
  return {state_.address_of(state_.area_of(step.first), step.first), bytes_of(step.granules)};
}

bool RangeAllocator::is_live(const tables::Step& step) const {
  return !step.free && (state_.runs == nullptr || state_.runs[step.tag].live());
}

/// Whether a live block has a byte of the range, which may be anything.
bool RangeAllocator::is_live(PhysRange range) const {
  tables::Step step;
  while (state_.calls->next(state_, step)) {
    if (is_live(step) && range_of(step).overlaps(range)) return true;
  }
  return false;
}

}  // namespace carveout
