// The port of ARMv7-A in AArch32: Cortex-A5 to A17, without a cache outside of the processor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/port/port.hpp"
#include "carveout_port/arm.hpp"
#include "carveout_port/identity.hpp"
#include "carveout_port/line_port.hpp"

namespace carveout::cortex_a {

/// The core's own registers and instructions. The port reaches the machine through an object with
/// these functions, so that the rest also runs where the machine is not: tests give one that
/// records. Source: ARM Architecture Reference Manual ARMv7-A and ARMv7-R (DDI 0406C), B4.1.42
/// (CTR) and B4.2.1 (cache maintenance, all "by MVA to the point of coherency").
class Registers {
 public:
  [[nodiscard]] std::uint32_t ctr() noexcept;               ///< p15, 0, c0, c0, 1
  void clean_line(std::uintptr_t mva) noexcept;             ///< DCCMVAC: p15, 0, c7, c10, 1
  void invalidate_line(std::uintptr_t mva) noexcept;        ///< DCIMVAC: p15, 0, c7, c6, 1
  void clean_invalidate_line(std::uintptr_t mva) noexcept;  ///< DCCIMVAC: p15, 0, c7, c14, 1
  void dsb() noexcept;
  void dmb() noexcept;
  /// Sets CPSR.I and returns the CPSR as it was.
  [[nodiscard]] std::uintptr_t mask_interrupts() noexcept;
  void restore_interrupts(std::uintptr_t cpsr) noexcept;
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
class BasicPort : public ports::LinePort<BasicPort<R>, R> {
  using Lines = ports::LinePort<BasicPort, R>;
  friend Lines;

 public:
  /// @param memory  what the CPU reaches, each range at its own physical address: no MMU, or an
  ///                identity map. A view lies within one of these ranges; see
  ///                ports::identity_view(). Outlives the port.
  explicit BasicPort(std::span<const PhysRange> memory, R registers = {}) noexcept
      : Lines{registers, arm::data_lines(registers.ctr(), arm::kLimits)}, memory_{memory} {}

  [[nodiscard]] std::byte* cpu_view(PhysRange range) noexcept {
    return ports::identity_view(memory_, range, UINT32_MAX);
  }
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at,
                                                std::size_t size_bytes) noexcept {
    return ports::identity_phys(memory_, at, size_bytes);
  }
  [[nodiscard]] const SyncTable& sync_table() noexcept { return sync_tables::arm; }

  // A doorbell may reach its device by another path than the data before it reaches memory: only
  // completion (DSB) orders the two. Reads need no more than order (DMB).
  void publish_barrier() noexcept { this->registers().dsb(); }
  void observe_barrier() noexcept { this->registers().dmb(); }
  void full_barrier() noexcept { this->registers().dsb(); }

 private:
  // Maintenance by address keeps program order only with loads and stores of Normal cacheable
  // memory, and only of those in the line itself. With an uncached access (another view, a device's
  // register, everything while the MMU is off) it has no order without a DMB, which orders accesses
  // and maintenance both ways. Completion takes a DSB. Source: DDI 0406C, B2.2 "Ordering of cache
  // and branch predictor maintenance operations", and A3.8.3 (DMB).
  void before_lines() noexcept { this->registers().dmb(); }
  void after_lines() noexcept { this->registers().dsb(); }

  std::span<const PhysRange> memory_;
};

using Port = BasicPort<Registers>;
static_assert(carveout::Port<Port>);

// In the port's archive, where Registers is known.
extern template class BasicPort<Registers>;

}  // namespace carveout::cortex_a

extern template class carveout::ports::LinePort<carveout::cortex_a::Port,
                                                carveout::cortex_a::Registers>;
