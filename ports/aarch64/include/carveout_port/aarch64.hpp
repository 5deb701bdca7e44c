// The port of ARMv8-A in AArch64, at EL1 or above.
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

namespace carveout::aarch64 {

/// The core's own registers and instructions. The port reaches the machine through an object with
/// these functions, so that the rest also runs where the machine is not: tests give one that
/// records. Source: Arm Architecture Reference Manual for A-profile (DDI 0487), the descriptions of
/// CTR_EL0, DAIF, DC CVAC, IVAC and CIVAC (all "by VA to the point of coherency"), DMB and DSB.
class Registers {
 public:
  [[nodiscard]] std::uint64_t ctr() noexcept;              ///< CTR_EL0
  void clean_line(std::uintptr_t va) noexcept;             ///< DC CVAC
  void invalidate_line(std::uintptr_t va) noexcept;        ///< DC IVAC
  void clean_invalidate_line(std::uintptr_t va) noexcept;  ///< DC CIVAC
  void dmb() noexcept;                                     ///< everything, full system
  void dsb() noexcept;                                     ///< the same
  void dmb_loads() noexcept;                               ///< outer shareable, after loads
  void dsb_stores() noexcept;                              ///< outer shareable, of stores
  /// Sets DAIF.I and returns the DAIF as it was.
  [[nodiscard]] std::uintptr_t mask_interrupts() noexcept;
  void restore_interrupts(std::uintptr_t daif) noexcept;
};

/// The sizes that CTR_EL0 states. Its low half has the fields of ARMv7, but for bit 29, which is
/// DIC and says nothing about data. A CWG of 0 is the architecture's longest. Source: DDI 0487,
/// "CTR_EL0, Cache Type Register".
[[nodiscard]] constexpr ports::DataLines data_lines(std::uint64_t ctr) {
  constexpr std::uint64_t kDic = std::uint64_t{1} << 29;
  constexpr std::uint64_t kIdc = std::uint64_t{1} << 28;
  return arm::data_lines(static_cast<std::uint32_t>(ctr & ~(kDic | kIdc)), arm::kLimits);
}

/// A carveout::Port of one ARMv8-A processor. Maintenance by address reaches the point of
/// coherency, so that every cache before memory is done, a system cache of the architecture's too.
///
/// Its lock masks IRQ (DAIF.I): a pool may be used from every IRQ handler of this processor, from
/// no FIQ or SError handler and from no other processor: where the MMU is off nothing promises the
/// exclusive accesses that a lock between processors needs. A board whose MMU is on derives from
/// this and puts carveout::SpinLock in its place.
template <class R>
class BasicPort : public ports::LinePort<BasicPort<R>, R> {
  using Lines = ports::LinePort<BasicPort, R>;
  friend Lines;

 public:
  /// @param memory  what the CPU reaches, each range at its own physical address: no MMU, or an
  ///                identity map. A view lies within one of these ranges; see
  ///                ports::identity_view(). Outlives the port.
  explicit BasicPort(std::span<const PhysRange> memory, R registers = {}) noexcept
      : Lines{registers, data_lines(registers.ctr())}, memory_{memory} {}

  [[nodiscard]] std::byte* cpu_view(PhysRange range) noexcept {
    return ports::identity_view(memory_, range);
  }
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at,
                                                std::size_t size_bytes) noexcept {
    return ports::identity_phys(memory_, at, size_bytes);
  }
  [[nodiscard]] const SyncTable& sync_table() noexcept { return sync_tables::arm64; }

  // A doorbell may reach its device by another path than the data before it reaches memory: only
  // completion (DSB) orders the two. Reads need no more than order (DMB). Devices, and memory that
  // is not cached, are in the outer shareable domain.
  void publish_barrier() noexcept { this->registers().dsb_stores(); }
  void observe_barrier() noexcept { this->registers().dmb_loads(); }
  void full_barrier() noexcept { this->registers().dsb(); }

 private:
  // DC by address keeps program order only with accesses to the same line of Normal cacheable
  // memory; with every other access a DMB orders it, and a DSB of loads and stores completes it, to
  // the end of the system as the point of coherency is. Source: DDI 0487, "Ordering and
  // completion of data and instruction cache instructions".
  void before_lines() noexcept { this->registers().dmb(); }
  void after_lines() noexcept { this->registers().dsb(); }

  std::span<const PhysRange> memory_;
};

using Port = BasicPort<Registers>;
static_assert(carveout::Port<Port>);

// In the port's archive, where Registers is known.
extern template class BasicPort<Registers>;

}  // namespace carveout::aarch64

extern template class carveout::ports::LinePort<carveout::aarch64::Port,
                                                carveout::aarch64::Registers>;
