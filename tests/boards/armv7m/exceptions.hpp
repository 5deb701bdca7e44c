// Exceptions that an ARMv7-M image may handle itself, by defining the function: the names are in
// the vector table of start.cpp. One that is not defined ends the image with a message.
#pragma once

extern "C" {
void on_memory_fault();
void on_tick();  ///< SysTick
}
