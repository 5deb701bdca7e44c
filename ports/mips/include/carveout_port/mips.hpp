// The port of MIPS32 release 2, big or little-endian, whose memory is seen through the segments
// KSEG0 (cached) and KSEG1 (not cached).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/port/port.hpp"
#include "carveout_port/line_port.hpp"

namespace carveout::mips32 {

/// The core's own registers and instructions. The port reaches the machine through an object with
/// these functions, so that the rest also runs where the machine is not: tests give one that
/// records. Source: MIPS32 Architecture for Programmers, volume II (MD00086: CACHE, SYNC, DI, EI)
/// and volume III (MD00090: Config1, Status).
class Registers {
 public:
  [[nodiscard]] std::uint32_t config1() noexcept;               ///< CP0 register 16, select 1
  void clean_line(std::uintptr_t address) noexcept;             ///< CACHE 0x19: Hit_Writeback_D
  void invalidate_line(std::uintptr_t address) noexcept;        ///< CACHE 0x11: Hit_Invalidate_D
  void clean_invalidate_line(std::uintptr_t address) noexcept;  ///< CACHE 0x15
  void sync() noexcept;
  /// Clears Status.IE and returns the Status as it was.
  [[nodiscard]] std::uintptr_t mask_interrupts() noexcept;
  void restore_interrupts(std::uintptr_t status) noexcept;
};

/// The line of the primary data cache, which Config1.DL states, the register being there in every
/// MIPS32. A DL of 0 is no data cache. Source: MD00090, "Configuration
/// Register 1".
[[nodiscard]] constexpr ports::DataLines data_lines(std::uint32_t config1) {
  const std::uint32_t dl = (config1 >> 10) & 7;
  if (dl == 0) return ports::kNoDataCache;
  const std::size_t bytes = std::size_t{2} << dl;
  return {.granule_bytes = bytes, .step_bytes = bytes};
}

/// The two segments in which the first 512 MiB of physical memory appear.
inline constexpr std::uint64_t kSegmentBytes = 0x2000'0000;
inline constexpr std::uint32_t kKseg0 = 0x8000'0000;  ///< through the cache
inline constexpr std::uint32_t kKseg1 = 0xa000'0000;  ///< past it

/// A carveout::Port of one MIPS32 processor whose primary data cache is the only one before memory.
///
/// Memory has its physical address, and its bytes past the cache have that of KSEG1: what
/// known_aliases::mips32 says. A secondary cache, where a core has one that devices do not see, is
/// not reached: such a board brings a port of its own around this one.
///
/// Its lock masks interrupts (Status.IE): a pool may be used from every handler of this processor
/// but that of NMI, and from no other processor.
template <class R>
class BasicPort : public ports::LinePort<BasicPort<R>, R> {
  using Lines = ports::LinePort<BasicPort, R>;
  friend Lines;

 public:
  /// @param memory  physical RAM; of it counts what lies in the first 512 MiB. Outlives the port.
  /// @param table   sync_tables::mips_not_speculating for a core that does not fetch by speculation
  /// (24K and the
  ///                like); the default is right for every core. Outlives the port.
  explicit BasicPort(std::span<const PhysRange> memory,
                     const SyncTable& table = sync_tables::mips_speculating,
                     R registers = {}) noexcept
      : Lines{registers, data_lines(registers.config1())}, memory_{memory}, table_{&table} {}

  [[nodiscard]] std::byte* cpu_view(PhysRange range) noexcept {
    // Of a range in KSEG1 the RAM behind it is looked up; of physical RAM, the range itself.
    const bool past_the_cache = range.base.raw() >= kKseg1;
    const std::uint64_t physical = range.base.raw() - (past_the_cache ? kKseg1 : 0);
    if (!has({PhysAddr{physical}, range.size_bytes})) return nullptr;
    const std::uint64_t segment = past_the_cache ? kKseg1 : kKseg0;
    return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(segment + physical));
  }

  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at,
                                                std::size_t size_bytes) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    if (address < kKseg0) return std::nullopt;
    const bool past_the_cache = address >= kKseg1;
    const PhysAddr physical{address - (past_the_cache ? kKseg1 : kKseg0)};
    if (!has({physical, size_bytes})) return std::nullopt;
    return past_the_cache ? PhysAddr{address} : physical;
  }

  [[nodiscard]] const SyncTable& sync_table() noexcept { return *table_; }

  // SYNC of type 0 orders and completes, which is more than a read needs; the lighter types are
  // optional, and a core without them does type 0.
  void publish_barrier() noexcept { this->registers().sync(); }
  void observe_barrier() noexcept { this->registers().sync(); }
  void full_barrier() noexcept { this->registers().sync(); }

 private:
  // CACHE has no order with loads and stores that go past the cache, and no completion, without a
  // SYNC. Source: MD00086, CACHE, "Programming notes", and SYNC.
  void before_lines() noexcept { this->registers().sync(); }
  void after_lines() noexcept { this->registers().sync(); }

  [[nodiscard]] bool has(PhysRange physical) const {
    if (physical.empty() || physical.last().raw() >= kSegmentBytes) return false;
    for (const PhysRange& part : memory_) {
      if (part.contains(physical)) return true;
    }
    return false;
  }

  std::span<const PhysRange> memory_;
  const SyncTable* table_;
};

using Port = BasicPort<Registers>;
static_assert(carveout::Port<Port>);

// In the port's archive, where Registers is known.
extern template class BasicPort<Registers>;

}  // namespace carveout::mips32

extern template class carveout::ports::LinePort<carveout::mips32::Port,
                                                carveout::mips32::Registers>;
