#include "semihosting.hpp"

// The three instructions are one call: not compressed, so that each has its 32 bits.
std::uintptr_t semihosting::call(std::uintptr_t operation, const void* parameter) {
  register std::uintptr_t a0 asm("a0") = operation;
  register const void* a1 asm("a1") = parameter;
  asm volatile(
      ".option push\n\t"
      ".option norvc\n\t"
      ".balign 16\n\t"
      "slli zero, zero, 0x1f\n\t"
      "ebreak\n\t"
      "srai zero, zero, 7\n\t"
      ".option pop"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return a0;
}
