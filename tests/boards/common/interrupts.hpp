// The mask of this processor's interrupts: what a port's lock is about, read without the port.
#pragma once

namespace board {

[[nodiscard]] bool interrupts_masked();
/// Nothing on the boards asks for an interrupt unless an image says so.
void mask_interrupts(bool masked);

}  // namespace board
