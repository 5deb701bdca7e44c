#include "carveout/pool/range_allocator.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include "carveout/core/assert.hpp"

namespace carveout {

namespace {

/// A reach as the search may trust it: cut at 2^64 of the device's side; nothing where it is upside
/// down.
std::optional<Reach> bounded(const Reach& reach) {
  if (reach.last < reach.first) return std::nullopt;
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - reach.dma.raw();
  const std::uint64_t span = std::min(reach.last.raw() - reach.first.raw(), room);
  return Reach{reach.first, PhysAddr{reach.first.raw() + span}, reach.dma};
}

}  // namespace

/// Where a request could go: the part of one free run that the reach shows.
struct RangeAllocator::Place {
  std::uint32_t chunk;
  Tag run;
  PhysAddr first;  ///< the lowest place in it
};

/// The places that a request may take within one reach, wherever memory is free: physical addresses
/// p = rest (mod step), both of powers of two, at which the bytes asked for cross no boundary.
class RangeAllocator::Grid {
 public:
  /// Nothing where no multiple of the granule in memory is aligned at the device.
  static std::optional<Grid> of(const Need& need, const Reach& reach, std::uint64_t granule_bytes) {
    // Device address = physical address + offset, modulo 2^64, which every power of two divides.
    const std::uint64_t offset = reach.dma.raw() - reach.first.raw();
    const std::uint64_t align = need.align_bytes;
    if ((offset & (std::min(align, granule_bytes) - 1)) != 0) return std::nullopt;
    return Grid{need, offset, std::max(align, granule_bytes)};
  }

  /// The lowest place from `bottom` on.
  [[nodiscard]] std::optional<std::uint64_t> lowest_from(std::uint64_t bottom) const {
    const std::optional<std::uint64_t> place = next_from(bottom);
    if (!place || !crosses(*place)) return place;
    // Past the boundary, the first place is as near to it as any place ever is: where the step is
    // the smaller of the two every boundary finds the same, and where it is the larger all places
    // lie alike. If that one crosses the next boundary, so does every other.
    const std::uint64_t to_boundary = boundary_ - (at_device(*place) & (boundary_ - 1));
    const std::optional<std::uint64_t> boundary = checked_add(*place, to_boundary);
    const std::optional<std::uint64_t> beyond = boundary ? next_from(*boundary) : std::nullopt;
    return beyond && !crosses(*beyond) ? beyond : std::nullopt;
  }

 private:
  Grid(const Need& need, std::uint64_t offset, std::uint64_t step)
      : offset_{offset},
        step_{step},
        rest_{(0 - offset) & (need.align_bytes - 1)},
        boundary_{need.boundary_bytes},
        size_{need.size_bytes} {}

  [[nodiscard]] std::uint64_t at_device(std::uint64_t place) const { return place + offset_; }

  [[nodiscard]] bool crosses(std::uint64_t place) const {
    return boundary_ != 0 && (at_device(place) & (boundary_ - 1)) > boundary_ - size_;
  }

  [[nodiscard]] std::optional<std::uint64_t> next_from(std::uint64_t bottom) const {
    return checked_add(bottom, (rest_ - bottom) & (step_ - 1));
  }

  std::uint64_t offset_;
  std::uint64_t step_;
  std::uint64_t rest_;
  std::uint64_t boundary_;
  std::uint64_t size_;
};

Result<RangeAllocator> RangeAllocator::create(std::span<const PhysRange> chunks,
                                              std::uint64_t granule_bytes, std::size_t blocks,
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

  const std::size_t needed = storage_bytes(chunks.size(), blocks);
  if (storage.size() < needed || needed == std::numeric_limits<std::size_t>::max()) {
    return std::unexpected{Failure{
        .code = Error::storage_too_small, .asked_bytes = needed, .free_bytes = storage.size()}};
  }
  CARVEOUT_ASSERT(std::bit_cast<std::uintptr_t>(storage.data()) % kStorageAlign == 0);

  // The tables lie behind one another. The first nodes are the chunks' one free run each, the rest
  // are spares.
  auto* const areas = static_cast<Area*>(static_cast<void*>(storage.data()));
  auto* const nodes = static_cast<Node*>(static_cast<void*>(areas + chunks.size()));
  const std::size_t node_count = nodes_for(chunks.size(), blocks);
  Granules first = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto granules = static_cast<Granules>(chunks[i].size_bytes >> shift);
    ::new (static_cast<void*>(areas + i)) Area{.base = chunks[i].base,
                                               .first = first,
                                               .granules = granules,
                                               .lowest = static_cast<Tag>(i)};
    ::new (static_cast<void*>(nodes + i)) Node{.first = first, .granules = granules};
    first += granules;
  }
  for (std::size_t i = chunks.size(); i < node_count; ++i) {
    const Tag next = i + 1 < node_count ? static_cast<Tag>(i + 1) : kNone;
    ::new (static_cast<void*>(nodes + i)) Node{.next = next};
  }

