#include "carveout_sim/dma_engine.hpp"

#include <vector>

namespace carveout::sim {

std::expected<PhysAddr, BusError> DmaEngine::to_phys(DmaRange range) const {
  if (range.wraps() || range.last() > mask_) return std::unexpected{BusError::over_mask};
  const auto phys = translation_.to_phys(range);
  if (!phys) return std::unexpected{BusError::not_in_window};
  if (!machine_.is_ram({*phys, range.size_bytes})) return std::unexpected{BusError::no_memory};
  return *phys;
}

Transfer DmaEngine::write(DmaAddr to, std::span<const std::byte> from) {
  if (from.empty()) return {};
  const auto phys = to_phys({to, from.size()});
  if (!phys) return std::unexpected{phys.error()};
  machine_.bus_write(*phys, from);
  return {};
}

Transfer DmaEngine::fill(DmaAddr to, std::size_t size_bytes, std::byte value) {
  if (size_bytes == 0) return {};
  const auto phys = to_phys({to, size_bytes});
  if (!phys) return std::unexpected{phys.error()};
  machine_.bus_write(*phys, std::vector(size_bytes, value));
  return {};
}

Transfer DmaEngine::read(DmaAddr from, std::span<std::byte> into) {
  if (into.empty()) return {};
  const auto phys = to_phys({from, into.size()});
  if (!phys) return std::unexpected{phys.error()};
  machine_.bus_read(*phys, into);
  return {};
}

Transfer DmaEngine::copy(const Copy& what) {
  if (what.size_bytes == 0) return {};
  const auto from = to_phys({what.from, what.size_bytes});
  if (!from) return std::unexpected{from.error()};
  const auto to = to_phys({what.to, what.size_bytes});
  if (!to) return std::unexpected{to.error()};
  std::vector<std::byte> moved(what.size_bytes);
  machine_.bus_read(*from, moved);
  machine_.bus_write(*to, moved);
  return {};
}

}  // namespace carveout::sim
