// RAM, and the addresses that lead to it: physical ones for every bus master, pointers for the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout_sim/mapping.hpp"
#include "carveout_sim/past_writes.hpp"

namespace carveout::sim {

/// One stretch of RAM as data: at which physical addresses the CPU reaches it, and how. A device
/// may name it by either, because a `dma-ranges` does.
///
/// Both addresses equal: one address, which an MPU or MMU made uncached. The cache may still hold
/// lines of it from before.
struct Ram {
  std::uint64_t size_bytes;
  std::optional<PhysAddr> cached;    ///< through the cache; nothing: the CPU cannot do that
  std::optional<PhysAddr> uncached;  ///< past the cache; nothing: the CPU cannot do that
};

/// What a pointer of the CPU stands for.
struct Place {
  PhysAddr phys;      ///< the address that the CPU emits for it
  std::byte* memory;  ///< the byte of RAM behind it, for the model only
  bool through_cache;
};

/// The bus matrix: finds the RAM behind an address and moves bytes, caches not asked.
///
/// Pointers of the uncached view are the RAM itself: plain loads and stores through them are right.
/// Pointers of the cached view are addresses with nothing behind them: a plain access would bypass
/// the model's cache and see what no hardware shows, so it faults at once. Where there is no cache,
/// both views are the RAM itself.
class Bus {
 public:
  /// @param with_cache   whether a cache stands between the CPU and the cached addresses.
  /// @param past_writes  how many writes past() remembers.
  /// @throws std::invalid_argument  RAM of 0 bytes, without any address, not in whole host pages,
  ///                                past 2^64 or the host's own sizes, or two pieces at one
  ///                                address.
  explicit Bus(std::span<const Ram> rams, bool with_cache, std::size_t past_writes = 0);

  /// Whether every byte of a range is RAM.
  [[nodiscard]] bool covers(PhysRange range) const;
  /// Both throw std::out_of_range, and move nothing, where covers() is false.
  void read(PhysAddr from, std::span<std::byte> into) const;
  void write(PhysAddr to, std::span<const std::byte> from);

  /// RAM is zero, and nothing was ever written.
  void reset();

  /// The one name of bytes that may have two addresses: the cached one, if they have it. Of RAM.
  [[nodiscard]] PhysAddr canonical(PhysAddr address) const;
  /// What RAM held before its last writes, by canonical addresses. A plain store through a pointer
  /// is not among them.
  [[nodiscard]] const PastWrites& past() const { return past_; }

  /// The CPU's pointer to a range by its uncached address, or its cached one; nullptr where the
  /// range does not lie whole in one piece of RAM that has such an address.
  [[nodiscard]] std::byte* uncached_view(PhysRange range) const;
  [[nodiscard]] std::byte* cached_view(PhysRange range) const;

  /// What `size_bytes` from a pointer on are; nothing where they are not whole in one view.
  [[nodiscard]] std::optional<Place> place_of(const std::byte* first,
                                              std::size_t size_bytes) const {
    for (const View& view : views_) {
      const std::uintptr_t offset =
          reinterpret_cast<std::uintptr_t>(first) - reinterpret_cast<std::uintptr_t>(view.pointers);
      if (offset >= view.size_bytes || size_bytes > view.size_bytes - offset) continue;
      return Place{PhysAddr{view.first.phys.raw() + offset}, view.first.memory + offset,
                   view.first.through_cache};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::span<const Ram> rams() const { return rams_; }

 private:
  struct Bank {
    Ram ram;
    Mapping memory;
    std::optional<Mapping> behind_cache;  ///< the cached view's pointers, where they differ

    [[nodiscard]] std::optional<PhysRange> cached() const;
    [[nodiscard]] std::optional<PhysRange> uncached() const;
    [[nodiscard]] std::byte* cached_pointers() const;
  };
  /// What the pointers of one view stand for.
  struct View {
    const std::byte* pointers;
    std::uint64_t size_bytes;
    Place first;
  };
  /// RAM from an address on, to the end of its bank.
  [[nodiscard]] std::span<std::byte> memory_at(PhysAddr address) const;

  std::vector<Ram> rams_;
  std::vector<Bank> banks_;
  std::vector<View> views_;
  PastWrites past_;
};

}  // namespace carveout::sim
