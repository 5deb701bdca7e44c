// Who writes the bytes of a streaming mapping: the one thing that decides what the caches need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carveout {

/// Seen from memory, as Linux's DMA_TO_DEVICE and its fellows are.
enum class Direction : std::uint8_t {
  to_device,      ///< the CPU writes, the device reads
  from_device,    ///< the device writes, the CPU reads
  bidirectional,  ///< both do both
};
inline constexpr std::size_t kDirections = 3;

/// Whether the device may write bytes that are mapped so.
[[nodiscard]] constexpr bool device_writes(Direction direction) {
  return direction != Direction::to_device;
}

[[nodiscard]] constexpr std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::to_device:
      return "to_device";
    case Direction::from_device:
      return "from_device";
    case Direction::bidirectional:
      return "bidirectional";
  }
  return "unknown";
}

}  // namespace carveout
