#include "carveout_sim/checker.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "lines.hpp"
#include "text.hpp"

namespace carveout::sim {
namespace {

constexpr std::uint64_t kPage = 4096;

std::string text_of(PhysRange range) {
  return hex(range.base.raw()) + " (" + std::to_string(range.size_bytes) + " bytes)";
}

std::string text_of(const Where& where) {
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  return std::string{file} + ":" + std::to_string(where.line()) + " (" + where.function_name() +
         ")";
}

std::string with_direction(std::string_view verb, Direction direction, const Where& where) {
  return std::string{verb} + " " + std::string{name_of(direction)} + " at " + text_of(where);
}

}  // namespace

std::string Report::text() const {
  std::string text = "carveout: " + std::string{name_of(mistake)} + "\n  what:   " + what + "\n";
  if (!buffer.empty()) text += "  buffer: " + buffer + "\n";
  for (const Happening& happening : history) {
    text += "    #" + std::to_string(happening.number) + " " + happening.what + ": " +
            text_of(happening.range) + "\n";
  }
  text += stacks;
  text += "  why:    " + std::string{why(mistake)} + "\n";
  text += "  add:    " + std::string{cure(mistake)} + "\n";
  return text;
}

void Checker::print(const Report& report) { std::fputs(report.text().c_str(), stderr); }

Checker::Checker(BusSide& machine) : Checker{machine, Settings{}} {}

Checker::Checker(BusSide& machine, Settings settings)
    : machine_{machine},
      settings_{std::move(settings)},
      line_bytes_{machine.line_bytes()},
      cpus_(machine.cpus(), CpuState{MarkedLines{line_bytes_}, {}}) {
  machine_.set_observer(this);
}

Checker::~Checker() { machine_.set_observer(nullptr); }

std::uint64_t Checker::count(Mistake mistake) const {
  const std::lock_guard guard{mutex_};
  return counts_[static_cast<std::size_t>(mistake)];
}

std::uint64_t Checker::count() const {
  const std::lock_guard guard{mutex_};
  std::uint64_t all = 0;
  for (const std::uint64_t count : counts_) all += count;
  return all;
}

std::vector<Report> Checker::reports() const {
  const std::lock_guard guard{mutex_};
  return reports_;
}

PhysRange Checker::canonical(PhysRange range) const {
  return {machine_.canonical(range.base), range.size_bytes};
}

std::string Checker::device_name(Master device) const {
  if (device == kAnyMaster || device > devices_.size()) return "a device";
  return "\"" + devices_[device - 1].name + "\"";
}

Checker::Buffer* Checker::find(PhysRange range, std::optional<Master> device) {
  for (Buffer& buffer : live_) {
    if (device && buffer.device != *device) continue;
    if (buffer.range.overlaps(range)) return &buffer;
  }
  return nullptr;
}

Checker::Buffer* Checker::mapped_at(Master device, PhysAddr base) {
  for (Buffer& buffer : live_) {
    if (buffer.made == Made::by_map && buffer.device == device && buffer.range.base == base) {
      return &buffer;
    }
  }
  return nullptr;
}

Checker::Buffer* Checker::block_at(Master device, PhysAddr base) {
  for (Buffer& buffer : live_) {
    if (buffer.made == Made::by_alloc && buffer.device == device && buffer.range.base == base) {
      return &buffer;
    }
  }
  return nullptr;
}

Checker::Buffer* Checker::find_dead(std::vector<Buffer>& dead, Master device, PhysRange range) {
  // The last of them: the history to be told is that of the latest use.
  for (auto buffer = dead.rbegin(); buffer != dead.rend(); ++buffer) {
    if (buffer->device == device && buffer->range.overlaps(range)) return &*buffer;
  }
  return nullptr;
}

void Checker::bury(std::vector<Buffer>& dead, Buffer* buffer) {
  constexpr std::size_t kDead = 256;
  if (dead.size() == kDead) dead.erase(dead.begin());
  dead.push_back(std::move(*buffer));
  live_.erase(live_.begin() + (buffer - live_.data()));
}

void Checker::note(Buffer& buffer, std::string_view what, PhysRange range) {
  auto& history = buffer.history;
  if (!history.empty() && history.back().what == what) {
    Happening& last = history.back();
    if (last.range.base.raw() + last.range.size_bytes == range.base.raw()) {
      last.range.size_bytes += range.size_bytes;
      return;
    }
  }
  if (history.size() == kHistory) history.erase(history.begin());
  history.push_back({happened_, std::string{what}, range});
}

void Checker::note(std::string_view what, PhysRange range) {
  ++happened_;
  for (Buffer& buffer : live_) {
    if (const PhysRange part = buffer.range.intersection(range); !part.empty()) {
      note(buffer, what, part);
    }
  }
}

std::string Checker::describe(const Buffer& buffer) const {
  const std::string how = buffer.made == Made::by_alloc
                              ? "allocated"
                              : "mapped " + std::string{name_of(buffer.direction)};
  return text_of(buffer.range) + ", " + how + " for " + device_name(buffer.device) + " at " +
         buffer.where + "; owner: " + (buffer.owner == Owner::cpu ? "the CPU" : "the device");
}

void Checker::report(Mistake mistake, PhysRange range, Buffer* buffer, std::string what,
                     std::string_view stacks) {
  if (buffer != nullptr) {
    const std::uint32_t bit = std::uint32_t{1} << static_cast<unsigned>(mistake);
    if ((buffer->reported & bit) != 0) return;
    buffer->reported |= bit;
  } else if (!reported_.insert({mistake, range.base.raw() / kPage}).second) {
    return;
  }
  ++counts_[static_cast<std::size_t>(mistake)];
  Report report{.mistake = mistake,
                .what = std::move(what),
                .range = range,
                .buffer = {},
                .history = {},
                .stacks = std::string{stacks}};
  if (buffer != nullptr) {
    report.buffer = describe(*buffer);
    report.history = buffer->history;
  }
  if (Witness* const witness = machine_.witness()) witness->found(report);
  settings_.callback(report);
  if (settings_.then == OnReport::abort) std::abort();
  if (reports_.size() < kReports) reports_.push_back(std::move(report));
}

// ---- what the cache may hold -------------------------------------------------------------------

void Checker::check_touch(std::string_view who, PhysRange range, Through through, Touch how,
                          std::string_view stacks) {
  const std::string what = std::string{who} + text_of(range);
  for (std::size_t i = 0; i < live_.size(); ++i) {
    Buffer& buffer = live_[i];
    const PhysRange granted{buffer.range.base, buffer.granted_bytes};
    if (!granted.overlaps(range)) continue;
    if (buffer.made == Made::by_alloc) {
      if (through == Through::cache) {
        report(Mistake::cached_twin, range, &buffer, what + " through the cache", stacks);
      }
      if (range.last() > buffer.range.last()) {
        report(Mistake::overrun, range, &buffer, what + ", past the block's end", stacks);
      }
      continue;
    }
    // Reading what the device only reads, too, harms nobody.
    if (buffer.owner != Owner::device || !buffer.range.overlaps(range)) continue;
    if (how == Touch::load && !carveout::device_writes(buffer.direction)) continue;
    report(Mistake::touch_while_device_owns, range, &buffer, what, stacks);
  }
}

void Checker::cpu_touched(PhysRange range, Touch how, std::string_view stacks) {
  const std::lock_guard guard{mutex_};
  const std::string_view verb = how == Touch::load    ? "loads"
                                : how == Touch::store ? "stores"
                                                      : "touches";
  note("the CPU " + std::string{verb}, range);
  check_touch("the CPU " + std::string{verb} + " ", range, Through::cache, how, stacks);
}

void Checker::stores_found(std::uint32_t cpu, PhysRange range) {
  const std::lock_guard guard{mutex_};
  note("CPU " + std::to_string(cpu) + " stored, some time before", range);
  cpus_[cpu].lines.change(range, MarkedLines::kStored,
                          MarkedLines::kDeviceWrote | MarkedLines::kLost);
}

void Checker::cpu_reads(std::uint32_t cpu, PhysRange range, Through through) {
  const std::lock_guard guard{mutex_};
  note("CPU " + std::to_string(cpu) + " loads", range);
  const std::string who = "CPU " + std::to_string(cpu) + " loads ";
  check_touch(who, range, through, Touch::load);
  if (through == Through::memory) return;
  if (const auto stale = cpus_[cpu].lines.find(range, MarkedLines::kDeviceWrote)) {
    report(Mistake::missing_sync_after_device_wrote, *stale, find(*stale),
           who + text_of(*stale) +
               " through its cache; a device wrote it, and the line was not "
               "invalidated since");
  }
  if (const auto lost = cpus_[cpu].lines.find(range, MarkedLines::kLost)) {
    report(Mistake::store_lost_by_invalidate, *lost, find(*lost),
           who + text_of(*lost) + ", which it stored before and an invalidate threw away");
  }
}

void Checker::cpu_writes(std::uint32_t cpu, PhysRange range, Through through) {
  const std::lock_guard guard{mutex_};
  note("CPU " + std::to_string(cpu) + " stores", range);
  check_touch("CPU " + std::to_string(cpu) + " stores ", range, through, Touch::store);
  if (through == Through::cache && machine_.keeps_stores()) {
    cpus_[cpu].lines.change(range, MarkedLines::kStored,
                            MarkedLines::kDeviceWrote | MarkedLines::kLost);
    // The rest of the line goes out with the store.
    if (const auto stale =
            cpus_[cpu].lines.find(whole_lines(range, line_bytes_), MarkedLines::kDeviceWrote)) {
      Buffer* const buffer = find(*stale);
      const bool neighbour = buffer != nullptr && !buffer->range.contains(range);
      report(neighbour ? Mistake::line_shared : Mistake::missing_sync_after_device_wrote, *stale,
             buffer,
             "CPU " + std::to_string(cpu) + " stores " + text_of(range) +
                 " into a line of which a device wrote " + text_of(*stale) +
                 ", and which was not invalidated since");
    }
    return;
  }
  constexpr std::size_t kStores = 4096;
  auto& unpublished = cpus_[cpu].unpublished;
  if (unpublished.size() == kStores) unpublished.erase(unpublished.begin());
  unpublished.push_back({range, false});
}

void Checker::cpu_maintains(std::uint32_t cpu, PhysRange lines, Maintenance what) {
  const std::lock_guard guard{mutex_};
  switch (what) {
    case Maintenance::clean:
      note("CPU " + std::to_string(cpu) + " cleans", lines);
      cpus_[cpu].lines.change(lines, 0, MarkedLines::kStored);
      break;
    case Maintenance::invalidate:
      note("CPU " + std::to_string(cpu) + " invalidates", lines);
      cpus_[cpu].lines.invalidate(lines);
      break;
    case Maintenance::clean_invalidate:
      note("CPU " + std::to_string(cpu) + " cleans and invalidates", lines);
      cpus_[cpu].lines.change(lines, 0, MarkedLines::kStored | MarkedLines::kDeviceWrote);
      break;
  }
  if (what != Maintenance::invalidate) {
    // A store that was written through is below the cache, and a clean is complete.
    std::erase_if(cpus_[cpu].unpublished,
                  [&](const Store& store) { return lines.contains(store.range); });
  }
}

void Checker::cpu_orders(std::uint32_t cpu, Barrier barrier) {
  const std::lock_guard guard{mutex_};
  if (barrier != Barrier::observe) cpus_[cpu].unpublished.clear();
}

// ---- devices -----------------------------------------------------------------------------------

Checker::Buffer* Checker::check_mapped(Master master, PhysRange range, std::string_view verb) {
  if (master == kAnyMaster || master > devices_.size()) return find(range);
  const std::string what = device_name(master) + " " + std::string{verb} + " " + text_of(range);
  if (Witness* const witness = machine_.witness()) {
    witness->named(master, devices_[master - 1].name);
  }
  if (!devices_[master - 1].attached) {
    report(Mistake::use_after_detach, range, nullptr, what);
    return nullptr;
  }
  for (Buffer& buffer : live_) {
    if (buffer.device == master && buffer.range.contains(range)) return &buffer;
  }
  Buffer* const dead = find_dead(unmapped_, master, range);
  report(Mistake::device_access_unmapped, range, dead, what);
  return nullptr;
}

void Checker::device_reads(Master master, PhysRange range, Started started) {
  const std::lock_guard guard{mutex_};
  note(device_name(master) + " reads", range);
  Buffer* const buffer = check_mapped(master, range, "reads");
  const std::string who = device_name(master) + " reads ";
  for (std::uint32_t cpu = 0; cpu < cpus_.size(); ++cpu) {
    const std::string by = ", which CPU " + std::to_string(cpu) + " stored ";
    if (const auto stored = cpus_[cpu].lines.find(range, MarkedLines::kStored)) {
      report(Mistake::missing_sync_before_device_reads, *stored, buffer,
             joined({who, text_of(*stored), by, "through its cache and did not clean"}));
    }
    bool saw_later = false;
    auto& stores = cpus_[cpu].unpublished;
    for (auto store = stores.rbegin(); store != stores.rend(); ++store) {
      if (store->range.overlaps(range)) {
        if (started == Started::by_cpu) {
          report(Mistake::missing_publish_barrier, store->range, buffer,
                 joined({who, text_of(store->range), by, "with no barrier since"}));
        } else if (saw_later) {
          report(
              Mistake::published_before_data, store->range, buffer,
              joined({who, text_of(store->range), by,
                      "before another store that it has read, with no barrier between the two"}));
        }
        store->device_saw = true;
      } else {
        saw_later = saw_later || store->device_saw;
      }
    }
  }
}

void Checker::device_writes(Master master, PhysRange range) {
  const std::lock_guard guard{mutex_};
  note(device_name(master) + " writes", range);
  Buffer* const buffer = check_mapped(master, range, "writes");
  const std::string who = device_name(master) + " writes " + text_of(range);
  if (buffer != nullptr && buffer->made == Made::by_map &&
      !carveout::device_writes(buffer->direction)) {
    report(Mistake::device_write_to_read_only, range, buffer, who);
  }
  for (std::uint32_t cpu = 0; cpu < cpus_.size(); ++cpu) {
    if (const auto stored =
            cpus_[cpu].lines.find(whole_lines(range, line_bytes_), MarkedLines::kStored)) {
      const PhysRange whose = buffer != nullptr ? buffer->range : range;
      const bool neighbour = !whose.overlaps(*stored);
      report(neighbour ? Mistake::line_shared : Mistake::dirty_line_over_device_data, *stored,
             buffer,
             who + "; CPU " + std::to_string(cpu) + " stored " + text_of(*stored) +
                 " of the same lines and did not clean it");
    }
    cpus_[cpu].lines.change(range, MarkedLines::kDeviceWrote, MarkedLines::kLost);
  }
}

void Checker::bus_refuses(Master master, DmaRange range, BusError error) {
  const std::lock_guard guard{mutex_};
  const std::string_view reason = error == BusError::over_mask       ? "over its mask"
                                  : error == BusError::not_in_window ? "in none of its windows"
                                                                     : "where there is no memory";
  // No physical range belongs to it: the device address stands for one.
  report(Mistake::outside_window, {PhysAddr{range.base.raw()}, range.size_bytes}, nullptr,
         device_name(master) + " emits the device address " + hex(range.base.raw()) + " (" +
             std::to_string(range.size_bytes) + " bytes), " + std::string{reason});
}

// ---- who has what ------------------------------------------------------------------------------

Master Checker::attach(std::string name) {
  const std::lock_guard guard{mutex_};
  devices_.push_back({std::move(name), true});
  return static_cast<Master>(devices_.size());
}

void Checker::detach(Master device, Where where) {
  const std::lock_guard guard{mutex_};
  if (device == kAnyMaster || device > devices_.size()) return;
  devices_[device - 1].attached = false;
  while (Buffer* const buffer = [&]() -> Buffer* {
    for (Buffer& each : live_) {
      if (each.device == device) return &each;
    }
    return nullptr;
  }()) {
    const bool mapped = buffer->made == Made::by_map;
    report(mapped ? Mistake::leaked_mapping : Mistake::leaked_block, buffer->range, buffer,
           device_name(device) + " is detached at " + text_of(where));
    bury(mapped ? unmapped_ : freed_, buffer);
  }
}

void Checker::alloc(Master device, PhysRange asked, std::uint64_t granted_bytes, Where where) {
  const std::lock_guard guard{mutex_};
  const PhysRange range = canonical(asked);
  live_.push_back({.range = range,
                   .granted_bytes = std::max(granted_bytes, asked.size_bytes),
                   .device = device,
                   .made = Made::by_alloc,
                   .direction = Direction::bidirectional,
                   .owner = Owner::cpu,
                   .where = text_of(where),
                   .history = {}});
  ++happened_;
  note(live_.back(), "alloc at " + text_of(where), range);
}

void Checker::free(Master device, PhysRange asked, Where where) {
  const std::lock_guard guard{mutex_};
  const PhysRange range = canonical(asked);
  const std::string what = "free of " + text_of(range) + " at " + text_of(where);
  Buffer* const block = block_at(device, range.base);
  if (block == nullptr) {
    Buffer* const dead = find_dead(freed_, device, range);
    report(dead != nullptr ? Mistake::double_free : Mistake::free_unknown, range,
           dead != nullptr ? dead : find(range), what);
    return;
  }
  if (block->range.size_bytes != range.size_bytes) {
    report(Mistake::wrong_size_at_free, range, block, what);
  }
  ++happened_;
  note(*block, "free at " + text_of(where), range);
  bury(freed_, block);
}

void Checker::map(Master device, PhysRange range, Direction direction, Where where) {
  note_map(device, range, direction, where);
  machine_.device_owns(range, direction);
}

void Checker::note_map(Master device, PhysRange given, Direction direction, const Where& where) {
  const std::lock_guard guard{mutex_};
  const PhysRange range = canonical(given);
  if (range.empty()) return;
  const std::string what = with_direction("map", direction, where) + " of " + text_of(range) +
                           " for " + device_name(device);
  if (device != kAnyMaster && device <= devices_.size() && !devices_[device - 1].attached) {
    report(Mistake::use_after_detach, range, nullptr, what);
  }
  const bool writes = carveout::device_writes(direction);
  const PhysRange lines = whole_lines(range, line_bytes_);
  for (std::size_t i = 0; i < live_.size(); ++i) {
    Buffer& other = live_[i];
    if (other.made != Made::by_map || !lines.overlaps(whole_lines(other.range, line_bytes_)))
      continue;
    if (!writes && !carveout::device_writes(other.direction)) continue;
    report(Mistake::map_overlap, range, &other, what);
  }
  live_.push_back({.range = range,
                   .granted_bytes = range.size_bytes,
                   .device = device,
                   .made = Made::by_map,
                   .direction = direction,
                   .owner = Owner::device,
                   .where = text_of(where),
                   .history = {}});
  ++happened_;
  note(live_.back(), with_direction("map", direction, where), range);
  if (writes && lines != range) {
    report(Mistake::partial_line, range, &live_.back(),
           what + ", which is not whole lines of " + std::to_string(line_bytes_) + " bytes");
  }
}

void Checker::unmap(Master device, PhysRange range, Direction direction, Where where) {
  machine_.cpu_owns(range);
  const std::lock_guard guard{mutex_};
  range = canonical(range);
  const std::string call = with_direction("unmap", direction, where);
  const std::string what = call + " of " + text_of(range);
  Buffer* const mapping = mapped_at(device, range.base);
  if (mapping == nullptr) {
    Buffer* const dead = find_dead(unmapped_, device, range);
    report(dead != nullptr ? Mistake::double_unmap : Mistake::unmap_unknown, range,
           dead != nullptr ? dead : find(range), what);
    return;
  }
  if (mapping->range.size_bytes != range.size_bytes) {
    report(Mistake::wrong_size_at_unmap, range, mapping, what);
  }
  if (mapping->direction != direction) {
    report(Mistake::wrong_direction_at_unmap, range, mapping, what);
  }
  ++happened_;
  note(*mapping, call, range);
  mapping->owner = Owner::cpu;
  bury(unmapped_, mapping);
}

void Checker::sync(Master device, PhysRange given, Direction direction, Owner to,
                   const Where& where) {
  const std::lock_guard guard{mutex_};
  const PhysRange range = canonical(given);
  const std::string call =
      with_direction(to == Owner::cpu ? "sync_for_cpu" : "sync_for_device", direction, where);
  const std::string what = call + " of " + text_of(range);
  Buffer* mapping = nullptr;
  for (Buffer& buffer : live_) {
    if (buffer.made == Made::by_map && buffer.device == device &&
        buffer.range.contains(range.base)) {
      mapping = &buffer;
    }
  }
  if (mapping == nullptr) {
    report(Mistake::sync_unknown, range, find_dead(unmapped_, device, range), what);
    return;
  }
  if (!mapping->range.contains(range)) {
    report(Mistake::sync_outside_range, range, mapping, what);
  }
  if (mapping->direction != direction) {
    report(Mistake::wrong_direction_at_sync, range, mapping, what);
  }
  ++happened_;
  note(*mapping, call, range);
  mapping->owner = to;
}

void Checker::sync_for_cpu(Master device, PhysRange range, Direction direction, Where where) {
  machine_.cpu_owns(range);
  sync(device, range, direction, Owner::cpu, where);
}

void Checker::sync_for_device(Master device, PhysRange range, Direction direction, Where where) {
  sync(device, range, direction, Owner::device, where);
  machine_.device_owns(range, direction);
}

}  // namespace carveout::sim
