#include "carveout_port/mips.hpp"

namespace carveout::mips32 {

std::uint32_t Registers::config1() noexcept {
  std::uint32_t value = 0;
  asm volatile("mfc0 %0, $16, 1" : "=r"(value));
  return value;
}

// "memory": the compiler, too, keeps its loads and stores on their side.
void Registers::clean_line(std::uintptr_t address) noexcept {
  asm volatile("cache 0x19, 0(%0)" ::"r"(address) : "memory");
}
void Registers::invalidate_line(std::uintptr_t address) noexcept {
  asm volatile("cache 0x11, 0(%0)" ::"r"(address) : "memory");
}
void Registers::clean_invalidate_line(std::uintptr_t address) noexcept {
  asm volatile("cache 0x15, 0(%0)" ::"r"(address) : "memory");
}

void Registers::sync() noexcept { asm volatile("sync" ::: "memory"); }

// EHB: the mask holds for the very next instruction.
std::uintptr_t Registers::mask_interrupts() noexcept {
  std::uintptr_t status = 0;
  asm volatile("di %0\n\tehb" : "=r"(status)::"memory");
  return status;
}

void Registers::restore_interrupts(std::uintptr_t status) noexcept {
  constexpr std::uintptr_t kEnabled = 1;  // Status.IE
  if ((status & kEnabled) != 0) asm volatile("ei\n\tehb" ::: "memory");
}

template class BasicPort<Registers>;

}  // namespace carveout::mips32

template class carveout::ports::LinePort<carveout::mips32::Port, carveout::mips32::Registers>;
