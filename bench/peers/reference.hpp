// Reference allocators, written from the descriptions of the algorithms that Linux uses for the
// same job: one bit for each granule, and a search through the bits. Nobody's code.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/workloads.hpp"

namespace carveout::bench {

/// A bit for each granule, in words of 64.
class BitMap {
 public:
  explicit BitMap(std::size_t bits) : bits_{bits}, words_((bits + 63) / 64, 0) {}

  [[nodiscard]] std::size_t size() const { return bits_; }
  [[nodiscard]] std::size_t bytes() const { return words_.size() * sizeof(std::uint64_t); }

  /// The first bit from `at` on that is `value`; size() where there is none.
  [[nodiscard]] std::size_t next(std::size_t at, bool value) const {
    while (at < bits_) {
      const std::uint64_t word = value ? words_[at / 64] : ~words_[at / 64];
      const std::uint64_t left = word >> (at % 64);
      if (left != 0) {
        const std::size_t found = at + static_cast<std::size_t>(std::countr_zero(left));
        return found < bits_ ? found : bits_;
      }
      at = (at / 64 + 1) * 64;
    }
    return bits_;
  }

  void put(std::size_t first, std::size_t count, bool value) {
    while (count > 0) {
      const std::size_t shift = first % 64;
      const std::size_t here = count < 64 - shift ? count : 64 - shift;
      const std::uint64_t ones = here == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << here) - 1;
      if (value) {
        words_[first / 64] |= ones << shift;
      } else {
        words_[first / 64] &= ~(ones << shift);
      }
      first += here;
      count -= here;
    }
  }

  /// The first run of `count` clear bits that begins at a multiple of `align`; size() where there
  /// is none.
  [[nodiscard]] std::size_t clear_run(std::size_t count, std::size_t align) const {
    std::size_t at = 0;
    for (;;) {
      at = (next(at, false) + align - 1) / align * align;
      if (at + count > bits_) return bits_;
      const std::size_t end = next(at, true);
      if (end - at >= count) return at;
      at = end;
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

  explicit BitMapPeer(const PoolShape& pool)
      : map_{pool.bytes / pool.granule_bytes}, granule_bytes_{pool.granule_bytes} {}

  void give_back(const Handle& handle) { map_.put(handle.first, handle.granules, false); }
  [[nodiscard]] std::size_t metadata_bytes() const { return map_.bytes(); }

 protected:
  [[nodiscard]] std::size_t granules_for(std::uint64_t bytes) const {
    return (bytes + granule_bytes_ - 1) / granule_bytes_;
  }

  bool finish(Handle& handle, std::size_t first, std::size_t granules) {
    if (first >= map_.size()) return false;
    map_.put(first, granules, true);
    handle = {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(granules)};
    return true;
  }

  BitMap map_;
  std::uint64_t granule_bytes_;
};

/// A device's own pool in Linux: sizes are powers of two, each aligned to itself; first fit, in
/// steps of the size.
class DmaCoherent : public BitMapPeer {
 public:
  using BitMapPeer::BitMapPeer;
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t /*align_bytes*/ = 1) {
    const std::size_t granules = std::bit_ceil(granules_for(size_bytes));
    for (std::size_t at = 0; at + granules <= map_.size(); at += granules) {
      if (map_.next(at, true) >= at + granules) return finish(handle, at, granules);
    }
    return false;
  }
};

/// The general allocator's default: first fit, exact granules.
class GenallocFirstFit : public BitMapPeer {
 public:
  using BitMapPeer::BitMapPeer;
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t align_bytes = 1) {
    const std::size_t granules = granules_for(size_bytes);
    return finish(handle, map_.clear_run(granules, granules_for(align_bytes)), granules);
  }
};

/// The general allocator's best fit: the shortest run of all.
class GenallocBestFit : public BitMapPeer {
 public:
  using BitMapPeer::BitMapPeer;
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t /*align_bytes*/ = 1) {
    const std::size_t granules = granules_for(size_bytes);
    std::size_t best = map_.size();
    std::size_t best_length = map_.size() + 1;
    for (std::size_t at = map_.next(0, false); at < map_.size();) {
      const std::size_t end = map_.next(at, true);
      if (end - at >= granules && end - at < best_length) {
        best = at;
        best_length = end - at;
        if (best_length == granules) break;
      }
      at = map_.next(end, false);
    }
    return finish(handle, best, granules);
  }
};

/// Contiguous memory: first fit, aligned to the power of two above the size, up to 256 granules.
class Cma : public BitMapPeer {
 public:
  using BitMapPeer::BitMapPeer;
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t /*align_bytes*/ = 1) {
    const std::size_t granules = granules_for(size_bytes);
    const std::size_t natural = std::bit_ceil(granules);
    return finish(handle, map_.clear_run(granules, natural < 256 ? natural : 256), granules);
  }
};

}  // namespace carveout::bench
