// What becomes of an exception in a MIPS32 image.
#include <cstdint>

#include "board.hpp"

extern "C" {
[[noreturn]] void image_exception(std::uint32_t cause, std::uint32_t address, std::uint32_t pc) {
  board::note("BadVAddr", address);
  board::note("EPC", pc);
  board::die("exception that nobody expected, Cause", cause);
}
}  // extern "C"
