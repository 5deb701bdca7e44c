#include "semihosting.hpp"

std::uintptr_t semihosting::call(std::uintptr_t operation, const void* parameter) {
  register std::uintptr_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = parameter;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}
