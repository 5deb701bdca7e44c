// How a RISC-V hart maintains its data caches: a row of a table, because the base architecture has
// no instruction for it.
#pragma once

#include <cstdint>

namespace carveout::riscv {

/// One way. Each function does one block, by the address of any byte of it.
struct CacheOperations {
  void (*clean)(std::uintptr_t address) noexcept;
  void (*invalidate)(std::uintptr_t address) noexcept;
  void (*clean_invalidate)(std::uintptr_t address) noexcept;
  void (*complete)() noexcept;  ///< after the last block; nullptr: the fence that follows does it
};

/// The standard's extension Zicbom. Source: RISC-V Base Cache Management Operation ISA
/// Extensions 1.0, cbo.clean, cbo.flush and cbo.inval.
extern const CacheOperations kZicbom;

/// T-Head's XTheadCmo (C906, C910, C920), by virtual address to the point of coherency. Source:
/// T-Head ISA extension specification, XTheadCmo; Linux v6.7 arch/riscv/include/asm/errata_list.h.
extern const CacheOperations kXTheadCmo;

}  // namespace carveout::riscv
