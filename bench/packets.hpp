// A driver's work between its transfers: it checks a packet that it received and reads its header,
// with plain pointers. The same code on any memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace carveout::packets {

inline constexpr std::size_t kBytes = 1536;
using Packet = std::span<const std::byte, kBytes>;

struct Totals {
  std::uint64_t good = 0;
  std::uint64_t bytes = 0;
  std::uint64_t numbers = 0;

  bool operator==(const Totals&) const = default;
};

inline std::uint32_t word(Packet packet, std::size_t at) {
  return std::to_integer<std::uint32_t>(packet[at]) << 8 |
         std::to_integer<std::uint32_t>(packet[at + 1]);
}

/// The Internet checksum of all of it (RFC 1071): 0xffff where it is right.
inline std::uint32_t sum(Packet packet) {
  std::uint32_t total = 0;
  for (std::size_t at = 0; at < kBytes; at += 2) total += word(packet, at);
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
}

/// A packet as a device would write it: length, number, checksum, and a body.
inline void make(std::span<std::byte, kBytes> packet, std::uint64_t number) {
  for (std::size_t at = 0; at < kBytes; ++at) {
    packet[at] = static_cast<std::byte>((number * 31 + at * 7) & 0xff);
  }
  const auto put = [&](std::size_t at, std::uint64_t value) {
    packet[at] = static_cast<std::byte>(value >> 8 & 0xff);
    packet[at + 1] = static_cast<std::byte>(value & 0xff);
  };
  put(0, kBytes);
  put(2, number);
  put(4, 0);
  put(4, 0xffff - sum(packet));
}

/// What the driver does with one.
[[gnu::noinline]] inline void take(Packet packet, Totals& totals) {
  if (sum(packet) != 0xffff) return;
  ++totals.good;
  totals.bytes += word(packet, 0);
  totals.numbers += word(packet, 2);
}

}  // namespace carveout::packets
