#include "gen/mpu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "carveout/port/pmsa_v7.hpp"
#include "carveout/port/pmsa_v8.hpp"
#include "gen/ranges.hpp"

namespace carveout::cli {
namespace {

/// More regions than any unit has are as many as need to be counted.
constexpr std::size_t kMostRegions = 64;

/// A chunk of a pool, and what may make it uncached.
struct Choice {
  std::size_t pool;
  std::size_t chunk;
  PhysRange range;
  std::vector<GenRegion> regions;         ///< exactly
  std::optional<GenRegion> rounded = {};  ///< the one that may stand for them
  std::uint64_t swallowed_bytes = 0;      ///< by it
};

GenRegion region_of(const Choice& choice, const pmsa_v7::Region& region) {
  return {.pool = choice.pool,
          .chunk = choice.chunk,
          .rbar = region.rbar,
          .rasr_or_rlar = region.rasr,
          .covered = region.covered()};
}

bool is_free(const GenPlan& plan, PhysRange range) {
  return range.empty() || std::ranges::any_of(plan.memory, [&](const GenRange& memory) {
           return memory.range.contains(range);
         });
}

/// What of a region is not the chunk's: before it, and behind it.
std::array<PhysRange, 2> beside(PhysRange covered, PhysRange chunk) {
  const std::uint64_t before = chunk.base.raw() - covered.base.raw();
  const std::uint64_t behind = covered.last().raw() - chunk.last().raw();
  return {PhysRange{covered.base, before},
          PhysRange{PhysAddr{covered.last().raw() - behind + (behind == 0 ? 0 : 1)}, behind}};
}

void choose_v7(const GenPlan& plan, Choice& choice) {
  std::array<pmsa_v7::Region, kMostRegions> regions{};
  // The chunk is whole granules of 32 bytes, under 4 GiB.
  const std::size_t count = *pmsa_v7::non_cacheable_regions(choice.range, regions);
  for (const auto& region : std::span{regions}.first(std::min(count, regions.size()))) {
    choice.regions.push_back(region_of(choice, region));
  }
  if (count == 1) return;
  const GenRegion rounded = region_of(choice, *pmsa_v7::non_cacheable_around(choice.range));
  const auto extra = beside(rounded.covered, choice.range);
  if (!is_free(plan, extra[0]) || !is_free(plan, extra[1])) return;
  choice.rounded = rounded;
  choice.swallowed_bytes = extra[0].size_bytes + extra[1].size_bytes;
}

void choose_v8(Choice& choice) {
  const auto region = *pmsa_v8::region_around(choice.range, kMairIndex);
  choice.regions.push_back({.pool = choice.pool,
                            .chunk = choice.chunk,
                            .rbar = region.rbar,
                            .rasr_or_rlar = region.rlar,
                            .covered = region.covered()});
}

std::size_t regions_of(std::span<const Choice> choices) {
  std::size_t count = 0;
  for (const Choice& choice : choices) count += choice.regions.size();
  return count;
}

/// The chunk whose rounding costs least, of those that save a region by it.
Choice* cheapest(std::span<Choice> choices) {
  Choice* best = nullptr;
  for (Choice& choice : choices) {
    if (!choice.rounded) continue;
    if (best == nullptr || choice.swallowed_bytes < best->swallowed_bytes) best = &choice;
  }
  return best;
}

void tell_swallowed(const Choice& choice, GenPlan& plan) {
  for (const PhysRange& extra : beside(choice.regions[0].covered, choice.range)) {
    if (extra.empty()) continue;
    plan.notes.push_back(fmt::format(
        "the MPU region of {} takes {:#x} to {:#x} with it: not cached either, and left unused",
        plan.pools[choice.pool].chunks[choice.chunk].id, extra.base.raw(), extra.last().raw()));
  }
}

}  // namespace

void plan_mpu(const GenRequest& request, GenPlan& plan) {
  std::vector<Choice> choices;
  for (std::size_t pool = 0; pool < plan.pools.size(); ++pool) {
    for (std::size_t chunk = 0; chunk < plan.pools[pool].chunks.size(); ++chunk) {
      const GenRange& named = plan.pools[pool].chunks[chunk];
      Choice choice{.pool = pool, .chunk = chunk, .range = named.range, .regions = {}};
      if (named.range.last().raw() >= pmsa_v7::kLongestBytes) {
        plan.refused.push_back(
            fmt::format("{} ends above 4 GiB, where this target has no memory", named.id));
        return;
      }
      if (request.target == GenTarget::armv7m) choose_v7(plan, choice);
      if (request.target == GenTarget::armv8m) choose_v8(choice);
      choices.push_back(std::move(choice));
    }
  }
  while (regions_of(choices) > request.mpu_regions) {
    Choice* const round = cheapest(choices);
    if (round == nullptr) {
      plan.refused.push_back(
          fmt::format("its pools take at least {} MPU regions, and may take {} (--mpu-regions)",
                      regions_of(choices), request.mpu_regions));
      return;
    }
    round->regions = {*std::exchange(round->rounded, std::nullopt)};
    tell_swallowed(*round, plan);
  }
  std::vector<PhysRange> taken;
  for (const Choice& choice : choices) {
    for (const GenRegion& region : choice.regions) {
      plan.regions.push_back(region);
      taken.push_back(region.covered);
    }
  }
  std::vector<PhysRange> memory;
  memory.reserve(plan.memory.size());
  for (const GenRange& free : plan.memory) memory.push_back(free.range);
  plan.memory = named_memory(without(std::move(memory), std::move(taken)));
}

}  // namespace carveout::cli
