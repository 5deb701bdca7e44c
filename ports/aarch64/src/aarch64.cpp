#include "carveout_port/aarch64.hpp"

namespace carveout::aarch64 {

std::uint64_t Registers::ctr() noexcept {
  std::uint64_t value = 0;
  asm volatile("mrs %0, ctr_el0" : "=r"(value));
  return value;
}

// "memory": the compiler, too, keeps its loads and stores on their side.
void Registers::clean_line(std::uintptr_t va) noexcept {
  asm volatile("dc cvac, %0" ::"r"(va) : "memory");
}
void Registers::invalidate_line(std::uintptr_t va) noexcept {
  asm volatile("dc ivac, %0" ::"r"(va) : "memory");
}
void Registers::clean_invalidate_line(std::uintptr_t va) noexcept {
  asm volatile("dc civac, %0" ::"r"(va) : "memory");
}

void Registers::dmb() noexcept { asm volatile("dmb sy" ::: "memory"); }
void Registers::dsb() noexcept { asm volatile("dsb sy" ::: "memory"); }
void Registers::dmb_loads() noexcept { asm volatile("dmb oshld" ::: "memory"); }
void Registers::dsb_stores() noexcept { asm volatile("dsb oshst" ::: "memory"); }

std::uintptr_t Registers::mask_interrupts() noexcept {
  std::uintptr_t daif = 0;
  asm volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(daif)::"memory");
  return daif;
}

void Registers::restore_interrupts(std::uintptr_t daif) noexcept {
  asm volatile("msr daif, %0" ::"r"(daif) : "memory");
}

template class BasicPort<Registers>;

}  // namespace carveout::aarch64

template class carveout::ports::LinePort<carveout::aarch64::Port, carveout::aarch64::Registers>;
