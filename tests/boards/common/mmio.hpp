// A device's register, by its address.
#pragma once

#include <cstdint>

namespace board {

template <class T = std::uint32_t>
volatile T& mmio(std::uintptr_t address) {
  return *reinterpret_cast<volatile T*>(address);
}

}  // namespace board
