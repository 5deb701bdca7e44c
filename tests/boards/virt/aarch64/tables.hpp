// The board in tables, as a patient person writes them.
#pragma once

#include "carveout/setup/from_tables.hpp"
#include "edu.hpp"
#include "machine.hpp"

namespace virt {

/// In the middle of RAM, which is not cached here: the MMU is off. The image and the tree are
/// elsewhere.
inline constexpr carveout::PhysRange kPool{
    carveout::PhysAddr{machine::kRam[0].base.raw() + 0x200'0000}, 0x1'0000};
inline constexpr carveout::PoolSettings kPools[]{
    {.name = "default", .chunks = {&kPool, 1}, .granule_bytes = 4096}};
inline constexpr carveout::DeviceSettings kDevices[]{
    {.name = "edu", .coherent_mask = carveout::DmaAddr{UINT64_MAX}, .quarantine_blocks = 2},
    // The same device as it is without being told of more address bits.
    {.name = "edu with 28 bits", .coherent_mask = Edu::kDefaultMask}};
inline constexpr carveout::setup::DefaultRow kDefaults[]{
    {.role = carveout::Role::default_pool, .pool = 0}};
inline constexpr carveout::setup::Tables kTables{
    .pools = kPools, .devices = kDevices, .defaults = kDefaults};

}  // namespace virt
