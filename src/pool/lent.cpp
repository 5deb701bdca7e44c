#include "carveout/pool/lent.hpp"

#include <algorithm>
#include <bit>

#include "placer.hpp"

namespace carveout {
namespace {

bool is_lent(const Held& held) { return (held.holder & kLent) != 0; }

/// Calls `see` with each stretch of `within`, which is part of one chunk, that holds no byte of a
/// block that is in the way: in rising order, under the pool's lock.
template <class InTheWay, class See>
void for_each_stretch(const Pool& pool, PhysRange within, InTheWay in_the_way, See see) {
  std::uint64_t from = within.base.raw();
  const std::uint64_t last = within.last().raw();
  bool ended = false;  // a block reaches the end, behind which there may be no address
  pool.visit([&](const Held& held) {
    if (ended || !held.range.overlaps(within) || !in_the_way(held)) return;
    if (held.range.base.raw() > from) {
      see(PhysRange::from_to(PhysAddr{from}, PhysAddr{held.range.base.raw() - 1}));
    }
    ended = held.range.last().raw() >= last;
    from = held.range.last().raw() + 1;
  });
  if (!ended) see(PhysRange::from_to(PhysAddr{from}, PhysAddr{last}));
}

/// What the allocator would know of a range that is all free: enough to ask where a request fits.
class FreeRange {
 public:
  FreeRange(PhysRange range, std::uint64_t granule_bytes)
      : area_{.base = range.base,
              .first = 0,
              .granules = static_cast<tables::Granules>(range.size_bytes >>
                                                        std::countr_zero(granule_bytes))} {
    state_.granule_bytes = granule_bytes;
    state_.granule_shift = static_cast<unsigned>(std::countr_zero(granule_bytes));
    state_.area_count = 1;
    state_.areas = &area_;
    state_.origin = range.base.raw();
    state_.origin_end = area_.granules;
    state_.total = area_.granules;
  }
  FreeRange(const FreeRange&) = delete;
  FreeRange& operator=(const FreeRange&) = delete;

  /// The lowest place of a request.
  [[nodiscard]] std::optional<PhysAddr> place(const Need& need, const Reach& reach) const {
    const tables::Placer placer{state_, need, reach};
    if (placer.wanted() == 0) return std::nullopt;
    const tables::Granules at = placer.in(0, area_.granules);
    if (at == tables::kNone) return std::nullopt;
    return state_.address_of(at);
  }

 private:
  tables::Area area_;
  tables::State state_;
};

std::uint64_t whole_granules(const Pool& pool, std::uint64_t size_bytes) {
  return align_up(size_bytes, pool.granule_bytes()).value_or(~std::uint64_t{0});
}

std::unexpected<Failure> exhausted(const Pool& pool, std::uint64_t size_bytes) {
  const Usage usage = pool.usage();
  return std::unexpected{Failure{.code = Error::exhausted,
                                 .pool = pool.name(),
                                 .asked_bytes = whole_granules(pool, size_bytes),
                                 .free_bytes = usage.free_bytes(),
                                 .largest_run_bytes = usage.largest_run_bytes}};
}

/// That range, and nothing else.
Result<Block> take_at(Pool& pool, const Need& need, PhysRange place, DmaAddr dma, View view) {
  const Reach reach{.first = place.base, .last = place.last(), .dma = dma};
  return pool.take(need, {&reach, 1}, view);
}

/// The highest free range of that size, of the last chunk that has one.
std::optional<PhysRange> highest_free(const Pool& pool, std::uint64_t size_bytes, PhysRange avoid) {
  std::optional<PhysRange> highest;
  const auto offer = [&](std::uint64_t first, std::uint64_t last) {
    if (last - first < size_bytes - 1) return;
    highest = PhysRange{PhysAddr{last - (size_bytes - 1)}, size_bytes};
  };
  for (const Chunk& chunk : pool.chunks()) {
    for_each_stretch(
        pool, chunk.range, [](const Held&) { return true; },
        [&](PhysRange free) {
          const std::uint64_t first = free.base.raw();
          const std::uint64_t last = free.last().raw();
          if (!free.overlaps(avoid)) return offer(first, last);
          if (first < avoid.base.raw()) offer(first, avoid.base.raw() - 1);
          if (avoid.last().raw() < last) offer(avoid.last().raw() + 1, last);
        });
  }
  return highest;
}

/// `range` and the rest of the granules that it has bytes of.
PhysRange outward(PhysRange range, std::uint64_t granule_bytes) {
  if (range.empty()) return range;
  return PhysRange::from_to(PhysAddr{align_down(range.base.raw(), granule_bytes)},
                            PhysAddr{range.last().raw() | (granule_bytes - 1)});
}

/// One request that takes lent memory back.
class Reclaiming {
 public:
  Reclaiming(Pool& pool, const Need& need, View view) : pool_{pool}, need_{need}, view_{view} {}

