// The port of ARMv7-M: Cortex-M7 with its caches, and Cortex-M3 and M4, which have none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/port/cache_lines.hpp"
#include "carveout/port/port.hpp"
#include "carveout_port/arm.hpp"
#include "carveout_port/cortex_m_registers.hpp"
#include "carveout_port/identity.hpp"
#include "carveout_port/line_port.hpp"

namespace carveout::cortex_m {

// Registers of the System Control Space. Source: ARMv7-M Architecture Reference Manual (DDI 0403E),
// B3.2.3 (identification) and B2.2.7 (cache maintenance).
inline constexpr std::uint32_t kCtr = 0xe000'ed7c;       ///< Cache Type Register
inline constexpr std::uint32_t kDcimvac = 0xe000'ef5c;   ///< invalidate data line by address
inline constexpr std::uint32_t kDccmvac = 0xe000'ef68;   ///< clean data line by address
inline constexpr std::uint32_t kDccimvac = 0xe000'ef70;  ///< clean and invalidate data line

/// The line of the only ARMv7-M core with data caches. Source: Cortex-M7 TRM (DDI 0489), 5.
inline constexpr std::size_t kCortexM7LineBytes = 32;

/// A carveout::Port of one ARMv7-M processor.
///
/// Its lock masks interrupts (PRIMASK): a pool may be used from every handler of this processor
/// except NMI and HardFault, and from no other processor. Source of the barriers: ARM "Cortex-M
/// Programming Guide to Memory Barrier Instructions" (AN321).
template <class R>
class BasicPort {
 public:
  /// @param memory  what the CPU reaches, each range at its own physical address. A view lies
  ///                within one of these ranges; see ports::identity_view(). Outlives the port.
  /// @param fallback_line_bytes  the data cache's line where the Cache Type Register says nothing
  ///                (emulators read 0). A board with a core that has no data cache states 1.
  explicit BasicPort(std::span<const PhysRange> memory,
                     std::size_t fallback_line_bytes = kCortexM7LineBytes,
                     R registers = {}) noexcept
      : memory_{memory},
        registers_{registers},
        lines_{arm::data_lines(registers_.read(kCtr), {.granule_bytes = fallback_line_bytes,
                                                       .step_bytes = fallback_line_bytes})} {}

  [[nodiscard]] std::size_t cache_line_bytes() noexcept { return lines_.granule_bytes; }

  [[nodiscard]] std::byte* cpu_view(PhysRange range) noexcept {
    return ports::identity_view(memory_, range, UINT32_MAX);
  }
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at,
                                                std::size_t size_bytes) noexcept {
    return ports::identity_phys(memory_, at, size_bytes);
  }
  [[nodiscard]] const SyncTable& sync_table() noexcept { return sync_tables::arm; }

  void clean(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(kDccmvac, at, size_bytes);
  }
  void invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(kDcimvac, at, size_bytes);
  }
  void clean_invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(kDccimvac, at, size_bytes);
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
  // The operations are stores to a device register, which the core does not order with the stores
  // to memory whose lines they are about: hence the first barrier. The second one completes them.
  void each_line(std::uint32_t operation, std::byte* at, std::size_t size_bytes) noexcept {
    registers_.dsb();
    if (lines_ == ports::kNoDataCache) return;
    for_each_line(reinterpret_cast<std::uintptr_t>(at), size_bytes, lines_.step_bytes,
                  [&](std::uintptr_t line) {
                    registers_.write(operation, static_cast<std::uint32_t>(line));
                  });
    registers_.dsb();
  }

  std::span<const PhysRange> memory_;
  [[no_unique_address]] R registers_;
  arm::DataLines lines_;
};

using Port = BasicPort<Registers>;
static_assert(carveout::Port<Port>);

extern template class BasicPort<Registers>;  // in the port's archive, where Registers is known

}  // namespace carveout::cortex_m
