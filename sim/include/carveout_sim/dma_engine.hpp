// A bus master that the caches do not see: it reads and writes RAM by device address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"
#include "carveout_sim/machine.hpp"

namespace carveout::sim {

/// Why a bus refuses a transfer.
enum class BusError : std::uint8_t {
  over_mask,      ///< its last device address is more than the device can put on the bus
  not_in_window,  ///< no window holds all of it
  no_memory,      ///< the window shows it, and there is no RAM behind
};

using Transfer = std::expected<void, BusError>;

/// A device's DMA engine, behind the device's windows and mask.
///
/// A transfer is checked whole before its first byte moves: one that fails moves nothing. One of 0
/// bytes does nothing and succeeds.
class DmaEngine {
 public:
  /// @param machine      outlives the engine.
  /// @param translation  how its bus turns device addresses into physical ones.
  /// @param mask         the highest device address that it can emit.
  DmaEngine(Machine& machine, Translation translation, DmaAddr mask)
      : machine_{machine}, translation_{translation}, mask_{mask} {}

  /// Device to memory: a packet received, a sample taken.
  Transfer write(DmaAddr to, std::span<const std::byte> from);
  Transfer fill(DmaAddr to, std::size_t size_bytes, std::byte value);
  /// Memory to device: a packet sent, a descriptor fetched.
  Transfer read(DmaAddr from, std::span<std::byte> into);

  struct Copy {
    DmaAddr from;
    DmaAddr to;
    std::size_t size_bytes;
  };
  /// Memory to memory; all is read before the first byte is written.
  Transfer copy(const Copy& what);

 private:
  [[nodiscard]] std::expected<PhysAddr, BusError> to_phys(DmaRange range) const;

  Machine& machine_;
  Translation translation_;
  DmaAddr mask_;
};

}  // namespace carveout::sim
