#include "carveout_port/riscv.hpp"

namespace carveout::riscv {

void Registers::fence() noexcept { asm volatile("fence iorw, iorw" ::: "memory"); }
void Registers::fence_writes() noexcept { asm volatile("fence ow, ow" ::: "memory"); }
void Registers::fence_reads() noexcept { asm volatile("fence ir, ir" ::: "memory"); }

std::uintptr_t Registers::mask_interrupts() noexcept {
  std::uintptr_t mstatus = 0;
  asm volatile("csrrci %0, mstatus, 8" : "=r"(mstatus)::"memory");
  return mstatus;
}

void Registers::restore_interrupts(std::uintptr_t mstatus) noexcept {
  constexpr std::uintptr_t kEnabled = 1U << 3;  // mstatus.MIE
  if ((mstatus & kEnabled) != 0) asm volatile("csrsi mstatus, 8" ::: "memory");
}

template class BasicPort<Registers>;

}  // namespace carveout::riscv

template class carveout::ports::LinePort<carveout::riscv::Port, carveout::riscv::Registers>;
