// A machine as its bus masters see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/map/alias.hpp"
#include "carveout_sim/observer.hpp"
#include "carveout_sim/watch.hpp"

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
  virtual void device_write(Master master, Started started, PhysAddr to,
                            std::span<const std::byte> from) = 0;
  virtual void device_refused(Master master, DmaRange range, BusError error) = 0;

  /// The CPU is not to touch these bytes, or only not to write them (to_device), until it owns them
  /// again. A machine that can take memory away does so; others leave it to the observer. Neither
  /// is called by an observer from within what it is told.
  virtual void device_owns(PhysRange range, Direction direction) = 0;
  virtual void cpu_owns(PhysRange range) = 0;

  /// Who is told of everything from now on, and nobody else; nullptr: nobody. It outlives the
  /// machine, or is taken away first.
  virtual void set_observer(Observer* observer) = 0;
  /// Takes an observer away; where another one has taken its place, that one stays.
  virtual void forget(const Observer& observer) = 0;
  /// Who decides what hardware does by itself from now on; nullptr: it does nothing. It may go
  /// before the machine, at a time when nobody uses that.
  virtual void set_adversary(Watcher* adversary) = 0;
  /// The one that the adversary brought; nullptr: none. With the machine's lock held or not.
  [[nodiscard]] virtual Witness* witness() const = 0;
  /// The one name of RAM that may have two addresses: what adversary and observer are told.
  [[nodiscard]] virtual PhysAddr canonical(PhysAddr address) const = 0;
  /// The RAM that has two.
  [[nodiscard]] virtual std::span<const Alias> aliases() const = 0;
  [[nodiscard]] virtual std::uint32_t cpus() const = 0;
  [[nodiscard]] virtual std::size_t line_bytes() const = 0;
  /// Whether a store through the cache may stay in it.
  [[nodiscard]] virtual bool keeps_stores() const = 0;
  /// Whether a store brings its line in.
  [[nodiscard]] virtual bool fetches_for_stores() const = 0;

 protected:
  BusSide() = default;
  BusSide(const BusSide&) = default;
  BusSide& operator=(const BusSide&) = default;
};

}  // namespace carveout::sim
