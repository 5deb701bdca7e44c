// Intel's 82540EM, which sends to itself: its PHY in loopback, one descriptor ring each way, a
// frame from memory to memory. Source: Intel "PCI/PCI-X Family of Gigabit Ethernet Controllers
// Software Developer's Manual" (317453), 3.2 and 3.3 (descriptors), 13.4 (registers).
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

#include "board.hpp"
#include "carveout/core/endian.hpp"
#include "carveout/ops/ring.hpp"
#include "mmio.hpp"
#include "wait_for.hpp"

namespace malta {

/// What the device is given to fill, and what it says of it.
struct Receive {
  carveout::LittleEndian<std::uint64_t> address;
  carveout::LittleEndian<std::uint16_t> length_bytes;
  carveout::LittleEndian<std::uint16_t> checksum;
  std::uint8_t status;
  std::uint8_t errors;
  carveout::LittleEndian<std::uint16_t> special;
};

/// What it is given to send.
struct Transmit {
  carveout::LittleEndian<std::uint64_t> address;
  carveout::LittleEndian<std::uint16_t> length_bytes;
  std::uint8_t checksum_offset;
  std::uint8_t command;
  std::uint8_t status;
  std::uint8_t checksum_start;
  carveout::LittleEndian<std::uint16_t> special;
};
static_assert(sizeof(Receive) == 16 && sizeof(Transmit) == 16);

class E1000 {
 public:
  static constexpr std::uint32_t kVendorAndDevice = 0x100e'8086;
  /// The shortest frame, below which it is padded, and the longest.
  static constexpr std::uint32_t kLeastBytes = 60;
  static constexpr std::uint32_t kMostBytes = 1514;

  static carveout::Result<E1000> create(const carveout::Device& device, carveout::PortRef port,
                                        std::uintptr_t registers) {
    auto receive = carveout::alloc_coherent<Receive[]>(device, kDescriptors);
    if (!receive) return std::unexpected{receive.error()};
    auto transmit = carveout::alloc_coherent<Transmit[]>(device, kDescriptors);
    if (!transmit) return std::unexpected{transmit.error()};
    return E1000{port, registers, std::move(*receive), std::move(*transmit)};
  }

  /// One frame, from memory to memory.
  bool copy(carveout::DmaAddr to, carveout::DmaAddr from, std::uint32_t length_bytes) {
    constexpr std::uint8_t kEndOfPacket = 1;
    constexpr std::uint8_t kReportStatus = 8;
    const std::size_t next = receive_.after(index_);
    receive_.write(index_, {.address = to.raw(),
                            .length_bytes = {},
                            .checksum = {},
                            .status = 0,
                            .errors = 0,
                            .special = {}});
    receive_.publish([&] { put(kRdt, static_cast<std::uint32_t>(next)); });
    transmit_.write(index_, {.address = from.raw(),
                             .length_bytes = static_cast<std::uint16_t>(length_bytes),
                             .checksum_offset = 0,
                             .command = kEndOfPacket | kReportStatus,
                             .status = 0,
                             .checksum_start = 0,
                             .special = {}});
    transmit_.publish([&] { put(kTdt, static_cast<std::uint32_t>(next)); });
    index_ = next;
    const auto is_done = [](std::uint8_t status) { return (status & 1) != 0; };
    const bool sent = board::wait_for(transmit_, is_done).has_value();
    const auto received = board::wait_for(receive_, is_done);
    return sent && received && received->descriptor.length_bytes.value() == length_bytes;
  }

 private:
  static constexpr std::size_t kDescriptors =
      8;  // 128 bytes: what a ring's length is a multiple of

  E1000(carveout::PortRef port, std::uintptr_t registers, carveout::Coherent<Receive[]> receive,
        carveout::Coherent<Transmit[]> transmit)
      : registers_{registers}, receive_{std::move(receive)}, transmit_{std::move(transmit)} {
    constexpr std::uint32_t kLinkUp = 1U << 6;
    put(kCtrl, kLinkUp);
    // PHY 1, register 0 (control), loopback.
    put(kMdic, 1U << 26 | 1U << 21 | 0x4000);
    constexpr std::uint32_t kRingBytes = kDescriptors * sizeof(Receive);
    put(kRdbal, carveout::narrow<std::uint32_t>(receive_.dma()));
    put(kRdbah, 0);
    put(kRdlen, kRingBytes);
    put(kRdh, 0);
    put(kRdt, 0);
    put(kTdbal, carveout::narrow<std::uint32_t>(transmit_.dma()));
    put(kTdbah, 0);
    put(kTdlen, kRingBytes);
    put(kTdh, 0);
    put(kTdt, 0);
    // On, all unicast, all multicast, no CRC at the end; on, short frames padded.
    put(kRctl, 1U << 1 | 1U << 3 | 1U << 4 | 1U << 26);
    put(kTctl, 1U << 1 | 1U << 3);
    port.full_barrier();
  }

  static constexpr std::uintptr_t kCtrl = 0x0000;
  static constexpr std::uintptr_t kMdic = 0x0020;
  static constexpr std::uintptr_t kRctl = 0x0100;
  static constexpr std::uintptr_t kTctl = 0x0400;
  static constexpr std::uintptr_t kRdbal = 0x2800;
  static constexpr std::uintptr_t kRdbah = 0x2804;
  static constexpr std::uintptr_t kRdlen = 0x2808;
  static constexpr std::uintptr_t kRdh = 0x2810;
  static constexpr std::uintptr_t kRdt = 0x2818;
  static constexpr std::uintptr_t kTdbal = 0x3800;
  static constexpr std::uintptr_t kTdbah = 0x3804;
  static constexpr std::uintptr_t kTdlen = 0x3808;
  static constexpr std::uintptr_t kTdh = 0x3810;
  static constexpr std::uintptr_t kTdt = 0x3818;

  /// Registers of a PCI device are little-endian.
  void put(std::uintptr_t offset, std::uint32_t value) {
    board::mmio(registers_ + offset) = std::byteswap(value);
  }

  std::uintptr_t registers_;
  carveout::DescriptorRing<&Receive::status> receive_;
  carveout::DescriptorRing<&Transmit::status> transmit_;
  std::size_t index_ = 0;
};

}  // namespace malta
