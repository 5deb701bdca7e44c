// DAIF.I. Source: Arm Architecture Reference Manual (DDI 0487), "DAIF, Interrupt Mask Bits".
#include "interrupts.hpp"

#include <cstdint>

bool board::interrupts_masked() {
  std::uint64_t daif = 0;
  asm volatile("mrs %0, daif" : "=r"(daif)::"memory");
  return (daif >> 7 & 1) != 0;
}

void board::mask_interrupts(bool masked) {
  if (masked) {
    asm volatile("msr daifset, #2" ::: "memory");
  } else {
    asm volatile("msr daifclr, #2" ::: "memory");
  }
}
