// The MPU regions that `gen` plans, against every set of regions that the hardware has.
//
// The model is a kilobyte of memory in 32 units, a bit each. It knows no run of eighths, no search
// and no order: only which units a region's registers switch on.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gen/mpu.hpp"

namespace carveout::test {
namespace {

using cli::GenPlan;
using cli::GenTarget;
using Units = std::uint32_t;  ///< a bit for each 32 bytes

constexpr std::uint64_t kUnitBytes = 32;
constexpr unsigned kUnits = 32;
/// No multiple of more than a kilobyte, so that long regions begin below the memory.
constexpr std::uint64_t kBase = 0x2000'0c00;

Units units_of(PhysRange range) {
  Units units = 0;
  for (unsigned i = 0; i < kUnits; ++i) {
    const PhysRange unit{PhysAddr{kBase + i * kUnitBytes}, kUnitBytes};
    if (range.contains(unit)) units |= Units{1} << i;
  }
  return units;
}

/// What a region of PMSAv7 switches on; nothing where some of it lies outside of the memory.
/// Source: DDI 0403E, B3.5.8 and B3.5.9.
std::optional<Units> switched_on(std::uint64_t base, unsigned log2_bytes, unsigned off) {
  const std::uint64_t eighth = (std::uint64_t{1} << log2_bytes) / 8;
  Units units = 0;
  for (unsigned i = 0; i < 8; ++i) {
    if ((off >> i & 1) != 0) continue;
    const std::uint64_t first = base + i * eighth;
    if (first < kBase || first + eighth > kBase + kUnits * kUnitBytes) return std::nullopt;
    for (std::uint64_t at = first; at < first + eighth; at += kUnitBytes) {
      units |= Units{1} << (at - kBase) / kUnitBytes;
    }
  }
  return units;
}

/// Every set of units that one region of PMSAv7 can have.
std::vector<Units> all_regions() {
  std::vector<Units> all;
  for (unsigned i = 0; i < kUnits; ++i) {  // shorter than 256 bytes: without eighths
    for (const unsigned length : {1U, 2U, 4U}) {
      if (i % length == 0) all.push_back(((Units{1} << length) - 1) << i);
    }
  }
  for (unsigned log2_bytes = 8; log2_bytes <= 16; ++log2_bytes) {
    const std::uint64_t bytes = std::uint64_t{1} << log2_bytes;
    for (std::uint64_t base = kBase / bytes * bytes; base < kBase + kUnits * kUnitBytes;
         base += bytes) {
      for (unsigned off = 0; off < 255; ++off) {
        if (const auto units = switched_on(base, log2_bytes, off)) all.push_back(*units);
      }
    }
  }
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

struct Memory {
  std::vector<Units> pools;  ///< no two of them share a unit
  Units free = 0;

  [[nodiscard]] Units all_pools() const {
    Units all = 0;
    for (const Units pool : pools) all |= pool;
    return all;
  }
};

/// Runs of the units that are set.
std::vector<Units> runs_of(Units units) {
  std::vector<Units> runs;
  while (units != 0) {
    const int first = std::countr_zero(units);
    const int length = std::countr_one(units >> first);
    const Units run = (length == 32 ? ~Units{0} : (Units{1} << length) - 1) << first;
    runs.push_back(run);
    units &= ~run;
  }
  return runs;
}

/// The least that any set of so many regions swallows of a run of pools, by the number of regions.
using Least = std::map<unsigned, int>;

constexpr unsigned kMostInModel = 4;

/// Every set of up to kMostInModel regions that hold the run, and nothing but it and free memory.
Least least_swallowed(const Memory& memory, Units run, const std::vector<Units>& all) {
  std::vector<Units> useful;
  for (const Units region : all) {
    if ((region & run) != 0 && (region & ~(run | memory.free)) == 0) useful.push_back(region);
  }
  // One that holds as much of the run and swallows no other unit does for another.
  std::erase_if(useful, [&](Units region) {
    return std::ranges::any_of(useful, [&](Units other) {
      return other != region && (region & run & ~other) == 0 && (other & ~run & ~region) == 0 &&
             ((other & run) != (region & run) || (other & ~run) != (region & ~run));
    });
  });
  Least least;
  const auto choose = [&](const auto& self, Units held, unsigned count) -> void {
    const Units missing = run & ~held;
    if (missing == 0) {
      const int swallowed = std::popcount(held & ~run);
      const auto [known, is_new] = least.try_emplace(count, swallowed);
      known->second = std::min(known->second, swallowed);
      return;
    }
    if (count == kMostInModel) return;
    const Units lowest = missing & -missing;
    for (const Units region : useful) {
      if ((region & lowest) != 0) self(self, held | region, count + 1);
    }
  };
  choose(choose, 0, 0);
  return least;
}

/// The same of all runs together.
Least least_swallowed(const Memory& memory, const std::vector<Units>& all) {
  Least together{{0, 0}};
  for (const Units run : runs_of(memory.all_pools())) {
    Least next;
    for (const auto& [count, swallowed] : together) {
      for (const auto& [more, bytes] : least_swallowed(memory, run, all)) {
        const auto [known, is_new] = next.try_emplace(count + more, swallowed + bytes);
        known->second = std::min(known->second, swallowed + bytes);
      }
    }
    together = std::move(next);
  }
  return together;
}

PhysRange range_of(Units run) {
  return {PhysAddr{kBase + static_cast<std::uint64_t>(std::countr_zero(run)) * kUnitBytes},
          static_cast<std::uint64_t>(std::popcount(run)) * kUnitBytes};
}

GenPlan plan_of(const Memory& memory) {
  GenPlan plan;
  for (const Units pool : memory.pools) {
    const std::string id = "pool_" + std::to_string(plan.pools.size());
    plan.pools.push_back({.id = id,
                          .path = "/" + id,
                          .memory = carveout::Memory::coherent,
                          .chunks = {{.id = id, .range = range_of(pool)}}});
  }
  for (const Units run : runs_of(memory.free)) plan.memory.push_back({"free", range_of(run)});
  return plan;
}

/// What the two registers switch on, and nothing of what the plan says of them.
Units held_by(const cli::GenRegion& region) {
  EXPECT_EQ(region.rasr_or_rlar & 1, 1U) << "it is enabled";
  const unsigned log2_bytes = (region.rasr_or_rlar >> 1 & 0x1f) + 1;
  const unsigned off = region.rasr_or_rlar >> 8 & 0xff;
  const std::uint64_t base = region.rbar & ~std::uint32_t{0x1f};
  EXPECT_EQ(base % (std::uint64_t{1} << log2_bytes), 0U);
  if (log2_bytes < 8) return units_of({PhysAddr{base}, std::uint64_t{1} << log2_bytes});
  const auto units = switched_on(base, log2_bytes, off);
  EXPECT_TRUE(units.has_value()) << "it reaches out of the memory";
  return units.value_or(0);
}

void expect_best(const Memory& memory, const Least& least, unsigned budget) {
  GenPlan plan = plan_of(memory);
  cli::plan_mpu({.target = GenTarget::armv7m, .mpu_regions = budget}, plan);
  std::optional<std::pair<int, unsigned>> best;  // swallowed, regions
  for (const auto& [count, swallowed] : least) {
    if (count > budget) continue;
    if (!best || swallowed < best->first) best = {swallowed, count};
  }
  if (!best) {
    ASSERT_EQ(plan.refused.size(), 1U);
    EXPECT_TRUE(plan.regions.empty());
    if (!least.empty()) {
      const std::string fewest =
          "at least " + std::to_string(least.begin()->first) + " MPU regions";
      EXPECT_TRUE(plan.refused[0].contains(fewest)) << plan.refused[0];
    }
    return;
  }
  ASSERT_TRUE(plan.refused.empty()) << plan.refused[0];
  Units held = 0;
  for (const cli::GenRegion& region : plan.regions) held |= held_by(region);
  const Units pools = memory.all_pools();
  EXPECT_EQ(held & pools, pools) << "all of the pools is held";
  EXPECT_EQ(held & ~(pools | memory.free), 0U) << "and nothing that is somebody else's";
  EXPECT_EQ(std::popcount(held & ~pools), best->first) << "no set swallows less";
  EXPECT_EQ(plan.regions.size(), best->second) << "nor as little with fewer";
  Units left = 0;
  for (const cli::GenRange& free : plan.memory) left |= units_of(free.range);
  EXPECT_EQ(left, memory.free & ~held) << "what is swallowed is nobody's any more";
}

std::string words(const Memory& memory, unsigned budget) {
  std::string text = "budget " + std::to_string(budget) + ", pools";
  for (const Units pool : memory.pools) text += " " + std::to_string(pool);
  return text + ", free " + std::to_string(memory.free);
}

// Each place and size of one pool in half of the memory, with room on both sides, on one, on none.
TEST(GenMpuPlan, OfOnePoolIsTheBestThatAnySetOfRegionsCanBe) {
  const std::vector<Units> all = all_regions();
  for (unsigned first = 0; first < kUnits / 2; ++first) {
    for (unsigned length = 1; first + length <= kUnits; ++length) {
      const Units pool = (length == 32 ? ~Units{0} : (Units{1} << length) - 1) << first;
      const Units below = (Units{1} << first) - 1;
      for (const Units room : {~Units{0}, below, ~below, Units{0}}) {
        const Memory memory{.pools = {pool}, .free = room & ~pool};
        const Least least = least_swallowed(memory, all);
        for (const unsigned budget : {1U, 2U, 3U}) {
          SCOPED_TRACE(words(memory, budget));
          expect_best(memory, least, budget);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(GenMpuPlan, OfSeveralPoolsIsTheBestThatAnySetOfRegionsCanBe) {
  const std::vector<Units> all = all_regions();
  std::mt19937 random{20261123};
  for (int i = 0; i < 400; ++i) {
    Memory memory;
    Units taken = 0;
    for (auto pools = 1 + random() % 3; pools != 0; --pools) {
      const auto first = static_cast<unsigned>(random() % kUnits);
      const auto length = 1 + static_cast<unsigned>(random() % std::min(12U, kUnits - first));
      const Units pool = ((Units{1} << length) - 1) << first;
      if ((pool & taken) != 0) continue;
      memory.pools.push_back(pool);
      taken |= pool;
    }
    const Units others = static_cast<Units>(random() & random() & random());
    memory.free = ~(taken | others);
    const Least least = least_swallowed(memory, all);
    for (const unsigned budget : {1U, 2U, 3U, 4U}) {
      SCOPED_TRACE(words(memory, budget));
      expect_best(memory, least, budget);
      if (HasFailure()) return;
    }
  }
}

// PMSAv8 takes any multiple of 32 bytes as it is: a region for each run of pools.
TEST(GenMpuPlan, OfPmsaV8HasARegionForEachRunAndNothingBeside) {
  std::mt19937 random{20261123};
  for (int i = 0; i < 200; ++i) {
    Memory memory;
    for (const Units run : runs_of(static_cast<Units>(random()))) memory.pools.push_back(run);
    if (memory.pools.empty()) continue;
    memory.free = ~memory.all_pools();
    for (const auto budget : {static_cast<unsigned>(memory.pools.size()),
                              static_cast<unsigned>(memory.pools.size() - 1)}) {
      GenPlan plan = plan_of(memory);
      cli::plan_mpu({.target = GenTarget::armv8m, .mpu_regions = budget}, plan);
      EXPECT_EQ(plan.refused.empty(), budget == memory.pools.size());
      if (!plan.refused.empty()) continue;
      Units held = 0;
      for (const cli::GenRegion& region : plan.regions) {
        held |= units_of(PhysRange::from_to(PhysAddr{region.rbar & ~std::uint32_t{0x1f}},
                                            PhysAddr{region.rasr_or_rlar | 0x1f}));
      }
      EXPECT_EQ(held, memory.all_pools());
      EXPECT_EQ(plan.regions.size(), memory.pools.size());
    }
  }
}

}  // namespace
}  // namespace carveout::test
