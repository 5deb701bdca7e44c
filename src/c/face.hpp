// From C's structures to the library's, and back: what all files of this wing need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "carveout/c/carveout.h"
#include "carveout/core/address.hpp"
#include "carveout/core/assert.hpp"
#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/size.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/alias.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/block_pool.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/port/copy.hpp"
#include "carveout/port/port.hpp"
#include "carveout/port/sync_table.hpp"
#include "carveout/setup/system.hpp"

namespace carveout::c {

/// A port of C's, as C++ wants it.
class Port {
 public:
  /// @param port  its table means something: carveout_build() has looked.
  explicit Port(const carveout_port& port) : port_{port}, table_{table_of(port.sync_table)} {}

  [[nodiscard]] std::size_t cache_line_bytes() noexcept {
    return port_.cache_line_bytes(port_.context);
  }
  [[nodiscard]] std::byte* cpu_view(PhysRange range) noexcept {
    return static_cast<std::byte*>(
        port_.cpu_view(port_.context, {range.base.raw()}, range.size_bytes));
  }
  void clean(std::byte* at, std::size_t size) noexcept { port_.clean(port_.context, at, size); }
  void invalidate(std::byte* at, std::size_t size) noexcept {
    port_.invalidate(port_.context, at, size);
  }
  void clean_invalidate(std::byte* at, std::size_t size) noexcept {
    port_.clean_invalidate(port_.context, at, size);
  }
  void publish_barrier() noexcept { port_.publish_barrier(port_.context); }
  void observe_barrier() noexcept { port_.observe_barrier(port_.context); }
  void full_barrier() noexcept { port_.full_barrier(port_.context); }
  [[nodiscard]] LockState lock(LockWord& word) noexcept {
    return port_.lock(port_.context, &word.word);
  }
  void unlock(LockWord& word, LockState state) noexcept {
    port_.unlock(port_.context, &word.word, state);
  }
  [[nodiscard]] bool may_lock() noexcept {
    return port_.may_lock == nullptr || port_.may_lock(port_.context);
  }
  [[nodiscard]] std::uint32_t processor() noexcept {
    return port_.processor == nullptr ? 0 : port_.processor(port_.context);
  }
  [[nodiscard]] const SyncTable& sync_table() noexcept { return table_; }
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at, std::size_t size) noexcept {
    carveout_phys_addr phys{};
    if (port_.phys_of == nullptr || !port_.phys_of(port_.context, at, size, &phys))
      return std::nullopt;
    return PhysAddr{phys.raw};
  }
  void copy(std::byte* to, const std::byte* from, std::size_t size) noexcept {
    if (port_.copy == nullptr) return copy_words(to, from, size);
    port_.copy(port_.context, to, from, size);
  }

 private:
  static constexpr SyncTable table_of(const carveout_sync_table* table) {
    if (table == nullptr) return sync_tables::safe;
    SyncTable made{};
    for (std::size_t i = 0; i < kDirections; ++i) {
      made.rows[i] = {static_cast<CacheWork>(table->rows[i].before),
                      static_cast<CacheWork>(table->rows[i].after)};
    }
    return made;
  }

  carveout_port port_;
  SyncTable table_;
};
static_assert(carveout::Port<Port> && PortWithSyncTable<Port> && PortWithPhysOf<Port> &&
              PortWithCopy<Port>);

}  // namespace carveout::c

/// What a handle of a system points at. The other handles point at the library's own objects.
struct carveout_system {
  explicit carveout_system(const carveout_platform& platform)
      : port{platform.port}, log{platform.log}, log_context{platform.log_context} {}

  carveout::c::Port port;
  carveout_log_fn log;
  void* log_context;
  carveout::System* system = nullptr;
};

