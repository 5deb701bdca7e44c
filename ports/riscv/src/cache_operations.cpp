// As words, with the address in a0: an assembler that knows neither extension takes them.
#include "carveout_port/cache_operations.hpp"

namespace carveout::riscv {
namespace {

// "memory": the compiler, too, keeps its loads and stores on their side.

// MISC-MEM (0x0f), funct3 2, the operation in the immediate.
void cbo_clean(std::uintptr_t address) noexcept {
  register std::uintptr_t a0 asm("a0") = address;
  asm volatile(".4byte 0x0015200f" ::"r"(a0) : "memory");
}
void cbo_inval(std::uintptr_t address) noexcept {
  register std::uintptr_t a0 asm("a0") = address;
  asm volatile(".4byte 0x0005200f" ::"r"(a0) : "memory");
}
void cbo_flush(std::uintptr_t address) noexcept {
  register std::uintptr_t a0 asm("a0") = address;
  asm volatile(".4byte 0x0025200f" ::"r"(a0) : "memory");
}

// custom-0 (0x0b), funct7 1, the operation in the place of rs2.
void th_dcache_cva(std::uintptr_t address) noexcept {
  register std::uintptr_t a0 asm("a0") = address;
  asm volatile(".4byte 0x0255000b" ::"r"(a0) : "memory");
}
void th_dcache_iva(std::uintptr_t address) noexcept {
  register std::uintptr_t a0 asm("a0") = address;
  asm volatile(".4byte 0x0265000b" ::"r"(a0) : "memory");
}
void th_dcache_civa(std::uintptr_t address) noexcept {
  register std::uintptr_t a0 asm("a0") = address;
  asm volatile(".4byte 0x0275000b" ::"r"(a0) : "memory");
}
void th_sync_s() noexcept { asm volatile(".4byte 0x0190000b" ::: "memory"); }

}  // namespace

constinit const CacheOperations kZicbom{.clean = cbo_clean,
                                        .invalidate = cbo_inval,
                                        .clean_invalidate = cbo_flush,
                                        .complete = nullptr};

constinit const CacheOperations kXTheadCmo{.clean = th_dcache_cva,
                                           .invalidate = th_dcache_iva,
                                           .clean_invalidate = th_dcache_civa,
                                           .complete = th_sync_s};

}  // namespace carveout::riscv
