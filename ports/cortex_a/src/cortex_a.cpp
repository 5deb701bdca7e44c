#include "carveout_port/cortex_a.hpp"

namespace carveout::cortex_a {

std::uint32_t Registers::ctr() noexcept {
  std::uint32_t value = 0;
  asm volatile("mrc p15, 0, %0, c0, c0, 1" : "=r"(value));
  return value;
}

// "memory": the compiler, too, keeps its loads and stores on their side.
void Registers::clean_line(std::uintptr_t mva) noexcept {
  asm volatile("mcr p15, 0, %0, c7, c10, 1" ::"r"(mva) : "memory");
}
void Registers::invalidate_line(std::uintptr_t mva) noexcept {
  asm volatile("mcr p15, 0, %0, c7, c6, 1" ::"r"(mva) : "memory");
}
void Registers::clean_invalidate_line(std::uintptr_t mva) noexcept {
  asm volatile("mcr p15, 0, %0, c7, c14, 1" ::"r"(mva) : "memory");
}

void Registers::dsb() noexcept { asm volatile("dsb sy" ::: "memory"); }
void Registers::dmb() noexcept { asm volatile("dmb sy" ::: "memory"); }

std::uintptr_t Registers::mask_interrupts() noexcept {
  std::uintptr_t cpsr = 0;
  asm volatile("mrs %0, cpsr\n\tcpsid i" : "=r"(cpsr)::"memory");
  return cpsr;
}

void Registers::restore_interrupts(std::uintptr_t cpsr) noexcept {
  constexpr std::uintptr_t kMasked = 1U << 7;
  if ((cpsr & kMasked) == 0) asm volatile("cpsie i" ::: "memory");
}

template class BasicPort<Registers>;

}  // namespace carveout::cortex_a

template class carveout::ports::LinePort<carveout::cortex_a::Port, carveout::cortex_a::Registers>;
