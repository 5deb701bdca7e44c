// What hardware must offer. A board hands one object to the System; everything that differs between
// processors is behind it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/port/copy.hpp"
#include "carveout/port/sync_table.hpp"

namespace carveout {

/// One lock, in the storage of the pool that it guards. What the word means is the port's choice;
/// 0 is unlocked.
struct LockWord {
  std::uintptr_t word = 0;
};

/// What unlock() needs to undo lock(): the interrupt mask before it, say.
using LockState = std::uintptr_t;

/// The obligations of a port. All functions may be called from an interrupt.
///
/// The port owes:
///   cache_line_bytes   the longest line of any data cache that the CPU's memory passes, a power of
///                      two; 1 where there is no data cache. Constant from the first call on.
///   cpu_view           the pointer through which the CPU reaches these physical bytes, by the very
///                      address given and not by an alias of it; nullptr where there is none.
///   clean              writes dirty lines of the range back to memory, and they stay valid
///   invalidate         drops lines; what was dirty in them is lost
///   clean_invalidate   both, in this order, with no moment between them
///                      - each for every line that the range touches, complete when it returns.
///   publish_barrier    earlier writes of the CPU are visible to devices before later ones
///   observe_barrier    later reads of the CPU are not satisfied before earlier ones
///   full_barrier       both, and between reads and writes as well
///   lock, unlock       exclude every other context that may use the same pool: other processors,
///                      and interrupts of this one. A port of a single-threaded program may do
///                      nothing. locks.hpp has the usual ones.
/// It may also offer, where the default is wrong:
///   may_lock           whether this context may wait for the lock. A mutex must not be waited for
///                      in an interrupt, which may have come while this very processor held it:
///                      there the answer is false, and calls that need the lock fail with
///                      would_wait. Without it: always.
///   processor          the number of the processor that runs this, from 0. It may be another one
///                      as soon as it is read: a hint at where to look first. Without it: 0.
///   sync_table         what the caches need around a streaming mapping. Constant. Without it:
///                      sync_tables::safe.
///   phys_of            where bytes of the CPU's lie, by the address that it emits for them;
///                      nothing where they are not one stretch of memory. Without it nobody can
///                      map a bare pointer, and who does states the physical address.
///   copy               copies bytes between two places of the CPU's memory that do not overlap,
///                      either of which may be uncached: by a unit that is faster than the CPU,
///                      say. Complete as the CPU's own stores are. Without it: copy_words().
///   device_owns, cpu_owns
///                      take a range of the CPU's memory away from the CPU, or its stores only
///                      where the device only reads, and give it back, or a part of it: by a
///                      protection unit, say. A port takes what its hardware can, never more; what
///                      is given back need not be taken. Between the two nobody touches the range
///                      by way of the library. Without them: whoever touches what a device owns is
///                      not noticed.
/// The library owes: it calls cache functions with pointers that cpu_view() gave, of cached views,
/// or with those of bytes that a caller maps, and holds a lock for a time that is bounded by the
/// pool's tables, never during cache work.
template <class P>
concept Port = requires(P& port, std::byte* at, std::size_t size_bytes, PhysRange range,
                        LockWord& word, LockState state) {
  { port.cache_line_bytes() } noexcept -> std::same_as<std::size_t>;
  { port.cpu_view(range) } noexcept -> std::same_as<std::byte*>;
  { port.clean(at, size_bytes) } noexcept -> std::same_as<void>;
  { port.invalidate(at, size_bytes) } noexcept -> std::same_as<void>;
  { port.clean_invalidate(at, size_bytes) } noexcept -> std::same_as<void>;
  { port.publish_barrier() } noexcept -> std::same_as<void>;
  { port.observe_barrier() } noexcept -> std::same_as<void>;
  { port.full_barrier() } noexcept -> std::same_as<void>;
  { port.lock(word) } noexcept -> std::same_as<LockState>;
  { port.unlock(word, state) } noexcept -> std::same_as<void>;
};
static_assert(!Port<int>);

template <class P>
concept PortWithMayLock = requires(P& port) {
  { port.may_lock() } noexcept -> std::same_as<bool>;
};
template <class P>
concept PortWithProcessor = requires(P& port) {
  { port.processor() } noexcept -> std::same_as<std::uint32_t>;
};

template <class P>
concept PortWithSyncTable = requires(P& port) {
  { port.sync_table() } noexcept -> std::same_as<const SyncTable&>;
};
template <class P>
concept PortWithPhysOf = requires(P& port, const std::byte* at, std::size_t size_bytes) {
  { port.phys_of(at, size_bytes) } noexcept -> std::same_as<std::optional<PhysAddr>>;
};

template <class P>
concept PortWithOwnership = requires(P& port, PhysRange range, Direction direction) {
  { port.device_owns(range, direction) } noexcept -> std::same_as<void>;
  { port.cpu_owns(range) } noexcept -> std::same_as<void>;
};

template <class P>
concept PortWithCopy =
    requires(P& port, std::byte* to, const std::byte* from, std::size_t size_bytes) {
      { port.copy(to, from, size_bytes) } noexcept -> std::same_as<void>;
    };

/// A port by reference, its type forgotten: the library is compiled once and not per port. One
/// indirect call per cache operation, which itself walks memory.
///
/// The port outlives the reference.
class PortRef {
 public:
  template <Port P>
  constexpr explicit(false) PortRef(P& port)  // a view, like string_view
      : object_{&port}, calls_{&kCalls<P>} {}

