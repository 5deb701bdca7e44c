// mstatus.MIE. Source: RISC-V Privileged Architecture 1.12, 3.1.6.1.
#include "interrupts.hpp"

#include <cstdint>

bool board::interrupts_masked() {
  std::uintptr_t mstatus = 0;
  asm volatile("csrr %0, mstatus" : "=r"(mstatus)::"memory");
  return (mstatus & 8) == 0;
}

void board::mask_interrupts(bool masked) {
  if (masked) {
    asm volatile("csrci mstatus, 8" ::: "memory");
  } else {
    asm volatile("csrsi mstatus, 8" ::: "memory");
  }
}
