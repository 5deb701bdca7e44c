// The one exception handler of a RISC-V image, which the image may define.
#pragma once

#include <cstdint>

/// @param a0  that register of the interrupted code.
/// @return where to go on. What is not defined by the image ends it with a message.
extern "C" std::uintptr_t on_trap(std::uintptr_t a0, std::uintptr_t pc, std::uintptr_t cause,
                                  std::uintptr_t value);
