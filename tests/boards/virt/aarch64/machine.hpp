// QEMU's virt for AArch64, version 7.2. Source: its device tree (-M virt,dumpdtb=).
#pragma once

#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout_port/aarch64.hpp"

namespace machine {

using Port = carveout::aarch64::Port;

inline constexpr const char* kName = "virt-aarch64";
inline constexpr carveout::PhysRange kRam[]{{carveout::PhysAddr{0x4000'0000}, 0x800'0000}};
inline constexpr std::uintptr_t kPciConfiguration = 0x40'1000'0000;
inline constexpr std::uint32_t kPciMemory = 0x1000'0000;

inline Port make_port() { return Port{kRam}; }
/// The emulator leaves the tree of a machine at the start of its RAM.
inline std::uintptr_t tree_address() { return 0x4000'0000; }
/// It is not packed: the emulator takes 1 MiB for every tree.
inline constexpr std::uint32_t kTreeBytes = 0x10'0000;

}  // namespace machine
