#include "carveout/device_tree/dma_ranges.hpp"

#include <limits>

#include "arena.hpp"
#include "sort.hpp"

namespace carveout::device_tree {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

std::uint64_t last_from(const DmaSegment& segment) {
  return segment.from + (segment.size_bytes - 1);
}

/// Whether `next` continues `segment` on both sides. Two that would make 2^64 bytes stay two: their
/// sum has no size.
bool continues(const DmaSegment& segment, const DmaSegment& next) {
  const std::uint64_t size = segment.size_bytes;
  return last_from(segment) != kTop && segment.from + size == next.from &&
         segment.to + (size - 1) != kTop && segment.to + size == next.to &&
         size <= kTop - next.size_bytes;
}

/// The entries of a bus's `dma-ranges`.
class Entries {
 public:
  Entries(const Tree& tree, Node bus)
      : bytes_{*tree.dma_ranges(bus)},
        child_{tree.cells(bus).address},
        parent_{
            tree.cells(*tree.parent(bus)).address},  // the tree parent's, whoever the DMA parent is
        length_{tree.cells(bus).size},
        entry_bytes_{entry_bytes(bytes_.size(), child_, parent_, length_)} {}

  [[nodiscard]] bool malformed() const {
    return entry_bytes_ == 0 || bytes_.size() % entry_bytes_ != 0;
  }
  /// 0 where malformed: such a list maps nothing.
  [[nodiscard]] std::size_t size() const { return malformed() ? 0 : bytes_.size() / entry_bytes_; }

  /// Cut at 2^64 on either side; its size may be 0.
  [[nodiscard]] DmaSegment operator[](std::size_t index) const {
    const std::size_t at = index * entry_bytes_;
    const std::size_t parent_at = at + child_ * kCellBytes;
    DmaSegment entry{.from = load_number(bytes_, at, child_),
                     .to = load_number(bytes_, parent_at, parent_),
                     .size_bytes = load_number(bytes_, parent_at + parent_ * kCellBytes, length_)};
    for (const std::uint64_t start : {entry.from, entry.to}) {
      if (start != 0 && entry.size_bytes > kTop - start + 1) entry.size_bytes = kTop - start + 1;
    }
    return entry;
  }

 private:
  Bytes bytes_;
  std::uint32_t child_;
  std::uint32_t parent_;
  std::uint32_t length_;
  std::size_t entry_bytes_;
};

}  // namespace

/// Collects windows and joins neighbours.
class DmaRanges::Windows {
 public:
  explicit Windows(std::span<Window> storage) : storage_{storage} {}

