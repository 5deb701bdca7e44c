// Stores on their way from one CPU to memory: devices see them late, and in any order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout_sim/bus.hpp"

namespace carveout::sim {

/// What one CPU has between itself and the bus. Its own loads are served from here first; nobody
/// else sees what waits.
///
/// A store waits until the buffer is full (then the oldest goes), until a barrier, or until the
/// adversary lets it go. Two stores to one byte never change places.
class WriteBuffer {
 public:
  static constexpr std::size_t kStoreBytes = 8;

  struct Store {
    PhysAddr at;
    std::uint8_t size_bytes;
    std::array<std::byte, kStoreBytes> bytes;

    [[nodiscard]] PhysRange range() const { return {at, size_bytes}; }
  };

  /// @param stores  how many may wait; 0: none ever does, memory has each at once.
  WriteBuffer(std::size_t stores, Bus& bus) : bus_{bus}, capacity_{stores} {}

  /// A store of the CPU, in pieces that cross no multiple of kStoreBytes.
  void store(PhysAddr to, std::span<const std::byte> from);
  /// What the CPU sees below its cache: memory, and over it what waits.
  void read(PhysAddr from, std::span<std::byte> into) const;
  /// A dirty line goes out; what waits for its bytes is older, and goes first.
  void write_back(PhysAddr base, std::span<const std::byte> line);

  /// What waits is lost.
  void reset() { waiting_.clear(); }

  void drain();
  void drain(PhysRange range);
  /// Lets the oldest store that begins at an address go, after what it must not overtake.
  bool drain_one(PhysAddr at);

  /// Whether a store may wait at all.
  [[nodiscard]] bool holds_stores() const { return capacity_ != 0; }
  /// Oldest first.
  [[nodiscard]] std::span<const Store> waiting() const { return waiting_; }

 private:
  void let_go(std::size_t index);

  Bus& bus_;
  std::size_t capacity_;
  std::vector<Store> waiting_;
};

}  // namespace carveout::sim
