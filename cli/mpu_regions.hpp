// Which regions of a memory protection unit make pools uncached, and as little else as can be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carveout/core/address.hpp"

namespace carveout::cli {

/// The two architectures of the unit: what a region can be.
enum class Pmsa : std::uint8_t { v7, v8 };

/// The ranges of regions that hold all pools, ascending. Pools that touch are one range here. Of
/// the sets of at most `most` regions, the one that swallows the fewest bytes beside the pools -
/// none, where there are regions enough - and of those one of the fewest regions. Where no so small
/// a set is enough: one of the fewest that are, so that the result is longer than `most`.
///
/// @param pools  below 4 GiB, in steps of 32 bytes.
/// @param free   what regions may swallow. None reaches from one range of pools into the next.
///
/// Cost: for each of the first `most` regions, the ends that another one could have; then linear in
/// the pools.
[[nodiscard]] std::vector<PhysRange> mpu_regions(Pmsa pmsa, std::vector<PhysRange> pools,
                                                 std::vector<PhysRange> free, std::size_t most);

}  // namespace carveout::cli