  void add(DmaSegment segment) {
    if (has_last_ && continues(last_, segment)) {
      last_.size_bytes += segment.size_bytes;
    } else {
      ++count_;
      last_ = segment;
      has_last_ = true;
    }
    if (count_ <= storage_.size()) {
      storage_[count_ - 1] = {DmaAddr{last_.from}, PhysAddr{last_.to}, last_.size_bytes};
    }
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::span<Window> storage_;
  std::size_t count_ = 0;  // goes on where the storage ends
  DmaSegment last_{};
  bool has_last_ = false;
};

namespace {

/// The most segments of the whole way through a bus of not too many windows, with `own` of its own:
/// one begins or ends only where one of its own does, or a window.
constexpr std::uint64_t most_segments(std::uint64_t own) { return 2 * (own + kMaxWindows); }

/// How many segments of a table begin at or before `address`.
std::size_t count_begun(std::span<const DmaSegment> table, std::uint64_t address) {
  std::size_t low = 0;
  std::size_t high = table.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (table[middle].from <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// Steps from a bus to the buses above it. On a cycle a bus that was already visited, the device
/// too, counts as the root and ends the way.
class WayUp {
 public:
  WayUp(const Tree& tree, Node bus, std::optional<Node> device)
      : tree_{tree}, device_{device.value_or(kNobody)} {
    if (tree.on_dma_cycle(bus)) entry_ = bus;
  }

  [[nodiscard]] std::optional<Node> after(std::optional<Node> next) {
    if (!next || next == device_ || next == entry_) return std::nullopt;
    // Once on a cycle, the way leads round to where it came in.
    if (entry_ == kNobody && tree_.on_dma_cycle(*next)) entry_ = *next;
    return next;
  }

 private:
  static constexpr Node kNobody = Tree::root();  // which is no bus

  const Tree& tree_;
  Node device_;
  Node entry_ = kNobody;
};

}  // namespace

std::size_t DmaRanges::memo_bytes(const Tree& tree) {
  std::uint64_t segments = 0;
  std::uint64_t longest = 0;
  for (const Node node : tree.nodes()) {
    if (!tree.is_translating_bus(node)) continue;
    const std::uint64_t count = Entries{tree, node}.size();
    segments += most_segments(2 * count);
    if (count > longest) longest = count;
  }
  // And what the last of them needs while its table is made.
  return ArenaSize{}
      .array<Slot>(tree.node_count())
      .array<DmaSegment>(segments)
      .array<DmaSegment>(most_segments(2 * longest) + 4 * longest)
      .bytes();
}

DmaRanges::DmaRanges(const Tree& tree, std::span<std::byte> memo) : tree_{tree} {
  Arena arena{memo};
  const auto slots = arena.array<Slot>(tree.node_count());
  if (!slots) return;
  slots_ = *slots;
  // Not arena.array(): that would touch all of a memo that is mostly not needed.
  const std::span<std::byte> rest = arena.rest();
  const std::size_t misaligned =
      reinterpret_cast<std::uintptr_t>(rest.data()) % alignof(DmaSegment);
  const std::size_t skipped = misaligned == 0 ? 0 : alignof(DmaSegment) - misaligned;
  if (rest.size() < skipped) return;
  // A slot counts segments in 32 bits.
  const std::size_t count = (rest.size() - skipped) / sizeof(DmaSegment);
  segments_ = {static_cast<DmaSegment*>(static_cast<void*>(rest.data() + skipped)),
               count < 0x4000'0000 ? count : std::size_t{0x4000'0000}};
}

std::expected<DmaView, TreeError> DmaRanges::of_bus(Node bus, std::span<Window> storage) {
  return view(bus, std::nullopt, storage);
}

std::expected<DmaView, TreeError> DmaRanges::of_device(Node device, std::span<Window> storage) {
  const auto bus = tree_.serving_bus(device);
  if (!bus) return DmaView{.translation = Translation::identity(), .bus = std::nullopt};
  return view(*bus, device, storage);
}

std::expected<DmaView, TreeError> DmaRanges::of_any_device_on(Node parent,
                                                              std::span<Window> storage) {
  const auto bus = tree_.serving_bus_below(parent);
  if (!bus) return DmaView{.translation = Translation::identity(), .bus = std::nullopt};
  return view(*bus, std::nullopt, storage);
}

std::expected<DmaView, TreeError> DmaRanges::view(Node bus, std::optional<Node> device,
                                                  std::span<Window> storage) {
  DmaView view{.translation = Translation::invalid(), .fault = DmaFault::none, .bus = bus};
  const Entries entries{tree_, bus};
  if (entries.malformed()) {
    view.fault = DmaFault::malformed;
    return view;
  }
  Windows windows{storage};
  for (std::size_t i = 0; i < entries.size() && windows.count() <= kMaxWindows; ++i) {
    const DmaSegment entry = entries[i];
    ++steps_;
    if (is_too_many(windows, bus, entry)) {
      view.fault = DmaFault::too_many_windows;
      return view;
    }
    for (std::uint64_t done = 0; done < entry.size_bytes && windows.count() <= kMaxWindows;) {
      const Run run = run_through_levels(bus, device, entry.to + done, entry.size_bytes - 1 - done);
      if (exhausted()) return std::unexpected{TreeError{TreeError::Code::too_many_translations}};
      if (run.covered) windows.add({entry.from + done, run.to, run.more + 1});
      done += run.more + 1;
    }
  }
  if (windows.count() > kMaxWindows) {
    view.fault = DmaFault::too_many_windows;
  } else if (windows.count() > storage.size()) {
    view.fault = DmaFault::no_room;
  } else if (windows.count() == 0) {
    view.fault = DmaFault::nothing_left;
  } else {
    view.translation = Translation::through(storage.first(windows.count()));
  }
  return view;
}

/// The table that holds the whole way from the parent side of `bus` to memory, if there is one.
const DmaRanges::Slot* DmaRanges::whole_way(Node bus) {
  const auto outer = tree_.outer_bus(bus);
  if (!outer || slots_.empty()) return nullptr;
  remember(*outer);
  const Slot& slot = slots_[outer->index()];
  return slot.state == State::table && slot.then == 0 ? &slot : nullptr;
}

/// Whether an entry alone makes so many windows that `windows` becomes too long. A look ahead: to
/// make a thousand windows for each of many thousand buses, only to call them too many, is slow.
bool DmaRanges::is_too_many(const Windows& windows, Node bus, const DmaSegment& entry) {
  const Slot* slot = whole_way(bus);
  if (slot == nullptr || entry.size_bytes == 0) return false;
  const std::span<const DmaSegment> table = segments_.subspan(slot->begin, slot->count);
  // Each segment that begins behind the entry's first byte begins a window; only the first of them
  // may continue what was there before.
  const std::size_t begun =
      count_begun(table, entry.to + (entry.size_bytes - 1)) - count_begun(table, entry.to);
  return begun > 1 && windows.count() + (begun - 1) > kMaxWindows;
}

/// How `address`, on the parent side of `bus`, goes on to memory. Of the `more` bytes after it as
/// many are answered for as go the same way through every level.
DmaRanges::Run DmaRanges::run_through_levels(Node bus, std::optional<Node> device,
                                             std::uint64_t address, std::uint64_t more) {
  if (const Slot* slot = whole_way(bus)) {
    Run run = run_in_table(*slot, address);
    if (more < run.more) run.more = more;
    return run;
  }
  WayUp way{tree_, bus, device};
  Run all{.covered = true, .to = address, .more = more};
  for (auto at = way.after(tree_.outer_bus(bus)); at;) {
    remember(*at);
    const Slot slot = slots_.empty() ? Slot{} : slots_[at->index()];
    const bool has_table = slot.state == State::table;
    const Run run = has_table ? run_in_table(slot, all.to) : run_in_entries(*at, all.to);
    if (run.more < all.more) all.more = run.more;
    all.covered = run.covered;
    if (!run.covered || exhausted()) break;
    all.to = run.to;
    if (!has_table) {
      at = way.after(tree_.outer_bus(*at));
    } else {
      at = way.after(slot.then == 0 ? std::nullopt : std::optional{Node{slot.then}});
    }
  }
  return all;
}

DmaRanges::Run DmaRanges::run_in_entries(Node bus, std::uint64_t address) {
  const Entries entries{tree_, bus};
  Run run{.covered = false, .to = 0, .more = kTop - address};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ++steps_;
    const DmaSegment entry = entries[i];
    if (entry.size_bytes == 0) continue;
    if (entry.from > address) {  // from there on this entry wins, or covers
      if (entry.from - address - 1 < run.more) run.more = entry.from - address - 1;
    } else if (last_from(entry) >= address) {
      run.covered = true;
      run.to = entry.to + (address - entry.from);
      if (last_from(entry) - address < run.more) run.more = last_from(entry) - address;
      break;
    }
  }
  ++steps_;
  return run;
}

DmaRanges::Run DmaRanges::run_in_table(const Slot& slot, std::uint64_t address) {
  ++steps_;
  const std::span<const DmaSegment> table = segments_.subspan(slot.begin, slot.count);
  // The last segment that begins at or before the address. Windows are made in ascending order, so
  // it is mostly where the last one was, or the next.
  const auto is_it = [&](std::size_t i) {
    return i < table.size() && table[i].from <= address &&
           (i + 1 == table.size() || table[i + 1].from > address);
  };
  std::size_t found = hint_;
  if (!is_it(found)) ++found;
  if (!is_it(found)) {
    found = count_begun(table, address);
    if (found == 0) {
      return {.covered = false,
              .to = 0,
              .more = table.empty() ? kTop - address : table[0].from - address - 1};
    }
    --found;
  }
  hint_ = found;
  const DmaSegment& segment = table[found];
  if (last_from(segment) >= address) {
    return {.covered = true,
            .to = segment.to + (address - segment.from),
            .more = last_from(segment) - address};
  }
  const std::uint64_t next = found + 1 < table.size() ? table[found + 1].from - 1 : kTop;
  return {.covered = false, .to = 0, .more = next - address};
}

/// Makes the tables of this bus and of those above it on which its own is built. Without recursion:
/// a chain of DMA parents may be as long as the tree has nodes.
void DmaRanges::remember(Node bus) {
  if (slots_.empty() || slots_[bus.index()].state != State::unknown) return;
  std::uint32_t waiting = 0;  // the root is no bus: it says that nobody waits
  for (std::optional<Node> at = bus; at && slots_[at->index()].state == State::unknown;) {
    Slot& slot = slots_[at->index()];
    slot.state = State::pending;
    slot.then = waiting;
    waiting = at->index();
    at = tree_.on_dma_cycle(*at) ? std::nullopt : tree_.outer_bus(*at);
  }
  while (waiting != 0) {
    const std::uint32_t next = slots_[waiting].then;
    make_table(Node{waiting});
    waiting = next;
  }
}

void DmaRanges::make_table(Node bus) {
  Slot& slot = slots_[bus.index()];
  slot.state = State::no_table;
  if (exhausted() || !flatten(bus, slot)) return;
  slot.state = State::table;
  const auto outer = tree_.outer_bus(bus);
  slot.then = outer ? outer->index() : 0;
  // On a cycle the way on depends on where it came in.
  if (!outer || tree_.on_dma_cycle(bus) || tree_.on_dma_cycle(*outer)) return;
  const Slot above = slots_[outer->index()];
  if (above.state == State::table) fold(slot, above, most_segments(slot.count));
}

/// Appends to the segments that began at `begin`, joining neighbours.
bool DmaRanges::push(DmaSegment segment, std::size_t begin) {
  ++steps_;
  if (used_ > begin && continues(segments_[used_ - 1], segment)) {
    segments_[used_ - 1].size_bytes += segment.size_bytes;
    return true;
  }
  if (used_ == segments_.size()) return false;
  segments_[used_++] = segment;
  return true;
}

/// The bus's own entries as a table: disjoint, because where entries overlap the first wins.
bool DmaRanges::flatten(Node bus, Slot& slot) {
  struct Entry {
    DmaSegment segment;
    std::uint32_t rank;
  };
  const Entries entries{tree_, bus};
  const std::size_t count = entries.size();
  const std::size_t begin = used_;
  const auto done = [&](bool made) {
    if (!made) used_ = begin;
    slot.begin = static_cast<std::uint32_t>(begin);
    slot.count = static_cast<std::uint32_t>(used_ - begin);
    return made;
  };
  if (count == 1) {
    const DmaSegment entry = entries[0];
    return done(entry.size_bytes == 0 || push(entry, begin));
  }

  // Behind the place of the result (each entry begins and ends one stretch at most), what is needed
  // on the way.
  if (segments_.size() - used_ < 2 * count) return done(false);
  const std::span<DmaSegment> behind = segments_.subspan(used_ + 2 * count);
  Arena arena{{reinterpret_cast<std::byte*>(behind.data()), behind.size_bytes()}};
  const auto all = arena.array<Entry>(count);
  const auto all_ranks = arena.array<std::uint32_t>(count);
  if (!all || !all_ranks) return done(false);

  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const DmaSegment entry = entries[i];
    if (entry.size_bytes != 0) (*all)[used++] = {entry, static_cast<std::uint32_t>(i)};
  }
  steps_ += count;
  const std::span<Entry> sorted = all->first(used);
  sort(sorted, [](const Entry& a, const Entry& b) { return a.segment.from < b.segment.from; });

