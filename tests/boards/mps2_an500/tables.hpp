// The board: what `carveout gen` made of mps2_an500.dts (see CMakeLists.txt), and what no tree
// says.
#pragma once

#include <cstddef>

#include "carveout/core/address.hpp"
#include "carveout/map/alias.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_port/pmsa_v7.hpp"
#include "generated/carveout_mpu.hpp"
#include "generated/carveout_tables.hpp"

namespace an500 {

using carveout::PhysAddr;
using carveout::PhysRange;

/// All of the SSRAM that images keep data in. Source: Arm "Application Note AN500".
inline constexpr PhysRange kMemory[]{{PhysAddr{0x2000'0000}, 0x40'0000}};

inline constexpr PhysRange kPool = kPools[pool_default_20210000].chunks[0];

/// The MPU region that the pool lies in, and is. Of two regions over one address the higher number
/// wins, and 7 is the last of eight.
inline constexpr const carveout::cortex_m::MpuRegion* kPoolRegion = &kMpuRegions[0];
inline constexpr unsigned kPoolRegionNumber = 7;
/// For what is lent to devices: below it, because no loan lies in the pool.
inline constexpr unsigned kFirstLentRegion = 5;
inline constexpr unsigned kLentRegions = 2;

/// For the contract, in memory behind the pool that the linker script gives to nothing. It is taken
/// as past the cache: this core has none.
inline constexpr PhysRange kContractPool{PhysAddr{0x2030'0000}, 0x1'0000};
inline constexpr carveout::Alias kContractAlias{kContractPool.base, kContractPool.base,
                                                kContractPool.size_bytes};

inline constexpr std::size_t kEthernet = device_ethernet;
inline constexpr std::size_t kCamera = device_camera;

/// For callers that must not wait, out of the default pool. It begins too small.
inline constexpr carveout::AtomicSettings kAtomic{
    .name = "atomic",
    .size_bytes = 0x1000,
    .store = carveout::TagStore::sparse(carveout::kDefaultBlocksPerPool),
    .most_pieces = 4,
    .low_water_bytes = 0xc00};
inline constexpr std::size_t kAllStorageBytes =
    kStorageBytes + carveout::System::atomic_storage_bytes(kAtomic.most_pieces, *kAtomic.store);

}  // namespace an500
