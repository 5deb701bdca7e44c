#include "carveout/map/device.hpp"

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

bool reaches_any(std::span<const Reach> reaches, const Pool& pool) {
  for (const Reach& reach : reaches) {
    for (const Chunk& chunk : pool.chunks()) {
      if (reach.first <= chunk.range.last() && chunk.range.base <= reach.last) return true;
    }
  }
  return false;
}

}  // namespace carveout
