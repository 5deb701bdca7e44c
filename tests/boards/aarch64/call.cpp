#include "semihosting.hpp"

std::uintptr_t semihosting::call(std::uintptr_t operation, const void* parameter) {
  register std::uintptr_t x0 asm("x0") = operation;
  register const void* x1 asm("x1") = parameter;
  asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
  return x0;
}
