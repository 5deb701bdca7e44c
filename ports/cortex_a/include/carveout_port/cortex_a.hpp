// The port of ARMv7-A in AArch32: Cortex-A5 to A17, without a cache outside of the processor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/port/cache_lines.hpp"
#include "carveout/port/port.hpp"
#include "carveout_port/arm.hpp"

namespace carveout::cortex_a {

/// The core's own registers and instructions. The port reaches the machine through an object with
/// these functions, so that the rest also runs where the machine is not: tests give one that
/// records. Source: ARM Architecture Reference Manual ARMv7-A and ARMv7-R (DDI 0406C), B4.1.42
/// (CTR) and B4.2.1 (cache maintenance, all "by MVA to the point of coherency").
class Registers {
 public:
  [[nodiscard]] std::uint32_t ctr() noexcept;              ///< p15, 0, c0, c0, 1
  void clean_line(std::uint32_t mva) noexcept;             ///< DCCMVAC: p15, 0, c7, c10, 1
  void invalidate_line(std::uint32_t mva) noexcept;        ///< DCIMVAC: p15, 0, c7, c6, 1
  void clean_invalidate_line(std::uint32_t mva) noexcept;  ///< DCCIMVAC: p15, 0, c7, c14, 1
  void dsb() noexcept;
  void dmb() noexcept;
  /// Sets CPSR.I and returns the CPSR as it was.
  [[nodiscard]] std::uint32_t mask_interrupts() noexcept;
  void restore_interrupts(std::uint32_t cpsr) noexcept;
};

/// A carveout::Port of one ARMv7-A processor whose own caches are the only ones before memory.
///
/// Maintenance and barriers end at the processor's own levels of cache. A cache controller outside
/// of it (PL310, also named L2C-310, with many a Cortex-A5 and A9) sees neither: with one switched
/// on, this port does not keep the concept's promises. ports/README.md says what such a board does.
///
/// Its lock masks interrupts (CPSR.I): a pool may be used from every IRQ handler of this processor,
/// from no FIQ handler and from no other processor. An exclusive monitor, which a lock between
/// processors needs, is not promised for memory that is not cached, and this port also serves
/// boards that run without their MMU.
template <class R>
class BasicPort {
 public:
  /// @param memory  what the CPU reaches, each range at its own physical address: no MMU, or an
  ///                identity map. A view lies within one of these ranges; see arm::identity_view().
  ///                Outlives the port.
  explicit BasicPort(std::span<const PhysRange> memory, R registers = {}) noexcept
      : memory_{memory},
        registers_{registers},
        lines_{arm::data_lines(registers_.ctr(), arm::kArmv7Limits)} {}

  [[nodiscard]] std::size_t cache_line_bytes() noexcept { return lines_.granule_bytes; }

  [[nodiscard]] std::byte* cpu_view(PhysRange range) noexcept {
    return arm::identity_view(memory_, range);
  }

  void clean(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(at, size_bytes, [&](std::uint32_t line) { registers_.clean_line(line); });
  }
  void invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(at, size_bytes, [&](std::uint32_t line) { registers_.invalidate_line(line); });
  }
  void clean_invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(at, size_bytes, [&](std::uint32_t line) { registers_.clean_invalidate_line(line); });
  }

  // A doorbell may reach its device by another path than the data before it reaches memory: only
  // completion (DSB) orders the two. Reads need no more than order (DMB).
  void publish_barrier() noexcept { registers_.dsb(); }
  void observe_barrier() noexcept { registers_.dmb(); }
  void full_barrier() noexcept { registers_.dsb(); }

  [[nodiscard]] LockState lock(LockWord&) noexcept { return registers_.mask_interrupts(); }
  void unlock(LockWord&, LockState state) noexcept {
    registers_.restore_interrupts(static_cast<std::uint32_t>(state));
  }

 private:
  // Maintenance by address keeps program order only with loads and stores of Normal cacheable
  // memory, and only of those in the line itself. With an uncached access (another view, a device's
  // register, everything while the MMU is off) it has no order without a DMB, which orders accesses
  // and maintenance both ways. Completion takes a DSB. Source: DDI 0406C, B2.2 "Ordering of cache
  // and branch predictor maintenance operations", and A3.8.3 (DMB).
  template <class Operation>
  void each_line(std::byte* at, std::size_t size_bytes, Operation operation) noexcept {
    registers_.dmb();
    for_each_line(reinterpret_cast<std::uintptr_t>(at), size_bytes, lines_.step_bytes,
                  [&](std::uintptr_t line) { operation(static_cast<std::uint32_t>(line)); });
    registers_.dsb();
  }

  std::span<const PhysRange> memory_;
  [[no_unique_address]] R registers_;
  arm::DataLines lines_;
};

using Port = BasicPort<Registers>;
static_assert(carveout::Port<Port>);

extern template class BasicPort<Registers>;  // in the port's archive, where Registers is known

}  // namespace carveout::cortex_a
