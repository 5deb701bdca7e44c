// What the program says of its mappings and blocks: into the book, and out of it the reports.
#include <algorithm>
#include <optional>

#include "carveout_sim/checker.hpp"
#include "lines.hpp"
#include "report_text.hpp"

namespace carveout::sim {

MappingBook::Call Checker::enter(std::string_view verb, Master device, Direction direction,
                                 const Where& where) {
  call_ = with_direction(verb, direction, where);
  return {.device = device, .direction = direction, .where = where};
}

MappingBook::Bytes Checker::bytes_of(PhysRange range) const {
  return {canonical(range).base.raw(), size_of(range)};
}

std::vector<MappingBook::Bytes> Checker::bytes_of(List list) const {
  std::vector<Bytes> all;
  for (const PhysRange& range : list) all.push_back(bytes_of(range));
  return all;
}

void Checker::found(const MappingBook::Report& told) {
  const PhysRange range = range_of(told.bytes);
  std::string what = call_ + " of " + text_of(range);
  switch (told.mistake) {
    case Mistake::partial_line:
      what += ", which is not whole lines of " + std::to_string(line_bytes_) + " bytes";
      break;
    case Mistake::map_overlap:
      what += " for " + name_of_device(told.call.device);
      break;
    case Mistake::wrong_count_at_unmap:
    case Mistake::wrong_count_at_sync:
      what += ", of a list of " + std::to_string(told.entry->pieces);
      break;
    case Mistake::table_full:
      what += "; " + std::to_string(table_.size()) + " mappings and blocks live";
      break;
    default:
      break;
  }
  report(told.mistake, range, told.entry == nullptr ? nullptr : &buffer_of(*told.entry),
         std::move(what));
}

void Checker::make_room(std::size_t entries) {
  constexpr std::size_t kFirst = 16;
  const std::size_t needed = book_.used().size() + entries;
  if (needed <= table_.size()) return;
  table_.resize(std::min(std::max({kFirst, 2 * table_.size(), needed}), settings_.entries));
  book_.move_to(table_);
}

void Checker::note_call(Master device, PhysRange range) {
  ++happened_;
  for (const Entry& entry : book_.living()) {
    if (entry.call.device != device) continue;
    const PhysRange part = range_of(entry.bytes).intersection(canonical(range));
    if (!part.empty()) buffer_of(entry).note(happened_, call_, part);
  }
}

void Checker::passed(Master device, List list, void (Buffer::*to)(PhysRange)) {
  for (const PhysRange& range : list) {
    if (range.empty()) continue;
    const PhysRange lines = whole_lines(canonical(range), line_bytes_);
    for (const Entry& entry : book_.living()) {
      if (entry.call.device == device && range_of(entry.bytes).overlaps(canonical(range))) {
        (buffer_of(entry).*to)(lines);
      }
    }
  }
}

void Checker::owns(List list, Direction direction) {
  for (const PhysRange& range : list) machine_.device_owns(range, direction);
}

void Checker::owns_no_more(List list) {
  for (const PhysRange& range : list) machine_.cpu_owns(range);
}

std::vector<PhysRange> Checker::lent(std::optional<Master> to) const {
  const std::lock_guard guard{mutex_};
  std::vector<PhysRange> ranges;
  for (const Entry& entry : book_.living()) {
    if (MappingBook::is_streaming(entry.made) && (!to || entry.call.device == *to))
      ranges.push_back(range_of(entry.bytes));
  }
  return ranges;
}

// ---- what the device is like -------------------------------------------------------------------

void Checker::check_reach(const Entry& entry, PhysRange given) {
  const Device* const device = device_of(entry.call.device);
  if (device == nullptr) return;
  Buffer* const buffer = &buffer_of(entry);
  const std::string what =
      call_ + " of " + text_of(given) + " for " + name_of_device(entry.call.device);
  if (!device->attached) report(Mistake::use_after_detach, given, buffer, what);
  const DeviceLimits& limits = device->limits;
  // A window may state either address of the RAM.
  std::optional<DmaAddr> dma = limits.translation.to_dma(given);
  if (const auto views = views_of(machine_.aliases(), given); views && !dma) {
    dma = limits.translation.to_dma(views->cached);
    if (!dma) dma = limits.translation.to_dma(views->uncached);
  }
  if (!dma || DmaRange{*dma, given.size_bytes}.last() > limits.mask) {
    report(Mistake::outside_window, given, buffer,
           what + (dma ? ", over its mask" : ", in none of its windows"));
    return;
  }
  if (entry.made == MappingBook::Made::by_alloc) return;
  if (limits.max_segment_bytes != 0 && given.size_bytes > limits.max_segment_bytes) {
    report(Mistake::segment_too_long, given, buffer,
           what + ", which takes " + std::to_string(limits.max_segment_bytes) + " at most");
  }
  const std::uint64_t last = DmaRange{*dma, given.size_bytes}.last().raw();
  if (limits.segment_boundary_bytes != 0 &&
      ((dma->raw() ^ last) & ~(limits.segment_boundary_bytes - 1)) != 0) {
    report(Mistake::crosses_boundary, given, buffer,
           what + ", over a boundary of " + std::to_string(limits.segment_boundary_bytes));
  }
}

void Checker::begun(const Entry* entry, PhysRange given) {
  if (entry == nullptr) return;
  Buffer* const buffer = &buffer_of(*entry);
  if (entry->made != MappingBook::Made::by_map_resource && !machine_.is_ram(given)) {
    report(Mistake::maps_no_ram, given, buffer, call_ + " of " + text_of(given));
    return;
  }
  check_reach(*entry, given);
}

// ---- coherent memory ---------------------------------------------------------------------------

void Checker::alloc(Master device, PhysRange asked, std::uint64_t granted_bytes, Where where) {
  alloc(device, asked, granted_bytes, nullptr, where);
}

void Checker::alloc(Master device, PhysRange asked, std::uint64_t granted_bytes, const void* cpu,
                    Where where) {
  const std::lock_guard guard{mutex_};
  call_ = "alloc at " + text_of(where);
  make_room(1);
  const Entry* const entry =
      book_.alloc(bytes_of(asked), {.device = device, .cpu = cpu, .where = where});
  begun(entry, asked);
  if (entry != nullptr) buffer_of(*entry).grant(granted_bytes);
}

void Checker::free(Master device, PhysRange asked, Where where) {
  free(device, asked, nullptr, where);
}

void Checker::free(Master device, PhysRange asked, const void* cpu, Where where) {
  const std::lock_guard guard{mutex_};
  call_ = "free at " + text_of(where);
  note_call(device, asked);
  book_.free(bytes_of(asked), {.device = device, .cpu = cpu, .where = where});
}

// ---- streaming ---------------------------------------------------------------------------------

void Checker::map(Master device, PhysRange range, Direction direction, Where where) {
  {
    const std::lock_guard guard{mutex_};
    const Call call = enter("map", device, direction, where);
    make_room(1);
    begun(book_.map(bytes_of(range), call), range);
  }
  owns({&range, 1}, direction);
}

void Checker::unmap(Master device, PhysRange range, Direction direction, Where where) {
  owns_no_more({&range, 1});
  const std::lock_guard guard{mutex_};
  const Call call = enter("unmap", device, direction, where);
  note_call(device, range);
  book_.unmap(bytes_of(range), call);
}

void Checker::sync_for_cpu(Master device, PhysRange range, Direction direction, Where where) {
  owns_no_more({&range, 1});
  const std::lock_guard guard{mutex_};
  const Call call = enter("sync_for_cpu", device, direction, where);
  note_call(device, range);
  book_.sync_for_cpu(bytes_of(range), call);
  passed(device, {&range, 1}, &Buffer::give_to_cpu);
}

void Checker::sync_for_device(Master device, PhysRange range, Direction direction, Where where) {
  {
    const std::lock_guard guard{mutex_};
    const Call call = enter("sync_for_device", device, direction, where);
    note_call(device, range);
    book_.sync_for_device(bytes_of(range), call);
    passed(device, {&range, 1}, &Buffer::give_to_device);
  }
  owns({&range, 1}, direction);
}

void Checker::map_failed(Master device, PhysRange range, Direction direction, Where where) {
  const std::lock_guard guard{mutex_};
  const Call call = enter("a failed map", device, direction, where);
  make_room(1);
  if (const Entry* const entry = book_.map_failed(bytes_of(range), call)) {
    static_cast<void>(buffer_of(*entry));
  }
}

void Checker::mapping_error(Master device, PhysRange range) {
  const std::lock_guard guard{mutex_};
  book_.mapping_error(bytes_of(range), {.device = device});
}

void Checker::map_resource(Master device, PhysRange range, Direction direction, Where where) {
  const std::lock_guard guard{mutex_};
  const Call call = enter("map_resource", device, direction, where);
  make_room(1);
  begun(book_.map_resource(bytes_of(range), call), range);
}

void Checker::unmap_resource(Master device, PhysRange range, Direction direction, Where where) {
  const std::lock_guard guard{mutex_};
  const Call call = enter("unmap_resource", device, direction, where);
  note_call(device, range);
  book_.unmap_resource(bytes_of(range), call);
}

// ---- lists -------------------------------------------------------------------------------------

void Checker::map_sg(Master device, List list, Direction direction, Where where) {
  {
    const std::lock_guard guard{mutex_};
    const Call call = enter("map_sg", device, direction, where);
    make_room(list.size());
    const std::size_t before = book_.living().size();
    book_.map_list(bytes_of(list), call);
    if (!book_.follows()) return;
    for (const Entry& entry : book_.living().subspan(before)) begun(&entry, range_of(entry.bytes));
  }
  owns(list, direction);
}

void Checker::unmap_sg(Master device, List list, Direction direction, Where where) {
  owns_no_more(list);
  const std::lock_guard guard{mutex_};
  const Call call = enter("unmap_sg", device, direction, where);
  for (const PhysRange& range : list) note_call(device, range);
  book_.unmap_list(bytes_of(list), call);
}

void Checker::sync_sg_for_cpu(Master device, List list, Direction direction, Where where) {
  owns_no_more(list);
  const std::lock_guard guard{mutex_};
  const Call call = enter("sync_sg_for_cpu", device, direction, where);
  for (const PhysRange& range : list) note_call(device, range);
  book_.sync_list_for_cpu(bytes_of(list), call);
  passed(device, list, &Buffer::give_to_cpu);
}

void Checker::sync_sg_for_device(Master device, List list, Direction direction, Where where) {
  {
    const std::lock_guard guard{mutex_};
    const Call call = enter("sync_sg_for_device", device, direction, where);
    for (const PhysRange& range : list) note_call(device, range);
    book_.sync_list_for_device(bytes_of(list), call);
    passed(device, list, &Buffer::give_to_device);
  }
  owns(list, direction);
}

}  // namespace carveout::sim