  // Entries that have begun, the first of the list on top. Those that have ended leave when they
  // come to the top. The heap holds places in `sorted`.
  const std::span<std::uint32_t> heap = *all_ranks;
  std::size_t open = 0;
  const auto later = [&](std::uint32_t a, std::uint32_t b) {
    return sorted[a].rank > sorted[b].rank;
  };
  const auto enter = [&](std::size_t which) {
    std::size_t at = open++;
    heap[at] = static_cast<std::uint32_t>(which);
    for (; at > 0 && later(heap[(at - 1) / 2], heap[at]); at = (at - 1) / 2) {
      std::swap(heap[(at - 1) / 2], heap[at]);
    }
  };
  const auto leave = [&] {
    heap[0] = heap[--open];
    sift_down(heap, 0, open, later);
  };
  std::size_t next = 0;
  std::uint64_t address = 0;
  while (true) {
    while (open > 0 && last_from(sorted[heap[0]].segment) < address) leave();
    if (open == 0) {
      if (next == sorted.size()) return done(true);
      address = sorted[next].segment.from;
    }
    while (next < sorted.size() && sorted[next].segment.from <= address) enter(next++);
    const DmaSegment& top = sorted[heap[0]].segment;
    std::uint64_t last = last_from(top);
    if (next < sorted.size() && sorted[next].segment.from <= last)
      last = sorted[next].segment.from - 1;
    if (!push({address, top.to + (address - top.from), last - address + 1}, begin))
      return done(false);
    if (last == kTop) return done(true);
    address = last + 1;
  }
}

/// Replaces the table of a bus by the way through it and through `outer`, if that has no more than
/// `most` segments.
void DmaRanges::fold(Slot& slot, const Slot& outer, std::uint64_t most) {
  const std::size_t begin = used_;
  for (std::size_t i = 0; i < slot.count; ++i) {
    const DmaSegment segment = segments_[slot.begin + i];
    for (std::uint64_t done = 0; done < segment.size_bytes;) {
      const Run run = run_in_table(outer, segment.to + done);
      const std::uint64_t left = segment.size_bytes - 1 - done;
      const std::uint64_t more = run.more < left ? run.more : left;
      if (exhausted() || used_ - begin > most ||
          (run.covered && !push({segment.from + done, run.to, more + 1}, begin))) {
        used_ = begin;
        return;
      }
      done += more + 1;
    }
  }
  // The result moves down over the table that it replaces.
  const std::size_t count = used_ - begin;
  for (std::size_t i = 0; i < count; ++i) segments_[slot.begin + i] = segments_[begin + i];
  used_ = slot.begin + count;
  slot.count = static_cast<std::uint32_t>(count);
  slot.then = outer.then;
}

}  // namespace carveout::device_tree
