#include "carveout_sim/cpu.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "carveout/port/cache_lines.hpp"
#include "lines.hpp"

namespace carveout::sim {

Cpu::Cpu(Fabric& fabric, std::uint32_t index, const std::optional<CacheGeometry>& cache,
         std::size_t write_buffer_stores)
    : fabric_{fabric}, index_{index}, buffer_{write_buffer_stores, fabric.bus} {
  if (cache) cache_.emplace(*cache, buffer_);
}

void Cpu::reset() {
  buffer_.reset();
  if (cache_) cache_->reset();
  ordered_at_ = 0;
  last_load_at_ = 0;
  seen_.clear();
}

Place Cpu::place_of(const std::byte* first, std::size_t size_bytes) const {
  const auto place = fabric_.bus.place_of(first, size_bytes);
  if (!place) throw std::out_of_range{"these bytes do not lie in one view of the machine's RAM"};
  return *place;
}

void Cpu::read(const std::byte* from, std::span<std::byte> into) {
  const std::lock_guard guard{fabric_.lock};
  if (into.empty()) return;
  const Place place = place_of(from, into.size());
  const PhysRange range{place.phys, into.size()};
  if (fabric_.watch.watched()) [[unlikely]] {
    fabric_.loading = place.through_cache ? PhysRange{place.phys, 0} : range;
    fabric_.at(MomentKind::load, index_, range);
    fabric_.watch.tell(&Observer::cpu_reads, index_, fabric_.canonical(range), through(place));
  }
  if (place.through_cache) {
    cache_->read(place.phys, into);
  } else {
    read_memory(place, into);
  }
}

void Cpu::write(std::byte* to, std::span<const std::byte> from) {
  const std::lock_guard guard{fabric_.lock};
  if (from.empty()) return;
  const Place place = place_of(to, from.size());
  const PhysRange range{place.phys, from.size()};
  if (fabric_.watch.watched()) [[unlikely]] {
    fabric_.at(MomentKind::store, index_, range);
    fabric_.watch.tell(&Observer::cpu_writes, index_, fabric_.canonical(range), through(place));
  }
  if (place.through_cache) {
    cache_->write(place.phys, from);
  } else if (!buffer_.holds_stores() && !fabric_.bus.past().kept()) {
    std::memcpy(place.memory, from.data(), from.size());  // a short way to the same
  } else {
    buffer_.store(place.phys, from);
    if (fabric_.bus.past().kept()) saw(range);
  }
}

void Cpu::read_memory(const Place& place, std::span<std::byte> into) {
  if (buffer_.waiting().empty()) {
    std::memcpy(into.data(), place.memory, into.size());
  } else {
    buffer_.read(place.phys, into);
  }
  if (!fabric_.bus.past().kept()) return;
  const PhysRange range{place.phys, into.size()};
  if (!fabric_.load_early || !read_earlier(range, into)) {
    last_load_at_ = fabric_.bus.past().now();
  }
  fabric_.load_early = false;
  saw(range);
}

bool Cpu::may_load_early(PhysRange range) const {
  std::vector<std::byte> bytes(size_of(range));
  return read_earlier(range, bytes);
}

bool Cpu::read_earlier(PhysRange range, std::span<std::byte> into) const {
  for (const WriteBuffer::Store& store : buffer_.waiting()) {
    if (store.range().overlaps(range)) return false;
  }
  // A CPU never sees a byte become older than it saw it, or wrote it.
  std::uint64_t since = ordered_at_;
  for (const Seen& seen : seen_) {
    if (seen.range.overlaps(range)) since = std::max(since, seen.time);
  }
  return fabric_.bus.past().undo(fabric_.bus.canonical(range.base), into, since, last_load_at_);
}

void Cpu::saw(PhysRange range) {
  const std::uint64_t now = fabric_.bus.past().now();
  for (Seen& seen : seen_) {
    if (seen.range != range) continue;
    seen.time = now;
    return;
  }
  seen_.push_back({range, now});
}

void Cpu::clean(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::clean, at, size_bytes);
}

void Cpu::invalidate(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::invalidate, at, size_bytes);
}

void Cpu::clean_invalidate(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::clean_invalidate, at, size_bytes);
}

void Cpu::maintain(Maintenance what, const std::byte* at, std::size_t size_bytes) {
  const std::lock_guard guard{fabric_.lock};
  if (size_bytes == 0) return;
  const Place place = place_of(at, size_bytes);
  if (!cache_) return;
  if (fabric_.bus.cached_view({place.phys, size_bytes}) == nullptr) {
    throw std::invalid_argument{"cache maintenance through an uncached alias does nothing"};
  }
  const std::size_t line_bytes = cache_->geometry().line_bytes;
  const PhysRange lines = whole_lines({place.phys, size_bytes}, line_bytes);
  fabric_.at(MomentKind::maintenance, index_, lines);
  fabric_.watch.tell(&Observer::cpu_maintains, index_, lines, what);
  for_each_line(place.phys.raw(), size_bytes, line_bytes, [&](std::uint64_t line) {
    if (what != Maintenance::invalidate) cache_->clean(PhysAddr{line});
    if (what != Maintenance::clean) cache_->invalidate(PhysAddr{line});
  });
  fabric_.at(MomentKind::maintained, index_, lines);
}

void Cpu::publish_barrier() { order(Barrier::publish); }
void Cpu::observe_barrier() { order(Barrier::observe); }
void Cpu::full_barrier() { order(Barrier::full); }

void Cpu::order(Barrier barrier) {
  const std::lock_guard guard{fabric_.lock};
  fabric_.at(MomentKind::barrier, index_, {PhysAddr{0}, 0});
  fabric_.watch.tell(&Observer::cpu_orders, index_, barrier);
  if (barrier != Barrier::observe) buffer_.drain();
  if (barrier != Barrier::publish) {
    ordered_at_ = fabric_.bus.past().now();
    last_load_at_ = ordered_at_;
    seen_.clear();
  }
}

LineState Cpu::line(const std::byte* at) const {
  const std::lock_guard guard{fabric_.lock};
  const Place place = place_of(at, 1);
  return cache_ ? cache_->state(place.phys) : LineState{};
}

std::size_t Cpu::stores_waiting() const {
  const std::lock_guard guard{fabric_.lock};
  return buffer_.waiting().size();
}

}  // namespace carveout::sim
