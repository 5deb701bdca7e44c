// Where in a free run a request that asks for more than bytes may go: arithmetic only, in constant
// time for a run of any length.
#pragma once

#include <algorithm>
#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout/core/size.hpp"
#include "carveout/core/window.hpp"
#include "carveout/pool/range_allocator.hpp"

namespace carveout::tables {

/// How many granules a size takes, rounded up; none for no bytes.
inline std::uint64_t granules_for(const State& state, std::uint64_t size_bytes) {
  return size_bytes == 0 ? 0 : ((size_bytes - 1) >> state.granule_shift) + 1;
}

/// One request within one reach, which does not pass 2^64 at the device: the
/// places that it may take, wherever memory is free. They are physical addresses
/// p = rest (mod step), both of powers of two, at which the bytes asked for cross no boundary.
class Placer {
 public:
  Placer(const State& state, const Need& need, const Reach& reach)
      : state_{state},
        need_{need},
        first_{reach.first.raw()},
        // Device address = physical address + offset, modulo 2^64, which every power of two
        // divides.
        offset_{reach.dma.raw() - reach.first.raw()},
        mask_{(need.align_bytes - 1) | (state.granule_bytes - 1)},
        rest_{(0 - offset_) & (need.align_bytes - 1)} {
    const std::uint64_t to_last = (need.size_bytes - 1) | (state.granule_bytes - 1);
    const std::uint64_t others = to_last >> state.granule_shift;
    last_ = reach.last.raw() - to_last;
    // A multiple of the granule in memory must be aligned at the device.
    const bool aligned = (rest_ & (state.granule_bytes - 1)) == 0;
    if (aligned && others < state.total && reach.last.raw() - first_ >= to_last)
      wanted_ = static_cast<Granules>(others + 1);
  }

  /// 0: no run of whatever length would do.
  [[nodiscard]] Granules wanted() const { return wanted_; }

  /// The lowest granule of a run from which the request fits; kNone where it
  /// does not.
  [[nodiscard]] CARVEOUT_ONE_COPY Granules in(Granules first, Granules granules) const {
    if (granules < wanted_) return kNone;
    const std::uint64_t base = state_.address_of(first).raw();
    const std::uint64_t bottom = std::max(base, first_);
    std::uint64_t from = bottom;
    // Past the boundary, the first place is as near to it as any place ever is: where the step is
    // the smaller of the two every boundary finds the same, and where it is the larger all places
    // lie alike. If that one crosses the next boundary, so does every other.
    for (bool again = false;; again = true) {
      const std::uint64_t place = from + ((rest_ - from) & mask_);
      // A place that is less has passed 2^64.
      if (place < bottom || place > last_) return kNone;
      // Without a boundary the device address itself, from which no reach lets it pass 2^64.
      const std::uint64_t past = (place + offset_) & (need_.boundary_bytes - 1);
      if (past <= need_.boundary_bytes - need_.size_bytes) {
        const std::uint64_t skipped = (place - base) >> state_.granule_shift;
        return skipped <= granules - wanted_ ? first + static_cast<Granules>(skipped) : kNone;
      }
      if (again) return kNone;
      from = place + (need_.boundary_bytes - past);
    }
  }

 private:
  const State& state_;
  const Need& need_;
  std::uint64_t first_;  ///< of the reach
  std::uint64_t last_;   ///< at which the granules end within the reach

  std::uint64_t offset_;
  std::uint64_t mask_;  ///< of the step
  std::uint64_t rest_;
  Granules wanted_ = 0;
};

}  // namespace carveout::tables
