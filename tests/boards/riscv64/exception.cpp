// What becomes of an exception in a RISC-V image.
#include <cstdint>

#include "board.hpp"
#include "trap.hpp"

extern "C" {
[[gnu::weak]] std::uintptr_t on_trap(std::uintptr_t /*a0*/, std::uintptr_t pc, std::uintptr_t cause,
                                     std::uintptr_t value) {
  board::note("mepc", pc);
  board::note("mtval", value);
  board::die("trap that nobody expected, mcause", cause);
}
}  // extern "C"
