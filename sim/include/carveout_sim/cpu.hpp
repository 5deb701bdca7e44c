// One CPU of a machine: its cache and write buffer, and what it reads and writes through them.
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
#include "carveout_sim/cache.hpp"
#include "carveout_sim/fabric.hpp"
#include "carveout_sim/write_buffer.hpp"

namespace carveout::sim {

/// One CPU. Its accesses go through its own cache and write buffer, and its maintenance reaches no
/// other CPU's: what another one has cached stays as it is.
///
/// The functions throw as Machine's do.
class Cpu {
 public:
  Cpu(Fabric& fabric, std::uint32_t index, const std::optional<CacheGeometry>& cache,
      std::size_t write_buffer_stores);
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;

  [[nodiscard]] std::uint32_t index() const { return index_; }

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

  void clean(const std::byte* at, std::size_t size_bytes);
  void invalidate(const std::byte* at, std::size_t size_bytes);
  void clean_invalidate(const std::byte* at, std::size_t size_bytes);

  /// Empties the write buffer. A barrier need only order what is in it; nobody can tell, because
  /// what starts a device in a test comes after.
  void publish_barrier();
  /// Loads after it are satisfied after it.
  void observe_barrier();
  void full_barrier();

  [[nodiscard]] LineState line(const std::byte* at) const;
  [[nodiscard]] const std::optional<Cache>& cache() const { return cache_; }
  [[nodiscard]] std::size_t stores_waiting() const;

 private:
  friend class Machine;  // hands of the adversary, and reset()

  void reset();
  void maintain(Maintenance what, const std::byte* at, std::size_t size_bytes);
  void order(Barrier barrier);
  [[nodiscard]] Place place_of(const std::byte* first, std::size_t size_bytes) const;
  [[nodiscard]] static Through through(const Place& place) {
    return place.through_cache ? Through::cache : Through::memory;
  }
  void read_memory(const Place& place, std::span<std::byte> into);
  [[nodiscard]] bool may_load_early(PhysRange range) const;
  /// Turns bytes just read into what a load that passed the last one would have got; false where
  /// that is no other.
  bool read_earlier(PhysRange range, std::span<std::byte> into) const;
  void saw(PhysRange range);

  Fabric& fabric_;
  std::uint32_t index_;
  WriteBuffer buffer_;
  std::optional<Cache> cache_;

  // Early loads; times are those of PastWrites.
  struct Seen {
    PhysRange range;
    std::uint64_t time;
  };
  std::uint64_t ordered_at_ = 0;    ///< of the last observe barrier
  std::uint64_t last_load_at_ = 0;  ///< of the last load since, or ordered_at_
  std::vector<Seen> seen_;          ///< what this CPU read or wrote since
};

}  // namespace carveout::sim
