#include "carveout_sim/plain_machine.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "carveout/core/size.hpp"
#include "carveout/port/cache_lines.hpp"
#include "carveout_sim/range_set.hpp"
#include "guarded_pages.hpp"
#include "lines.hpp"

namespace carveout::sim {
namespace {

PlainFacts checked(const PlainFacts& facts) {
  const std::size_t page = host_page_bytes();
  const PhysRange cached{facts.cached, facts.size_bytes};
  const PhysRange uncached{facts.uncached, facts.size_bytes};
  if (facts.size_bytes == 0 || facts.size_bytes % page != 0 || facts.cached.raw() % page != 0 ||
      facts.uncached.raw() % page != 0) {
    throw std::invalid_argument{"RAM is one or more whole pages of the host"};
  }
  if (cached.wraps() || uncached.wraps() || cached.overlaps(uncached)) {
    throw std::invalid_argument{"the two addresses of RAM are apart, and end at 2^64 or before"};
  }
  if (!is_power_of_two(facts.line_bytes) || facts.line_bytes > page) {
    throw std::invalid_argument{"a cache line is a power of two and at most a page of the host"};
  }
  return facts;
}

}  // namespace

// ---- what was taken away ------------------------------------------------------------------------

void PlainMachine::settle() {
  for (GuardedPages::Touched& touch : pages_->settle()) {
    watch_.tell(&Observer::cpu_touched, PhysRange{phys_at(touch.offset), 1}, touch.how,
                touch.stacks);
    if (!watch_.observed()) untold_.push_back(std::move(touch.stacks));
  }
}

void PlainMachine::device_owns(PhysRange range, Direction direction) {
  const std::lock_guard guard{lock_};
  settle();
  if (range.empty() || !is_ram(range)) return;
  const std::size_t offset = offset_of(range.base);
  if (Witness* const witness = watch_.witness()) {
    witness->lent({phys_at(offset), range.size_bytes}, direction);
  }
  const PhysRange lent{phys_at(offset), range.size_bytes};
  lent_.push_back({lent, carveout::device_writes(direction)});
  guard_pages(lent);
}

void PlainMachine::cpu_owns(PhysRange range) {
  const std::lock_guard guard{lock_};
  settle();
  if (range.empty() || !is_ram(range)) return;
  const std::size_t offset = offset_of(range.base);
  if (Witness* const witness = watch_.witness()) {
    witness->returned({phys_at(offset), range.size_bytes});
  }
  const PhysRange returned{phys_at(offset), range.size_bytes};
  take_back(returned);
  guard_pages(returned);
}

void PlainMachine::take_back(PhysRange range) {
  // Once: of two loans of the same bytes the other goes on. First the one that is just this, then
  // whatever has a part of it, the latest first.
  const auto same = std::ranges::find(lent_, range, &Lent::range);
  if (same != lent_.end()) {
    lent_.erase(same);
    return;
  }
  RangeSet wanted;
  wanted.add(range);
  for (std::size_t i = lent_.size(); i-- > 0 && !wanted.empty();) {
    const Lent whole = lent_[i];
    const auto part = wanted.find(whole.range);
    if (!part) continue;
    wanted.remove(*part);
    RangeSet rest;
    rest.add(whole.range);
    rest.remove(*part);
    lent_.erase(lent_.begin() + static_cast<std::ptrdiff_t>(i));
    for (const PhysRange& piece : rest.pieces()) lent_.push_back({piece, whole.to_write});
  }
}

void PlainMachine::guard_pages(PhysRange range) {
  const std::size_t page_bytes = host_page_bytes();
  const std::size_t first = offset_of(range.base) / page_bytes;
  const std::size_t end = (offset_of(range.base) + size_of(range) + page_bytes - 1) / page_bytes;
  const auto allowed = [&](std::size_t page) {
    const PhysRange whole{phys_at(page * page_bytes), page_bytes};
    RangeSet loads;
    RangeSet stores;
    loads.add(whole);
    stores.add(whole);
    for (const Lent& each : lent_) {
      stores.remove(each.range);
      if (each.to_write) loads.remove(each.range);
    }
    return !stores.empty() ? Allowed::everything
           : loads.empty() ? Allowed::nothing
                           : Allowed::loads;
  };
  for (std::size_t page = first; page < end;) {
    const Allowed now = allowed(page);
    std::size_t alike = page + 1;
    while (alike < end && allowed(alike) == now) ++alike;
    pages_->set(page, alike - page, now);
    page = alike;
  }
}

std::vector<std::string> PlainMachine::touches() {
  const std::lock_guard guard{lock_};
  settle();
  return std::exchange(untold_, {});
}

// ---- the machine -------------------------------------------------------------------------------

PlainMachine::PlainMachine(const PlainFacts& facts)
    : facts_{checked(facts)},
      alias_{facts.cached, facts.uncached, facts.size_bytes},
      ram_memory_{facts.size_bytes},
      copy_memory_{facts.size_bytes},
      ram_{ram_memory_},
      uncached_view_{ram_memory_},
      copy_{copy_memory_},
      cached_view_{copy_memory_},
      fetched_(facts.size_bytes),
      present_(facts.size_bytes / facts.line_bytes),
      hardware_{facts.hardware},
      pages_{std::make_unique<GuardedPages>(std::span{cached_view_.data(), facts.size_bytes})} {
  if (hardware_) watch_.set_adversary(&*hardware_, this);
}

PlainMachine::~PlainMachine() {
  settle();
  watch_.set_adversary(nullptr, nullptr);
}

std::size_t PlainMachine::offset_of(PhysAddr address) const {
  return bytes_between(facts_.cached, canonical(address));
}

PhysAddr PlainMachine::phys_at(std::size_t offset) const {
  return PhysAddr{facts_.cached.raw() + offset};
}

PhysAddr PlainMachine::canonical(PhysAddr address) const {
  if (!PhysRange{facts_.uncached, facts_.size_bytes}.contains(address)) return address;
  return PhysAddr{address.raw() - facts_.uncached.raw() + facts_.cached.raw()};
}

bool PlainMachine::is_ram(PhysRange range) const {
  if (range.empty()) return true;
  return !range.wraps() && (PhysRange{facts_.cached, facts_.size_bytes}.contains(range) ||
                            PhysRange{facts_.uncached, facts_.size_bytes}.contains(range));
}

std::byte* PlainMachine::cpu_view(PhysRange range) const {
  if (range.empty() || !is_ram(range)) return nullptr;
  const bool uncached = PhysRange{facts_.uncached, facts_.size_bytes}.contains(range.base);
  return (uncached ? uncached_view_ : cached_view_).data() + offset_of(range.base);
}

std::optional<PhysAddr> PlainMachine::phys_of(const std::byte* at, std::size_t size_bytes) const {
  const auto within = [&](const Mapping& view) -> std::optional<std::size_t> {
    const std::uintptr_t offset =
        reinterpret_cast<std::uintptr_t>(at) - reinterpret_cast<std::uintptr_t>(view.data());
    if (offset >= facts_.size_bytes || size_bytes > facts_.size_bytes - offset) return std::nullopt;
    return offset;
  };
  if (const auto offset = within(cached_view_)) return PhysAddr{facts_.cached.raw() + *offset};
  if (const auto offset = within(uncached_view_)) return PhysAddr{facts_.uncached.raw() + *offset};
  return std::nullopt;
}

template <class Each>
void PlainMachine::for_lines(std::size_t offset, std::size_t size_bytes, Each each) {
  for_each_line(offset, size_bytes, facts_.line_bytes, each);
}

bool PlainMachine::is_dirty(std::size_t line) const {
  return std::memcmp(copy_.data() + line, fetched_.data() + line, facts_.line_bytes) != 0;
}

void PlainMachine::tell_stores(PhysRange range) {
  const auto stored = [&](std::size_t i) { return copy_.data()[i] != fetched_[i]; };
  for_lines(offset_of(range.base), size_of(range), [&](std::size_t line) {
    if (!is_dirty(line)) return;
    const std::size_t line_end = line + facts_.line_bytes;
    for (std::size_t i = line; i < line_end;) {
      if (!stored(i)) {
        ++i;
        continue;
      }
      std::size_t end = i + 1;
      while (end < line_end && stored(end)) ++end;
      watch_.tell(&Observer::stores_found, 0U, PhysRange{phys_at(i), end - i});
      i = end;
    }
  });
}

void PlainMachine::copy_line(std::byte* to, const std::byte* from, std::size_t line) const {
  std::memcpy(to + line, from + line, facts_.line_bytes);
}

void PlainMachine::write_back(std::size_t line) {
  copy_line(ram_.data(), copy_.data(), line);
  copy_line(fetched_.data(), copy_.data(), line);
}

void PlainMachine::fetch(std::size_t line) {
  copy_line(copy_.data(), ram_.data(), line);
  copy_line(fetched_.data(), ram_.data(), line);
}

void PlainMachine::clean(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::clean, at, size_bytes);
}

