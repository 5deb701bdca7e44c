// What the CPUs and devices of one machine share: its bus, its lock, and who watches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "carveout_sim/access_lock.hpp"
#include "carveout_sim/bus.hpp"
#include "carveout_sim/moment.hpp"
#include "carveout_sim/watch.hpp"

namespace carveout::sim {

struct Fabric {
  Fabric(std::span<const Ram> ram, bool with_cache, std::size_t past_writes)
      : bus{ram, with_cache, past_writes} {}

  /// To be called with the lock held, as whatever changes the machine is.
  void at(MomentKind kind, std::uint32_t cpu, PhysRange range) {
    if (watch.adversary() != nullptr) watch.at({kind, cpu, canonical(range)});
  }
  [[nodiscard]] PhysRange canonical(PhysRange range) const {
    return {bus.canonical(range.base), range.size_bytes};
  }

  mutable AccessLock lock;
  Bus bus;
  Watch watch;
  /// The load whose moment it is, by the address that the CPU emits, if it is one past the cache;
  /// and whether the adversary lets it pass the load before it.
  PhysRange loading{PhysAddr{0}, 0};
  bool load_early = false;
};

}  // namespace carveout::sim
