// Start-up of an ARMv7-M or ARMv8-M image: the vector table, and the way to C++.
#include <array>
#include <cstdint>

#include "board.hpp"
#include "exceptions.hpp"
#include "registers.hpp"

extern "C" {
extern std::uint32_t image_stack_top;  // from the linker script, like all image_ symbols
extern std::uint32_t image_bss_start;
extern std::uint32_t image_bss_end;
[[noreturn]] void image_start();  // in common/start.cpp
}

namespace {

void reset() {
  // CP10 and CP11 in full, before anything that a compiler may have put a float register into.
  armv7m::at(armv7m::kCpacr) = 0xfU << 20;
  armv7m::barrier();

  for (volatile std::uint32_t* word = &image_bss_start; word != &image_bss_end; ++word) *word = 0;
  image_start();
}

void unexpected() {
  std::uint32_t number = 0;
  asm volatile("mrs %0, ipsr" : "=r"(number));
  board::note("CFSR", armv7m::at(armv7m::kCfsr));
  board::note("MMFAR", armv7m::at(armv7m::kMmfar));
  board::die("exception that nobody expected, number", number);
}

}  // namespace

// An image that wants one of these defines it.
[[gnu::weak]] void on_memory_fault() { unexpected(); }
[[gnu::weak]] void on_tick() { unexpected(); }

namespace {

/// Up to SysTick: no image has an interrupt of the NVIC yet.
struct Vectors {
  const void* stack;
  std::array<void (*)(), 15> exceptions;
};

[[gnu::section(".vectors"), gnu::used]] constinit const Vectors vectors{
    .stack = &image_stack_top,
    .exceptions = {reset, unexpected, unexpected, on_memory_fault, unexpected, unexpected, nullptr,
                   nullptr, nullptr, nullptr, unexpected, unexpected, nullptr, unexpected, on_tick},
};

}  // namespace
