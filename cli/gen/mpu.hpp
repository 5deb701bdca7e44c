// Which MPU regions make the pools uncached, within a budget.
#pragma once

#include <string>

#include "gen/plan.hpp"

namespace carveout::cli {

/// The field of MPU_MAIR1 that armv8m's regions name: the last, as the one that others use least.
inline constexpr unsigned kMairIndex = 7;

/// Fills plan.regions, for a target that has an MPU, by mpu_regions(). What they swallow is of
/// plan.memory, never anybody's, and is taken out of it; it goes to plan.notes, and what does not
/// fit to plan.refused.
void plan_mpu(const GenRequest& request, GenPlan& plan);

/// The chunks of pools that a region has bytes of: their names, with commas between them.
[[nodiscard]] std::string names_in(const GenPlan& plan, const GenRegion& region);

}  // namespace carveout::cli
