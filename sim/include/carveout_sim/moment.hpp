// The points at which hardware may do something by itself, and what it may do there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout_sim/cache.hpp"

namespace carveout::sim {

enum class MomentKind : std::uint8_t {
  load,         ///< before a CPU's load
  store,        ///< before a CPU's store
  maintenance,  ///< before a CPU's cache maintenance
  barrier,      ///< before a barrier
  maintained,   ///< after maintenance
  dma_begins,   ///< a device was started; the range is the whole of it, piece by piece
  dma_reads,    ///< before each burst that it reads
  dma_writes,   ///< before each burst that it writes
  dma_wrote,    ///< after each burst that it wrote
};

/// One such point. `range` is by cached address where the RAM has one.
struct Moment {
  MomentKind kind;
  std::uint32_t cpu;  ///< 0 where a device acts
  PhysRange range;
};

enum class Act : std::uint8_t {
  speculate,   ///< brings a line in
  write_back,  ///< writes a dirty line to RAM; it stays
  evict,       ///< drops a line, a dirty one to RAM
  drain,       ///< lets one waiting store go
  load_early,  ///< satisfies the load that comes as if it stood before the last one
};

/// One thing that hardware did. `at` is the line, or the store; of load_early it means nothing.
struct Action {
  Act what;
  std::uint32_t cpu;
  PhysAddr at;

  bool operator==(const Action&) const = default;
};

/// What an adversary has hold of at a moment.
class Hands {
 public:
  virtual ~Hands() = default;

  /// Does it, where hardware could at this moment; false, and nothing, where not: the line is not
  /// there or not cacheable, no store waits at that address, the load has nothing to pass.
  virtual bool act(const Action& action) = 0;

  [[nodiscard]] virtual std::uint32_t cpus() const = 0;
  [[nodiscard]] virtual std::size_t line_bytes() const = 0;
  [[nodiscard]] virtual std::vector<PhysAddr> valid_lines(std::uint32_t cpu) const = 0;
  [[nodiscard]] virtual std::vector<PhysAddr> dirty_lines(std::uint32_t cpu) const = 0;
  /// Stores that wait, by cached address where there is one, oldest first.
  [[nodiscard]] virtual std::vector<PhysRange> waiting(std::uint32_t cpu) const = 0;
  /// What a CPU's cache has of a line; its bytes as well, where it has it.
  virtual LineState in_cache(std::uint32_t cpu, PhysAddr line,
                             std::span<std::byte> bytes) const = 0;
  /// RAM's bytes of a line; false where there is none.
  virtual bool in_ram(PhysAddr line, std::span<std::byte> bytes) const = 0;

 protected:
  Hands() = default;
  Hands(const Hands&) = default;
  Hands& operator=(const Hands&) = default;
};

}  // namespace carveout::sim