  /// In part of a chunk, as far as a reach shows it. Nothing where no place of it can be cleared.
  std::optional<Block> in(PhysRange part, const Reach& reach) {
    while (tries_ != 0 && !part.empty()) {
      const auto place = next_place(part, reach);
      if (!place) return std::nullopt;
      if (const auto pinned = clear(*place)) {
        // The place was the lowest, so every other up to its end has this block in the way, too.
        const std::uint64_t behind = pinned->range.last().raw();
        if (behind >= part.last().raw()) return std::nullopt;
        part = PhysRange::from_to(PhysAddr{behind + 1}, part.last());
        continue;
      }
      if (auto block = take_at(pool_, need_, *place, reach.to_dma(place->base), view_))
        return *block;
      --tries_;
    }
    return std::nullopt;
  }

 private:
  /// The lowest range at which the request fits, if whoever borrowed there leaves.
  [[nodiscard]] std::optional<PhysRange> next_place(PhysRange part, const Reach& reach) const {
    std::optional<PhysRange> found;
    for_each_stretch(
        pool_, part, [](const Held& held) { return !is_lent(held); },
        [&](PhysRange stretch) {
          if (found) return;
          const FreeRange free{stretch, pool_.granule_bytes()};
          if (const auto at = free.place(need_, reach))
            found = PhysRange{*at, whole_granules(pool_, need_.size_bytes)};
        });
    return found;
  }

  /// Has every lent block in the place vacated. The one that is pinned; nothing where all went.
  std::optional<Held> clear(PhysRange place) const {
    std::optional<Held> asked;
    // No more blocks than granules: whoever borrows there meanwhile has the place.
    for (std::uint64_t most = place.size_bytes >> std::countr_zero(pool_.granule_bytes());
         most != 0; --most) {
      const auto lent = first_lent(place);
      if (!lent) break;
      // The board said that it had gone.
      if (asked && asked->range == lent->range) return lent;
      asked = lent;
      const Reclaim& reclaim = *pool_.reclaim();
      const Held shown{.range = lent->range, .holder = lent->holder & ~kLent};
      if (reclaim.vacate(reclaim.context, shown, place) == Vacated::pinned) return lent;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Held> first_lent(PhysRange place) const {
    std::optional<Held> first;
    pool_.visit([&](const Held& held) {
      if (!first && is_lent(held) && held.range.overlaps(place)) first = held;
    });
    return first;
  }

  Pool& pool_;
  const Need& need_;
  View view_;
  unsigned tries_ = kReclaimTries;
};

}  // namespace

Result<Block> take_lent(Pool& pool, std::uint64_t size_bytes, Holder user, View view,
                        std::optional<PhysRange> avoid) {
  if (pool.reclaim() == nullptr) return refuse(Error::wrong_kind, pool.name());
  if (size_bytes == 0) return refuse(Error::zero_size, pool.name());
  if (!pool.port().may_lock()) return refuse(Error::would_wait, pool.name());
  const Need need{.size_bytes = size_bytes, .holder = user | kLent};
  const PhysRange kept_free =
      outward(avoid.value_or(PhysRange{PhysAddr{0}, 0}), pool.granule_bytes());
  for (unsigned tries = kReclaimTries; tries != 0; --tries) {
    const auto place = highest_free(pool, whole_granules(pool, size_bytes), kept_free);
    if (!place) break;
    auto block = take_at(pool, need, *place, DmaAddr{place->base.raw()}, view);
    // Only a place that somebody else got first is worth another look.
    if (block || block.error().code != Error::exhausted) return block;
  }
  return exhausted(pool, size_bytes);
}

Result<Block> take_reclaiming(Pool& pool, const Need& need, std::span<const Reach> reaches,
                              View view) {
  auto block = pool.take(need, reaches, view);
  if (block || block.error().code != Error::exhausted) return block;
  if (pool.reclaim() == nullptr || need.context == Context::must_not_wait) return block;
  Reclaiming reclaiming{pool, need, view};
  for (const Reach& reach : reaches) {
    if (reach.last < reach.first) continue;
    for (const Chunk& chunk : pool.chunks()) {
      if (const auto got = reclaiming.in(chunk.range, reach.on_the_bus())) return *got;
    }
  }
  return block;
}

}  // namespace carveout
