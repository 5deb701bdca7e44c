#include "carveout/map/device.hpp"

#include <algorithm>

namespace carveout {

std::string_view name_of(Role role) {
  switch (role) {
    case Role::device:
      return "device";
    case Role::bounce:
      return "bounce";
    case Role::atomic:
      return "atomic";
    case Role::default_pool:
      return "default";
    case Role::contiguous_device:
      return "contiguous_device";
    case Role::contiguous_node:
      return "contiguous_node";
    case Role::contiguous_default:
      return "contiguous_default";
    case Role::ordinary:
      return "ordinary";
  }
  return "unknown";
}

Memory memory_for(Role role) {
  switch (role) {
    case Role::device:
    case Role::atomic:
    case Role::default_pool:
      return Memory::coherent;
    case Role::bounce:
      return Memory::bounce;
    case Role::contiguous_device:
    case Role::contiguous_node:
    case Role::contiguous_default:
      return Memory::contiguous;
    case Role::ordinary:
      return Memory::ordinary;
  }
  return Memory::ordinary;
}

std::optional<Error> reach_error(const Translation& translation, std::span<const Reach> reaches,
                                 PhysRange range) {
  for (const Reach& reach : reaches) {
    if (reach.contains(range)) return std::nullopt;
  }
  return translation.to_dma(range) ? Error::unreachable : Error::not_in_window;
}

std::expected<DmaAddr, Error> streaming_address(const Device& device, PhysRange range) {
  for (const Reach& reach : device.streaming_reaches) {
    if (reach.contains(range)) return reach.to_dma(range.base);
  }
  return std::unexpected{reach_error(device.translation, {}, range).value_or(Error::unreachable)};
}

bool reaches_any(std::span<const Reach> reaches, const PhysRange& range) {
  return std::ranges::any_of(reaches, [&](const Reach& reach) { return reach.touches(range); });
}

bool reaches_any(std::span<const Reach> reaches, const Pool& pool) {
  return std::ranges::any_of(pool.chunks(),
                             [&](const Chunk& chunk) { return reaches_any(reaches, chunk.range); });
}

}  // namespace carveout
