#include "carveout_sim/bus.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "lines.hpp"

namespace carveout::sim {
namespace {

std::optional<PhysRange> range_at(const std::optional<PhysAddr>& base, std::uint64_t size_bytes) {
  if (!base) return std::nullopt;
  return PhysRange{*base, size_bytes};
}

void require(bool condition, const char* what) {
  if (!condition) throw std::invalid_argument{what};
}

void check(const Ram& ram) {
  const std::uint64_t page_mask = host_page_bytes() - 1;
  require(ram.size_bytes != 0 && (ram.size_bytes & page_mask) == 0,
          "RAM is one or more whole pages of the host");
  require(std::in_range<std::size_t>(ram.size_bytes), "RAM is no longer than a pointer reaches");
  require(ram.cached || ram.uncached, "RAM has a cached address, an uncached one, or both");
  for (const auto& base : {ram.cached, ram.uncached}) {
    if (!base) continue;
    require((base->raw() & page_mask) == 0, "RAM begins at a whole page of the host");
    require(!PhysRange{*base, ram.size_bytes}.wraps(), "RAM ends at 2^64 or before");
  }
}

}  // namespace

std::optional<PhysRange> Bus::Bank::cached() const { return range_at(ram.cached, ram.size_bytes); }

std::optional<PhysRange> Bus::Bank::uncached() const {
  return range_at(ram.uncached, ram.size_bytes);
}

std::byte* Bus::Bank::cached_pointers() const {
  return behind_cache ? behind_cache->data() : memory.data();
}

Bus::Bus(std::span<const Ram> rams, bool with_cache, std::size_t past_writes)
    : rams_{rams.begin(), rams.end()}, past_{past_writes} {
  banks_.reserve(rams_.size());
  for (const Ram& ram : rams_) {
    check(ram);
    std::optional<Mapping> behind_cache;
    const auto size_bytes = static_cast<std::size_t>(ram.size_bytes);
    if (with_cache && ram.cached) behind_cache.emplace(size_bytes, Mapping::Access::none);
    Bank bank{ram, Mapping{size_bytes, Mapping::Access::read_write}, std::move(behind_cache)};

    const bool one_address = ram.cached == ram.uncached;
    require(one_address || !bank.cached() || !bank.uncached() ||
                !bank.cached()->overlaps(*bank.uncached()),
            "the two addresses of RAM are equal or apart");
    for (const Bank& other : banks_) {
      for (const auto& mine : {bank.cached(), bank.uncached()}) {
        for (const auto& theirs : {other.cached(), other.uncached()}) {
          require(!mine || !theirs || !mine->overlaps(*theirs), "two pieces of RAM at one address");
        }
      }
    }
    if (bank.behind_cache) {
      views_.push_back(
          {bank.behind_cache->data(),
           ram.size_bytes,
           {.phys = *ram.cached, .memory = bank.memory.data(), .through_cache = true}});
    }
    // Plain memory is shown by the uncached address; only without a cache by the other one.
    const PhysAddr shown_by = ram.uncached ? *ram.uncached : *ram.cached;
    views_.push_back({bank.memory.data(),
                      ram.size_bytes,
                      {.phys = shown_by, .memory = bank.memory.data(), .through_cache = false}});
    banks_.push_back(std::move(bank));
  }
}

std::span<std::byte> Bus::memory_at(PhysAddr address) const {
  for (const Bank& bank : banks_) {
    for (const auto& range : {bank.cached(), bank.uncached()}) {
      if (!range || !range->contains(address)) continue;
      const std::size_t offset = bytes_between(range->base, address);
      return {bank.memory.data() + offset, size_of(*range) - offset};
    }
  }
  return {};
}

bool Bus::covers(PhysRange range) const {
  if (range.empty()) return true;
  if (range.wraps()) return false;
  for (PhysAddr at = range.base;;) {
    const std::uint64_t here = memory_at(at).size();
    if (here == 0) return false;
    if (range.last().raw() - at.raw() < here) return true;
    at = PhysAddr{at.raw() + here};
  }
}

void Bus::read(PhysAddr from, std::span<std::byte> into) const {
  if (!covers({from, into.size()})) throw std::out_of_range{"no RAM at this address"};
  while (!into.empty()) {
    const auto here = memory_at(from);
    const std::size_t length = std::min(here.size(), into.size());
    std::memcpy(into.data(), here.data(), length);
    into = into.subspan(length);
    from = PhysAddr{from.raw() + length};
  }
}

void Bus::write(PhysAddr to, std::span<const std::byte> from) {
  if (!covers({to, from.size()})) throw std::out_of_range{"no RAM at this address"};
  while (!from.empty()) {
    const auto here = memory_at(to);
    const std::size_t length = std::min(here.size(), from.size());
    if (past_.kept()) past_.note(canonical(to), here.first(length));
    std::memcpy(here.data(), from.data(), length);
    from = from.subspan(length);
    to = PhysAddr{to.raw() + length};
  }
}

void Bus::reset() {
  for (Bank& bank : banks_) bank.memory.clear();
  past_.reset();
}

PhysAddr Bus::canonical(PhysAddr address) const {
  for (const Bank& bank : banks_) {
    const auto uncached = bank.uncached();
    if (!uncached || !bank.ram.cached || !uncached->contains(address)) continue;
    return PhysAddr{address.raw() - uncached->base.raw() + bank.ram.cached->raw()};
  }
  return address;
}

std::byte* Bus::uncached_view(PhysRange range) const {
  for (const Bank& bank : banks_) {
    const auto whole = bank.uncached();
    if (whole && !range.wraps() && whole->contains(range)) {
      return bank.memory.data() + (range.base.raw() - whole->base.raw());
    }
  }
  return nullptr;
}

std::byte* Bus::cached_view(PhysRange range) const {
  for (const Bank& bank : banks_) {
    const auto whole = bank.cached();
    if (whole && !range.wraps() && whole->contains(range)) {
      return bank.cached_pointers() + (range.base.raw() - whole->base.raw());
    }
  }
  return nullptr;
}

}  // namespace carveout::sim