void PlainMachine::invalidate(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::invalidate, at, size_bytes);
}

void PlainMachine::clean_invalidate(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::clean_invalidate, at, size_bytes);
}

void PlainMachine::maintain(Maintenance what, const std::byte* at, std::size_t size_bytes) {
  const std::lock_guard guard{lock_};
  settle();
  if (size_bytes == 0) return;
  const auto phys = phys_of(at, size_bytes);
  if (!phys) throw std::out_of_range{"these bytes do not lie in one view of the machine's RAM"};
  if (canonical(*phys) != *phys) {
    throw std::invalid_argument{"cache maintenance through an uncached alias does nothing"};
  }
  const PhysRange lines = whole_lines({*phys, size_bytes}, facts_.line_bytes);
  tell_stores(lines);
  moment(MomentKind::maintenance, lines);
  for_lines(offset_of(*phys), size_bytes, [&](std::size_t line) {
    const bool dirty = is_dirty(line);
    watch_.tell(&Observer::cpu_maintains, 0U, PhysRange{phys_at(line), facts_.line_bytes}, what);
    if (dirty && what != Maintenance::invalidate) {
      write_back(line);
      present_[line / facts_.line_bytes] = true;
    }
    if (what != Maintenance::clean) {
      fetch(line);
      present_[line / facts_.line_bytes] = false;
    }
  });
  moment(MomentKind::maintained, lines);
}