  [[nodiscard]] std::size_t cache_line_bytes() const { return calls_->cache_line_bytes(object_); }
  [[nodiscard]] std::byte* cpu_view(PhysRange range) const {
    return calls_->cpu_view(object_, range);
  }
  void clean(std::byte* at, std::size_t size_bytes) const {
    calls_->clean(object_, at, size_bytes);
  }
  void invalidate(std::byte* at, std::size_t size_bytes) const {
    calls_->invalidate(object_, at, size_bytes);
  }
  void clean_invalidate(std::byte* at, std::size_t size_bytes) const {
    calls_->clean_invalidate(object_, at, size_bytes);
  }
  void publish_barrier() const { calls_->publish_barrier(object_); }
  void observe_barrier() const { calls_->observe_barrier(object_); }
  void full_barrier() const { calls_->full_barrier(object_); }
  [[nodiscard]] LockState lock(LockWord& word) const { return calls_->lock(object_, word); }
  void unlock(LockWord& word, LockState state) const { calls_->unlock(object_, word, state); }
  [[nodiscard]] bool may_lock() const {
    return calls_->may_lock == nullptr || calls_->may_lock(object_);
  }
  [[nodiscard]] std::uint32_t processor() const {
    return calls_->processor == nullptr ? 0 : calls_->processor(object_);
  }
  [[nodiscard]] const SyncTable& sync_table() const {
    return calls_->sync_table == nullptr ? sync_tables::safe : calls_->sync_table(object_);
  }
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at, std::size_t size_bytes) const {
    if (calls_->phys_of == nullptr) return std::nullopt;
    return calls_->phys_of(object_, at, size_bytes);
  }
  void copy(std::byte* to, const std::byte* from, std::size_t size_bytes) const {
    if (calls_->copy == nullptr) return copy_words(to, from, size_bytes);
    calls_->copy(object_, to, from, size_bytes);
  }
  void device_owns(PhysRange range, Direction direction) const {
    if (calls_->device_owns != nullptr) calls_->device_owns(object_, range, direction);
  }
  void cpu_owns(PhysRange range) const {
    if (calls_->cpu_owns != nullptr) calls_->cpu_owns(object_, range);
  }

 private:
  struct Calls {
    std::size_t (*cache_line_bytes)(void*) noexcept;
    std::byte* (*cpu_view)(void*, PhysRange) noexcept;
    void (*clean)(void*, std::byte*, std::size_t) noexcept;
    void (*invalidate)(void*, std::byte*, std::size_t) noexcept;
    void (*clean_invalidate)(void*, std::byte*, std::size_t) noexcept;
    void (*publish_barrier)(void*) noexcept;
    void (*observe_barrier)(void*) noexcept;
    void (*full_barrier)(void*) noexcept;
    LockState (*lock)(void*, LockWord&) noexcept;
    void (*unlock)(void*, LockWord&, LockState) noexcept;
    bool (*may_lock)(void*) noexcept;            ///< nullptr: the port has none
    std::uint32_t (*processor)(void*) noexcept;  ///< and so for each below
    const SyncTable& (*sync_table)(void*) noexcept;
    std::optional<PhysAddr> (*phys_of)(void*, const std::byte*, std::size_t) noexcept;
    void (*copy)(void*, std::byte*, const std::byte*, std::size_t) noexcept;
    void (*device_owns)(void*, PhysRange, Direction) noexcept;
    void (*cpu_owns)(void*, PhysRange) noexcept;
  };

