// A port of a machine with nothing to maintain.
#pragma once

#include <cstddef>
#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout/port/locks.hpp"
#include "carveout/port/port.hpp"

namespace carveout {

/// For programs that hand out addresses and never reach what lies there: tools, tests on a host, an
/// allocator beside the real one. No caches, no views, one thread, no interrupts.
///
/// A port that differs in a few points derives from it and states those: functions of the same name
/// take their place, because a Port is what has them, and none is virtual. Nothing of it is for a
/// board: what it does not maintain would be stale there.
struct NoMachine : NoLock {
  [[nodiscard]] static std::size_t cache_line_bytes() noexcept { return 1; }
  [[nodiscard]] static std::byte* cpu_view(PhysRange /*range*/) noexcept { return nullptr; }
  static void clean(std::byte* /*at*/, std::size_t /*size_bytes*/) noexcept {}
  static void invalidate(std::byte* /*at*/, std::size_t /*size_bytes*/) noexcept {}
  static void clean_invalidate(std::byte* /*at*/, std::size_t /*size_bytes*/) noexcept {}
  static void publish_barrier() noexcept {}
  static void observe_barrier() noexcept {}
  static void full_barrier() noexcept {}
};
static_assert(Port<NoMachine>);

}  // namespace carveout