void PlainMachine::moment(MomentKind kind, PhysRange range) {
  watch_.at({kind, 0, range});
  if (hardware_) hardware_->forget();
}

void PlainMachine::device_begins(Master /*master*/, PhysRange range) {
  const std::lock_guard guard{lock_};
  settle();
  if (!range.empty()) moment(MomentKind::dma_begins, {canonical(range.base), range.size_bytes});
}

void PlainMachine::device_read(Master master, Started started, PhysAddr from,
                               std::span<std::byte> into) {
  const std::lock_guard guard{lock_};
  settle();
  if (into.empty()) return;
  const std::size_t offset = offset_of(from);
  const PhysRange range{phys_at(offset), into.size()};
  tell_stores(range);
  moment(MomentKind::dma_reads, range);
  watch_.tell(&Observer::device_reads, master, range, started);
  std::memcpy(into.data(), ram_.data() + offset, into.size());
}

void PlainMachine::device_write(Master master, Started started, PhysAddr to,
                                std::span<const std::byte> from) {
  const std::lock_guard guard{lock_};
  settle();
  if (from.empty()) return;
  const std::size_t offset = offset_of(to);
  const PhysRange range{phys_at(offset), from.size()};
  tell_stores(range);
  moment(MomentKind::dma_writes, range);
  for_lines(offset, from.size(),
            [&](std::size_t line) { present_[line / facts_.line_bytes] = is_present(line); });
  watch_.tell(&Observer::device_writes, master, range, started);
  std::memcpy(ram_.data() + offset, from.data(), from.size());
  for_lines(offset, from.size(), [&](std::size_t line) {
    if (!present_[line / facts_.line_bytes]) fetch(line);
  });
  moment(MomentKind::dma_wrote, range);
}

void PlainMachine::device_refused(Master master, DmaRange range, BusError error) {
  const std::lock_guard guard{lock_};
  settle();
  watch_.tell(&Observer::bus_refuses, master, range, error);
}

void PlainMachine::set_observer(Observer* observer) {
  const std::lock_guard guard{lock_};
  settle();
  watch_.set_observer(observer);
}

void PlainMachine::forget(const Observer& observer) {
  const std::lock_guard guard{lock_};
  settle();
  watch_.forget(observer);
}

void PlainMachine::set_adversary(Watcher* adversary) {
  const std::lock_guard guard{lock_};
  settle();
  watch_.set_adversary(adversary, this);
}

// ---- the hands of the adversary ----------------------------------------------------------------

bool PlainMachine::act(const Action& action) {
  const PhysAddr base{align_down(action.at.raw(), facts_.line_bytes)};
  if (action.cpu != 0 || !PhysRange{facts_.cached, facts_.size_bytes}.contains(base)) return false;
  const std::size_t line = offset_of(base);
  const bool dirty = is_dirty(line);
  const bool present = is_present(line);
  const bool can = action.what == Act::speculate    ? !present
                   : action.what == Act::write_back ? dirty
                                                    : action.what == Act::evict && present;
  if (!can) return false;
  if (dirty) {
    // Afterwards nobody could tell.
    tell_stores({base, facts_.line_bytes});
    write_back(line);
  }
  if (action.what != Act::write_back) fetch(line);
  present_[line / facts_.line_bytes] = action.what != Act::evict;
  return true;
}

bool PlainMachine::is_present(std::size_t line) const {
  return present_[line / facts_.line_bytes] || is_dirty(line);
}

template <class Which>
std::vector<PhysAddr> PlainMachine::lines(Which which) const {
  std::vector<PhysAddr> found;
  for (std::size_t line = 0; line < facts_.size_bytes; line += facts_.line_bytes) {
    if (which(line)) found.push_back(phys_at(line));
  }
  return found;
}

std::vector<PhysAddr> PlainMachine::valid_lines(std::uint32_t /*cpu*/) const {
  return lines([&](std::size_t line) { return is_present(line); });
}

std::vector<PhysAddr> PlainMachine::dirty_lines(std::uint32_t /*cpu*/) const {
  return lines([&](std::size_t line) { return is_dirty(line); });
}

LineState PlainMachine::in_cache(std::uint32_t /*cpu*/, PhysAddr line,
                                 std::span<std::byte> bytes) const {
  const std::size_t offset = offset_of(line);
  const LineState state{.valid = is_present(offset), .dirty = is_dirty(offset)};
  if (state.valid) std::memcpy(bytes.data(), copy_.data() + offset, bytes.size());
  return state;
}

bool PlainMachine::in_ram(PhysAddr line, std::span<std::byte> bytes) const {
  if (!is_ram({line, bytes.size()})) return false;
  std::memcpy(bytes.data(), ram_.data() + offset_of(line), bytes.size());
  return true;
}

}  // namespace carveout::sim
