#include "semihosting.hpp"

// An SVC overwrites the link register of the mode that it is taken in, which is ours.
std::uintptr_t semihosting::call(std::uintptr_t operation, const void* parameter) {
  register std::uintptr_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = parameter;
  asm volatile("svc 0x123456" : "+r"(r0) : "r"(r1) : "memory", "lr", "cc");
  return r0;
}
