#include "carveout_sim/dma_engine.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "lines.hpp"

namespace carveout::sim {
namespace {

std::size_t total(std::span<const PhysRange> pieces) {
  std::size_t bytes = 0;
  for (const PhysRange& piece : pieces) bytes += size_of(piece);
  return bytes;
}

/// The bytes of a list from an offset on, as far as they are one stretch.
PhysRange stretch_at(std::span<const PhysRange> pieces, std::size_t offset) {
  for (const PhysRange& piece : pieces) {
    if (offset < piece.size_bytes) {
      return {PhysAddr{piece.base.raw() + offset}, piece.size_bytes - offset};
    }
    offset -= size_of(piece);
  }
  return {PhysAddr{0}, 0};
}

}  // namespace

std::size_t InFlight::step(std::size_t size_bytes) {
  std::size_t done = 0;
  while (done != size_bytes && left_bytes() != 0) {
    const std::size_t length = burst(size_bytes - done);
    done += length;
    moved_ += length;
    offset_ += length;
    if (left_bytes() == 0 && shape_ == Shape::circular) offset_ = 0;
  }
  return done;
}

std::size_t InFlight::burst(std::size_t at_most) {
  std::size_t length = std::min({at_most, left_bytes(), DmaEngine::kBurstBytes});
  for (const Pieces* pieces : {&from_, &to_}) {
    if (!pieces->empty()) {
      length = std::min(length, size_of(stretch_at(*pieces, offset_)));
    }
  }
  std::array<std::byte, DmaEngine::kBurstBytes> buffer;
  const auto bytes = std::span{buffer}.first(length);
  if (from_.empty()) {
    source_(bytes);
  } else {
    bus_->device_read(master_, started_, stretch_at(from_, offset_).base, bytes);
  }
  if (to_.empty()) {
    sink_(bytes);
  } else {
    bus_->device_write(master_, started_, stretch_at(to_, offset_).base, bytes);
  }
  return length;
}

std::expected<PhysAddr, BusError> DmaEngine::to_phys(DmaRange range) const {
  const auto refused = [&](BusError error) {
    bus_->device_refused(master_, range, error);
    return std::unexpected{error};
  };
  if (range.wraps() || range.last() > mask_) return refused(BusError::over_mask);
  const auto phys = translation_.to_phys(range);
  if (!phys) return refused(BusError::not_in_window);
  if (!bus_->is_ram({*phys, range.size_bytes})) return refused(BusError::no_memory);
  return *phys;
}

std::expected<InFlight::Pieces, BusError> DmaEngine::to_phys(List list) const {
  InFlight::Pieces pieces;
  for (const DmaRange& range : list) {
    if (range.empty()) continue;
    const auto phys = to_phys(range);
    if (!phys) return std::unexpected{phys.error()};
    pieces.push_back({*phys, range.size_bytes});
  }
  return pieces;
}

InFlight DmaEngine::begin(InFlight::Pieces from, InFlight::Pieces to, Shape shape) const {
  for (const InFlight::Pieces* pieces : {&from, &to}) {
    for (const PhysRange& piece : *pieces) bus_->device_begins(master_, piece);
  }
  InFlight flight{*bus_, master_, started_, shape, total(from.empty() ? to : from)};
  flight.from_ = std::move(from);
  flight.to_ = std::move(to);
  return flight;
}

std::expected<InFlight, BusError> DmaEngine::begin_write(List to, Source from, Shape shape) {
  auto pieces = to_phys(to);
  if (!pieces) return std::unexpected{pieces.error()};
  InFlight flight = begin({}, std::move(*pieces), shape);
  flight.source_ = std::move(from);
  return flight;
}

std::expected<InFlight, BusError> DmaEngine::begin_read(List from, Sink into, Shape shape) {
  auto pieces = to_phys(from);
  if (!pieces) return std::unexpected{pieces.error()};
  InFlight flight = begin(std::move(*pieces), {}, shape);
  flight.sink_ = std::move(into);
  return flight;
}

std::expected<InFlight, BusError> DmaEngine::begin_copy(List from, List to, Shape shape) {
  auto sources = to_phys(from);
  if (!sources) return std::unexpected{sources.error()};
  auto targets = to_phys(to);
  if (!targets) return std::unexpected{targets.error()};
  if (total(*sources) != total(*targets)) {
    throw std::invalid_argument{"a copy writes as many bytes as it reads"};
  }
  return begin(std::move(*sources), std::move(*targets), shape);
}

Transfer DmaEngine::write(DmaAddr to, std::span<const std::byte> from) {
  const DmaRange range{to, from.size()};
  auto flight = begin_write(std::span{&range, 1}, [&](std::span<std::byte> burst) {
    std::memcpy(burst.data(), from.data(), burst.size());
    from = from.subspan(burst.size());
  });
  if (!flight) return std::unexpected{flight.error()};
  flight->finish();
  return {};
}

Transfer DmaEngine::fill(DmaAddr to, std::size_t size_bytes, std::byte value) {
  const DmaRange range{to, size_bytes};
  auto flight = begin_write(std::span{&range, 1},
                            [&](std::span<std::byte> burst) { std::ranges::fill(burst, value); });
  if (!flight) return std::unexpected{flight.error()};
  flight->finish();
  return {};
}

Transfer DmaEngine::read(DmaAddr from, std::span<std::byte> into) {
  const DmaRange range{from, into.size()};
  auto flight = begin_read(std::span{&range, 1}, [&](std::span<const std::byte> burst) {
    std::memcpy(into.data(), burst.data(), burst.size());
    into = into.subspan(burst.size());
  });
  if (!flight) return std::unexpected{flight.error()};
  flight->finish();
  return {};
}

Transfer DmaEngine::copy(const Copy& what) {
  if (what.size_bytes == 0) return {};
  // Both are asked before anything moves: a copy that cannot be written reads nothing.
  for (const DmaAddr end : {what.from, what.to}) {
    if (const auto phys = to_phys(DmaRange{end, what.size_bytes}); !phys) {
      return std::unexpected{phys.error()};
    }
  }
  std::vector<std::byte> moved(what.size_bytes);
  if (const auto done = read(what.from, moved); !done) return done;
  return write(what.to, moved);
}

}  // namespace carveout::sim
