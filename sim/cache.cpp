#include "carveout_sim/cache.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "carveout/core/size.hpp"

namespace carveout::sim {
namespace {

CacheGeometry checked(CacheGeometry geometry) {
  for (const std::size_t value : {geometry.line_bytes, geometry.sets, geometry.ways}) {
    if (!is_power_of_two(value)) {
      throw std::invalid_argument{"line size, sets and ways of a cache are powers of two"};
    }
  }
  if (geometry.line_bytes > host_page_bytes()) {
    throw std::invalid_argument{"a cache line is at most a page of the host"};
  }
  return geometry;
}

}  // namespace

Cache::Cache(const CacheGeometry& geometry, Bus& bus)
    : geometry_{checked(geometry)},
      bus_{bus},
      lines_(geometry.sets * geometry.ways),
      bytes_(geometry.size_bytes()) {}

PhysAddr Cache::base_of(PhysAddr address) const {
  return PhysAddr{align_down(address.raw(), geometry_.line_bytes)};
}

std::span<Cache::Line> Cache::set_of(PhysAddr base) {
  const std::size_t set = base.raw() / geometry_.line_bytes % geometry_.sets;
  return std::span{lines_}.subspan(set * geometry_.ways, geometry_.ways);
}

Cache::Line* Cache::find(PhysAddr base) {
  for (Line& line : set_of(base)) {
    if (line.state.valid && line.base == base) return &line;
  }
  return nullptr;
}

Cache::Line& Cache::touch(PhysAddr base) {
  Line* line = find(base);
  if (line == nullptr) {
    // An invalid line was last used at time 0, so it goes before any other.
    line = &*std::ranges::min_element(set_of(base), {}, &Line::last_use);
    write_back(*line);
    line->base = base;
    line->state = {.valid = true, .dirty = false};
    bus_.read(base, bytes_of(*line));
  }
  line->last_use = ++uses_;
  return *line;
}

std::span<std::byte> Cache::bytes_of(const Line& line) {
  const auto index = static_cast<std::size_t>(&line - lines_.data());
  return std::span{bytes_}.subspan(index * geometry_.line_bytes, geometry_.line_bytes);
}

void Cache::write_back(Line& line) {
  if (!line.state.valid || !line.state.dirty) return;
  bus_.write(line.base, bytes_of(line));
  line.state.dirty = false;
}

void Cache::read(PhysAddr from, std::span<std::byte> into) {
  while (!into.empty()) {
    const PhysAddr base = base_of(from);
    const auto here = bytes_of(touch(base)).subspan(from.raw() - base.raw());
    const std::size_t length = std::min(here.size(), into.size());
    std::memcpy(into.data(), here.data(), length);
    into = into.subspan(length);
    from = PhysAddr{from.raw() + length};
  }
}

void Cache::write(PhysAddr to, std::span<const std::byte> from) {
  while (!from.empty()) {
    const PhysAddr base = base_of(to);
    Line& line = touch(base);
    const auto here = bytes_of(line).subspan(to.raw() - base.raw());
    const std::size_t length = std::min(here.size(), from.size());
    std::memcpy(here.data(), from.data(), length);
    line.state.dirty = true;
    from = from.subspan(length);
    to = PhysAddr{to.raw() + length};
  }
}

void Cache::clean(PhysAddr address) {
  if (Line* const line = find(base_of(address))) write_back(*line);
}

void Cache::invalidate(PhysAddr address) {
  if (Line* const line = find(base_of(address))) *line = {};
}

LineState Cache::state(PhysAddr address) const {
  const PhysAddr base = base_of(address);
  const std::size_t set = base.raw() / geometry_.line_bytes % geometry_.sets;
  for (const Line& line : std::span{lines_}.subspan(set * geometry_.ways, geometry_.ways)) {
    if (line.state.valid && line.base == base) return line.state;
  }
  return {};
}

}  // namespace carveout::sim
