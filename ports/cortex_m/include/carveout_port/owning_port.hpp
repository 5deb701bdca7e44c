// Memory that a device owns is taken away from the CPU by the MPU of ARMv7-M: a touch is a
// MemManage fault at the touch, and not wrong data some time later.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/port/port.hpp"
#include "carveout_port/cortex_m.hpp"
#include "carveout_port/pmsa_v7.hpp"

namespace carveout::cortex_m {

/// A port that also enforces who owns what is mapped, with regions of the MPU set aside for that.
/// For tests on the board, and for products that have regions to spare.
///
/// A mapping takes one region from map() or sync_for_device() on until sync_for_cpu() or unmap().
/// To touch what the device writes is a fault, and to write what it only reads. A mapping has its
/// region where it is exactly one (Region::covered(): a power of two at a multiple of itself, or
/// whole eighths of one), where it lies wholly in memory of one kind, which the region must repeat,
/// where no higher region is over it, and where a region is free. Else it is not enforced, and
/// counted. A sync of a part opens all of the mapping.
///
/// Context: as the port. Each call masks interrupts: to lend, for reading the unit's regions and
/// the few stores of one; to give back, for those stores.
/// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), B3.5.
template <class R>
class BasicOwningPort : public BasicPort<R> {
 public:
  static constexpr unsigned kMostRegions = 8;

  /// @param base     the port of the same processor.
  /// @param mpu      enabled, and outlives the port.
  /// @param first    of the regions that are the port's from now on; they are above those that say
  ///                 how the memory is cached, because the higher number wins.
  /// @param regions  how many; at most kMostRegions.
  BasicOwningPort(const BasicPort<R>& base, BasicMpu<R>& mpu, unsigned first,
                  unsigned regions) noexcept
      : BasicPort<R>{base},
        mpu_{mpu},
        first_{first},
        regions_{regions < kMostRegions ? regions : kMostRegions} {}

  void device_owns(PhysRange range, Direction direction) noexcept {
    const LockState state = this->lock(unused_);
    const auto region =
        region_over(range, device_writes(direction) ? MpuAccess::nobody : MpuAccess::readers);
    unsigned free = 0;
    while (free < regions_ && taken_[free]) ++free;
    if (region && free < regions_) {
      taken_[free] = range;
      mpu_.set(first_ + free, *region);
    } else {
      ++not_enforced_;
    }
    this->unlock(unused_, state);
  }

  void cpu_owns(PhysRange range) noexcept {
    const LockState state = this->lock(unused_);
    for (unsigned i = 0; i < regions_; ++i) {
      if (!taken_[i] || !taken_[i]->overlaps(range)) continue;
      mpu_.set(first_ + i, MpuRegion{.rbar = 0, .rasr = 0});
      taken_[i].reset();
    }
    this->unlock(unused_, state);
  }

  /// How many mappings were not enforced since the port was made.
  [[nodiscard]] std::uint32_t not_enforced() const noexcept { return not_enforced_; }

 private:
  /// Exactly a range, of the memory's own kind; nothing where no region can be that.
  [[nodiscard]] std::optional<MpuRegion> region_over(PhysRange range, MpuAccess access) noexcept {
    const auto region = non_cacheable_region(range, access);
    const auto beneath = region ? memory_of(range) : std::nullopt;
    if (!beneath) return {};
    return region->with_memory_of(*beneath);
  }

  /// The region that says of what kind a range is; nothing where none says it of all of it, or
  /// where it would win over the port's own.
  [[nodiscard]] std::optional<MpuRegion> memory_of(PhysRange range) noexcept {
    for (unsigned number = mpu_.regions(); number-- > 0;) {
      if (number >= first_ && number < first_ + regions_) continue;
      const MpuRegion other = mpu_.get(number);
      if (!other.enabled() || !other.covered().overlaps(range)) continue;
      if (number > first_ || other.has_hole() || !other.covered().contains(range)) return {};
      return other;
    }
    const auto usual = pmsa_v7::default_memory(range.base);
    if (usual && !usual->covered().contains(range)) return {};
    return usual;
  }

  BasicMpu<R>& mpu_;
  unsigned first_;
  unsigned regions_;
  std::array<std::optional<PhysRange>, kMostRegions> taken_;  ///< by region
  std::uint32_t not_enforced_ = 0;
  LockWord unused_;  ///< this port's lock is the interrupt mask
};

using OwningPort = BasicOwningPort<Registers>;
static_assert(carveout::Port<OwningPort>);
static_assert(PortWithOwnership<OwningPort>);

}  // namespace carveout::cortex_m
