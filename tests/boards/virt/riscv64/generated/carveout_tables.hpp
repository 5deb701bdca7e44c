// clang-format off
// Made by `carveout gen`: a change is lost when it is made again.
//
// The devices and pools of a board, for setup::build() of <carveout/setup/from_tables.hpp>.
#pragma once

#include <carveout/setup/from_tables.hpp>
#include <cstddef>
#include <cstdint>

// The tree's model: riscv-virtio,qemu
namespace riscv_virt {

/// carveout.ld of the same run asks for it, so that a stale one does not link.
extern "C" {
[[gnu::used]] inline constexpr unsigned char carveout_layout_1d643b6f4f5c2ae7 = 0;
}
inline constexpr std::uint64_t kLayout = 0x1d643b6f4f5c2ae7;

// Rows of kDevices, and numbers of the devices in the System.
inline constexpr std::size_t device_edu = 0;
inline constexpr std::size_t device_edu28 = 1;

inline constexpr carveout::DeviceSettings kDevices[]{
    {.name = "/soc/pci@30000000/edu@8",
     .coherent_mask = carveout::DmaAddr{0xffffffffffffffff},
     .coherent = true},
    {.name = "/soc/pci@30000000/edu28@10",
     .coherent_mask = carveout::DmaAddr{0xfffffff},
     .coherent = true},
};

// Rows of kPools.
inline constexpr std::size_t pool_default_82000000 = 0;

inline constexpr carveout::PhysRange kChunks0[]{
    {carveout::PhysAddr{0x82000000}, 0x10000},
};

inline constexpr carveout::PoolSettings kPools[]{
    {.name = "/reserved-memory/default@82000000",
     .memory = carveout::Memory::coherent,
     .chunks = kChunks0},
};

inline constexpr carveout::setup::DefaultRow kDefaults[]{
    {.role = carveout::Role::default_pool, .pool = pool_default_82000000},
};

inline constexpr carveout::setup::Tables kTables{
    .pools = kPools,
    .devices = kDevices,
    .defaults = kDefaults};

/// Storage of a System of these, and of nothing else.
inline constexpr std::size_t kStorageBytes = carveout::setup::measure(kTables);

}  // namespace riscv_virt
