// A machine as its bus masters see it.
#pragma once

#include <cstddef>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout_sim/observer.hpp"

namespace carveout::sim {

/// What a DmaEngine drives. Ranges of the last three are RAM: is_ram() was asked.
class BusSide {
 public:
  virtual ~BusSide() = default;

  [[nodiscard]] virtual bool is_ram(PhysRange range) const = 0;
  /// A device was told to move all of a range, and has not begun.
  virtual void device_begins(Master master, PhysRange range) = 0;
  /// One burst: nobody acts while it moves.
  virtual void device_read(Master master, Started started, PhysAddr from,
                           std::span<std::byte> into) = 0;
  virtual void device_write(Master master, PhysAddr to, std::span<const std::byte> from) = 0;
  virtual void device_refused(Master master, DmaRange range, BusError error) = 0;

 protected:
  BusSide() = default;
  BusSide(const BusSide&) = default;
  BusSide& operator=(const BusSide&) = default;
};

}  // namespace carveout::sim
