// What the face with Linux's names remembers, so that a bare handle is enough to give something
// back: one table of all that lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/attributes.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/core/error.hpp"
#include "carveout/linux/dma-mapping.h"
#include "carveout/map/device.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/pool/block_pool.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/pool/range_allocator.hpp"
#include "carveout/port/port.hpp"
#include "carveout/setup/system.hpp"

namespace carveout::linux_face {

/// By which family of functions something was handed out, and is given back.
enum class Kind : std::uint8_t {
  coherent,
  noncoherent,
  single,
  list,
  resource,
  dma_pool,
  gen_pool
};

/// What a caller states when it gives something back or names it.
struct Claim {
  Kind kind;
  const void* owner;  ///< a Device, or the pool that it came from
  std::uint64_t key;  ///< the handle; of a gen_pool, the CPU's address
  std::uint64_t size_bytes;
  enum dma_data_direction direction = DMA_NONE;
  const void* cpu = nullptr;
  unsigned int entries = 0;  ///< of a scatter list
};

/// Something that a driver holds.
struct Live {
  Claim claim;
  std::optional<Block> block = std::nullopt;
  std::optional<MappedBytes> mapped = std::nullopt;
};

/// All that lives, found by its key. Thread-safe by the port's lock.
class Table {
 public:
  struct Node {
    Live live;
    std::uint32_t next;
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// @param heads, nodes  equally long, and uninitialised.
  Table(PortRef port, std::span<std::uint32_t> heads, Node* nodes);

  /// Remembers it. Of what has no CPU pointer, its place in the table becomes the claim's: a
  /// cookie. Nothing where the table is full, or its lock must not be waited for.
  [[nodiscard]] const Live* add(const Live& live);
  /// Takes out what the claim fits, or says what is wrong with it.
  [[nodiscard]] std::optional<Live> take(const Claim& claim, const char*& wrong);
  /// The first that `is` says yes to, of those with this key, or of all.
  /// Cost, with the lock held: constant with a key, linear in the table without.
  template <class Is>
  [[nodiscard]] std::optional<Live> find(std::optional<std::uint64_t> key, Is is) {
    if (!port_.may_lock()) return std::nullopt;
    const LockGuard guard{port_, lock_};
    const std::size_t first = key ? bucket_of(*key) : 0;
    const std::size_t end = key ? first + 1 : heads_.size();
    for (std::size_t i = first; i < end; ++i) {
      for (std::uint32_t at = heads_[i]; at != kNone; at = nodes_[at].next) {
        if (is(nodes_[at].live)) return nodes_[at].live;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t count() const { return __atomic_load_n(&count_, __ATOMIC_RELAXED); }

 private:
  [[nodiscard]] std::size_t bucket_of(std::uint64_t key) const {
    // Keys begin at granules: the low bits say little.
    return static_cast<std::size_t>((key * 0x9e37'79b9'7f4a'7c15U) >> 32U) % heads_.size();
  }

  PortRef port_;
  std::span<std::uint32_t> heads_;
  Node* nodes_;
  std::uint32_t free_ = 0;
  std::size_t count_ = 0;  ///< written under the lock, read without it
  LockWord lock_{};
};

/// A dma_pool, and which part of the tables' storage it has.
struct DmaPool {
  bool taken;                       ///< guarded by State::dma_pools_lock
  std::optional<BlockPool> blocks;  ///< the affair of who took it
  Grant tables;
};

/// All of the face's state.
struct State {
  System* system;
  Table table;
  std::span<DmaPool> dma_pools;
  std::uint32_t dma_pool_pages;
  std::span<std::byte> pool_tables;
  RangeAllocator pool_tables_taken;  ///< by offset in pool_tables
  LockWord dma_pools_lock{};         ///< guards pool_tables_taken, and who has which dma_pool
  carveout_linux_mistake_fn mistake = nullptr;
  void* mistake_context = nullptr;
  std::size_t mistakes = 0;

  [[nodiscard]] PortRef port() const { return system->platform().port; }
};

/// The only global of the library, set by carveout_linux_init(). A call before that is a broken
/// precondition.
[[nodiscard]] State& state();

void report(const char* function, const char* what);

/// The device that a driver's is tied to; nothing, and a report, where it is none.
[[nodiscard]] const Device* device_of(const struct device* dev, const char* function);

/// The same, to be changed: drivers hold it const, because only the System changes it.
[[nodiscard]] inline Device& changeable(const Device& device) {
  return *state().system->device(device.id);
}

/// A name that a driver states. NULL is the empty one, which nothing has.
[[nodiscard]] constexpr std::string_view name_from(const char* name) {
  return name == nullptr ? std::string_view{} : std::string_view{name};
}

/// Of something that nobody has seen yet and that is given up: there is nobody to refuse it to.
inline void undo(const Result<void>& undone, const char* function) {
  if (!undone) report(function, "what was begun cannot be undone");
}

/// Takes out what a caller gives back; nothing, and a report, where it does not fit.
[[nodiscard]] std::optional<Live> take_back(const Claim& claim, const char* function);

[[nodiscard]] constexpr std::optional<Direction> direction_of(enum dma_data_direction direction) {
  switch (direction) {
    case DMA_BIDIRECTIONAL:
      return Direction::bidirectional;
    case DMA_TO_DEVICE:
      return Direction::to_device;
    case DMA_FROM_DEVICE:
      return Direction::from_device;
    case DMA_NONE:
      break;
  }
  return std::nullopt;
}

[[nodiscard]] constexpr Context context_of(gfp_t flags) {
  return (flags & GFP_ATOMIC) != 0 ? Context::must_not_wait : Context::may_wait;
}

[[nodiscard]] Attributes attributes_of(unsigned long attrs);

/// The negative number for an error.
[[nodiscard]] int errno_of(Error error);

}  // namespace carveout::linux_face
