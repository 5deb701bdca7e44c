// What CPUs and devices do to memory, held against what the caches may hold and whose it is.
#include <algorithm>

#include "carveout_sim/checker.hpp"
#include "lines.hpp"
#include "report_text.hpp"

namespace carveout::sim {

void Checker::check_touch(std::string_view who, PhysRange range, Through through, Touch how,
                          std::string_view stacks) {
  const std::string what = std::string{who} + text_of(range);
  for (const MappingBook::Entry& entry : book_.living()) {
    if (entry.made == MappingBook::Made::by_map_resource) continue;  // no memory that one has
    Buffer& buffer = buffer_of(entry);
    if (!buffer.granted().overlaps(range)) continue;
    if (buffer.is_block()) {
      if (through == Through::cache) {
        report(Mistake::cached_twin, range, &buffer, what + " through the cache", stacks);
      }
      if (range.last() > buffer.range().last()) {
        report(Mistake::overrun, range, &buffer, what + ", past the block's end", stacks);
      }
      continue;
    }
    if (buffer.cpu_owns(buffer.range().intersection(range))) continue;
    // Reading what the device only reads, too, harms nobody.
    if (how == Touch::load && !carveout::device_writes(buffer.direction())) continue;
    report(Mistake::touch_while_device_owns, range, &buffer, what, stacks);
  }
}

void Checker::check_order(std::uint32_t cpu, PhysRange range, std::string_view who) {
  auto& [lines, unpublished, unobserved, announced] = cpus_[cpu];
  if (flags_.find(range)) {
    // Which of the device's bytes the flag speaks of is not known: all that were written by then.
    for (auto& [master, written] : unobserved) {
      for (PhysRange rest = range; const auto flag = flags_.find(rest);) {
        if (written.find(*flag)) announced.add(written);
        rest = {PhysAddr{flag->base.raw() + flag->size_bytes},
                range.base.raw() + range.size_bytes - flag->base.raw() - flag->size_bytes};
      }
    }
  } else if (const auto early = announced.find(range)) {
    report(Mistake::missing_observe_barrier, *early, find(*early),
           joined({who, text_of(*early),
                   ", which a device wrote before a flag that the CPU has loaded, with no barrier "
                   "since"}));
  }
  // What a CPU has seen young it does not see old again.
  for (auto& [master, written] : unobserved) written.remove(range);
  announced.remove(range);
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
  stored_anew(range);
  cpus_[cpu].lines.change(range, MarkedLines::kStored | MarkedLines::kHeld,
                          MarkedLines::kDeviceWrote | MarkedLines::kLost);
}

void Checker::cpu_reads(std::uint32_t cpu, PhysRange range, Through through) {
  const std::lock_guard guard{mutex_};
  note("CPU " + std::to_string(cpu) + " loads", range);
  const std::string who = "CPU " + std::to_string(cpu) + " loads ";
  check_touch(who, range, through, Touch::load);
  if (through == Through::memory) {
    check_order(cpu, range, who);
    return;
  }
  if (settings_.speculation == Speculation::never) {
    cpus_[cpu].lines.change(whole_lines(range, line_bytes_), MarkedLines::kHeld, 0);
  }
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
  stored_anew(range);
  if (through == Through::cache) {
    const int marks = (machine_.keeps_stores() ? MarkedLines::kStored : 0) |
                      (machine_.fetches_for_stores() ? MarkedLines::kHeld : 0);
    cpus_[cpu].lines.change(range, static_cast<std::uint8_t>(marks), MarkedLines::kDeviceWrote);
  }
  if (through == Through::cache && machine_.keeps_stores()) {
    // The rest of the line goes out with the store.
    if (const auto stale =
            cpus_[cpu].lines.find(whole_lines(range, line_bytes_), MarkedLines::kDeviceWrote)) {
      Buffer* const buffer = find(*stale);
      const bool neighbour = buffer != nullptr && !buffer->range().contains(range);
      report(neighbour ? Mistake::line_shared : Mistake::missing_sync_after_device_wrote, *stale,
             buffer,
             "CPU " + std::to_string(cpu) + " stores " + text_of(range) +
                 " into a line of which a device wrote " + text_of(*stale) +
                 ", and which was not invalidated since");
    }
    return;
  }
  for (auto& [master, unobserved] : cpus_[cpu].unobserved) unobserved.remove(range);
  cpus_[cpu].announced.remove(range);
  on_its_way(cpu, range, through);
}

void Checker::stored_anew(PhysRange range) {
  for (CpuState& cpu : cpus_) cpu.lines.change(range, 0, MarkedLines::kLost);
}

void Checker::on_its_way(std::uint32_t cpu, PhysRange range, Through through) {
  const auto views = views_of(machine_.aliases(), range);
  const bool one_address = views && views->cached == views->uncached;
  constexpr std::size_t kStores = 4096;
  auto& unpublished = cpus_[cpu].unpublished;
  if (unpublished.size() == kStores) unpublished.erase(unpublished.begin());
  unpublished.push_back({range, through == Through::cache || one_address, {}});
}

void Checker::arrived(std::uint32_t cpu, PhysRange lines) {
  std::vector<Store> rest;
  for (Store& store : cpus_[cpu].unpublished) {
    if (!store.by_its_line || !store.range.overlaps(lines)) {
      rest.push_back(std::move(store));
      continue;
    }
    RangeSet left;
    left.add(store.range);
    left.remove(lines);
    for (const PhysRange& piece : left.pieces()) rest.push_back({piece, true, store.seen_by});
  }
  cpus_[cpu].unpublished = std::move(rest);
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
      cpus_[cpu].lines.change(
          lines, 0, MarkedLines::kStored | MarkedLines::kDeviceWrote | MarkedLines::kHeld);
      break;
  }
  // A store that was written through is below the cache, and a clean is complete.
  if (what != Maintenance::invalidate) arrived(cpu, lines);
}

