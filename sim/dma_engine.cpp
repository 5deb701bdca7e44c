#include "carveout_sim/dma_engine.hpp"

#include <vector>

namespace carveout::sim {

std::expected<PhysAddr, BusError> DmaEngine::to_phys(DmaRange range) const {
  if (range.wraps() || range.last() > mask_) return std::unexpected{BusError::over_mask};
  const auto phys = translation_.to_phys(range);
  if (!phys) return std::unexpected{BusError::not_in_window};
  return *phys;
}

Transfer DmaEngine::write(DmaAddr to, std::span<const std::byte> from) {
  if (from.empty()) return {};
  const auto phys = to_phys({to, from.size()});
  if (!phys) return std::unexpected{phys.error()};
  if (!machine_.bus_write(*phys, from)) return std::unexpected{BusError::no_memory};
  return {};
}

Transfer DmaEngine::read(DmaAddr from, std::span<std::byte> into) {
  if (into.empty()) return {};
  const auto phys = to_phys({from, into.size()});
  if (!phys) return std::unexpected{phys.error()};
  if (!machine_.bus_read(*phys, into)) return std::unexpected{BusError::no_memory};
  return {};
}

Transfer DmaEngine::fill(DmaAddr to, std::size_t size_bytes, std::byte value) {
  // Asked before the buffer is made: what no window holds need not fit the host either.
  if (const auto phys = to_phys({to, size_bytes}); size_bytes != 0 && !phys) {
    return std::unexpected{phys.error()};
  }
  return write(to, std::vector(size_bytes, value));
}

Transfer DmaEngine::copy(const Copy& what) {
  if (const auto phys = to_phys({what.from, what.size_bytes}); what.size_bytes != 0 && !phys) {
    return std::unexpected{phys.error()};
  }
  std::vector<std::byte> moved(what.size_bytes);
  const Transfer fetched = read(what.from, moved);
  if (!fetched) return fetched;
  return write(what.to, moved);
}

}  // namespace carveout::sim
