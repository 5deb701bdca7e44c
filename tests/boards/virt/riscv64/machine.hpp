// QEMU's virt for RISC-V 64, version 7.2. Source: its device tree (-M virt,dumpdtb=).
#pragma once

#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout_port/riscv.hpp"
#include "generated/stated_tree.hpp"  // kTreeBytes

extern "C" const std::uintptr_t image_boot_argument;  // a1, from start.S

namespace machine {

using Port = carveout::riscv::Port;

inline constexpr const char* kName = "virt-riscv64";
inline constexpr carveout::PhysRange kRam[]{{carveout::PhysAddr{0x8000'0000}, 0x800'0000}};
inline constexpr std::uintptr_t kPciConfiguration = 0x3000'0000;
inline constexpr std::uint32_t kPciMemory = 0x4000'0000;

/// With the operations of Zicbom, which this emulator does not have: zicbom.cpp records them.
inline Port make_port() { return Port{kRam, carveout::riscv::Registers{carveout::riscv::kZicbom}}; }
inline std::uintptr_t tree_address() { return image_boot_argument; }

}  // namespace machine
