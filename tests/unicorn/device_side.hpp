// The device's side of the bus, a word at a time, by registers of the DMA engine; and the CPU's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tables.hpp"

namespace unicorn_board {

inline volatile std::uint32_t& word_at(PhysAddr base, std::size_t offset) {
  return *reinterpret_cast<volatile std::uint32_t*>(
      static_cast<std::uintptr_t>(base.raw() + offset));
}
inline volatile std::uint32_t& engine(std::uint32_t offset) {
  return word_at(PhysAddr{kEngine}, offset);
}
inline std::uint32_t dma_of(PhysAddr base, std::size_t offset) {
  return static_cast<std::uint32_t>(kWindow.dma.raw() + (base.raw() - kWindow.cpu.raw()) + offset);
}
inline std::uint32_t device_reads(PhysAddr base, std::size_t offset) {
  engine(kPeek) = dma_of(base, offset);
  return engine(kValue);
}
inline void device_writes(PhysAddr base, std::size_t offset, std::uint32_t value) {
  engine(kValue) = value;
  engine(kPoke) = dma_of(base, offset);
}

}  // namespace unicorn_board
