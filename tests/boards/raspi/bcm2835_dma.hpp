// One channel of the BCM2835's DMA controller, enough to move memory. Source: "BCM2835 ARM
// Peripherals" (Broadcom), 4.2.
#pragma once

#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout/port/port.hpp"

namespace raspi {

/// A job, as the engine reads it from memory. Little-endian, like this CPU.
struct alignas(32) ControlBlock {
  std::uint32_t transfer_information;
  std::uint32_t source;       ///< device address
  std::uint32_t destination;  ///< device address
  std::uint32_t length_bytes;
  std::uint32_t stride;
  std::uint32_t next;  ///< device address of the next control block; 0: the last one
  std::uint32_t reserved[2];
};
static_assert(sizeof(ControlBlock) == 32);

class DmaChannel {
 public:
  /// Channel 0 of a BCM2836 or BCM2837, whose registers the CPU has at 0x3f000000 instead of
  /// 0x7e000000.
  static constexpr std::uintptr_t kController = 0x3f00'7000;

  explicit DmaChannel(carveout::PortRef port) : port_{port} { at(kEnable) = 1; }

  /// A job that copies memory.
  static ControlBlock copy_job(carveout::DmaAddr destination, carveout::DmaAddr source,
                               std::uint32_t length_bytes) {
    constexpr std::uint32_t kDestinationIncrements = 1U << 4;
    constexpr std::uint32_t kSourceIncrements = 1U << 8;
    return {.transfer_information = kDestinationIncrements | kSourceIncrements,
            .source = static_cast<std::uint32_t>(source.raw()),
            .destination = static_cast<std::uint32_t>(destination.raw()),
            .length_bytes = length_bytes,
            .stride = 0,
            .next = 0,
            .reserved = {}};
  }

  /// Runs a job to its end. Whether it ended; where the data went, the engine does not know.
  bool run(carveout::DmaAddr job) {
    constexpr std::uint32_t kActive = 1U << 0;
    constexpr std::uint32_t kEnd = 1U << 1;
    constexpr unsigned kPatience = 1'000'000;
    port_.publish_barrier();  // the job is in memory before the engine is told
    at(kControlBlock) = static_cast<std::uint32_t>(job.raw());
    at(kStatus) = kActive;
    for (unsigned i = 0; i < kPatience; ++i) {
      if ((at(kStatus) & kEnd) == 0) continue;
      at(kStatus) = kEnd;       // write 1 to clear
      port_.observe_barrier();  // no read of the data goes before the one that said "done"
      return true;
    }
    return false;
  }

 private:
  static constexpr std::uintptr_t kStatus = 0x00;        ///< CS
  static constexpr std::uintptr_t kControlBlock = 0x04;  ///< CONBLK_AD
  static constexpr std::uintptr_t kEnable = 0xff0;       ///< ENABLE, of all channels

  static volatile std::uint32_t& at(std::uintptr_t offset) {
    return *reinterpret_cast<volatile std::uint32_t*>(kController + offset);
  }

  carveout::PortRef port_;
};

}  // namespace raspi
