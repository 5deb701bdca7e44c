#include "carveout_sim/cache.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "carveout/core/size.hpp"
#include "lines.hpp"

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

Cache::Cache(const CacheGeometry& geometry, WriteBuffer& below)
    : geometry_{checked(geometry)},
      line_shift_{static_cast<unsigned>(std::countr_zero(geometry.line_bytes))},
      below_{below},
      lines_(geometry.sets * geometry.ways),
      bytes_(geometry.size_bytes()) {}

void Cache::reset() { std::ranges::fill(lines_, Line{}); }

PhysAddr Cache::base_of(PhysAddr address) const {
  return PhysAddr{align_down(address.raw(), geometry_.line_bytes)};
}

std::span<Cache::Line> Cache::set_of(PhysAddr base) {
  return {lines_.data() + set_number(base) * geometry_.ways, geometry_.ways};
}

const Cache::Line* Cache::find(PhysAddr base) const {
  const Line* line = lines_.data() + set_number(base) * geometry_.ways;
  for (const Line* const end = line + geometry_.ways; line != end; ++line) {
    if (line->state.valid && line->base == base) return line;
  }
  return nullptr;
}

Cache::Line* Cache::find(PhysAddr base) {
  return const_cast<Line*>(std::as_const(*this).find(base));
}

Cache::Line& Cache::touch(PhysAddr base) {
  Line* line = find(base);
  if (line == nullptr) {
    // An invalid line was last used at time 0, so it goes before any other.
    line = &*std::ranges::min_element(set_of(base), {}, &Line::last_use);
    write_back(*line);
    fill(*line, base);
  }
  line->last_use = ++uses_;
  return *line;
}

void Cache::fill(Line& line, PhysAddr base) {
  line.base = base;
  line.state = {.valid = true, .dirty = false};
  below_.read(base, bytes_of(line));
}

std::size_t Cache::offset_of(const Line& line) const {
  return static_cast<std::size_t>(&line - lines_.data()) << line_shift_;
}

std::span<std::byte> Cache::bytes_of(const Line& line) {
  return {bytes_.data() + offset_of(line), geometry_.line_bytes};
}

void Cache::write_back(Line& line) {
  if (!line.state.valid || !line.state.dirty) return;
  below_.write_back(line.base, bytes_of(line));
  line.state.dirty = false;
}

void Cache::read(PhysAddr from, std::span<std::byte> into) {
  while (!into.empty()) {
    const PhysAddr base = base_of(from);
    const auto here = bytes_of(touch(base)).subspan(bytes_between(base, from));
    const std::size_t length = std::min(here.size(), into.size());
    std::memcpy(into.data(), here.data(), length);
    into = into.subspan(length);
    from = PhysAddr{from.raw() + length};
  }
}

void Cache::write(PhysAddr to, std::span<const std::byte> from) {
  while (!from.empty()) {
    const PhysAddr base = base_of(to);
    const std::size_t offset = bytes_between(base, to);
    const std::size_t length = std::min(geometry_.line_bytes - offset, from.size());
    const auto piece = from.first(length);
    const bool allocate = geometry_.on_store_miss == OnStoreMiss::allocate;
    Line* const line = allocate ? &touch(base) : find(base);
    if (line != nullptr) {
      line->last_use = ++uses_;
      std::memcpy(bytes_of(*line).data() + offset, piece.data(), length);
    }
    if (line == nullptr || geometry_.on_store == OnStore::write_through) {
      below_.store(to, piece);
    } else {
      line->state.dirty = true;
    }
    from = from.subspan(length);
    to = PhysAddr{to.raw() + length};
  }
}

void Cache::clean(PhysAddr address) {
  const PhysAddr base = base_of(address);
  if (Line* const line = find(base)) write_back(*line);
  below_.drain({base, geometry_.line_bytes});
}

void Cache::invalidate(PhysAddr address) {
  if (Line* const line = find(base_of(address))) *line = {};
}

bool Cache::speculate(PhysAddr address) {
  const PhysAddr base = base_of(address);
  if (find(base) != nullptr) return false;
  Line* oldest = nullptr;
  for (Line& line : set_of(base)) {
    if (line.state.dirty) continue;
    if (oldest == nullptr || line.last_use < oldest->last_use) oldest = &line;
  }
  if (oldest == nullptr) return false;
  fill(*oldest, base);
  oldest->last_use = ++uses_;
  return true;
}

bool Cache::evict(PhysAddr address) {
  Line* const line = find(base_of(address));
  if (line == nullptr) return false;
  write_back(*line);
  *line = {};
  return true;
}

LineState Cache::state(PhysAddr address) const {
  const Line* const line = find(base_of(address));
  return line != nullptr ? line->state : LineState{};
}

std::span<const std::byte> Cache::bytes(PhysAddr address) const {
  const Line* const line = find(base_of(address));
  if (line == nullptr) return {};
  return {bytes_.data() + offset_of(*line), geometry_.line_bytes};
}

std::vector<PhysAddr> Cache::valid_lines() const {
  std::vector<PhysAddr> bases;
  for (const Line& line : lines_) {
    if (line.state.valid) bases.push_back(line.base);
  }
  return bases;
}

std::vector<PhysAddr> Cache::dirty_lines() const {
  std::vector<PhysAddr> bases;
  for (const Line& line : lines_) {
    if (line.state.dirty) bases.push_back(line.base);
  }
  return bases;
}

}  // namespace carveout::sim
