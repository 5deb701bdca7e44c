// The obligations of a port (carveout/port/port.hpp), seen from the device's side of the bus.
#pragma once

#include "carveout/port/port.hpp"

namespace unicorn_board {

/// Each cache function and each barrier alone does what it owes: nothing before or after it helps.
/// By reference, so that it is the same machine code that the library calls.
void check_contract(carveout::PortRef port);

/// A range past the cache, by an MPU region, is shared with a device by a barrier alone.
void check_uncached(carveout::PortRef port, carveout::PhysRange range);

}  // namespace unicorn_board
