#include "carveout/pool/range_allocator.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <new>

#include "carveout/core/assert.hpp"
#include "placer.hpp"

namespace carveout {

namespace {

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
    if (granules > TagStore::kMostGranules - total) return no(Error::bad_granule);
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
  state.total = total;
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
  // Processors that share a pool park whatever it is compiled for: they do it without the lock.
  if (state.runs != nullptr && (!tables::kForSize || store.slots() != 0))
    state.park_most = static_cast<Granules>(total / 64);
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

std::expected<Grant, Error> RangeAllocator::take_carefully(const Need& need,
                                                           std::span<const Reach> reaches) {
  if (const auto fault = fault_of(need)) return std::unexpected{*fault};
  const auto granted_bytes = align_up(need.size_bytes, state_.granule_bytes);
  if (!granted_bytes) return std::unexpected{Error::size_overflow};
  Error refusal = Error::unreachable;
  for (const Reach& stated : reaches) {
    const Reach reach = stated.on_the_bus();
    if (stated.last < stated.first || !touches(reach)) continue;
    const Tag tag = state_.calls->take_within(state_, need, reach);
    if (tag < tables::kTableFull) return grant_of(tag, *granted_bytes, need.holder, reach);
    if (refusal != Error::table_full) refusal = error_of(tag);
  }
  return std::unexpected{refusal};
}

tables::Tag tables::ask_within(State& /*state*/, Granules /*granules*/, Context /*context*/) {
  return kAskWithin;
}

void tables::collect(State& state) {
  if (state.slots != nullptr) state.slot_calls->collect(state);
  if (tables::kForSize || state.parked.none()) return;
  state.parked.granules = 0;
  state.calls->release(state, state.parked.tag);
}

std::expected<void, Error> RangeAllocator::give_back_carefully(const PhysRange& range, Tag tag,
                                                               std::uint32_t serial) {
  if (state_.calls->give_back == nullptr || serial != tables::kOnlySerial)
    return std::unexpected{why_refused(range, tag, serial)};
  return state_.calls->give_back(state_, range.base, range.size_bytes);
}

Error RangeAllocator::why_refused(const PhysRange& range, std::uint32_t tag,
                                  std::uint32_t serial) const {
  if (tag >= state_.tags) return Error::foreign_block;
  const Run& run = state_.runs[tag];
  const std::uint32_t now = tables::peek(run.serial);
  if (!is(tables::Life::live, serial) || serial > now) return Error::foreign_block;
  if (serial != now) return is_live(range) ? Error::stale_block : Error::double_free;
  return range.base == state_.address_of(run.first) ? Error::wrong_size : Error::wrong_address;
}

namespace {

/// The run that has a granule.
tables::Step run_at(const tables::State& state, tables::Granules at) {
  if (state.is_dense() && state.runs[at].live()) {
    return {.first = at, .granules = state.runs[at].granules, .tag = at};
  }
  tables::Step step;
  while (state.calls->next(state, step) && at - step.first >= step.granules) {
  }
  return step;
}

}  // namespace

std::expected<tables::Step, Error> tables::block_at(const State& state, PhysAddr first,
                                                    std::uint64_t size_bytes) {
  for (const Area& area : state.chunks()) {
    const std::uint64_t offset = first.raw() - area.base.raw();
    if (offset >> state.granule_shift >= area.granules) continue;
    const auto at = area.first + static_cast<Granules>(offset >> state.granule_shift);
    const Step step = run_at(state, at);
    if (step.free || (state.runs != nullptr && !state.runs[step.tag].live())) {
      return std::unexpected{Error::double_free};
    }
    if (first != state.address_of(area, step.first)) return std::unexpected{Error::wrong_address};
    if (granules_for(state, size_bytes) != step.granules) {
      return std::unexpected{Error::wrong_size};
    }
    return step;
  }
  return std::unexpected{Error::foreign_block};
}

std::expected<void, Error> RangeAllocator::give_back_at(PhysAddr first, std::uint64_t size_bytes) {
  const auto block = tables::block_at(state_, first, size_bytes);
  if (!block) return std::unexpected{block.error()};
  const std::uint32_t serial =
      state_.runs == nullptr ? tables::kOnlySerial : tables::peek(state_.runs[block->tag].serial);
  return give_back(range_of(*block), block->tag, serial);
}

/// Two chunks of half the address space each are all that has more bytes than a number can say.
std::uint64_t RangeAllocator::stated(Granules granules) const {
  const std::uint64_t bytes = state_.bytes_of(granules);
  return bytes == 0 && granules != 0 ? std::numeric_limits<std::uint64_t>::max() : bytes;
}

Room RangeAllocator::room(Context context) const {
  tables::collect(state_);
  constexpr std::uint32_t kFew = 4;
  const std::uint32_t looks =
      context == Context::may_wait ? std::numeric_limits<std::uint32_t>::max() : kFew;
  return {.free_bytes = stated(static_cast<Granules>(state_.total) - state_.used),
          .largest_run_bytes = stated(state_.calls->longest(state_, looks))};
}

Usage RangeAllocator::usage() const {
  const Room room = this->room(Context::may_wait);
  return {.total_bytes = stated(static_cast<Granules>(state_.total)),
          .used_bytes = stated(state_.used),
          .peak_bytes = stated(std::max(state_.peak, state_.used)),
          .largest_run_bytes = room.largest_run_bytes,
          .blocks = state_.blocks};
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
  return state_.range_of(state_.areas[index].first, state_.areas[index].granules);
}

/// Whether a byte of any chunk lies in the reach.
bool RangeAllocator::touches(const Reach& reach) const {
  for (const Area& area : state_.chunks()) {
    if (reach.touches({area.base, state_.bytes_of(area.granules)})) return true;
  }
  return false;
}

PhysRange RangeAllocator::range_of(const tables::Step& step) const {
  return state_.range_of(step.first, step.granules);
}

bool RangeAllocator::is_live(const tables::Step& step) const {
  return !step.free && (state_.runs == nullptr || state_.runs[step.tag].live());
}

/// Whether a live block has a byte of the range, which may be anything.
bool RangeAllocator::is_live(const PhysRange& range) const {
  const Reach all{.first = range.base, .last = range.last(), .dma = DmaAddr{0}};
  tables::Step step;
  while (!range.empty() && state_.calls->next(state_, step)) {
    if (is_live(step) && all.touches(range_of(step))) return true;
  }
  return false;
}

}  // namespace carveout
