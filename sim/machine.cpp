#include "carveout_sim/machine.hpp"

#include <cstring>
#include <stdexcept>

#include "carveout/port/cache_lines.hpp"

namespace carveout::sim {

static_assert(sizeof(std::uintptr_t) == sizeof(std::uint64_t),
              "for_each_line() walks physical addresses here");

Machine::Machine(const MachineFacts& facts) : bus_{facts.ram, facts.cache.has_value()} {
  if (facts.cache) cache_.emplace(*facts.cache, bus_);
  for (const Ram& ram : bus_.rams()) {
    if (ram.cached && ram.uncached)
      aliases_.push_back({*ram.cached, *ram.uncached, ram.size_bytes});
  }
}

std::byte* Machine::cpu_view(PhysRange range) const {
  std::byte* const uncached = bus_.uncached_view(range);
  return uncached != nullptr ? uncached : bus_.cached_view(range);
}

std::optional<PhysAddr> Machine::phys_of(const std::byte* first, std::size_t size_bytes) const {
  const auto place = bus_.place_of(first, size_bytes);
  if (!place) return std::nullopt;
  return place->phys;
}

Place Machine::place_of(const std::byte* first, std::size_t size_bytes) const {
  const auto place = bus_.place_of(first, size_bytes);
  if (!place) throw std::out_of_range{"these bytes do not lie in one view of the machine's RAM"};
  return *place;
}

void Machine::read(const std::byte* from, std::span<std::byte> into) {
  const std::lock_guard guard{one_access_at_a_time_};
  if (into.empty()) return;
  const Place place = place_of(from, into.size());
  if (place.through_cache) {
    cache_->read(place.phys, into);
  } else {
    std::memcpy(into.data(), place.memory, into.size());
  }
}

void Machine::write(std::byte* to, std::span<const std::byte> from) {
  const std::lock_guard guard{one_access_at_a_time_};
  if (from.empty()) return;
  const Place place = place_of(to, from.size());
  if (place.through_cache) {
    cache_->write(place.phys, from);
  } else {
    std::memcpy(place.memory, from.data(), from.size());
  }
}

void Machine::clean(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::clean, at, size_bytes);
}

void Machine::invalidate(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::invalidate, at, size_bytes);
}

void Machine::clean_invalidate(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::clean_invalidate, at, size_bytes);
}

void Machine::maintain(Maintenance what, const std::byte* at, std::size_t size_bytes) {
  const std::lock_guard guard{one_access_at_a_time_};
  if (size_bytes == 0) return;
  const Place place = place_of(at, size_bytes);
  if (!cache_) return;
  if (bus_.cached_view({place.phys, size_bytes}) == nullptr) {
    throw std::invalid_argument{"cache maintenance through an uncached alias does nothing"};
  }
  for_each_line(place.phys.raw(), size_bytes, line_bytes(), [&](std::uintptr_t line) {
    if (what != Maintenance::invalidate) cache_->clean(PhysAddr{line});
    if (what != Maintenance::clean) cache_->invalidate(PhysAddr{line});
  });
}

LineState Machine::line(const std::byte* at) const {
  const std::lock_guard guard{one_access_at_a_time_};
  const Place place = place_of(at, 1);
  return cache_ ? cache_->state(place.phys) : LineState{};
}

std::size_t Machine::line_bytes() const { return cache_ ? cache_->geometry().line_bytes : 1; }

void Machine::bus_read(PhysAddr from, std::span<std::byte> into) const {
  const std::lock_guard guard{one_access_at_a_time_};
  bus_.read(from, into);
}

void Machine::bus_write(PhysAddr to, std::span<const std::byte> from) {
  const std::lock_guard guard{one_access_at_a_time_};
  bus_.write(to, from);
}

}  // namespace carveout::sim
