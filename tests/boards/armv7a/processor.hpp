// What an image for several processors needs of this one.
#pragma once

#include <cstdint>

#include "carveout_port/cortex_a.hpp"

namespace processor {

using Port = carveout::cortex_a::Port;

/// Loads from an address that C++ has no object at, and least of all at 0.
inline std::uint32_t load_word(std::uintptr_t address) {
  std::uint32_t word = 0;
  asm volatile("ldr %0, [%1]" : "=r"(word) : "r"(address) : "memory");
  return word;
}

}  // namespace processor
