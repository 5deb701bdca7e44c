// Who asks in a trace -> nodes of the tree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "input.hpp"
#include "simulation.hpp"
#include "trace.hpp"

namespace carveout::cli {

/// The devices of a trace, each node once.
struct TraceDevices {
  struct Asker {
    std::string node;  ///< full path; of a bus where any device on it is meant
    bool any_on_bus;
  };

  std::vector<Asker> askers;
  std::vector<std::uint32_t> asker_of;  ///< by the trace's number of a device
};

/// Finds the node of every device that was read so far. Throws Refusal with the line: nobody has
/// that name, or several have it.
///
/// A name of the kernel's is looked up in SimulateRequest::names; then, in the forms that Linux
/// makes of a node's name (`30be0000.ethernet` for ethernet@30be0000, `soc:dsp` for dsp), as the
/// node with that name and unit address, and where a bus moves addresses, so that there is none, as
/// the only node with that name; then like any NODE of the command line.
/// Source: Linux v6.6 drivers/of/device.c, of_device_make_bus_id().
[[nodiscard]] TraceDevices find_devices(const Board& board, const Trace& trace,
                                        const SimulateRequest& request);

}  // namespace carveout::cli