  RangeAllocator made{{areas, chunks.size()}, {nodes, node_count}, shift};
  made.total_ = first;
  if (node_count > chunks.size()) made.spares_ = static_cast<Tag>(chunks.size());
  return made;
}

std::expected<Grant, Error> RangeAllocator::take(const Need& need, std::span<const Reach> reaches) {
  if (need.size_bytes == 0) return std::unexpected{Error::zero_size};
  if (!is_power_of_two(need.align_bytes)) return std::unexpected{Error::bad_alignment};
  if (need.boundary_bytes != 0) {
    if (!is_power_of_two(need.boundary_bytes)) return std::unexpected{Error::bad_boundary};
    if (need.size_bytes > need.boundary_bytes) return std::unexpected{Error::crosses_boundary};
  }

  Error refusal = Error::unreachable;
  for (const Reach& stated : reaches) {
    const std::optional<Reach> reach = bounded(stated);
    if (!reach || !touches(*reach)) continue;
    const std::expected<Place, Error> place = find(need, *reach);
    if (place) return cut(*place, need, *reach);
    if (refusal != Error::table_full) refusal = place.error();
  }
  return std::unexpected{refusal};
}

/// Where in one reach a request goes. Fails with exhausted and table_full, as take() does.
std::expected<RangeAllocator::Place, Error> RangeAllocator::find(const Need& need,
                                                                 const Reach& reach) const {
  const std::optional<Grid> grid = Grid::of(need, reach, granule_bytes());
  if (!grid) return std::unexpected{Error::exhausted};

  const std::uint64_t wanted = granules_for(need.size_bytes);
  Error refusal = Error::exhausted;
  std::optional<Place> best;
  for (std::uint32_t i = 0; i < chunks_.size(); ++i) {
    for (Tag tag = chunks_[i].lowest; tag != kNone; tag = nodes_[tag].next) {
      const Node& node = nodes_[tag];
      if (node.live() || node.granules < wanted) continue;
      if (best && nodes_[best->run].granules <= node.granules) continue;

      const PhysRange run = range_of(chunks_[i], node);
      const std::uint64_t bottom = std::max(run.base, reach.first).raw();
      const std::uint64_t top = std::min(run.last(), reach.last).raw();
      const std::uint64_t to_last = bytes_of(wanted) - 1;
      const std::optional<std::uint64_t> first = grid->lowest_from(bottom);
      if (!first || *first > top || top - *first < to_last) continue;

      const bool leaves_front = *first != run.base.raw();
      const bool leaves_back = *first + to_last != run.last().raw();
      if (!has_spares(unsigned{leaves_front} + unsigned{leaves_back})) {
        refusal = Error::table_full;
        continue;
      }
      best = Place{i, tag, PhysAddr{*first}};
      if (need.fit != Fit::best) return *best;
    }
  }
  if (!best) return std::unexpected{refusal};
  return *best;
}

std::expected<void, Error> RangeAllocator::give_back(PhysRange range, std::uint32_t tag,
                                                     std::uint32_t serial) {
  if (tag >= nodes_.size()) return std::unexpected{Error::foreign_block};
  const Node& node = nodes_[tag];
  if ((serial & 1) == 0 || serial > node.serial) {
    return std::unexpected{Error::foreign_block};
  }
  if (serial != node.serial) {
    return std::unexpected{is_live(range) ? Error::stale_block : Error::double_free};
  }
  const PhysRange granted = range_of(area_of(node), node);
  if (range.base != granted.base) return std::unexpected{Error::wrong_address};
  if (range.size_bytes != granted.size_bytes) return std::unexpected{Error::wrong_size};
  release(tag);
  return {};
}

std::expected<void, Error> RangeAllocator::give_back_at(PhysAddr first, std::uint64_t size_bytes) {
  for (const Area& area : chunks_) {
    for (Tag tag = area.lowest; tag != kNone; tag = nodes_[tag].next) {
      const Node& node = nodes_[tag];
      const PhysRange run = range_of(area, node);
      if (!run.contains(first)) continue;
      if (!node.live()) return std::unexpected{Error::double_free};
      if (first != run.base) return std::unexpected{Error::wrong_address};
      if (granules_for(size_bytes) != node.granules) return std::unexpected{Error::wrong_size};
      release(tag);
      return {};
    }
  }
  return std::unexpected{Error::foreign_block};
}

Usage RangeAllocator::usage() const {
  Granules largest = 0;
  for (const Node& node : nodes_) {
    if (!node.live()) largest = std::max(largest, node.granules);
  }
  return {.total_bytes = bytes_of(total_),
          .used_bytes = bytes_of(used_),
          .peak_bytes = bytes_of(peak_),
          .largest_run_bytes = bytes_of(largest),
          .blocks = blocks_};
}

