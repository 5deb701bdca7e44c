// A System from tables that the compiler has checked: what a generated header, or a board file
// written by hand, states as constexpr data. No device-tree code comes to the target.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "carveout/core/error.hpp"
#include "carveout/core/function_ref.hpp"
#include "carveout/core/size.hpp"
#include "carveout/map/device.hpp"
#include "carveout/setup/system.hpp"

namespace carveout::setup {

struct BindingRow {
  std::size_t device;  ///< row of the device, and its number in the System
  std::size_t pool;    ///< row of the pool
  BindingSettings settings = {};
};

struct DefaultRow {
  Role role;
  std::size_t pool;  ///< row of the pool
  std::uint32_t numa_node = 0;
};

/// A whole board. Everything that it refers to outlives the System.
struct Tables {
  std::span<const PoolSettings> pools = {};
  std::span<const DeviceSettings> devices = {};
  std::span<const BindingRow> bindings = {};
  std::span<const DefaultRow> defaults = {};
  /// For pools that do not say, in place of the platform's: tables are measured before one exists.
  TagStore store = TagStore::sparse(kDefaultBlocksPerPool);
};

/// A pool's row as it is declared: with the store that it or the tables say.
[[nodiscard]] constexpr PoolSettings with_store(PoolSettings pool, const Tables& tables) {
  if (!pool.store) pool.store = tables.store;
  return pool;
}

/// How many granules a pool's row has, at most: of one byte each where it does not say. So a row
/// whose store keeps tables for granules states its granule.
[[nodiscard]] constexpr std::uint64_t granules_at_most(const PoolSettings& pool) {
  const int shift = pool.granule_bytes == 0 ? 0 : std::countr_zero(pool.granule_bytes);
  std::uint64_t granules = 0;
  for (const PhysRange& chunk : pool.chunks) {
    granules = checked_add(granules, chunk.size_bytes >> shift).value_or(UINT64_MAX);
  }
  return granules;
}

/// How many bytes of storage build() needs for these tables, at most 7 of them for alignment.
[[nodiscard]] constexpr std::size_t measure(const Tables& tables) {
  std::size_t bytes = System::base_storage_bytes();
  const auto add = [&](std::size_t more) { bytes = saturating_add(bytes, more); };
  for (const PoolSettings& pool : tables.pools) {
    add(System::pool_storage_bytes(pool.chunks.size(), *with_store(pool, tables).store,
                                   granules_at_most(pool)));
  }
  for (const DeviceSettings& device : tables.devices) {
    add(System::device_storage_bytes(device.translation.windows().size(),
                                     device.quarantine_blocks));
  }
  for (const BindingRow& binding : tables.bindings) {
    add(System::binding_storage_bytes(binding.settings.window.has_value()));
  }
  for (const DefaultRow& row : tables.defaults) {
    if (row.role == Role::contiguous_node) add(System::node_default_storage_bytes());
  }
  return bytes;
}

/// Builds a System from tables. A mistake disables what it names and never the board: `refused`
/// hears of it, and the rest works. As for a tree, pools that overlap are both refused, and of two
/// rows for one role the first claims it, whatever becomes of its pool.
///
/// Fails with: bad_granule or storage_too_small (nothing is built), no_such_node (a binding or a
/// default names a row that is not there).
[[nodiscard]] Result<System*> build(const Tables& tables, const Platform& platform,
                                    std::span<std::byte> storage,
                                    FunctionRef<void(const Failure&)> refused);

}  // namespace carveout::setup
