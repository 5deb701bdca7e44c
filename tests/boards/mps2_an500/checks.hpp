// The parts of the image. Each prints its checks.
#pragma once

#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/setup/system.hpp"
#include "carveout_port/owning_port.hpp"
#include "carveout_port/pmsa_v7.hpp"

namespace an500 {

/// The region registers, read back, cover the pool and say that it is not cached.
void check_region(carveout::cortex_m::Mpu& mpu, const carveout::Pool& pool);

/// The memory obeys them: where the region allows nobody, an access to a block faults precisely,
/// and goes on once the region is open again.
void check_enforcement(carveout::cortex_m::Mpu& mpu, const carveout::Device& device);

/// What is lent to a device that writes it is out of the CPU's reach until it is given back.
void check_ownership(carveout::cortex_m::Mpu& mpu, const carveout::cortex_m::OwningPort& port,
                     const carveout::Device& device);

/// An interrupt allocates and frees while the main context does, and neither notices the other.
void check_contention(const carveout::System& system, carveout::Pool& pool);

/// An interrupt and the main context use an atomic pool that is cut out of the default pool
/// `whole`, and that a worker grows meanwhile.
void check_atomic(carveout::System& system, const carveout::Pool& whole);

/// The book of mappings sees a buffer that is unmapped twice, and nothing else.
void check_book(const carveout::Device& device);

/// Nothing is left over: the whole pool can be had as one block, and what is given back twice is
/// refused.
void check_invariants(const carveout::Device& device, carveout::Pool& pool);

}  // namespace an500
