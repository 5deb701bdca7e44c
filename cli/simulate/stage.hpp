// A board, set up for the devices of a trace: what one replay is played on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "first_pools.hpp"
#include "offline.hpp"
#include "simulation.hpp"
#include "trace_devices.hpp"

namespace carveout::cli {

struct Stage {
  /// The devices are those that were read so far. Throws Refusal.
  ///
  /// @param blocks  how many may live in each pool.
  Stage(const Board& board, const Trace& trace, const SimulateRequest& request, std::size_t blocks);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// What to call an asker: its node.
  [[nodiscard]] std::string name_of(std::uint32_t asker) const {
    const TraceDevices::Asker& who = devices.askers[asker];
    return who.any_on_bus ? "any device" : who.node;
  }

  TraceDevices devices;
  Offline offline;
  FirstPools first_pools;
};

}  // namespace carveout::cli
