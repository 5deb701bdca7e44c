// PRIMASK. Source: ARMv7-M Architecture Reference Manual (DDI 0403E), B1.4.3.
#include "interrupts.hpp"

#include <cstdint>

bool board::interrupts_masked() {
  std::uint32_t primask = 0;
  asm volatile("mrs %0, primask" : "=r"(primask)::"memory");
  return (primask & 1) != 0;
}

void board::mask_interrupts(bool masked) {
  if (masked) {
    asm volatile("cpsid i" ::: "memory");
  } else {
    asm volatile("cpsie i" ::: "memory");
  }
}
