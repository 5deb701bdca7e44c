// Status.IE. Source: MIPS32 Architecture, volume III (MD00090), "Status Register".
#include "interrupts.hpp"

#include <cstdint>

namespace {

std::uint32_t status() {
  std::uint32_t word = 0;
  asm volatile("mfc0 %0, $12" : "=r"(word)::"memory");
  return word;
}

}  // namespace

bool board::interrupts_masked() { return (status() & 1) == 0; }

void board::mask_interrupts(bool masked) {
  const std::uint32_t word = masked ? status() & ~std::uint32_t{1} : status() | 1;
  asm volatile("mtc0 %0, $12\n\tehb" ::"r"(word) : "memory");
}
