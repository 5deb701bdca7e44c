#include "carveout_sim/machine.hpp"

#include <algorithm>
#include <stdexcept>

namespace carveout::sim {

Machine::Machine(const MachineFacts& facts)
    : fabric_{facts.ram, facts.cache.has_value(), facts.early_loads} {
  if (facts.cpus == 0) throw std::invalid_argument{"a machine has one CPU or more"};
  for (std::uint32_t i = 0; i < facts.cpus; ++i) {
    cpus_.emplace_back(fabric_, i, facts.cache, facts.write_buffer_stores);
  }
  for (const Ram& ram : fabric_.bus.rams()) {
    if (ram.cached && ram.uncached)
      aliases_.push_back({*ram.cached, *ram.uncached, ram.size_bytes});
  }
}

Machine::~Machine() { Machine::set_adversary(nullptr); }

void Machine::reset() {
  const std::lock_guard guard{fabric_.lock};
  fabric_.watch.set_adversary(nullptr, nullptr);
  fabric_.bus.reset();
  for (Cpu& cpu : cpus_) cpu.reset();
  fabric_.watch.tell(&Observer::machine_resets);
}

std::byte* Machine::cpu_view(PhysRange range) const {
  std::byte* const uncached = fabric_.bus.uncached_view(range);
  return uncached != nullptr ? uncached : fabric_.bus.cached_view(range);
}

std::optional<PhysAddr> Machine::phys_of(const std::byte* first, std::size_t size_bytes) const {
  const auto place = fabric_.bus.place_of(first, size_bytes);
  if (!place) return std::nullopt;
  return place->phys;
}

std::size_t Machine::line_bytes() const { return cache() ? cache()->geometry().line_bytes : 1; }

void Machine::bus_read(PhysAddr from, std::span<std::byte> into) const {
  const std::lock_guard guard{fabric_.lock};
  fabric_.bus.read(from, into);
}

void Machine::bus_write(PhysAddr to, std::span<const std::byte> from) {
  const std::lock_guard guard{fabric_.lock};
  fabric_.bus.write(to, from);
}

void Machine::device_begins(Master /*master*/, PhysRange range) {
  const std::lock_guard guard{fabric_.lock};
  fabric_.at(MomentKind::dma_begins, 0, range);
}

void Machine::device_read(Master master, Started started, PhysAddr from,
                          std::span<std::byte> into) {
  const std::lock_guard guard{fabric_.lock};
  const PhysRange range{from, into.size()};
  fabric_.at(MomentKind::dma_reads, 0, range);
  fabric_.watch.tell(&Observer::device_reads, master, fabric_.canonical(range), started);
  fabric_.bus.read(from, into);
}

void Machine::device_write(Master master, Started started, PhysAddr to,
                           std::span<const std::byte> from) {
  const std::lock_guard guard{fabric_.lock};
  const PhysRange range{to, from.size()};
  fabric_.at(MomentKind::dma_writes, 0, range);
  fabric_.watch.tell(&Observer::device_writes, master, fabric_.canonical(range), started);
  fabric_.bus.write(to, from);
  fabric_.at(MomentKind::dma_wrote, 0, range);
}

void Machine::device_refused(Master master, DmaRange range, BusError error) {
  const std::lock_guard guard{fabric_.lock};
  fabric_.watch.tell(&Observer::bus_refuses, master, range, error);
}

void Machine::device_owns(PhysRange range, Direction direction) {
  const std::lock_guard guard{fabric_.lock};
  if (Witness* const witness = fabric_.watch.witness()) {
    witness->lent(fabric_.canonical(range), direction);
  }
}

void Machine::cpu_owns(PhysRange range) {
  const std::lock_guard guard{fabric_.lock};
  if (Witness* const witness = fabric_.watch.witness()) witness->returned(fabric_.canonical(range));
}

std::uint32_t Machine::cpus() const { return static_cast<std::uint32_t>(cpus_.size()); }

bool Machine::keeps_stores() const {
  return cache() && cache()->geometry().on_store == OnStore::write_back;
}

bool Machine::fetches_for_stores() const {
  return cache() && cache()->geometry().on_store_miss == OnStoreMiss::allocate;
}

void Machine::set_adversary(Watcher* adversary) {
  const std::lock_guard guard{fabric_.lock};
  fabric_.watch.set_adversary(adversary, this);
}

void Machine::set_observer(Observer* observer) {
  const std::lock_guard guard{fabric_.lock};
  fabric_.watch.set_observer(observer);
}

void Machine::forget(const Observer& observer) {
  const std::lock_guard guard{fabric_.lock};
  fabric_.watch.forget(observer);
}

Witness* Machine::witness() const { return fabric_.watch.witness(); }

// The hands of the adversary: called from Fabric::at(), with the lock held.

bool Machine::act(const Action& action) {
  if (action.cpu >= cpus_.size()) return false;
  Cpu& cpu = cpus_[action.cpu];
  switch (action.what) {
    case Act::speculate: {
      if (!cpu.cache_) return false;
      const PhysRange line{PhysAddr{action.at.raw() & ~(line_bytes() - 1)}, line_bytes()};
      return fabric_.bus.cached_view(line) != nullptr && cpu.cache_->speculate(line.base);
    }
    case Act::write_back:
      if (!cpu.cache_ || !cpu.cache_->state(action.at).dirty) return false;
      cpu.cache_->clean(action.at);
      return true;
    case Act::evict:
      return cpu.cache_ && cpu.cache_->evict(action.at);
    case Act::drain:
      for (const WriteBuffer::Store& store : cpu.buffer_.waiting()) {
        if (fabric_.bus.canonical(store.at) == action.at) return cpu.buffer_.drain_one(store.at);
      }
      return false;
    case Act::load_early:
      fabric_.load_early = !fabric_.loading.empty() && cpu.may_load_early(fabric_.loading);
      return fabric_.load_early;
  }
  return false;
}

std::vector<PhysAddr> Machine::valid_lines(std::uint32_t cpu) const {
  const auto& cache = cpus_[cpu].cache_;
  return cache ? cache->valid_lines() : std::vector<PhysAddr>{};
}

std::vector<PhysAddr> Machine::dirty_lines(std::uint32_t cpu) const {
  const auto& cache = cpus_[cpu].cache_;
  return cache ? cache->dirty_lines() : std::vector<PhysAddr>{};
}

std::vector<PhysRange> Machine::waiting(std::uint32_t cpu) const {
  std::vector<PhysRange> ranges;
  for (const WriteBuffer::Store& store : cpus_[cpu].buffer_.waiting()) {
    ranges.push_back(fabric_.canonical(store.range()));
  }
  return ranges;
}

LineState Machine::in_cache(std::uint32_t cpu, PhysAddr line, std::span<std::byte> bytes) const {
  const auto& cache = cpus_[cpu].cache_;
  if (!cache) return {};
  std::ranges::copy(cache->bytes(line), bytes.begin());
  return cache->state(line);
}

bool Machine::in_ram(PhysAddr line, std::span<std::byte> bytes) const {
  if (!fabric_.bus.covers({line, bytes.size()})) return false;
  fabric_.bus.read(line, bytes);
  return true;
}

}  // namespace carveout::sim