  template <Port P>
  static constexpr auto may_lock_of() -> bool (*)(void*) noexcept {
    if constexpr (PortWithMayLock<P>) {
      return [](void* port) noexcept { return static_cast<P*>(port)->may_lock(); };
    } else {
      return nullptr;
    }
  }
  template <Port P>
  static constexpr auto processor_of() -> std::uint32_t (*)(void*) noexcept {
    if constexpr (PortWithProcessor<P>) {
      return [](void* port) noexcept { return static_cast<P*>(port)->processor(); };
    } else {
      return nullptr;
    }
  }

  template <Port P>
  static constexpr auto sync_table_of() -> const SyncTable& (*)(void*) noexcept {
    if constexpr (PortWithSyncTable<P>) {
      return [](void* port) noexcept -> const SyncTable& {
        return static_cast<P*>(port)->sync_table();
      };
    } else {
      return nullptr;
    }
  }
  template <Port P>
  static constexpr auto phys_of_of()
      -> std::optional<PhysAddr> (*)(void*, const std::byte*, std::size_t) noexcept {
    if constexpr (PortWithPhysOf<P>) {
      return [](void* port, const std::byte* at, std::size_t size) noexcept {
        return static_cast<P*>(port)->phys_of(at, size);
      };
    } else {
      return nullptr;
    }
  }

  template <Port P>
  static constexpr auto copy_of()
      -> void (*)(void*, std::byte*, const std::byte*, std::size_t) noexcept {
    if constexpr (PortWithCopy<P>) {
      return [](void* port, std::byte* to, const std::byte* from, std::size_t size) noexcept {
        static_cast<P*>(port)->copy(to, from, size);
      };
    } else {
      return nullptr;
    }
  }

  template <Port P>
  static constexpr auto device_owns_of() -> void (*)(void*, PhysRange, Direction) noexcept {
    if constexpr (PortWithOwnership<P>) {
      return [](void* port, PhysRange range, Direction direction) noexcept {
        static_cast<P*>(port)->device_owns(range, direction);
      };
    } else {
      return nullptr;
    }
  }
  template <Port P>
  static constexpr auto cpu_owns_of() -> void (*)(void*, PhysRange) noexcept {
    if constexpr (PortWithOwnership<P>) {
      return [](void* port, PhysRange range) noexcept { static_cast<P*>(port)->cpu_owns(range); };
    } else {
      return nullptr;
    }
  }

  template <Port P>
  static constexpr Calls kCalls{
      [](void* port) noexcept { return static_cast<P*>(port)->cache_line_bytes(); },
      [](void* port, PhysRange range) noexcept { return static_cast<P*>(port)->cpu_view(range); },
      [](void* port, std::byte* at, std::size_t size) noexcept {
        static_cast<P*>(port)->clean(at, size);
      },
      [](void* port, std::byte* at, std::size_t size) noexcept {
        static_cast<P*>(port)->invalidate(at, size);
      },
      [](void* port, std::byte* at, std::size_t size) noexcept {
        static_cast<P*>(port)->clean_invalidate(at, size);
      },
      [](void* port) noexcept { static_cast<P*>(port)->publish_barrier(); },
      [](void* port) noexcept { static_cast<P*>(port)->observe_barrier(); },
      [](void* port) noexcept { static_cast<P*>(port)->full_barrier(); },
      [](void* port, LockWord& word) noexcept { return static_cast<P*>(port)->lock(word); },
      [](void* port, LockWord& word, LockState state) noexcept {
        static_cast<P*>(port)->unlock(word, state);
      },
      may_lock_of<P>(),
      processor_of<P>(),
      sync_table_of<P>(),
      phys_of_of<P>(),
      copy_of<P>(),
      device_owns_of<P>(),
      cpu_owns_of<P>(),
  };

  void* object_;
  const Calls* calls_;
};

/// Holds a pool's lock for a scope.
class LockGuard {
 public:
  LockGuard(PortRef port, LockWord& word) : port_{port}, word_{word}, state_{port.lock(word)} {}
  ~LockGuard() { port_.unlock(word_, state_); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  PortRef port_;
  LockWord& word_;
  LockState state_;
};

}  // namespace carveout
