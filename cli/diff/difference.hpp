// What changed for whom between two boards, before it is words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diff/board_facts.hpp"
#include "diff/counterparts.hpp"

namespace carveout::cli {

/// What of a region or of an asker is different. Names: schema carveout.diff/1.
enum class Aspect : std::uint8_t {
  enabled,
  kind,       ///< of a region, and what follows
  place,      ///< moved
  size,       ///< resized
  placement,  ///< stated by the tree, or left to the system
  alignment,  ///< that a dynamic one asks for
  mapping,    ///< no-map, reusable
  default_pool,
  coherent,  ///< of an asker, and what follows
  iommu,
  reach,  ///< windows
  pools,
  source,  ///< where its allocations come from
};

[[nodiscard]] std::string_view name_of(Aspect aspect);

/// A path that is in one board only, or that means something else in each.
template <class Facts>
struct Change {
  std::string node;
  std::optional<Facts> before;  ///< nothing: added
  std::optional<Facts> after;   ///< nothing: removed
  std::vector<Aspect> what;     ///< in the order of Aspect; empty where added or removed
  std::optional<Counterpart> counterpart;
};

/// Ranges that one list has and the other has not, in the order of their list.
struct RangeChange {
  std::vector<PhysRange> added;
  std::vector<PhysRange> removed;

  [[nodiscard]] bool empty() const { return added.empty() && removed.empty(); }
};

/// All changes, each list by path.
struct Difference {
  RangeChange memory;
  RangeChange reservations;
  std::vector<Change<RegionFacts>> regions;
  std::vector<Change<AskerFacts>> buses;
  std::vector<Change<AskerFacts>> devices;

  [[nodiscard]] bool empty() const {
    return memory.empty() && reservations.empty() && regions.empty() && buses.empty() &&
           devices.empty();
  }
};

/// Nodes are matched by their full paths and by nothing else. Throws Refusal: a board that `why`
/// refuses; askers so many that asking takes minutes.
///
/// Cost: one `why` for each bus and device that either board states, on each board.
[[nodiscard]] Difference compare(BoardFacts& before, BoardFacts& after);

/// A pool that one of a device's lists has and the other has not, or has otherwise.
struct PoolChange {
  std::optional<PoolFacts> before;  ///< nothing: gained
  std::optional<PoolFacts> after;   ///< nothing: lost
};

/// Pools are matched by their regions; of several entries for one region the first with the first.
[[nodiscard]] std::vector<PoolChange> compare_pools(const std::vector<PoolFacts>& before,
                                                    const std::vector<PoolFacts>& after);

}  // namespace carveout::cli
