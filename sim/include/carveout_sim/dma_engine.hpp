// A bus master that the caches do not see: it reads and writes RAM by device address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"
#include "carveout_sim/bus_side.hpp"
#include "carveout_sim/observer.hpp"

namespace carveout::sim {

using Transfer = std::expected<void, BusError>;

/// The far end of a transfer: where the device has its bytes from, or puts them.
using Source = std::function<void(std::span<std::byte>)>;
using Sink = std::function<void(std::span<const std::byte>)>;

/// Whether a transfer ends, or begins anew where it began.
enum class Shape : std::uint8_t { once, circular };

/// A transfer that has begun and not ended: between two steps the test, the CPU and the adversary
/// do what they like. Dropping it is the device being stopped.
class InFlight {
 public:
  /// Moves up to so many bytes, burst by burst.
  /// @return how many it moved: fewer only where a transfer of Shape::once ended.
  std::size_t step(std::size_t size_bytes);
  /// Moves what is left; of a circular one, to the end of this round.
  void finish() { static_cast<void>(step(left_bytes())); }

  /// What is left of the transfer, or of this round.
  [[nodiscard]] std::size_t left_bytes() const { return size_bytes_ - offset_; }
  /// All that moved since it began.
  [[nodiscard]] std::uint64_t moved_bytes() const { return moved_; }

 private:
  friend class DmaEngine;
  using Pieces = std::vector<PhysRange>;

  InFlight(BusSide& bus, Master master, Started started, Shape shape, std::size_t size_bytes)
      : bus_{&bus}, master_{master}, started_{started}, shape_{shape}, size_bytes_{size_bytes} {}
  [[nodiscard]] std::size_t burst(std::size_t at_most);

  BusSide* bus_;
  Master master_;
  Started started_;
  Shape shape_;
  std::size_t size_bytes_;  ///< of one round
  std::size_t offset_ = 0;
  std::uint64_t moved_ = 0;
  Pieces from_, to_;  ///< empty: source_, sink_
  Source source_;
  Sink sink_;
};

/// A device's DMA engine, behind the device's windows and mask.
///
/// A transfer is checked whole before its first byte moves: one that fails moves nothing. One of 0
/// bytes does nothing and succeeds.
class DmaEngine {
 public:
  /// What a bus carries at once; nobody acts in the middle of it.
  static constexpr std::size_t kBurstBytes = 64;

  /// @param bus          a Machine or a PlainMachine; outlives the engine.
  /// @param translation  how its bus turns device addresses into physical ones.
  /// @param mask         the highest device address that it can emit.
  /// @param master       the device, for a Checker that knows its mappings.
  DmaEngine(BusSide& bus, Translation translation, DmaAddr mask, Master master = kAnyMaster,
            Started started = Started::by_cpu)
      : bus_{&bus}, translation_{translation}, mask_{mask}, master_{master}, started_{started} {}

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

  /// The same in steps, over a list of pieces of which each is checked by itself. Source and sink
  /// are called once for each burst. A copy reads a burst, then writes it; its lists are of the
  /// same length in bytes (std::invalid_argument).
  using List = std::span<const DmaRange>;
  [[nodiscard]] std::expected<InFlight, BusError> begin_write(List to, Source from,
                                                              Shape shape = Shape::once);
  [[nodiscard]] std::expected<InFlight, BusError> begin_read(List from, Sink into,
                                                             Shape shape = Shape::once);
  [[nodiscard]] std::expected<InFlight, BusError> begin_copy(List from, List to,
                                                             Shape shape = Shape::once);

 private:
  [[nodiscard]] std::expected<PhysAddr, BusError> to_phys(DmaRange range) const;
  [[nodiscard]] std::expected<InFlight::Pieces, BusError> to_phys(List list) const;
  [[nodiscard]] InFlight begin(InFlight::Pieces from, InFlight::Pieces to, Shape shape) const;

  BusSide* bus_;
  Translation translation_;
  DmaAddr mask_;
  Master master_;
  Started started_;
};

}  // namespace carveout::sim
