// Registers of the System Control Space that images use. Source: ARMv7-M Architecture Reference
// Manual (DDI 0403E), B3.2 and B3.3.
#pragma once

#include <cstdint>

namespace armv7m {

inline constexpr std::uintptr_t kSystCsr = 0xe000'e010;  ///< SysTick control and status
inline constexpr std::uintptr_t kSystRvr = 0xe000'e014;  ///< SysTick reload value
inline constexpr std::uintptr_t kSystCvr = 0xe000'e018;  ///< SysTick current value
inline constexpr std::uintptr_t kShcsr = 0xe000'ed24;    ///< which faults have handlers
inline constexpr std::uintptr_t kCfsr = 0xe000'ed28;     ///< what the fault was; write 1 to clear
inline constexpr std::uintptr_t kMmfar = 0xe000'ed34;    ///< which address a MemManage fault was at
inline constexpr std::uintptr_t kCpacr = 0xe000'ed88;    ///< access to the float unit

inline volatile std::uint32_t& at(std::uintptr_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

/// What was written before it is in force after it, for the core and for the compiler.
inline void barrier() { asm volatile("dsb\n\tisb" ::: "memory"); }

}  // namespace armv7m
