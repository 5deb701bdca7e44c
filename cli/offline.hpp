// A board as its own code would set it up, without the board: what `map`, `why`, `simulate` and
// `gen` ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "board_map.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/finding.hpp"
#include "carveout/map/device.hpp"
#include "carveout/map/route.hpp"
#include "carveout/port/no_machine.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "input.hpp"
#include "machine.hpp"

namespace carveout::cli {

/// A System, and the memory that it lies in.
struct BuiltSystem {
  std::unique_ptr<std::byte[]> storage;
  System* system;
};

/// Builds it with what the library makes of a tree. Throws Refusal: the library refuses, or the
/// tables are more than 1 GiB.
///
/// @param blame  what to name where they are.
[[nodiscard]] BuiltSystem build_system(const Board& board,
                                       std::span<const setup::DeviceSpec> devices,
                                       const Platform& platform, FindingSink findings,
                                       std::string_view blame);

/// Sets MapRegion::refused of the regions that are to be pools and cannot be. Throws Refusal: the
/// library refuses, or the tables are more than 1 GiB.
void find_refused(const Board& board, BoardMap& map);

/// What is assumed of a board.
struct OfflineSettings {
  bool devices_coherent;   ///< what a device is whose tree says nothing
  bool uncached_view;      ///< whether ordinary memory can be reached past the cache
  std::size_t blocks;      ///< how many may live in each pool
  std::string_view blame;  ///< what to name where so many need too much memory
};

/// The tables of a pool in which so many blocks may live: those that number blocks with 16 bits,
/// and beyond that those that have an entry for each granule. Who gets what does not depend on
/// them.
[[nodiscard]] constexpr TagStore store_for(std::size_t blocks) {
  constexpr std::size_t kMostNumbered = 65000;
  return blocks <= kMostNumbered ? TagStore{TagStore::sparse(blocks)} : TagStore{TagStore::dense()};
}

/// A System of some devices of a tree, in memory of its own.
class Offline {
 public:
  /// Throws Refusal: see build_system().
  Offline(const Board& board, std::span<const setup::DeviceSpec> devices, const Machine& machine,
          const OfflineSettings& settings, FindingSink findings);

  /// By its place in the devices given.
  [[nodiscard]] const Device& device(std::size_t index) const {
    return *built_.system->device(static_cast<Holder>(index));
  }

 private:
  NoMachine port_;
  std::vector<PhysRange> ordinary_;
  BuiltSystem built_{.storage = {}, .system = nullptr};
};

}  // namespace carveout::cli
