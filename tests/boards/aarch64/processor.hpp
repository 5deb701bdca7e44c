// What an image for several processors needs of this one.
#pragma once

#include <cstdint>

#include "carveout_port/aarch64.hpp"

namespace processor {

using Port = carveout::aarch64::Port;

/// Loads from an address that C++ has no object at, and least of all at 0.
inline std::uint32_t load_word(std::uintptr_t address) {
  std::uint32_t word = 0;
  asm volatile("ldr %w0, [%1]" : "=r"(word) : "r"(address) : "memory");
  return word;
}

}  // namespace processor
