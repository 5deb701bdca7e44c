// MIPS has a semihosting of its own. Source: MIPS "Unified Hosting Interface", MD01069: SDBBP 1
// with the operation in $25 and arguments from $4 on.
#include <cstdint>

#include "semihosting.hpp"

namespace semihosting {
namespace {

std::uintptr_t call(std::uintptr_t operation, std::uintptr_t first, std::uintptr_t second,
                    std::uintptr_t third) {
  register std::uintptr_t v0 asm("$2") = 1;  // what the interface wants there
  register std::uintptr_t v1 asm("$3");      // where it leaves errno
  register std::uintptr_t a0 asm("$4") = first;
  register std::uintptr_t a1 asm("$5") = second;
  register std::uintptr_t a2 asm("$6") = third;
  register std::uintptr_t t9 asm("$25") = operation;
  asm volatile("sdbbp 1" : "+r"(v0), "=r"(v1) : "r"(a0), "r"(a1), "r"(a2), "r"(t9) : "memory");
  return v0;
}

constexpr std::uintptr_t kExit = 1;
constexpr std::uintptr_t kWrite = 5;
constexpr std::uintptr_t kStandardOutput = 1;

}  // namespace

void write0(const char* words) {
  std::uintptr_t length = 0;
  while (words[length] != '\0') ++length;
  call(kWrite, kStandardOutput, reinterpret_cast<std::uintptr_t>(words), length);
}

void exit(int status) {
  for (;;) call(kExit, static_cast<std::uintptr_t>(status), 0, 0);
}

}  // namespace semihosting