std::optional<Holder> RangeAllocator::any_holder() const {
  for (const Area& area : chunks_) {
    for (Tag tag = area.lowest; tag != kNone; tag = nodes_[tag].next) {
      if (nodes_[tag].live()) return nodes_[tag].holder;
    }
  }
  return std::nullopt;
}

PhysRange RangeAllocator::chunk(std::size_t index) const {
  CARVEOUT_ASSERT(index < chunks_.size());
  return {chunks_[index].base, bytes_of(chunks_[index].granules)};
}

/// Whether a byte of any chunk lies in the reach.
bool RangeAllocator::touches(const Reach& reach) const {
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    if (reach.first <= chunk(i).last() && chunk(i).base <= reach.last) return true;
  }
  return false;
}

/// Rounded up; none for no bytes.
std::uint64_t RangeAllocator::granules_for(std::uint64_t size_bytes) const {
  return size_bytes == 0 ? 0 : ((size_bytes - 1) >> granule_shift_) + 1;
}

std::uint64_t RangeAllocator::bytes_of(std::uint64_t granules) const {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  // Two chunks of half the address space each are the only case.
  return granules > (kMost >> granule_shift_) ? kMost : granules << granule_shift_;
}

PhysRange RangeAllocator::range_of(const Area& area, const Node& node) const {
  return {PhysAddr{area.base.raw() + bytes_of(node.first - area.first)}, bytes_of(node.granules)};
}

const RangeAllocator::Area& RangeAllocator::area_of(const Node& node) const {
  const auto has = [&](const Area& area) { return node.first - area.first < area.granules; };
  return *std::ranges::find_if(chunks_, has);
}

/// Whether a live block has a byte of the range, which may be anything.
bool RangeAllocator::is_live(PhysRange range) const {
  for (const Area& area : chunks_) {
    for (Tag tag = area.lowest; tag != kNone; tag = nodes_[tag].next) {
      const Node& node = nodes_[tag];
      if (node.live() && range_of(area, node).overlaps(range)) return true;
    }
  }
  return false;
}

/// @param wanted  0, 1 or 2.
bool RangeAllocator::has_spares(unsigned wanted) const {
  if (wanted == 0) return true;
  if (spares_ == kNone) return false;
  return wanted == 1 || nodes_[spares_].next != kNone;
}

/// Makes a spare, which there must be, a free run behind `tag`.
RangeAllocator::Tag RangeAllocator::insert_after(Tag tag, Granules first, Granules granules) {
  const Tag made = spares_;
  Node& node = nodes_[made];
  spares_ = node.next;

  node.first = first;
  node.granules = granules;
  node.previous = tag;
  node.next = nodes_[tag].next;
  if (node.next != kNone) nodes_[node.next].previous = made;
  nodes_[tag].next = made;
  return made;
}

/// Makes one free run of two neighbours; the second node becomes a spare and keeps its serial.
void RangeAllocator::merge_with_next(Tag tag) {
  Node& node = nodes_[tag];
  const Tag gone = node.next;
  Node& next = nodes_[gone];

  node.granules += next.granules;
  node.next = next.next;
  if (node.next != kNone) nodes_[node.next].previous = tag;

  next.granules = 0;
  next.previous = kNone;
  next.next = spares_;
  spares_ = gone;
}

/// Takes what is needed out of the run of `place`, as find() gave it. What is left in front keeps
/// the run's node; what is left behind gets a spare.
Grant RangeAllocator::cut(const Place& place, const Need& need, const Reach& reach) {
  const Area& area = chunks_[place.chunk];
  const auto wanted = static_cast<Granules>(granules_for(need.size_bytes));
  const auto first =
      static_cast<Granules>(area.first + ((place.first.raw() - area.base.raw()) >> granule_shift_));

  Tag tag = place.run;
  if (const Granules front = first - nodes_[tag].first; front != 0) {
    tag = insert_after(tag, first, nodes_[tag].granules - front);
    nodes_[place.run].granules = front;
  }
  if (const Granules back = nodes_[tag].granules - wanted; back != 0) {
    insert_after(tag, first + wanted, back);
    nodes_[tag].granules = wanted;
  }

  Node& node = nodes_[tag];
  ++node.serial;
  node.holder = need.holder;
  used_ += wanted;
  peak_ = std::max(peak_, used_);
  ++blocks_;
  return {.range = range_of(area, node),
          .dma = reach.to_dma(place.first),
          .chunk = place.chunk,
          .tag = tag,
          .serial = node.serial};
}

void RangeAllocator::release(Tag tag) {
  Node& node = nodes_[tag];
  ++node.serial;
  used_ -= node.granules;
  --blocks_;

  if (node.next != kNone && !nodes_[node.next].live()) merge_with_next(tag);
  const Tag previous = nodes_[tag].previous;
  if (previous != kNone && !nodes_[previous].live()) merge_with_next(previous);
}

}  // namespace carveout
