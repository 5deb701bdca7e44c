// A System from tables that the compiler has checked: what a generated header, or a board file
// written by hand, states as constexpr data. No device-tree code comes to the target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/function_ref.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/device.hpp"
#include "carveout/setup/system.hpp"

namespace carveout::setup {

/// A device's row: a number of the tables' device, and so its Holder.
struct DeviceRow {
  std::string_view name;
  std::uint64_t coherent_mask;
  std::span<const Window> windows = {};  ///< none: device addresses are physical addresses
  std::optional<bool> coherent = std::nullopt;
  bool behind_iommu = false;
  std::uint32_t numa_node = 0;
};

struct BindingRow {
  std::size_t device;  ///< row of the device
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
  std::span<const DeviceRow> devices = {};
  std::span<const BindingRow> bindings = {};
  std::span<const DefaultRow> defaults = {};
};

/// How many bytes of storage build() needs for these tables, at most 7 of them for alignment.
///
/// `blocks_per_pool` is the platform's: tables are measured before a port exists.
[[nodiscard]] constexpr std::size_t measure(const Tables& tables,
                                            std::size_t blocks_per_pool = kDefaultBlocksPerPool) {
  std::size_t bytes = System::base_storage_bytes();
  for (const PoolSettings& pool : tables.pools) {
    bytes += System::pool_storage_bytes(pool.chunks.size(),
                                        pool.blocks != 0 ? pool.blocks : blocks_per_pool);
  }
  for (const DeviceRow& device : tables.devices)
    bytes += System::device_storage_bytes(device.windows.size());
  for (const BindingRow& binding : tables.bindings) {
    bytes += System::binding_storage_bytes(binding.settings.window.has_value());
  }
  for (const DefaultRow& row : tables.defaults) {
    if (row.role == Role::contiguous_node) bytes += System::node_default_storage_bytes();
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
