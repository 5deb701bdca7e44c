// A second opinion on the allocator's tables: a walk of its own that
// judges every rule that its comments state. Tests call it after each step.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carveout/pool/range_allocator.hpp"

namespace carveout {

struct RangeAllocatorAudit {
  struct Live {
    PhysRange range;
    std::uint32_t chunk;
    std::uint32_t tag;
    std::uint32_t serial;
    Holder holder;

    bool operator==(const Live&) const = default;
  };

  /// What is wrong with the tables; empty where nothing is. `live` receives every block, in the
  /// order of chunks and addresses.
  static std::string fault(const RangeAllocator& allocator, std::vector<Live>& live) {
    const tables::State& state = allocator.state_;
    std::vector<Piece> pieces;
    std::string wrong = pieces_of(state, pieces);
    if (!wrong.empty()) return wrong;
    wrong = fault_of_pieces(state, pieces, live);
    if (!wrong.empty()) return wrong;
    return state.runs == nullptr ? "" : fault_of_lists(state, pieces);
  }

  static std::string fault(const RangeAllocator& allocator) {
    std::vector<Live> live;
    return fault(allocator, live);
  }

  /// All that a caller could tell from the allocator, to prove that a refused call changed nothing.
  struct Snapshot {
    std::vector<Live> live;
    std::vector<std::uint32_t> serials;
    Usage usage;
    bool operator==(const Snapshot&) const = default;
  };

  static Snapshot snapshot(const RangeAllocator& allocator) {
    Snapshot shot{{}, {}, allocator.usage()};
    static_cast<void>(fault(allocator, shot.live));
    for (std::uint32_t tag = 0; tag < allocator.state_.tags; ++tag) {
      // Of a tag without a block, a caller can only tell what its next one will be.
      std::uint32_t serial = allocator.state_.runs[tag].serial;
      while (serial % 4 != 1) ++serial;
      shot.serials.push_back(serial);
    }
    return shot;
  }

  /// A second allocator in the same state, over tables of its own.
  ///
  /// @param storage  as long as the storage of the original, which was no longer than it asked for,
  ///                 and aligned like that to the line of a slot.
  static RangeAllocator clone(const RangeAllocator& original, std::span<std::byte> storage) {
    tables::State state = original.state_;
    const auto* const from = static_cast<const std::byte*>(static_cast<const void*>(state.areas));
    std::memcpy(storage.data(), from, storage.size());
    const auto move = [&](auto*& pointer) {
      if (pointer == nullptr) return;
      const auto* const at = static_cast<const std::byte*>(static_cast<const void*>(pointer));
      void* const there = storage.data() + (at - from);
      pointer = static_cast<std::remove_reference_t<decltype(pointer)>>(there);
    };
    move(state.areas);
    move(state.runs);
    move(state.near);
    move(state.links);
    move(state.slots);
    return RangeAllocator{state};
  }

  /// Puts a tag where only billions of allocations would bring it.
  static void set_serial(RangeAllocator& allocator, std::uint32_t tag, std::uint32_t serial) {
    allocator.state_.runs[tag].serial = serial;
  }

  static bool has_parked(const RangeAllocator& allocator) {
    return !allocator.state_.parked.none();
  }

  static bool any_parked(const RangeAllocator& allocator) {
    const tables::State& state = allocator.state_;
    if (!state.parked.none()) return true;
    for (std::uint32_t i = 0; i < state.slot_count; ++i) {
      if (state.runs[state.slots[i].hint].serial % 4 == 2) return true;
    }
    return false;
  }

  /// Lets longer blocks be parked than in a pool of this size, so that a small pool can park too.
  static void park_up_to(RangeAllocator& allocator, std::uint32_t granules) {
#ifdef CARVEOUT_LIBRARY_FOR_SIZE
    // Such a library parks nothing but in slots, and so it merges nothing else.
    if (!allocator.has_slots()) return;
#endif
    if (allocator.state_.runs != nullptr) allocator.state_.park_most = granules;
  }

  /// What blocks use, with those that are parked.
  static std::uint64_t used_bytes_with_parked(const RangeAllocator& allocator) {
    return allocator.state_.used * allocator.state_.granule_bytes;
  }

  /// What free_runs() must answer.
  static FreeRuns free_runs(const RangeAllocator& allocator) {
    std::vector<Piece> pieces;
    FreeRuns runs{};
    if (!pieces_of(allocator.state_, pieces).empty()) return runs;
    for (const Piece& piece : pieces) {
      std::size_t length = 0;
      while (piece.granules >> (length + 1) != 0) ++length;
      if (piece.free) ++runs[length];
    }
    return runs;
  }

