// Recognisable bytes, and short ways to move them, for the tests of the machine model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carveout_sim/machine.hpp"

namespace carveout::sim {

using Bytes = std::vector<std::byte>;

/// `count` bytes that differ from one another, from zero, and between seeds.
inline Bytes pattern(std::size_t count, std::uint8_t seed) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>(1 + (seed * 37U + i * 11U) % 251U);
  }
  return bytes;
}

inline Bytes read(Machine& machine, const std::byte* from, std::size_t count) {
  Bytes bytes(count);
  machine.read(from, bytes);
  return bytes;
}

/// What RAM holds, caches not asked.
inline Bytes ram(const Machine& machine, PhysAddr from, std::size_t count) {
  Bytes bytes(count);
  machine.bus_read(from, bytes);
  return bytes;
}

}  // namespace carveout::sim
