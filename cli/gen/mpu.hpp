// Which MPU regions make the pools uncached, within a budget.
#pragma once

#include "gen/plan.hpp"

namespace carveout::cli {

/// The field of MPU_MAIR1 that armv8m's regions name: the last, as the one that others use least.
inline constexpr unsigned kMairIndex = 7;

/// Fills plan.regions, for a target that has an MPU. Pools are made exactly uncached; where that
/// takes more regions than there may be, the pool that swallows the fewest bytes for it gets one
/// region that is rounded outward, and so on. Swallowed bytes are of plan.memory, never anybody's,
/// and are taken out of it.
///
/// What is swallowed goes to plan.notes, and what does not fit to plan.refused.
void plan_mpu(const GenRequest& request, GenPlan& plan);

}  // namespace carveout::cli
