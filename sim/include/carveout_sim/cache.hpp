// One CPU's data cache: write-back, write-allocate, physically indexed and tagged, least recently
// used line out first. Nobody keeps it coherent with RAM but the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout_sim/bus.hpp"

namespace carveout::sim {

/// A cache as data. All three are powers of two, and a line fits a host page.
///
/// The default is small, so that a test of a few hundred bytes sees lines evicted.
struct CacheGeometry {
  std::size_t line_bytes = 32;
  std::size_t sets = 8;
  std::size_t ways = 2;

  [[nodiscard]] constexpr std::size_t size_bytes() const { return line_bytes * sets * ways; }
  /// Addresses at this distance compete for the same lines.
  [[nodiscard]] constexpr std::size_t set_stride_bytes() const { return line_bytes * sets; }
};

/// What the cache has of one line.
struct LineState {
  bool valid = false;  ///< it holds a copy, stale or not
  bool dirty = false;  ///< the copy was written since it was last equal to what RAM got

  constexpr bool operator==(const LineState&) const = default;
};

class Cache {
 public:
  /// `bus` outlives the cache. Addresses below are RAM of it.
  /// @throws std::invalid_argument  the geometry is not of powers of two, or its line too long.
  Cache(const CacheGeometry& geometry, Bus& bus);

  /// Loads and stores of the CPU. A miss brings the line in, and whatever was used least recently
  /// in its set out: to RAM, if it is dirty.
  void read(PhysAddr from, std::span<std::byte> into);
  void write(PhysAddr to, std::span<const std::byte> from);

  /// Maintenance of one line, the one that holds `address`; nothing where the cache has none.
  void clean(PhysAddr address);
  void invalidate(PhysAddr address);

  [[nodiscard]] LineState state(PhysAddr address) const;
  [[nodiscard]] const CacheGeometry& geometry() const { return geometry_; }

 private:
  struct Line {
    PhysAddr base{0};
    LineState state;
    std::uint64_t last_use = 0;
  };

  [[nodiscard]] PhysAddr base_of(PhysAddr address) const;
  [[nodiscard]] std::span<Line> set_of(PhysAddr base);
  [[nodiscard]] Line* find(PhysAddr base);
  /// The line of `base`, brought in if need be.
  [[nodiscard]] Line& touch(PhysAddr base);
  [[nodiscard]] std::span<std::byte> bytes_of(const Line& line);
  void write_back(Line& line);

  CacheGeometry geometry_;
  Bus& bus_;
  std::vector<Line> lines_;       ///< set by set
  std::vector<std::byte> bytes_;  ///< in the order of lines_
  std::uint64_t uses_ = 0;
};

}  // namespace carveout::sim
