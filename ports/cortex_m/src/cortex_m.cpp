#include "carveout_port/cortex_m.hpp"

#include "carveout_port/pmsa_v7.hpp"
#include "carveout_port/pmsa_v8.hpp"

namespace carveout::cortex_m {

std::uint32_t Registers::read(std::uint32_t address) noexcept {
  return *reinterpret_cast<const volatile std::uint32_t*>(address);
}

void Registers::write(std::uint32_t address, std::uint32_t value) noexcept {
  *reinterpret_cast<volatile std::uint32_t*>(address) = value;
}

// "memory": the compiler, too, keeps its loads and stores on their side.
void Registers::dsb() noexcept { asm volatile("dsb sy" ::: "memory"); }
void Registers::dmb() noexcept { asm volatile("dmb sy" ::: "memory"); }
void Registers::isb() noexcept { asm volatile("isb sy" ::: "memory"); }

std::uint32_t Registers::mask_interrupts() noexcept {
  std::uint32_t primask = 0;
  asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(primask)::"memory");
  return primask;
}

void Registers::restore_interrupts(std::uint32_t primask) noexcept {
  asm volatile("msr primask, %0" ::"r"(primask) : "memory");
}

template class BasicPort<Registers>;
template class MpuUnit<Registers>;
template class BasicMpu<Registers>;
template class BasicMpuV8<Registers>;

}  // namespace carveout::cortex_m
