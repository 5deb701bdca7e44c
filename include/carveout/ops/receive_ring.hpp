// Buffers that a device fills, one for each descriptor of its ring: lent when the ring is made, the
// CPU's for the time of a packet, and lent again in the same place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "carveout/core/assert.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/core/error.hpp"
#include "carveout/ops/ring.hpp"
#include "carveout/ops/stream_buffer.hpp"

namespace carveout {

/// Packets take no lock and no memory: finish() and give_back() only do cache work. Not
/// thread-safe.
///
/// A ring that ends without stop() leaves its buffers to the device, which may still write them:
/// they wait in the device's quarantine, for which DeviceSettings::quarantine_blocks has `count`.
template <std::size_t count>
class ReceiveRing {
 public:
  /// What the device wrote, for the CPU to read. It goes back by give_back(); one that ends
  /// elsewhere leaves its place in the ring empty, and its buffer in the device's quarantine.
  class [[nodiscard]] Packet {
   public:
    /// As many bytes as the device claims, and never more than it was given.
    [[nodiscard]] std::span<const std::byte> bytes() & { return turn_.bytes().first(length_); }
    void bytes() && = delete;
    [[nodiscard]] std::size_t index() const { return index_; }

   private:
    friend ReceiveRing;
    Packet(std::size_t index, CpuTurn<Direction::from_device>&& turn, std::size_t length)
        : index_{index}, length_{length}, turn_{std::move(turn)} {}

    std::size_t index_;
    std::size_t length_;
    CpuTurn<Direction::from_device> turn_;
  };

  /// Takes and lends `count` buffers.
  ///
  /// @param size_bytes  of each.
  /// @param options     of both; a map heeds their attributes and their context.
  /// Fails like alloc_stream() and map(); all is given back then.
  [[nodiscard]] static Result<ReceiveRing> create(const Device& device, std::uint64_t size_bytes,
                                                  const Options& options = {}) {
    ReceiveRing ring;
    for (auto& slot : ring.slots_) {
      auto buffer = alloc_stream(device, size_bytes, options);
      if (!buffer) return ring.gave_up(buffer.error());
      auto mapping = map<Direction::from_device>(
          device, std::move(*buffer),
          {.attributes = options.attributes, .context = options.context});
      if (!mapping) return ring.gave_up(mapping.error());
      slot.emplace(std::move(*mapping));
    }
    return ring;
  }

  /// What descriptor `index` tells the device. The buffer is the device's.
  [[nodiscard]] DmaAddr dma(std::size_t index) const { return lent(index).dma(); }
  [[nodiscard]] std::uint64_t size_bytes(std::size_t index) const {
    return lent(index).size_bytes();
  }

  /// The device has handed back descriptor `index`: its bytes for the CPU.
  ///
  /// @param claimed_bytes  what the device says it wrote: believed up to the buffer's end.
  /// Cost: linear in what it wrote, for cache work or a copy. Context: any, interrupts too.
  [[nodiscard]] Packet finish(std::size_t index, std::uint64_t claimed_bytes) {
    auto& slot = slots_[checked(index)];
    const std::size_t length = clamp(claimed_bytes, static_cast<std::size_t>(slot->size_bytes()));
    // A part of nothing is none: of an empty packet the first byte is the CPU's, who reads none.
    auto turn = std::move(*slot).sync_for_cpu(
        {.offset_bytes = 0, .size_bytes = length == 0 ? std::size_t{1} : length});
    CARVEOUT_ASSERT(turn.has_value());  // it is in the mapping, by clamp()
    slot.reset();
    return Packet{index, std::move(*turn), length};
  }

  /// Lends the packet's buffer again, in the place that it came from, which has the same address.
  /// The descriptor may be written afterwards.
  DmaAddr give_back(Packet&& packet) {
    auto& slot = slots_[packet.index_];
    CARVEOUT_ASSERT(!slot.has_value());
    slot.emplace(std::move(packet.turn_).sync_for_device());
    return slot->dma();
  }

  /// Gives all buffers back to their pools. The device is quiet, and no packet is out.
  /// Context: where the pools' locks may be waited for.
  void stop() && {
    for (auto& slot : slots_) {
      if (slot) static_cast<void>(std::move(*slot).abandon());
      slot.reset();
    }
  }

 private:
  ReceiveRing() = default;

  [[nodiscard]] std::size_t checked(std::size_t index) const {
    CARVEOUT_ASSERT(index < count && slots_[index].has_value());
    return index;
  }
  [[nodiscard]] const Mapping<Direction::from_device>& lent(std::size_t index) const {
    return *slots_[checked(index)];
  }
  /// The device was never told of any.
  [[nodiscard]] std::unexpected<Failure> gave_up(const Failure& why) {
    std::move(*this).stop();
    return std::unexpected{why};
  }

  std::array<std::optional<Mapping<Direction::from_device>>, count> slots_;
};

}  // namespace carveout
