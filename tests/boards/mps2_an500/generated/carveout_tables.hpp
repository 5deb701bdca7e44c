// clang-format off
// Made by `carveout gen`: a change is lost when it is made again.
//
// The devices and pools of a board, for setup::build() of <carveout/setup/from_tables.hpp>.
#pragma once

#include <carveout/setup/from_tables.hpp>
#include <cstddef>
#include <cstdint>

// The tree's model: Arm MPS2 AN500 (facts for Carveout)
namespace an500 {

/// carveout.ld of the same run asks for it, so that a stale one does not link.
extern "C" {
[[gnu::used]] inline constexpr unsigned char carveout_layout_cbb2b5e0e17aebb3 = 0;
}
inline constexpr std::uint64_t kLayout = 0xcbb2b5e0e17aebb3;

inline constexpr carveout::Window kWindows0[]{
    {.dma = carveout::DmaAddr{0x60000000}, .cpu = carveout::PhysAddr{0x20000000}, .size_bytes = 0x400000},
};

// Rows of kDevices, and numbers of the devices in the System.
inline constexpr std::size_t device_ethernet = 0;
inline constexpr std::size_t device_camera = 1;

inline constexpr carveout::DeviceSettings kDevices[]{
    {.name = "/ethernet-bus/ethernet@40010000",
     .coherent_mask = carveout::DmaAddr{0xffffffff},
     .translation = carveout::Translation::through(kWindows0)},
    {.name = "/camera@40020000",
     .coherent_mask = carveout::DmaAddr{0xffffffff}},
};

// Rows of kPools.
inline constexpr std::size_t pool_default_20210000 = 0;

inline constexpr carveout::PhysRange kChunks0[]{
    {carveout::PhysAddr{0x20210000}, 0x10000},
};

inline constexpr carveout::PoolSettings kPools[]{
    {.name = "/reserved-memory/default@20210000",
     .memory = carveout::Memory::coherent,
     .chunks = kChunks0},
};

inline constexpr carveout::setup::DefaultRow kDefaults[]{
    {.role = carveout::Role::default_pool, .pool = pool_default_20210000},
};

inline constexpr carveout::setup::Tables kTables{
    .pools = kPools,
    .devices = kDevices,
    .defaults = kDefaults};

/// Storage of a System of these, and of nothing else.
inline constexpr std::size_t kStorageBytes = carveout::setup::measure(kTables);

}  // namespace an500
