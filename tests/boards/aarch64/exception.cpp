// What becomes of an exception in an AArch64 image.
#include <cstdint>

#include "board.hpp"

extern "C" {
[[noreturn]] void image_exception(std::uint64_t vector) {
  std::uint64_t level = 0;
  asm volatile("mrs %0, currentel" : "=r"(level));
  std::uint64_t fault_address = 0;
  std::uint64_t syndrome = 0;
  switch (level >> 2) {
    case 1:
      asm volatile("mrs %0, far_el1\n\tmrs %1, esr_el1" : "=r"(fault_address), "=r"(syndrome));
      break;
    case 2:
      asm volatile("mrs %0, far_el2\n\tmrs %1, esr_el2" : "=r"(fault_address), "=r"(syndrome));
      break;
    default:
      asm volatile("mrs %0, far_el3\n\tmrs %1, esr_el3" : "=r"(fault_address), "=r"(syndrome));
      break;
  }
  board::note("FAR", fault_address);
  board::note("ESR", syndrome);
  board::die("exception that nobody expected, by vector", vector);
}
}  // extern "C"
