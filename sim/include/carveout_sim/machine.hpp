// A machine on which a forgotten cache operation is wrong every time: RAM, one CPU with a cache
// that nobody keeps coherent, and a bus on which other masters (DmaEngine) go past that cache.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/alias.hpp"
#include "carveout_sim/bus.hpp"
#include "carveout_sim/cache.hpp"

namespace carveout::sim {

/// A machine as data.
///
/// In the default no address of one space is an address of another: both physical ones lie over
/// 4 GiB and apart from each other, device addresses of kOddWindow lie under it, and pointers are
/// the host's. Whoever mixes them up reaches nothing.
struct MachineFacts {
  std::vector<Ram> ram = {{.size_bytes = 0x10'0000,
                           .cached = PhysAddr{0x3'5a00'0000},
                           .uncached = PhysAddr{0x7'1b40'0000}}};
  std::optional<CacheGeometry> cache = CacheGeometry{};  ///< nothing: a CPU without a data cache
};

/// Where a device sees the RAM of the default machine, as an entry of `dma-ranges` would state it.
inline constexpr Window kOddWindow{DmaAddr{0x4c80'0000}, PhysAddr{0x3'5a00'0000}, 0x10'0000};

/// The machine. Deterministic, and safe for several threads, whose accesses it takes one by one.
///
/// A pointer of the uncached view is the RAM itself and may be used plainly. A pointer of the
/// cached view is only an address: used with the functions below it goes through the cache, used
/// plainly it faults. An access to what is no whole part of one view throws std::out_of_range.
class Machine {
 public:
  explicit Machine(const MachineFacts& facts = {});

  /// The CPU's pointer to a physical range: by the very address given, past the cache where that
  /// address is an uncached one, else through it; nullptr where there is no RAM, or not one piece.
  [[nodiscard]] std::byte* cpu_view(PhysRange range) const;
  /// The pointer through the cache, also for RAM whose one address an MPU made uncached: what is
  /// read through it is what the CPU would see without the MPU.
  [[nodiscard]] std::byte* cached_view(PhysRange range) const { return bus_.cached_view(range); }

  /// The physical address that the CPU emits for bytes of one view; nothing for what is none.
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* first,
                                                std::size_t size_bytes) const;

  /// What the CPU loads and stores, through whichever view the pointer belongs to.
  void read(const std::byte* from, std::span<std::byte> into);
  void write(std::byte* to, std::span<const std::byte> from);

  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T load(const T* from) {
    std::array<std::byte, sizeof(T)> bytes;
    read(reinterpret_cast<const std::byte*>(from), bytes);
    return std::bit_cast<T>(bytes);
  }

  template <class T>
    requires std::is_trivially_copyable_v<T>
  void store(T* to, const std::type_identity_t<T>& value) {
    write(reinterpret_cast<std::byte*>(to), std::as_bytes(std::span{&value, 1}));
  }

  /// Maintenance of every line that the range touches. By physical address: a pointer of an
  /// uncached view works only where an MPU made one address uncached (Ram), and on a true alias
  /// throws std::invalid_argument, because there it would silently do nothing on hardware.
  void clean(const std::byte* at, std::size_t size_bytes);
  void invalidate(const std::byte* at, std::size_t size_bytes);
  void clean_invalidate(const std::byte* at, std::size_t size_bytes);

  /// What the cache has of the line that a pointer of the cached view lies in.
  [[nodiscard]] LineState line(const std::byte* at) const;
  /// The longest line; 1 without a cache.
  [[nodiscard]] std::size_t line_bytes() const;
  [[nodiscard]] const std::optional<Cache>& cache() const { return cache_; }

  /// What other bus masters do: by physical address, straight on the RAM. Both throw
  /// std::out_of_range, and move nothing, where is_ram() is false.
  [[nodiscard]] bool is_ram(PhysRange range) const { return bus_.covers(range); }
  void bus_read(PhysAddr from, std::span<std::byte> into) const;
  void bus_write(PhysAddr to, std::span<const std::byte> from);

  /// RAM with both a cached and an uncached address, as a System wants to know it.
  [[nodiscard]] std::span<const Alias> aliases() const { return aliases_; }

 private:
  enum class Maintenance : std::uint8_t { clean, invalidate, clean_invalidate };
  void maintain(Maintenance what, const std::byte* at, std::size_t size_bytes);
  [[nodiscard]] Place place_of(const std::byte* first, std::size_t size_bytes) const;

  mutable std::mutex one_access_at_a_time_;
  Bus bus_;
  std::optional<Cache> cache_;
  std::vector<Alias> aliases_;
};

}  // namespace carveout::sim
