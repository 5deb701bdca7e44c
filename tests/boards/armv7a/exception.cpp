// What becomes of an exception in an ARMv7-A image.
#include <cstdint>

#include "board.hpp"

extern "C" {
[[noreturn]] void image_exception(std::uint32_t vector) {
  std::uint32_t fault_address = 0;
  std::uint32_t fault_status = 0;
  asm volatile("mrc p15, 0, %0, c6, c0, 0" : "=r"(fault_address));  // DFAR
  asm volatile("mrc p15, 0, %0, c5, c0, 0" : "=r"(fault_status));   // DFSR
  board::note("DFAR", fault_address);
  board::note("DFSR", fault_status);
  board::die("exception that nobody expected, by vector", vector);
}
}  // extern "C"
