// The last steps to run(), on every architecture: constructors, and what comes after it.
#include "board.hpp"

extern "C" {
// From the linker script. Arrays, because a compiler takes two objects to lie at two addresses.
extern void (*image_init_start[])();
extern void (*image_init_end[])();

[[noreturn]] void image_start() {
  for (void (**init)() = image_init_start; init != image_init_end; ++init) (*init)();
  board::exit(board::run());
}
}  // extern "C"
