// QEMU's "edu", a PCI device with a DMA engine that takes its time: 100 ms for each transfer
// between RAM and a buffer of 4 KiB. Source: QEMU 7.2, docs/specs/edu.txt.
#pragma once

#include <cstdint>

#include "board.hpp"
#include "carveout/core/address.hpp"
#include "carveout/port/port.hpp"
#include "mmio.hpp"

namespace virt {

class Edu {
 public:
  static constexpr std::uint32_t kVendorAndDevice = 0x11e8'1234;
  /// How many address bits it has where the emulator is not told otherwise.
  static constexpr carveout::DmaAddr kDefaultMask{0x0fff'ffff};

  /// Version 7.2 ends the emulator where a transfer fills its buffer.
  static constexpr std::uint32_t kMostBytes = 2048;

  Edu(carveout::PortRef port, std::uintptr_t registers) : port_{port}, registers_{registers} {}

  /// Memory to memory, by way of the buffer.
  bool copy(carveout::DmaAddr to, carveout::DmaAddr from, std::uint32_t length_bytes) {
    start(from.raw(), kBuffer, length_bytes, kStart);
    const bool fetched = wait();
    start_write(to, length_bytes);
    return wait() && fetched;
  }
  /// Begins to write what the last copy left in the buffer, and does not wait.
  void start_write(carveout::DmaAddr to, std::uint32_t length_bytes) {
    start(kBuffer, to.raw(), length_bytes, kStart | kToRam);
  }
  [[nodiscard]] bool busy() const { return (at(kCommand) & kStart) != 0; }
  bool wait() {
    constexpr std::uint32_t kPatience = 1'000'000'000;
    for (std::uint32_t i = 0; i < kPatience; ++i) {
      if (busy()) continue;
      port_.observe_barrier();  // no read of the data goes before the one that said "done"
      return true;
    }
    return false;
  }

 private:
  static constexpr std::uintptr_t kSource = 0x80;
  static constexpr std::uintptr_t kDestination = 0x88;
  static constexpr std::uintptr_t kCount = 0x90;
  static constexpr std::uintptr_t kCommand = 0x98;
  static constexpr std::uint64_t kStart = 1;
  static constexpr std::uint64_t kToRam = 2;
  static constexpr std::uint64_t kBuffer = 0x4'0000;

  void start(std::uint64_t from, std::uint64_t to, std::uint32_t length_bytes,
             std::uint64_t command) {
    port_.publish_barrier();  // the data is in memory before the engine is told
    at(kSource) = from;
    at(kDestination) = to;
    at(kCount) = length_bytes;
    at(kCommand) = command;
  }
  [[nodiscard]] volatile std::uint64_t& at(std::uintptr_t offset) const {
    return board::mmio<std::uint64_t>(registers_ + offset);
  }

  carveout::PortRef port_;
  std::uintptr_t registers_;
};

}  // namespace virt
