// The book of a program's DMA mappings: what is lent to which device, and every mistake that
// follows from the calls alone. For a target: a table of the caller's, no heap, nothing else of
// Carveout.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>

#include "carveout/check/mistake.hpp"
#include "carveout/core/direction.hpp"

namespace carveout {

/// Told of each mapping, sync and allocation, from beside the call that does it. It does none of
/// them, and looks at no memory.
///
/// A mapping that has ended stays in the table until its place is needed: that is how a second
/// unmap() is told from one of something unknown. Where more live than the table has room for, it
/// says table_full once and from then on nothing: what it does not know it does not judge.
///
/// A report is made for each mistaken call, and the call is followed as far as it makes sense: an
/// unmap() of the wrong size ends the mapping. Where a mistake is to be fatal, the callback does
/// not return.
///
/// Not thread-safe: who calls from several contexts, interrupts too, holds a lock of his own. The
/// callback is called from within the call, under that lock.
///
/// Cost of each call: linear in the entries that live; of one that finds nothing alive, and of
/// map() and alloc() once the table was full of ended entries, in the table. Lists: entry by entry.
/// One case is quadratic in what lives: too_many_overlaps, where it is near.
class MappingBook {
 public:
  using Where = std::source_location;
  /// A number that the caller gives each device.
  using Device = std::uint32_t;

  /// By whatever address the caller knows them: the CPU's pointer, or the physical address, which
  /// can have more bits. Bytes that have two are told by one of them, always the same. The address
  /// is not 0 bytes before the top of the address space.
  struct Bytes {
    std::uint64_t at;
    std::size_t size_bytes;

    constexpr bool operator==(const Bytes&) const = default;
  };

  /// By which call; only its counterpart ends it.
  enum class Made : std::uint8_t { by_map, by_map_list, by_map_resource, by_alloc };
  [[nodiscard]] static constexpr bool is_streaming(Made made) {
    return made == Made::by_map || made == Made::by_map_list;
  }
  /// What the caller knows of a mapping's address.
  enum class Handle : std::uint8_t {
    unchecked,  ///< mapping_error() was not called
    checked,
    failed,  ///< it is none
  };

  /// Who calls, and for whom.
  struct Call {
    Device device;
    Direction direction = Direction::bidirectional;
    /// Of alloc() and free(): the pointer that came with the memory; nullptr: not compared.
    const void* cpu = nullptr;
    Where where = Where::current();
  };

  struct Entry {
    Bytes bytes{};
    Call call{.device = 0, .where = {}};  ///< that made it
    std::uint32_t serial = 0;             ///< of all that were ever in the book, from 1
    std::uint32_t ended = 0;              ///< when, by the same count; 0: it lives
    std::uint32_t list = 0;               ///< the serial of its list's first entry
    std::uint32_t pieces = 0;             ///< of its list
    std::uint32_t slot = 0;               ///< under the table's size, and no other entry's
    Made made = Made::by_map;
    Handle handle = Handle::checked;
  };

  struct Report {
    Mistake mistake;
    const Bytes& bytes;  ///< what the call was about
    const Call& call;
    const Entry* entry;  ///< what it is about, alive or ended; nullptr: nothing in the book
  };
  using Callback = void (*)(void* context, const Report& report);

  /// Memory that is never mapped, and what it is to map it: maps_stack, maps_text, maps_no_ram.
  struct Forbidden {
    Bytes bytes;
    Mistake mistake;
  };

  /// How the caller learns that a mapping failed.
  enum class Errors : std::uint8_t {
    by_result,         ///< the call's result says it, and has no address then
    by_mapping_error,  ///< from the address: each is asked about before it is given back
  };

  struct Settings {
    Callback callback;
    void* context = nullptr;
    std::size_t line_bytes;  ///< of the cache, a power of two; 1: there is none
    Errors errors = Errors::by_result;
  };

  /// So many mappings of one line that devices only read are not found suspicious: as in Linux.
  static constexpr std::size_t kMostOverlaps = 7;

  /// @param table  outlives the book.
  MappingBook(std::span<Entry> table, const Settings& settings)
      : table_{table}, settings_{settings} {}

  /// Goes on in a longer table, which begins with a copy of all that used() has.
  void move_to(std::span<Entry> table) { table_ = table; }

  /// `forbidden` outlives the book. It is read anew at each map().
  void forbid(std::span<const Forbidden> forbidden) { forbidden_ = forbidden; }

