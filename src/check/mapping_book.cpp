#include "carveout/check/mapping_book.hpp"

namespace carveout {
namespace {

using Bytes = MappingBook::Bytes;
using Made = MappingBook::Made;

/// Not of 0 bytes.
std::uint64_t last(const Bytes& bytes) { return bytes.at + (bytes.size_bytes - 1); }

/// Whether there is a line, of so many bytes, that both touch.
bool meet(const Bytes& a, const Bytes& b, std::size_t line_bytes) {
  const std::uint64_t lines = 0 - std::uint64_t{line_bytes};
  return (a.at & lines) <= last(b) && (b.at & lines) <= last(a);
}

}  // namespace

void MappingBook::clear() {
  living_ = 0;
  used_ = 0;
  follows_ = true;
}

void MappingBook::report(Mistake mistake, const Bytes& bytes, const Call& call,
                         const Entry* entry) {
  ++counts_[static_cast<std::size_t>(mistake)];
  settings_.callback(settings_.context, {mistake, bytes, call, entry});
}

bool MappingBook::share_a_line(const Bytes& a, const Bytes& b) const {
  return meet(a, b, settings_.line_bytes);
}

// ---- the table ---------------------------------------------------------------------------------

std::uint32_t MappingBook::next() {
  // 0 is the end of what lives.
  if (++now_ == 0) ++now_;
  return now_;
}

MappingBook::Entry* MappingBook::room() {
  // The first of the ended makes room behind the living, and goes to the end, or over the one that
  // ended first.
  std::size_t to = living_;
  if (used_ < table_.size()) {
    to = used_++;
    table_[to].slot = static_cast<std::uint32_t>(to);
  } else {
    for (std::size_t i = living_; i < used_; ++i) {
      if (ended_earlier(table_[i], table_[to])) to = i;
    }
  }
  const std::uint32_t slot = table_[to].slot;
  Entry& entry = table_[living_++];
  table_[to] = entry;
  entry.slot = slot;
  return &entry;
}

const MappingBook::Entry* MappingBook::end(Entry& entry) {
  entry.ended = next();
  Entry& other = table_[--living_];
  const Entry ended = entry;
  entry = other;
  other = ended;
  return &other;
}

MappingBook::Entry* MappingBook::best(const Bytes& bytes, const Call& call, Made made,
                                      Place place) const {
  Entry* found = nullptr;
  unsigned best = 0;
  for (Entry& entry : table_.first(living_)) {
    if (entry.call.device != call.device) continue;
    const std::uint64_t offset = bytes.at - entry.bytes.at;
    unsigned fits = 1;
    if (place == Place::there) {
      if (offset != 0) continue;
      if (entry.made == made) fits += 4;
      if (entry.bytes.size_bytes == bytes.size_bytes) fits += 2;
    } else {
      if (!is_streaming(entry.made) || offset >= entry.bytes.size_bytes) continue;
      if (bytes.size_bytes <= entry.bytes.size_bytes - static_cast<std::size_t>(offset)) fits += 2;
    }
    if (entry.call.direction == call.direction) ++fits;
    if (fits <= best) continue;
    best = fits;
    found = &entry;
  }
  return found;
}

// ---- what begins -------------------------------------------------------------------------------

MappingBook::Entry* MappingBook::begin(const Bytes& bytes, const Call& call, Made made) {
  if (!follows_ || bytes.size_bytes == 0) return nullptr;
  if (living_ == table_.size()) {
    follows_ = false;
    living_ = 0;
    used_ = 0;
    report(Mistake::table_full, bytes, call, nullptr);
    return nullptr;
  }
  Entry* const entry = room();
  entry->bytes = bytes;
  entry->call = call;
  entry->serial = next();
  entry->ended = 0;
  entry->list = entry->serial;
  entry->pieces = 1;
  entry->made = made;
  entry->handle = Handle::unchecked;
  if (is_streaming(made)) check_neighbours(*entry, call);
  return entry;
}

void MappingBook::check_neighbours(const Entry& entry, const Call& call) {
  const Bytes& bytes = entry.bytes;
  const bool writes = device_writes(call.direction);
  std::size_t readers = 0;
  for (const Entry& other : table_.first(living_ - 1)) {
    if (!is_streaming(other.made) || !share_a_line(other.bytes, bytes)) continue;
    if (writes || device_writes(other.call.direction)) {
      report(Mistake::map_overlap, bytes, call, &other);
    } else {
      ++readers;
    }
  }
  if (readers > kMostOverlaps && crowded(entry)) {
    report(Mistake::too_many_overlaps, bytes, call, &entry);
  }
  for (const Forbidden& each : forbidden_) {
    if (each.bytes.size_bytes != 0 && meet(each.bytes, bytes, 1)) {
      report(each.mistake, bytes, call, &entry);
    }
  }
  if (writes &&
      ((static_cast<std::size_t>(bytes.at) | bytes.size_bytes) & (settings_.line_bytes - 1)) != 0) {
    report(Mistake::partial_line, bytes, call, &entry);
  }
}

bool MappingBook::crowded(const Entry& entry) const {
  // The most crowded line of an entry is one in which it or another one begins.
  for (const Entry& first : living()) {
    const Bytes line{first.bytes.at, 1};
    if (!is_streaming(first.made) || !share_a_line(line, entry.bytes)) continue;
    std::size_t there = 0;
    for (const Entry& other : living()) {
      if (is_streaming(other.made) && share_a_line(line, other.bytes)) ++there;
    }
    if (there > kMostOverlaps + 1) return true;
  }
  return false;
}

const MappingBook::Entry* MappingBook::map_failed(Bytes bytes, const Call& call) {
  // As a resource at first: nothing is lent, so no neighbour is disturbed.
  Entry* const entry = begin(bytes, call, Made::by_map_resource);
  if (entry == nullptr) return nullptr;
  entry->made = Made::by_map;
  entry->handle = Handle::failed;
  return end(*entry);
}

void MappingBook::map_list(List list, const Call& call) {
  std::uint32_t first = 0;
  for (const Bytes& bytes : list) {
    Entry* const entry = begin(bytes, call, Made::by_map_list);
    if (entry == nullptr) continue;
    if (first == 0) first = entry->serial;
    entry->list = first;
    entry->pieces = static_cast<std::uint32_t>(list.size());
    entry->handle = Handle::checked;
  }
}

void MappingBook::mapping_error(Bytes bytes, const Call& call) {
  // Of mappings that are alike, each is to be looked at: one call is for one of them.
  for (Entry& entry : table_.first(living_)) {
    if (entry.made == Made::by_map && entry.handle == Handle::unchecked &&
        entry.call.device == call.device && entry.bytes.at == bytes.at) {
      entry.handle = Handle::checked;
      return;
    }
  }
}

// ---- what ends ---------------------------------------------------------------------------------

const MappingBook::Entry* MappingBook::report_missing(Mistake unknown, const Bytes& bytes,
                                                      const Call& call) {
  const bool block = unknown == Mistake::free_unknown;
  const Entry* about = nullptr;
  for (const Entry& entry : table_.first(used_)) {
    if (!meet(entry.bytes, bytes, 1)) continue;
    const bool ended = entry.ended != 0 && entry.call.device == call.device &&
                       (entry.made == Made::by_alloc) == block &&
                       (about == nullptr || about->ended == 0 || ended_earlier(*about, entry));
    // One that lives is another's, and told of only where none of this device ended here.
    if (entry.ended == 0 || ended) about = &entry;
  }
  if (about != nullptr && about->ended != 0) {
    if (about->handle == Handle::failed) {
      unknown = Mistake::failed_mapping_used;
    } else if (block) {
      unknown = Mistake::double_free;
    } else if (unknown == Mistake::unmap_unknown) {
      unknown = Mistake::double_unmap;
    }
  }
  report(unknown, bytes, call, about);
  return nullptr;
}

const MappingBook::Entry* MappingBook::finish(const Bytes& bytes, const Call& call, Made made) {
  if (!follows_ || bytes.size_bytes == 0) return nullptr;
  const bool block = made == Made::by_alloc;
  Entry* const entry = best(bytes, call, made, Place::there);
  if (entry == nullptr) {
    return report_missing(block ? Mistake::free_unknown : Mistake::unmap_unknown, bytes, call);
  }
  const auto differs = [&](Mistake mistake) { report(mistake, bytes, call, entry); };
  if (entry->made != made) {
    differs(Mistake::wrong_function);
    return end(*entry);
  }
  if (entry->bytes != bytes) {
    differs(block ? Mistake::wrong_size_at_free : Mistake::wrong_size_at_unmap);
  }
  if (block) {
    if (entry->call.cpu != call.cpu && entry->call.cpu != nullptr && call.cpu != nullptr) {
      differs(Mistake::wrong_pointer_at_free);
    }
  } else {
    if (entry->call.direction != call.direction) differs(Mistake::wrong_direction_at_unmap);
    if (entry->handle == Handle::unchecked && settings_.errors == Errors::by_mapping_error) {
      differs(Mistake::unchecked_mapping);
    }
  }
  return end(*entry);
}

void MappingBook::unmap_list(List list, const Call& call) {
  if (list.empty()) return;
  const Entry* const head = best(list[0], call, Made::by_map_list, Place::there);
  if (head == nullptr || head->pieces == list.size()) {
    for (const Bytes& bytes : list) finish(bytes, call, Made::by_map_list);
    return;
  }
  report(head->made == Made::by_map_list ? Mistake::wrong_count_at_unmap : Mistake::wrong_function,
         list[0], call, head);
  const std::uint32_t ends = head->list;
  // Backwards: what ends changes places with the last that lives.
  for (std::size_t i = living_; i-- > 0;) {
    if (table_[i].list == ends) end(table_[i]);
  }
}

void MappingBook::detach(const Call& call) {
  for (std::size_t i = living_; i-- > 0;) {
    Entry& entry = table_[i];
    if (entry.call.device != call.device) continue;
    report(entry.made == Made::by_alloc ? Mistake::leaked_block : Mistake::leaked_mapping,
           entry.bytes, call, &entry);
    end(entry);
  }
}

// ---- what goes on ------------------------------------------------------------------------------

const MappingBook::Entry* MappingBook::sync(const Bytes& bytes, const Call& call,
                                            Direction one_way) {
  if (!follows_ || bytes.size_bytes == 0) return nullptr;
  const Entry* const entry = best(bytes, call, Made::by_map, Place::around);
  if (entry == nullptr) return report_missing(Mistake::sync_unknown, bytes, call);
  if (last(bytes) > last(entry->bytes)) report(Mistake::sync_outside_range, bytes, call, entry);
  if (entry->call.direction != call.direction) {
    report(entry->call.direction != one_way  ? Mistake::wrong_direction_at_sync
           : one_way == Direction::to_device ? Mistake::sync_for_cpu_of_to_device
                                             : Mistake::sync_for_device_of_from_device,
           bytes, call, entry);
  }
  return entry;
}

void MappingBook::sync_list(List list, const Call& call, Direction one_way) {
  for (const Bytes& bytes : list) {
    const Entry* const entry = sync(bytes, call, one_way);
    if (&bytes == list.data() && entry != nullptr && entry->pieces != list.size()) {
      report(Mistake::wrong_count_at_sync, bytes, call, entry);
    }
  }
}

}  // namespace carveout
