// What the CPUs and devices of one machine share: its bus, its lock, and who watches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "carveout_sim/access_lock.hpp"
#include "carveout_sim/bus.hpp"
#include "carveout_sim/moment.hpp"
#include "carveout_sim/observer.hpp"

namespace carveout::sim {

/// What hardware does at each of its moments.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void at(const Moment& moment, Hands& hands) = 0;

 protected:
  Watcher() = default;
  Watcher(const Watcher&) = default;
  Watcher& operator=(const Watcher&) = default;
};

struct Fabric {
  Fabric(std::span<const Ram> ram, bool with_cache, std::size_t past_writes, Hands& of)
      : bus{ram, with_cache, past_writes}, hands{of} {}

  [[nodiscard]] bool watched() const { return adversary != nullptr || observer != nullptr; }

  /// To be called with the lock held, as whatever changes the machine is.
  void at(MomentKind kind, std::uint32_t cpu, PhysRange range) {
    if (adversary == nullptr) return;
    adversary->at({kind, cpu, canonical(range)}, hands);
  }
  [[nodiscard]] PhysRange canonical(PhysRange range) const {
    return {bus.canonical(range.base), range.size_bytes};
  }

  mutable AccessLock lock;
  Bus bus;
  Hands& hands;
  Watcher* adversary = nullptr;
  Observer* observer = nullptr;
  /// The load whose moment it is, by the address that the CPU emits, if it is one past the cache;
  /// and whether the adversary lets it pass the load before it.
  PhysRange loading{PhysAddr{0}, 0};
  bool load_early = false;
};

}  // namespace carveout::sim
