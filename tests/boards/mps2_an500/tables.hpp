// The board in tables, as a generator or a patient person would write them. The compiler checks
// them, and nothing of a device tree comes to the target.
//
// C arrays: GCC 12 puts a constexpr std::array of classes into RAM instead of read-only memory.
#pragma once

#include <cstddef>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/alias.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_port/pmsa_v7.hpp"

namespace an500 {

using carveout::DmaAddr;
using carveout::PhysAddr;
using carveout::PhysRange;

/// All of the SSRAM that images keep data in. Source: Arm "Application Note AN500".
inline constexpr PhysRange kMemory[]{{PhysAddr{0x2000'0000}, 0x40'0000}};

/// The default pool: in the middle of the part that the linker script keeps free.
inline constexpr PhysRange kPool{PhysAddr{0x2021'0000}, 0x1'0000};

/// The MPU region that the pool lies in, and is: 64 KiB at a multiple of 64 KiB.
inline constexpr auto kPoolRegion = carveout::cortex_m::non_cacheable_region(kPool);
static_assert(kPoolRegion.has_value());
/// Of two regions over one address the higher number wins, and 7 is the last of eight.
inline constexpr unsigned kPoolRegionNumber = 7;
/// For what is lent to devices: below it, because no loan lies in the pool.
inline constexpr unsigned kFirstLentRegion = 5;
inline constexpr unsigned kLentRegions = 2;

/// The CPU sees the pool at one address, and there only past the cache, by that region.
inline constexpr carveout::Alias kAliases[]{{kPool.base, kPool.base, kPool.size_bytes}};

/// For the contract, in the spare memory behind the pool. It is taken as past the cache: this core
/// has none.
inline constexpr PhysRange kContractPool{PhysAddr{0x2030'0000}, 0x1'0000};
inline constexpr carveout::Alias kContractAlias{kContractPool.base, kContractPool.base,
                                                kContractPool.size_bytes};

/// This board has no bus master, so that both are invented: one with a bus of its own, where the
/// SSRAM is at another address, and one that puts physical addresses on the CPU's bus.
inline constexpr carveout::Window kEthernetWindows[]{
    {.dma = DmaAddr{0x6000'0000}, .cpu = PhysAddr{0x2000'0000}, .size_bytes = 0x40'0000}};
inline constexpr carveout::DeviceSettings kDevices[]{
    {.name = "ethernet",
     .coherent_mask = DmaAddr{0xffff'ffff},
     .translation = carveout::Translation::through(kEthernetWindows)},
    {.name = "camera", .coherent_mask = DmaAddr{0xffff'ffff}}};
inline constexpr std::size_t kEthernet = 0;
inline constexpr std::size_t kCamera = 1;

inline constexpr carveout::PoolSettings kPools[]{{.name = "default", .chunks = {&kPool, 1}}};
inline constexpr carveout::setup::DefaultRow kDefaults[]{
    {.role = carveout::Role::default_pool, .pool = 0}};

inline constexpr carveout::setup::Tables kTables{
    .pools = kPools, .devices = kDevices, .defaults = kDefaults};

/// For callers that must not wait, out of the default pool. It begins too small.
inline constexpr carveout::AtomicSettings kAtomic{
    .name = "atomic",
    .size_bytes = 0x1000,
    .store = carveout::TagStore::sparse(carveout::kDefaultBlocksPerPool),
    .most_pieces = 4,
    .low_water_bytes = 0xc00};
inline constexpr std::size_t kStorageBytes =
    carveout::setup::measure(kTables) +
    carveout::System::atomic_storage_bytes(kAtomic.most_pieces, *kAtomic.store);

}  // namespace an500
