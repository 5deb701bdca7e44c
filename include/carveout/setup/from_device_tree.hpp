// A System from a board's device tree, read on the target or offline: the same code, the same
// verdicts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/finding.hpp"
#include "carveout/core/function_ref.hpp"
#include "carveout/device_tree/tree.hpp"
#include "carveout/setup/system.hpp"

namespace carveout::setup {

/// Limits against hostile trees, far over what any board states. Entries of a device's
/// `memory-region` past the first bind nothing; a pool with which its ranges pass the second is
/// refused (table_full); defaults past the third get no role.
inline constexpr std::size_t kMaxOwnPools = 1024;
inline constexpr std::size_t kMaxPoolRanges = 1024;
inline constexpr std::size_t kMaxDefaults = 64;

/// A device that the application drives. The tree says where it is and what it reaches; only its
/// driver knows how many address bits it has.
struct DeviceSpec {
  std::string_view node;  ///< full path; names the device in the System, and outlives it
  DmaAddr coherent_mask;
  /// Any device on this bus, instead of one that has a node: `node` is the bus.
  bool any_on_bus = false;
  StreamingLimits streaming = {};     ///< as in DeviceSettings
  std::size_t quarantine_blocks = 0;  ///< as in DeviceSettings
};

/// How many bytes of storage build() needs. Part of it, at the end, is used while the tree is read
/// and not afterwards.
///
/// @param memo  any bytes, used while this runs: what the way of a bus to memory is remembered in
///              (DmaRanges::memo_bytes()). Of use for trees that nobody vouches for.
/// Fails with: no_such_node (`other` says which).
[[nodiscard]] Result<std::size_t> measure(const device_tree::Tree& tree,
                                          std::span<const DeviceSpec> devices,
                                          const Platform& platform, std::span<std::byte> memo = {});

/// Builds a System of the named devices, the pools that are theirs, and the board's defaults. The
/// tree is not needed afterwards.
///
/// A mistake in the tree disables what it names and never the board: `findings` hears of it, and
/// the rest works. Of two defaults for one role the first in tree order stays; regions that overlap
/// are both refused; a region that is disabled, or no pool of ours, binds nothing.
///
/// @param memo  as for measure().
/// Fails with: no_such_node (`other` says which), bad_granule, storage_too_small, already_declared
/// (a device is named twice). Nothing is built then.
/// Cost: linear in the tree for each device, n log n in its regions; for start-up, not for later.
[[nodiscard]] Result<System*> build(const device_tree::Tree& tree,
                                    std::span<const DeviceSpec> devices, const Platform& platform,
                                    std::span<std::byte> storage, FindingSink findings,
                                    std::span<std::byte> memo = {});

/// Hears of a region that is to be a pool and cannot be one.
using RegionSink = FunctionRef<void(device_tree::Node region, Error why)>;

/// How many bytes of storage check_regions() needs. Fails with: nothing.
[[nodiscard]] Result<std::size_t> measure_regions(const device_tree::Tree& tree,
                                                  const Platform& platform);

/// Asks of every enabled region of a pool's kind, whoever lists it, whether it can be a pool: what
/// build() finds of those that devices list or that are defaults. `refused` hears of the others in
/// tree order, with the error that a device which lists one has in its Binding.
///
/// The storage is used while this runs and not afterwards.
///
/// Fails with: bad_granule, storage_too_small.
/// Cost: n log n in the regions, and kMaxPoolRanges looks at each.
[[nodiscard]] Result<void> check_regions(const device_tree::Tree& tree, const Platform& platform,
                                         std::span<std::byte> storage, RegionSink refused);

}  // namespace carveout::setup
