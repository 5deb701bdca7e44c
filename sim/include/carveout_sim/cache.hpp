// One CPU's data cache: physically indexed and tagged, least recently used line out first. Nobody
// keeps it coherent with RAM, or with another CPU's, but the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout_sim/bus.hpp"
#include "carveout_sim/write_buffer.hpp"

namespace carveout::sim {

/// What a store does to a line that the cache holds.
enum class OnStore : std::uint8_t {
  write_back,     ///< the line becomes dirty, and RAM old
  write_through,  ///< the line and RAM get it, RAM by way of the write buffer
};

/// What a store does whose line the cache does not hold.
enum class OnStoreMiss : std::uint8_t {
  allocate,     ///< brings the line in first
  no_allocate,  ///< goes past the cache, by way of the write buffer
};

/// A cache as data. The three numbers are powers of two, and a line fits a host page.
///
/// The default is small, so that a test of a few hundred bytes sees lines evicted.
struct CacheGeometry {
  std::size_t line_bytes = 32;
  std::size_t sets = 8;
  std::size_t ways = 2;
  OnStore on_store = OnStore::write_back;
  OnStoreMiss on_store_miss = OnStoreMiss::allocate;

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
  /// `below` outlives the cache. Addresses below are RAM of its bus.
  /// @throws std::invalid_argument  the geometry is not of powers of two, or its line too long.
  Cache(const CacheGeometry& geometry, WriteBuffer& below);

  /// Holds no line; what was dirty is lost.
  void reset();

  /// Loads and stores of the CPU. A miss brings the line in, and whatever was used least recently
  /// in its set out: to RAM, if it is dirty.
  void read(PhysAddr from, std::span<std::byte> into);
  void write(PhysAddr to, std::span<const std::byte> from);

  /// Maintenance of one line, the one that holds `address`; nothing where the cache has none. A
  /// line that was written through is cleaned by what waits for it going out.
  void clean(PhysAddr address);
  void invalidate(PhysAddr address);

  /// What hardware does by itself. Brings a line in: false where it is there, or where only dirty
  /// lines could make room.
  bool speculate(PhysAddr address);
  /// False where the line is not there; one that is dirty goes to RAM first.
  bool evict(PhysAddr address);

  [[nodiscard]] LineState state(PhysAddr address) const;
  /// Its copy of the line that holds `address`; empty where it has none.
  [[nodiscard]] std::span<const std::byte> bytes(PhysAddr address) const;
  [[nodiscard]] const CacheGeometry& geometry() const { return geometry_; }
  /// First bytes of the lines that it holds, or of the dirty ones among them.
  [[nodiscard]] std::vector<PhysAddr> valid_lines() const;
  [[nodiscard]] std::vector<PhysAddr> dirty_lines() const;

 private:
  struct Line {
    PhysAddr base{0};
    LineState state;
    std::uint64_t last_use = 0;
  };

  [[nodiscard]] PhysAddr base_of(PhysAddr address) const;
  [[nodiscard]] std::size_t set_number(PhysAddr base) const {
    return static_cast<std::size_t>(base.raw() >> line_shift_) & (geometry_.sets - 1);
  }
  [[nodiscard]] std::span<Line> set_of(PhysAddr base);
  [[nodiscard]] const Line* find(PhysAddr base) const;
  [[nodiscard]] Line* find(PhysAddr base);
  /// The line of `base`, brought in if need be.
  [[nodiscard]] Line& touch(PhysAddr base);
  void fill(Line& line, PhysAddr base);
  [[nodiscard]] std::span<std::byte> bytes_of(const Line& line);
  [[nodiscard]] std::size_t offset_of(const Line& line) const;
  void write_back(Line& line);

  CacheGeometry geometry_;
  unsigned line_shift_;
  WriteBuffer& below_;
  std::vector<Line> lines_;       ///< set by set
  std::vector<std::byte> bytes_;  ///< in the order of lines_
  std::uint64_t uses_ = 0;
};

}  // namespace carveout::sim
