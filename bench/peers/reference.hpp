// Reference allocators, written from the descriptions of the algorithms that Linux uses for the
// same job: one bit for each granule, and a search through the bits by words. Nobody's code.
//
// Left out, in their favour: locks, the compare-and-exchange loops of the general allocator, lists
// of chunks, page migration. tests/unit/bench compares each with a model that looks at single bits.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/player.hpp"

namespace carveout::bench {

/// A bit for each granule, in words of 64.
class BitMap {
 public:
  explicit BitMap(std::size_t bits) : bits_{bits}, words_((bits + 63) / 64, 0) {}

  [[nodiscard]] std::size_t size() const { return bits_; }
  [[nodiscard]] std::size_t bytes() const { return words_.size() * sizeof(std::uint64_t); }

  /// The first bit of [at, end) that is set, or clear; `end` where there is none.
  template <bool kSet>
  [[nodiscard]] std::size_t next(std::size_t at, std::size_t end) const {
    if (at >= end) return end;
    const std::uint64_t invert = kSet ? 0 : ~std::uint64_t{0};
    std::size_t word = at / 64;
    std::uint64_t bits = (words_[word] ^ invert) & (~std::uint64_t{0} << (at % 64));
    while (bits == 0) {
      if (++word * 64 >= end) return end;
      bits = words_[word] ^ invert;
    }
    return std::min(end, word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
  }

  void put(std::size_t first, std::size_t count, bool value) {
    while (count > 0) {
      const std::size_t shift = first % 64;
      const std::size_t here = std::min(count, 64 - shift);
      const std::uint64_t ones = (~std::uint64_t{0} >> (64 - here)) << shift;
      if (value) {
        words_[first / 64] |= ones;
      } else {
        words_[first / 64] &= ~ones;
      }
      first += here;
      count -= here;
    }
  }

  /// The first run of `count` clear bits from `at` on that begins at a multiple of `align`, a power
  /// of two; size() where there is none. As lib/bitmap.c of Linux 6.6 describes
  /// bitmap_find_next_zero_area(): the next clear bit, aligned; if a bit of the run is set, again
  /// from behind that.
  [[nodiscard]] std::size_t clear_run(std::size_t at, std::size_t count, std::size_t align) const {
    for (;;) {
      at = (next<false>(at, bits_) + align - 1) & ~(align - 1);
      const std::size_t end = at + count;
      if (end > bits_) return bits_;
      const std::size_t set = next<true>(at, end);
      if (set == end) return at;
      at = set + 1;
    }
  }

 private:
  std::size_t bits_;
  std::vector<std::uint64_t> words_;
};

class BitMapPeer {
 public:
  struct Handle {
    std::uint32_t first;
    std::uint32_t granules;
  };
  static Handle nothing() { return {}; }

  explicit BitMapPeer(const Site& site)
      : map_{site.pool.bytes / site.pool.granule_bytes},
        shift_{static_cast<unsigned>(std::countr_zero(site.pool.granule_bytes))} {}

  void give_back(const Handle& handle) { map_.put(handle.first, handle.granules, false); }
  [[nodiscard]] std::uint64_t taken_bytes(const Handle& handle) const {
    return std::uint64_t{handle.granules} << shift_;
  }
  [[nodiscard]] std::size_t metadata_bytes() const { return map_.bytes(); }

 protected:
  [[nodiscard]] std::size_t granules_for(std::uint64_t bytes) const {
    return static_cast<std::size_t>((bytes + (std::uint64_t{1} << shift_) - 1) >> shift_);
  }

  bool finish(Handle& handle, std::size_t first, std::size_t granules) {
    if (first >= map_.size()) return false;
    map_.put(first, granules, true);
    handle = {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(granules)};
    return true;
  }

  BitMap map_;
  unsigned shift_;
};

/// A device's own pool: the order of the size, and the first region of that order that is free.
/// Linux 6.6, kernel/dma/coherent.c: get_order(), bitmap_find_free_region(), which goes from region
/// to region.
class DmaCoherent : public BitMapPeer {
 public:
  using BitMapPeer::BitMapPeer;
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t /*align_bytes*/ = 1) {
    const std::size_t granules = std::bit_ceil(granules_for(size_bytes));
    for (std::size_t at = 0; at + granules <= map_.size(); at += granules) {
      if (map_.next<true>(at, at + granules) == at + granules) return finish(handle, at, granules);
    }
    return false;
  }
};

/// The general allocator's default: the first run that is long enough; gen_pool_first_fit() of
/// Linux 6.6, lib/genalloc.c, and for alignments gen_pool_first_fit_align().
class GenallocFirstFit : public BitMapPeer {
 public:
  using BitMapPeer::BitMapPeer;
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t align_bytes = 1) {
    const std::size_t granules = granules_for(size_bytes);
    return finish(handle, map_.clear_run(0, granules, granules_for(align_bytes)), granules);
  }
};

/// The general allocator's best fit: the shortest of all runs that are long enough, the first of
/// equals; gen_pool_best_fit() of Linux 6.6, lib/genalloc.c. It has no alignment.
class GenallocBestFit : public BitMapPeer {
 public:
  using BitMapPeer::BitMapPeer;
  bool take(Handle& handle, std::uint32_t size_bytes) {
    const std::size_t granules = granules_for(size_bytes);
    std::size_t best = map_.size();
    std::size_t best_length = map_.size() + 1;
    std::size_t at = map_.clear_run(0, granules, 1);
    while (at < map_.size()) {
      const std::size_t end = map_.next<true>(at + granules, map_.size());
      if (end - at < best_length) {
        best = at;
        best_length = end - at;
        if (best_length == granules) break;
      }
      at = map_.clear_run(end + 1, granules, 1);
    }
    return finish(handle, best, granules);
  }
};

/// Contiguous memory: first fit, aligned to the power of two above the size, up to 256 granules;
/// cma_alloc() of Linux 6.6, mm/cma.c, as dma_alloc_contiguous() calls it with the default of
/// CONFIG_CMA_ALIGNMENT. Each search begins at the front: cma_alloc() goes on behind a run only
/// when that cannot be migrated, and here nothing is in use by others.
class Cma : public BitMapPeer {
 public:
  using BitMapPeer::BitMapPeer;
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t /*align_bytes*/ = 1) {
    const std::size_t granules = granules_for(size_bytes);
    const std::size_t natural = std::min<std::size_t>(std::bit_ceil(granules), 256);
    return finish(handle, map_.clear_run(0, granules, natural), granules);
  }
};

}  // namespace carveout::bench
