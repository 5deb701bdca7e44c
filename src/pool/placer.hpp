// Where in a free run a request that asks for more than bytes may go: arithmetic only, in constant
// time for a run of any length.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "carveout/core/address.hpp"
#include "carveout/core/size.hpp"
#include "carveout/core/window.hpp"
#include "carveout/pool/range_allocator.hpp"

namespace carveout::tables {

/// How many granules a size takes, rounded up; none for no bytes.
inline std::uint64_t granules_for(const State& state, std::uint64_t size_bytes) {
  return size_bytes == 0 ? 0 : ((size_bytes - 1) >> state.granule_shift) + 1;
}

/// The places that a request may take within one reach, wherever memory is free: physical addresses
/// p = rest (mod step), both of powers of two, at which the bytes asked for cross no boundary.
class Grid {
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

/// One request within one reach, which does not pass 2^64 at the device.
class Placer {
 public:
  /// Nothing where no run of whatever length would do.
  static std::optional<Placer> of(const State& state, const Need& need, const Reach& reach) {
    const std::uint64_t wanted = granules_for(state, need.size_bytes);
    const std::optional<Grid> grid = Grid::of(need, reach, state.granule_bytes);
    if (!grid || wanted > state.total) return std::nullopt;
    return Placer{state, *grid, reach, static_cast<Granules>(wanted)};
  }

  [[nodiscard]] Granules wanted() const { return wanted_; }

  /// The lowest granule of a run from which the request fits.
  [[nodiscard]] std::optional<Granules> in(Granules first, Granules granules) const {
    if (granules < wanted_) return std::nullopt;
    const Area& area = state_.area_of(first);
    const std::uint64_t base = state_.address_of(area, first).raw();
    const std::uint64_t last = base + ((std::uint64_t{granules} << state_.granule_shift) - 1);
    const std::uint64_t bottom = std::max(base, reach_.first.raw());
    const std::uint64_t top = std::min(last, reach_.last.raw());
    const std::uint64_t to_last = (std::uint64_t{wanted_} << state_.granule_shift) - 1;
    const std::optional<std::uint64_t> place = grid_.lowest_from(bottom);
    if (!place || *place > top || top - *place < to_last) return std::nullopt;
    return first + static_cast<Granules>((*place - base) >> state_.granule_shift);
  }

 private:
  Placer(const State& state, const Grid& grid, const Reach& reach, Granules wanted)
      : state_{state}, grid_{grid}, reach_{reach}, wanted_{wanted} {}

  const State& state_;
  Grid grid_;
  Reach reach_;
  Granules wanted_;
};

}  // namespace carveout::tables