 private:
  struct Piece {
    std::uint32_t chunk;
    std::uint64_t first;
    std::uint64_t granules;
    std::uint32_t tag;
    bool free;
  };

  static std::string pieces_of(const tables::State& state, std::vector<Piece>& pieces) {
    if (state.runs == nullptr) return bitmap_pieces(state, pieces);
    return state.near != nullptr ? sparse_pieces(state, pieces) : dense_pieces(state, pieces);
  }

  static std::string sparse_pieces(const tables::State& state, std::vector<Piece>& pieces) {
    std::vector<bool> seen(state.tags, false);
    std::uint64_t at = 0;
    std::uint32_t tag = state.tags;
    for (std::uint32_t chunk = 0; chunk < state.area_count; ++chunk) {
      if (tag != state.tags + chunk) return "a chunk's front is missing";
      const std::uint64_t end =
          state.areas[chunk].first + std::uint64_t{state.areas[chunk].granules};
      if (state.runs[tag].granules != 0 || state.runs[tag].serial != 0) return "a front is a block";
      do {
        const std::uint32_t next = state.near[tag].next;
        if (next > state.tags + state.area_count) return "a tag leads out of the tables";
        if (state.near[next].previous != tag) return "a tag's previous is wrong";
        if (tag < state.tags) {
          if (seen[tag]) return "a tag is there twice";
          seen[tag] = true;
          if (state.runs[tag].first != at) return "a block is not where the one before ends";
          if (state.runs[tag].granules == 0) return "a block is empty";
          pieces.push_back({chunk, at, state.runs[tag].granules, tag, false});
          at += state.runs[tag].granules;
        }
        if (state.runs[next].first < at || at > end) return "blocks overlap";
        if (state.runs[next].first != at) {
          pieces.push_back({chunk, at, state.runs[next].first - at, tag, true});
          at = state.runs[next].first;
        }
        tag = next;
      } while (tag < state.tags);
      if (at != end) return "the pieces of a chunk do not fill it";
    }
    for (std::uint32_t spare = state.spares; spare != 0xffff; spare = state.near[spare].next) {
      if (spare >= state.tags || seen[spare]) return "a spare is none";
      seen[spare] = true;
      if (state.runs[spare].serial % 4 != 0) return "a spare is a block";
    }
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (!seen[i]) return "tag " + std::to_string(i) + " is lost";
    }
    return {};
  }

  static std::string dense_pieces(const tables::State& state, std::vector<Piece>& pieces) {
    constexpr std::uint32_t kFree = 0x80000000;
    std::uint32_t at = 0;
    for (std::uint32_t chunk = 0; chunk < state.area_count; ++chunk) {
      if (state.runs[at].granules != 0 || state.runs[at].serial != 0) return "a gap has a run";
      if (state.areas[chunk].first != ++at) return "a chunk is not numbered on";
      const std::uint32_t end = at + state.areas[chunk].granules;
      while (at < end) {
        const std::uint32_t length = state.runs[at].granules & ~kFree;
        const bool free = (state.runs[at].granules & kFree) != 0;
        if (length == 0 || length > end - at) return "a run has an impossible length";
        const std::uint32_t last = state.runs[at + length - 1].granules;
        if (last != (free || length == 1 ? state.runs[at].granules : 0))
          return "a last tag is wrong";
        for (std::uint32_t i = at + (free ? 0 : 1); i < at + length; ++i) {
          if (state.runs[i].serial % 4 != 0) return "a block lives inside a run";
        }
        if (!free && state.runs[at].live() && state.runs[at].first != at)
          return "a block is elsewhere";
        pieces.push_back({chunk, at, length, at, free});
        at += length;
      }
    }
    return state.runs[at].granules == 0 ? "" : "the last gap has a run";
  }

  static std::string bitmap_pieces(const tables::State& state, std::vector<Piece>& pieces) {
    const auto bits = [&](std::uint64_t at) { return (state.words[at / 16] >> (at % 16 * 2)) & 3; };
    for (std::uint32_t chunk = 0; chunk < state.area_count; ++chunk) {
      std::uint64_t at = state.areas[chunk].first;
      const std::uint64_t end = at + state.areas[chunk].granules;
      while (at < end) {
        const std::uint64_t first = at;
        const bool free = bits(at) == 0;
        if (bits(at) == 2) return "a last granule is free";
        if (free) {
          while (at < end && bits(at) == 0) ++at;
        } else {
          while (at < end && bits(at) == 1) ++at;
          if (at == end || bits(at) != 3) return "a block has no last granule";
          ++at;
        }
        pieces.push_back({chunk, first, at - first, static_cast<std::uint32_t>(first), free});
      }
    }
    return {};
  }

