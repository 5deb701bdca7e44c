// clang-format off
// Made by `carveout gen`: a change is lost when it is made again.
//
// The devices and pools of a board, for setup::build() of <carveout/setup/from_tables.hpp>.
#pragma once

#include <carveout/setup/from_tables.hpp>
#include <cstddef>
#include <cstdint>

// The tree's model: Arm MPS2 AN505 (facts for Carveout)
namespace an505 {

/// carveout.ld of the same run asks for it, so that a stale one does not link.
extern "C" {
[[gnu::used]] inline constexpr unsigned char carveout_layout_1c50e32a7039a5e3 = 0;
}
inline constexpr std::uint64_t kLayout = 0x1c50e32a7039a5e3;

inline constexpr carveout::Window kWindows0[]{
    {.dma = carveout::DmaAddr{0x38000000}, .cpu = carveout::PhysAddr{0x38000000}, .size_bytes = 0x200000},
};

// Rows of kDevices, and numbers of the devices in the System.
inline constexpr std::size_t device_dma = 0;

inline constexpr carveout::DeviceSettings kDevices[]{
    {.name = "/dma-bus/dma@50110000",
     .coherent_mask = carveout::DmaAddr{0xffffffff},
     .translation = carveout::Translation::through(kWindows0)},
};

// Rows of kPools.
inline constexpr std::size_t pool_default_38000420 = 0;

inline constexpr carveout::PhysRange kChunks0[]{
    {carveout::PhysAddr{0x38000420}, 0x14c60},
};

inline constexpr carveout::PoolSettings kPools[]{
    {.name = "/reserved-memory/default@38000420",
     .memory = carveout::Memory::coherent,
     .chunks = kChunks0},
};

inline constexpr carveout::setup::DefaultRow kDefaults[]{
    {.role = carveout::Role::default_pool, .pool = pool_default_38000420},
};

inline constexpr carveout::setup::Tables kTables{
    .pools = kPools,
    .devices = kDevices,
    .defaults = kDefaults};

/// Storage of a System of these, and of nothing else.
inline constexpr std::size_t kStorageBytes = carveout::setup::measure(kTables);

}  // namespace an505