void Checker::cpu_orders(std::uint32_t cpu, Barrier barrier) {
  const std::lock_guard guard{mutex_};
  if (barrier != Barrier::observe) cpus_[cpu].unpublished.clear();
  if (barrier != Barrier::publish) {
    cpus_[cpu].unobserved.clear();
    cpus_[cpu].announced.clear();
  }
}

// ---- devices -----------------------------------------------------------------------------------

Buffer* Checker::check_mapped(Master master, PhysRange range, std::string_view verb) {
  const Device* const device = device_of(master);
  if (device == nullptr) return find(range);
  const std::string what = name_of_device(master) + " " + std::string{verb} + " " + text_of(range);
  if (Witness* const witness = machine_.witness()) witness->named(master, device->name);
  if (!device->attached) {
    report(Mistake::use_after_detach, range, nullptr, what);
    return nullptr;
  }
  if (!book_.follows()) return nullptr;
  Buffer* first = nullptr;
  RangeSet strange;
  strange.add(range);
  for (const MappingBook::Entry& entry : book_.living()) {
    if (entry.call.device != master || !range_of(entry.bytes).overlaps(range)) continue;
    strange.remove(range_of(entry.bytes));
    if (first == nullptr || range_of(entry.bytes).contains(range)) first = &buffer_of(entry);
  }
  if (strange.empty()) return first;
  // The history to be told is that of the latest use.
  const MappingBook::Entry* last = nullptr;
  for (const MappingBook::Entry& entry : book_.used().subspan(book_.living().size())) {
    if (entry.call.device != master || !range_of(entry.bytes).overlaps(range)) continue;
    if (last == nullptr || book_.ended_earlier(*last, entry)) last = &entry;
  }
  report(Mistake::device_access_unmapped, range, last != nullptr ? &buffer_of(*last) : nullptr,
         what);
  return nullptr;
}

void Checker::device_reads(Master master, PhysRange range, Started started) {
  const std::lock_guard guard{mutex_};
  note(name_of_device(master) + " reads", range);
  Buffer* const buffer = check_mapped(master, range, "reads");
  const std::string who = name_of_device(master) + " reads ";
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
        store->seen_by.insert(master);
      } else {
        // What another device saw tells this one nothing.
        saw_later = saw_later || store->seen_by.contains(master);
      }
    }
  }
}

void Checker::check_lines_under(PhysRange range, Buffer* buffer, const std::string& who) {
  const PhysRange lines = whole_lines(range, line_bytes_);
  const PhysRange whose = (buffer != nullptr ? buffer->range() : range).intersection(lines);
  RangeSet others;
  others.add(lines);
  others.remove(whose);
  for (std::uint32_t cpu = 0; cpu < cpus_.size(); ++cpu) {
    const auto tell = [&](PhysRange where, Mistake mistake) {
      const auto stored = cpus_[cpu].lines.find(where, MarkedLines::kStored);
      if (!stored) return;
      report(mistake, *stored, buffer,
             who + "; CPU " + std::to_string(cpu) + " stored " + text_of(*stored) +
                 " of the same lines and did not clean it");
    };
    tell(whose, Mistake::dirty_line_over_device_data);
    for (const PhysRange& part : others.pieces()) tell(part, Mistake::line_shared);
  }
}

void Checker::device_writes(Master master, PhysRange range, Started started) {
  const std::lock_guard guard{mutex_};
  note(name_of_device(master) + " writes", range);
  Buffer* const buffer = check_mapped(master, range, "writes");
  const std::string who = name_of_device(master) + " writes " + text_of(range);
  for (const MappingBook::Entry& entry : book_.living()) {
    if (device_of(master) != nullptr && entry.call.device != master) continue;
    const PhysRange part = range_of(entry.bytes).intersection(range);
    Buffer& of = buffer_of(entry);
    if (!part.empty() && of.is_mapped() && !carveout::device_writes(of.direction())) {
      report(Mistake::device_write_to_read_only, part, &of, who);
    }
  }
  check_lines_under(range, buffer, who);
  for (std::uint32_t cpu = 0; cpu < cpus_.size(); ++cpu) {
    for (const Store& store : cpus_[cpu].unpublished) {
      if (started != Started::by_cpu || !store.range.overlaps(range)) continue;
      report(Mistake::missing_publish_barrier, store.range, buffer,
             joined({who, ", over ", text_of(store.range), ", which CPU ", std::to_string(cpu),
                     " stored with no barrier since: that may come later"}));
      break;
    }
    cpus_[cpu].lines.device_wrote(range, settings_.speculation == Speculation::never
                                             ? MarkedLines::Which::held
                                             : MarkedLines::Which::every);
    if (!flags_.empty()) cpus_[cpu].unobserved[master].add(range);
  }
}

void Checker::bus_refuses(Master master, DmaRange range, BusError error) {
  const std::lock_guard guard{mutex_};
  const std::string_view reason = error == BusError::over_mask       ? "over its mask"
                                  : error == BusError::not_in_window ? "in none of its windows"
                                                                     : "where there is no memory";
  // No physical range belongs to it: the device address stands for one.
  report(Mistake::outside_window, {PhysAddr{range.base.raw()}, range.size_bytes}, nullptr,
         name_of_device(master) + " emits the device address " + hex(range.base.raw()) + " (" +
             std::to_string(range.size_bytes) + " bytes), " + std::string{reason});
}

}  // namespace carveout::sim
