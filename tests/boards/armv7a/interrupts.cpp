// CPSR.I. Source: ARM Architecture Reference Manual ARMv7-A and ARMv7-R (DDI 0406C), B1.3.3.
#include "interrupts.hpp"

#include <cstdint>

bool board::interrupts_masked() {
  std::uint32_t cpsr = 0;
  asm volatile("mrs %0, cpsr" : "=r"(cpsr)::"memory");
  return (cpsr >> 7 & 1) != 0;
}

void board::mask_interrupts(bool masked) {
  if (masked) {
    asm volatile("cpsid i" ::: "memory");
  } else {
    asm volatile("cpsie i" ::: "memory");
  }
}
