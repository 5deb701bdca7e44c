// What the image checks of its MPU.
#pragma once

#include "carveout/core/address.hpp"
#include "carveout_port/pmsa_v8.hpp"

namespace an505 {

inline constexpr unsigned kRegionNumber = 2;

/// The registers, read back, say what the table says.
void check_region(carveout::cortex_m::MpuV8& mpu, carveout::PhysRange pool);
/// The core keeps to them: with the region read-only, a store faults in the pool's first and last
/// word, and beside them it does not. Ends with the region as it was.
void check_limits(carveout::cortex_m::MpuV8& mpu, carveout::PhysRange pool);

}  // namespace an505
