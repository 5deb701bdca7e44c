// The modelled board in tables: a Cortex-M7 whose SSRAM lies as on the AN500, with a DMA engine on
// a bus of its own. The image and the host that plays the board share them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"

namespace unicorn_board {

using carveout::DmaAddr;
using carveout::PhysAddr;
using carveout::PhysRange;

/// The memory that a DMA engine reaches and that the model therefore has.
inline constexpr PhysRange kDmaRam{PhysAddr{0x2020'0000}, 0x20'0000};
/// Of it: the default pool, which an MPU region keeps out of the cache.
inline constexpr PhysRange kCoherent{PhysAddr{0x2021'0000}, 0x1'0000};
/// Of it: cached memory for streaming.
inline constexpr PhysRange kBuffers{PhysAddr{0x2022'0000}, 0x1'0000};
/// Of it: cached memory that no pool has, to call a port on.
inline constexpr PhysRange kSpare{PhysAddr{0x2023'0000}, 0x1000};
/// Of it: cached memory that becomes uncached while the MPU is on.
inline constexpr PhysRange kLate{PhysAddr{0x2024'0000}, 0x1000};

/// How the engine's bus shows the SSRAM.
inline constexpr carveout::Window kWindow{
    .dma = DmaAddr{0x6000'0000}, .cpu = PhysAddr{0x2000'0000}, .size_bytes = 0x40'0000};

/// What the engine's answer is for a byte that it was given to copy: no copy looks like what was
/// there before it.
constexpr std::uint8_t copied(std::uint8_t byte) { return byte ^ 0xa5; }

/// What the image fills its n-th source with.
constexpr std::uint8_t source_byte(std::uint32_t copy, std::uint32_t at) {
  return static_cast<std::uint8_t>(copy * 37 + at * 11 + 1);
}

inline constexpr std::uint32_t kCopies = 12;
/// Of each copy: whole lines, and a part of one.
inline constexpr std::uint32_t kCopyBytes = 200;

/// Registers of the engine: those of copier::Registers, and behind them three by which software
/// looks at memory from the device's side.
inline constexpr std::uint32_t kEngine = 0x4000'0000;
inline constexpr std::uint32_t kRing = 0x00;
inline constexpr std::uint32_t kCount = 0x04;
inline constexpr std::uint32_t kDoorbell = 0x08;
inline constexpr std::uint32_t kPeek = 0x10;   ///< written: reads the word at this device address
inline constexpr std::uint32_t kValue = 0x14;  ///< what kPeek read, or what kPoke is to write
inline constexpr std::uint32_t kPoke = 0x18;   ///< written: writes kValue there

}  // namespace unicorn_board