namespace carveout::c {

// ---- handles

[[nodiscard]] inline Pool* from_c(carveout_pool* pool) { return reinterpret_cast<Pool*>(pool); }
[[nodiscard]] inline const Pool* from_c(const carveout_pool* pool) {
  return reinterpret_cast<const Pool*>(pool);
}
[[nodiscard]] inline Device* from_c(carveout_device* device) {
  return reinterpret_cast<Device*>(device);
}
[[nodiscard]] inline const Device* from_c(const carveout_device* device) {
  return reinterpret_cast<const Device*>(device);
}
[[nodiscard]] inline carveout_pool* to_c(Pool* pool) {
  return reinterpret_cast<carveout_pool*>(pool);
}
[[nodiscard]] inline carveout_device* to_c(Device* device) {
  return reinterpret_cast<carveout_device*>(device);
}
[[nodiscard]] inline const carveout_device* to_c(const Device* device) {
  return reinterpret_cast<const carveout_device*>(device);
}

// ---- values

[[nodiscard]] inline carveout_text to_c(std::string_view text) {
  return {text.data(), text.size()};
}
/// Of a text that may be missing, nothing.
[[nodiscard]] inline std::string_view text_of(const char* text) {
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

/// C's list is the library's, behind CARVEOUT_OK. tools/check-lists compares the names.
[[nodiscard]] constexpr carveout_error to_c(Error error) {
  return static_cast<carveout_error>(static_cast<int>(error) + 1);
}
static_assert(to_c(Error::zero_size) == CARVEOUT_ZERO_SIZE);
static_assert(to_c(Error::no_such_node) == CARVEOUT_NO_SUCH_NODE);

/// Answers with the code of a refusal, and writes the rest where it is wanted.
carveout_error fail(const Failure& failure, carveout_failure* why);
template <class T>
carveout_error answer(const Result<T>& result, carveout_failure* why) {
  if (result) return CARVEOUT_OK;
  return fail(result.error(), why);
}

[[nodiscard]] inline Window from_c(const carveout_window& window) {
  return {DmaAddr{window.dma.raw}, PhysAddr{window.cpu.raw}, window.size_bytes};
}
[[nodiscard]] inline PhysRange from_c(const carveout_phys_range& range) {
  return {PhysAddr{range.base.raw}, range.size_bytes};
}
[[nodiscard]] inline Alias from_c(const carveout_alias& alias) {
  return {PhysAddr{alias.cached.raw}, PhysAddr{alias.uncached.raw}, alias.size_bytes};
}
[[nodiscard]] inline carveout_phys_range to_c(PhysRange range) {
  return {{range.base.raw()}, range.size_bytes};
}
[[nodiscard]] inline carveout_block to_c(const Block& block) {
  return {.cpu = block.cpu,
          .dma = {block.dma.raw()},
          .phys = {block.phys.raw()},
          .size_bytes = block.size_bytes,
          .pool = to_c(block.pool),
          .tag = block.tag,
          .serial = block.serial};
}
[[nodiscard]] inline Block from_c(const carveout_block& block) {
  return {.cpu = static_cast<std::byte*>(block.cpu),
          .dma = DmaAddr{block.dma.raw},
          .phys = PhysAddr{block.phys.raw},
          .size_bytes = block.size_bytes,
          .pool = from_c(block.pool),
          .tag = block.tag,
          .serial = block.serial};
}
/// C's enumerations hold any number.
[[nodiscard]] constexpr bool is_one_of(std::int32_t number, std::int32_t first, std::int32_t last) {
  return number >= first && number <= last;
}
[[nodiscard]] constexpr bool is_role(carveout_role role) {
  return is_one_of(role, CARVEOUT_ROLE_DEVICE, CARVEOUT_ROLE_ORDINARY);
}
[[nodiscard]] constexpr bool are_attributes(std::uint32_t attributes) {
  return attributes < 2U * CARVEOUT_ATTR_REQUIRE_COHERENT;
}

/// A block that was handed out, or the refusal.
inline carveout_error hand_out(const Result<Block>& block, carveout_block* into,
                               carveout_failure* why) {
  if (block) *into = to_c(*block);
  return answer(block, why);
}

}  // namespace carveout::c
