// The port of RISC-V, 32 or 64 bit, in M-mode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/port/port.hpp"
#include "carveout_port/cache_operations.hpp"
#include "carveout_port/identity.hpp"
#include "carveout_port/line_port.hpp"

namespace carveout::riscv {

/// The hart's own registers and instructions, and the operations of its caches. The port reaches
/// the machine through an object with these functions, so that the rest also runs where the machine
/// is not: tests give one that records. Source: RISC-V Unprivileged ISA, "Memory Ordering
/// Instructions" (FENCE); Privileged ISA, "Machine Status Registers".
class Registers {
 public:
  explicit Registers(const CacheOperations& operations) noexcept : operations_{&operations} {}

  void clean_line(std::uintptr_t address) noexcept { operations_->clean(address); }
  void invalidate_line(std::uintptr_t address) noexcept { operations_->invalidate(address); }
  void clean_invalidate_line(std::uintptr_t address) noexcept {
    operations_->clean_invalidate(address);
  }
  void complete_lines() noexcept {
    if (operations_->complete != nullptr) operations_->complete();
  }
  void fence() noexcept;         ///< everything: iorw, iorw
  void fence_writes() noexcept;  ///< ow, ow
  void fence_reads() noexcept;   ///< ir, ir
  /// Clears mstatus.MIE and returns the mstatus as it was.
  [[nodiscard]] std::uintptr_t mask_interrupts() noexcept;
  void restore_interrupts(std::uintptr_t mstatus) noexcept;

 private:
  const CacheOperations* operations_;
};

/// The block of every hart of the profiles RVA22 and later, where nobody says. Source: RISC-V
/// Profiles 1.0, RVA22U64, Zic64b.
inline constexpr std::size_t kRva22BlockBytes = 64;

/// A carveout::Port of one RISC-V hart.
///
/// Its lock masks interrupts (mstatus.MIE): a pool may be used from every interrupt handler of this
/// hart in M-mode but that of NMI, and from no other hart.
template <class R>
class BasicPort : public ports::LinePort<BasicPort<R>, R> {
  using Lines = ports::LinePort<BasicPort, R>;
  friend Lines;

 public:
  /// @param memory  what the CPU reaches, each range at its own physical address. A view lies
  /// within
  ///                one of these ranges; see ports::identity_view(). Outlives the port.
  /// @param block_bytes  of the caches, for no register states it: riscv,cbom-block-size of the
  ///                hart's node in the device tree. 1: no data cache, or one that sees what devices
  ///                do, and nothing is maintained.
  explicit BasicPort(std::span<const PhysRange> memory, R registers,
                     std::size_t block_bytes = kRva22BlockBytes) noexcept
      : Lines{registers, {.granule_bytes = block_bytes, .step_bytes = block_bytes}},
        memory_{memory} {}

  [[nodiscard]] std::byte* cpu_view(PhysRange range) noexcept {
    return ports::identity_view(memory_, range);
  }
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at,
                                                std::size_t size_bytes) noexcept {
    return ports::identity_phys(memory_, at, size_bytes);
  }
  [[nodiscard]] const SyncTable& sync_table() noexcept { return sync_tables::riscv; }

  // Memory that is not cached may be of the kind I/O, like a doorbell: both kinds count.
  void publish_barrier() noexcept { this->registers().fence_writes(); }
  void observe_barrier() noexcept { this->registers().fence_reads(); }
  void full_barrier() noexcept { this->registers().fence(); }

 private:
  // A cache block operation is ordered like a store to the block, and with other accesses by a
  // FENCE that names reads and writes. Source: Cache Management Operation ISA Extensions 1.0,
  // "Memory Ordering".
  void before_lines() noexcept { this->registers().fence(); }
  void after_lines() noexcept {
    this->registers().complete_lines();
    this->registers().fence();
  }

  std::span<const PhysRange> memory_;
};

using Port = BasicPort<Registers>;
static_assert(carveout::Port<Port>);

// In the port's archive, where Registers is known.
extern template class BasicPort<Registers>;

}  // namespace carveout::riscv

extern template class carveout::ports::LinePort<carveout::riscv::Port, carveout::riscv::Registers>;