  /// Whatever makes or ends an entry, and a sync, says which entry it was about; nullptr where
  /// there is none. The pointer is good until the next call.
  ///
  /// A mapping is the device's from map() or sync_for_device() on until sync_for_cpu() or unmap().
  /// Of 0 bytes: nothing happens.
  const Entry* map(Bytes bytes, const Call& call) { return begin(bytes, call, Made::by_map); }
  const Entry* unmap(Bytes bytes, const Call& call) { return finish(bytes, call, Made::by_map); }
  const Entry* sync_for_cpu(Bytes bytes, const Call& call) {
    return sync(bytes, call, Direction::to_device);
  }
  const Entry* sync_for_device(Bytes bytes, const Call& call) {
    return sync(bytes, call, Direction::from_device);
  }

  /// The mapping was refused: what the caller has is no address.
  const Entry* map_failed(Bytes bytes, const Call& call);
  /// The caller asked whether the mapping failed.
  void mapping_error(Bytes bytes, const Call& call);

  /// Scatter-gather lists: ended and synced as they were mapped, entry by entry.
  using List = std::span<const Bytes>;
  void map_list(List list, const Call& call);
  void unmap_list(List list, const Call& call);
  void sync_list_for_cpu(List list, const Call& call) {
    sync_list(list, call, Direction::to_device);
  }
  void sync_list_for_device(List list, const Call& call) {
    sync_list(list, call, Direction::from_device);
  }

  /// What is no memory, as another device's registers: no cache knows of it.
  const Entry* map_resource(Bytes bytes, const Call& call) {
    return begin(bytes, call, Made::by_map_resource);
  }
  const Entry* unmap_resource(Bytes bytes, const Call& call) {
    return finish(bytes, call, Made::by_map_resource);
  }

  /// Coherent memory.
  const Entry* alloc(Bytes bytes, const Call& call) { return begin(bytes, call, Made::by_alloc); }
  const Entry* free(Bytes bytes, const Call& call) { return finish(bytes, call, Made::by_alloc); }

  /// The device goes: whatever lives of it is leaked, and ends.
  void detach(const Call& call);

  /// Of two that ended.
  [[nodiscard]] bool ended_earlier(const Entry& a, const Entry& b) const {
    return now_ - a.ended > now_ - b.ended;
  }

  /// How many mistakes of a kind were reported so far.
  [[nodiscard]] std::uint32_t count(Mistake mistake) const {
    const auto kind = static_cast<std::size_t>(mistake);
    return kind < counts_.size() ? counts_[kind] : 0;
  }

  /// False once the table was full.
  [[nodiscard]] bool follows() const { return follows_; }
  [[nodiscard]] std::span<const Entry> living() const { return table_.first(living_); }
  /// They and the ended that are remembered.
  [[nodiscard]] std::span<const Entry> used() const { return table_.first(used_); }
  /// Forgets everything but the counts, table_full too.
  void clear();

 private:
  Entry* begin(const Bytes& bytes, const Call& call, Made made);
  const Entry* finish(const Bytes& bytes, const Call& call, Made made);
  /// @param one_way  mapped so, there is nothing to sync in this way.
  const Entry* sync(const Bytes& bytes, const Call& call, Direction one_way);
  void sync_list(List list, const Call& call, Direction one_way);

  [[nodiscard]] std::uint32_t next();
  Entry* room();
  const Entry* end(Entry& entry);
  void check_neighbours(const Entry& entry, const Call& call);
  [[nodiscard]] bool share_a_line(const Bytes& a, const Bytes& b) const;
  [[nodiscard]] bool crowded(const Entry& entry) const;
  /// The living entry that a call fits best, by where it begins, or all around it.
  enum class Place : std::uint8_t { there, around };
  [[nodiscard]] Entry* best(const Bytes& bytes, const Call& call, Made made, Place place) const;
  void report(Mistake mistake, const Bytes& bytes, const Call& call, const Entry* entry);
  const Entry* report_missing(Mistake unknown, const Bytes& bytes, const Call& call);

  std::span<Entry> table_;  ///< the living, then the ended, then what was never used
  std::size_t living_ = 0;
  std::size_t used_ = 0;
  std::uint32_t now_ = 0;  ///< goes on after its last value: compared by distance
  bool follows_ = true;
  std::array<std::uint32_t, kMistakesOfCalls> counts_{};
  Settings settings_;
  std::span<const Forbidden> forbidden_;
};

}  // namespace carveout