  static std::string fault_of_pieces(const tables::State& state, const std::vector<Piece>& pieces,
                                     std::vector<Live>& live) {
    std::uint64_t used = 0;
    std::uint64_t total = 0;
    std::uint32_t blocks = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Piece& piece = pieces[i];
      total += piece.granules;
      if (piece.free) {
        if (i > 0 && pieces[i - 1].free && pieces[i - 1].chunk == piece.chunk) return "not merged";
        continue;
      }
      used += piece.granules;
      ++blocks;
      const auto& area = state.areas[piece.chunk];
      const PhysRange range{
          PhysAddr{area.base.raw() + (piece.first - area.first) * state.granule_bytes},
          piece.granules * state.granule_bytes};
      if (state.runs == nullptr) {
        live.push_back({range, piece.chunk, piece.tag, 1, 0});
        continue;
      }
      const auto& run = state.runs[piece.tag];
      const bool here = !state.parked.none() && state.parked.tag == piece.tag;
      const bool parked = here || run.serial % 4 == 2;
      if (!parked && run.serial % 4 != 1) return "neither live nor parked";
      if (here && run.serial % 4 != 0) return "a parked block lives";
      if (here && state.parked.granules != piece.granules) return "a parked length is wrong";
      if (here && PhysRange{PhysAddr{state.parked.base}, state.parked.size_bytes} != range)
        return "the parked block is elsewhere";
      if (parked && !here && !is_hinted_at(state, piece.tag)) return "a parked block is lost";
      if (parked && piece.granules > state.park_most) return "too long a block is parked";
      if (!parked) live.push_back({range, piece.chunk, piece.tag, run.serial, run.holder});
    }
    if (state.total != total) return "the total is wrong";
    if (state.used != used) return "what is used is wrong";
    if (state.blocks != blocks) return "the number of blocks is wrong";
    return {};
  }

  static bool is_hinted_at(const tables::State& state, std::uint32_t tag) {
    for (std::uint32_t i = 0; i < state.slot_count; ++i) {
      if (state.slots[i].hint == tag) return true;
    }
    return false;
  }

  static std::string fault_of_lists(const tables::State& state, const std::vector<Piece>& pieces) {
    const bool sparse = state.near != nullptr;
    const auto next = [&](std::uint32_t tag) -> std::uint32_t {
      return sparse ? state.links[tag].next : state.runs[tag].first;
    };
    const auto previous = [&](std::uint32_t tag) -> std::uint32_t {
      return sparse ? state.links[tag].previous : state.runs[tag].holder;
    };
    std::map<std::uint32_t, std::uint64_t> lengths;
    for (const Piece& piece : pieces) {
      if (piece.free) lengths[piece.tag] = piece.granules;
    }
    unsigned most = 0;
    while (!sparse && most < SizeClass::kCount &&
           class_of(static_cast<std::uint32_t>(state.total)) >= most)
      ++most;
    if (sparse) most = SizeClass::kCount;
    std::size_t listed = 0;
    for (unsigned size_class = 0; size_class < most; ++size_class) {
      const std::uint32_t head = state.heads + size_class;
      std::uint32_t before = head;
      for (std::uint32_t tag = next(head); tag != head; tag = next(tag)) {
        if (!lengths.contains(tag)) return "a list has what is not free";
        if (class_of(lengths[tag]) != size_class) return "a run is in another class";
        if (previous(tag) != before) return "a list leads back elsewhere";
        if (++listed > lengths.size()) return "a run is listed twice";
        before = tag;
      }
      if (previous(head) != before) return "a head's previous is not the last";
      unsigned found = SizeClass::kCount;
      const bool marked = state.classes.first_from(size_class, found) && found == size_class;
      if (marked != (next(head) != head)) return "a class is not marked as it is";
    }
    return listed == lengths.size() ? "" : "a free run is in no list";
  }

  /// By counting: the shortest length of each class is 1/16 of an octave more than the last one's.
  static unsigned class_of(std::uint64_t granules) {
    unsigned size_class = 0;
    std::uint64_t shortest = 1;
    for (std::uint64_t step = 1;; step *= 2) {
      for (unsigned i = 0; i < 16; ++i) {
        if (granules < shortest + step || size_class + 1 == SizeClass::kCount) return size_class;
        shortest += step;
        ++size_class;
      }
    }
  }
};

}  // namespace carveout
