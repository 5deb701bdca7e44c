#include "gen/mpu.hpp"

#include <fmt/format.h>

#include <utility>

#include "carveout/core/size.hpp"
#include "carveout/port/pmsa_v7.hpp"
#include "carveout/port/pmsa_v8.hpp"
#include "mpu_regions.hpp"
#include "range_sets.hpp"

namespace carveout::cli {
namespace {

std::vector<PhysRange> chunks_of(const GenPlan& plan) {
  std::vector<PhysRange> chunks;
  for (const GenPool& pool : plan.pools) {
    for (const GenRange& chunk : pool.chunks) chunks.push_back(chunk.range);
  }
  return chunks;
}

GenRegion region_of(GenTarget target, PhysRange range) {
  if (target == GenTarget::armv7m) {
    const auto region = *pmsa_v7::non_cacheable_region(range);
    return {.rbar = region.rbar, .rasr_or_rlar = region.rasr, .covered = range};
  }
  const auto region = *pmsa_v8::region(range, kMairIndex);
  return {.rbar = region.rbar, .rasr_or_rlar = region.rlar, .covered = range};
}

void tell_swallowed(const GenRegion& region, GenPlan& plan) {
  for (const PhysRange& extra : without({region.covered}, chunks_of(plan))) {
    plan.notes.push_back(fmt::format(
        "the MPU region of {} takes {:#x} to {:#x} with it: not cached either, and left unused",
        names_in(plan, region), extra.base.raw(), extra.last().raw()));
  }
}

}  // namespace

std::string names_in(const GenPlan& plan, const GenRegion& region) {
  std::string names;
  for (const GenPool& pool : plan.pools) {
    for (const GenRange& chunk : pool.chunks) {
      if (!chunk.range.overlaps(region.covered)) continue;
      names += (names.empty() ? "" : ", ") + chunk.id;
    }
  }
  return names;
}

void plan_mpu(const GenRequest& request, GenPlan& plan) {
  for (const GenPool& pool : plan.pools) {
    for (const GenRange& chunk : pool.chunks) {
      if (chunk.range.last().raw() < pmsa_v7::kLongestBytes) continue;
      plan.refused.push_back(
          fmt::format("{} ends above 4 GiB, where this target has no memory", chunk.id));
      return;
    }
  }
  std::vector<PhysRange> memory;
  memory.reserve(plan.memory.size());
  for (const GenRange& free : plan.memory) memory.push_back(free.range);
  const Pmsa pmsa = request.target == GenTarget::armv8m ? Pmsa::v8 : Pmsa::v7;
  std::vector<PhysRange> taken = mpu_regions(pmsa, chunks_of(plan), memory, request.mpu_regions);
  if (taken.size() > request.mpu_regions) {
    plan.refused.push_back(
        fmt::format("its pools take at least {} MPU regions, none over what lies between two, and "
                    "may take {} (--mpu-regions)",
                    taken.size(), request.mpu_regions));
    return;
  }
  for (const PhysRange& range : taken) {
    plan.regions.push_back(region_of(request.target, range));
    tell_swallowed(plan.regions.back(), plan);
  }
  plan.memory = named_memory(without(std::move(memory), std::move(taken)));
}

}  // namespace carveout::cli
