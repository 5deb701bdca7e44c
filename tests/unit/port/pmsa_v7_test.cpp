#include "carveout/port/pmsa_v7.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace carveout::test {
namespace {

using pmsa_v7::Access;
using pmsa_v7::cover;
using pmsa_v7::non_cacheable_around;
using pmsa_v7::non_cacheable_region;
using pmsa_v7::non_cacheable_regions;
using pmsa_v7::Refusal;
using pmsa_v7::Region;

constexpr PhysRange range(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}

// The row of the project's reference vectors: the ART-Pi's default pool.
TEST(PmsaV7, Row56AMebibyteAtTheTopOfTheSdramIsOneRegion) {
  constexpr auto region = non_cacheable_region(range(0xc1f0'0000, 0x10'0000));
  static_assert(region.has_value());
  EXPECT_EQ(region->rbar, 0xc1f0'0000U);
  EXPECT_EQ(region->size_field(), 19U);
  EXPECT_EQ(region->subregions_off(), 0U);
  EXPECT_EQ(region->size_bytes(), 0x10'0000U);
}

TEST(PmsaV7, TheRegionIsNormalMemoryThatIsNeitherCachedNorExecuted) {
  const auto region = non_cacheable_region(range(0x2021'0000, 0x1'0000));
  ASSERT_TRUE(region.has_value());
  EXPECT_TRUE(region->enabled());
  EXPECT_TRUE(region->execute_never());
  EXPECT_EQ(region->tex(), 1U);
  EXPECT_FALSE(region->c());
  EXPECT_FALSE(region->b());
  EXPECT_FALSE(region->shareable());
  EXPECT_EQ(region->ap(), 3U);
  EXPECT_EQ(region->rasr, 0x1308'001fU);  // what the emulated Cortex-M7 read back
}

TEST(PmsaV7, ARegionForNobodyDiffersInItsAccessOnly) {
  const auto open = non_cacheable_region(range(0x2021'0000, 0x1'0000));
  const auto shut = non_cacheable_region(range(0x2021'0000, 0x1'0000), Access::nobody);
  ASSERT_TRUE(open && shut);
  EXPECT_EQ(shut->ap(), 0U);
  EXPECT_EQ(shut->rbar, open->rbar);
  EXPECT_EQ(open->rasr ^ shut->rasr, 3U << 24);
}

TEST(PmsaV7, EverySizeFrom32BytesTo4GibibytesHasItsField) {
  for (unsigned log2 = 5; log2 <= 32; ++log2) {
    const std::uint64_t size = 1ULL << log2;
    const auto region = non_cacheable_region(range(0, size));
    ASSERT_TRUE(region.has_value()) << log2;
    EXPECT_EQ(region->size_field(), log2 - 1);
    EXPECT_EQ(region->size_bytes(), size);
  }
}

TEST(PmsaV7, Row57ARangeThatIsNoPowerOfTwoIsARegionWithEighthsOff) {
  struct Row {
    PhysRange range;
    std::uint32_t base;
    unsigned size_field, off;
  };
  for (const Row& row : {Row{range(0xc1f8'0000, 0x6'0000), 0xc1f8'0000, 18, 0xc0},
                         Row{range(0xc1fd'0000, 0x3'0000), 0xc1fc'0000, 17, 0x03},
                         Row{range(0xc1f1'0000, 0x5'0000), 0xc1f0'0000, 18, 0xc1},
                         Row{range(0x2000'1000, 0x3000), 0x2000'0000, 13, 0x03}}) {
    const auto region = non_cacheable_region(row.range);
    ASSERT_TRUE(region.has_value()) << row.range.base.raw();
    EXPECT_EQ(region->rbar, row.base);
    EXPECT_EQ(region->size_field(), row.size_field);
    EXPECT_EQ(region->subregions_off(), row.off);
  }
}

constexpr auto refusal(std::uint64_t base, std::uint64_t size) {
  return non_cacheable_region(range(base, size)).error();
}

TEST(PmsaV7, Row58WhatEndsInsideAnEighthIsNoSingleRegion) {
  EXPECT_EQ(refusal(0x3000'1000, 0x1100), Refusal::no_such_region);
}

TEST(PmsaV7, WhatIsTooShortOrTooHighIsRefused) {
  EXPECT_EQ(refusal(0x2000'0000, 0), Refusal::empty_range);
  EXPECT_EQ(refusal(0x2000'0000, 16), Refusal::no_such_region);
  EXPECT_EQ(refusal(0x2000'0010, 32), Refusal::no_such_region);
  EXPECT_EQ(refusal(0x1'0000'0000, 0x1000), Refusal::above_4_gib);
  EXPECT_EQ(refusal(0xffff'ffe0, 0x40), Refusal::above_4_gib);
  EXPECT_EQ(refusal(0xffff'ffff'ffff'ffe0, 0x40), Refusal::above_4_gib);
  EXPECT_EQ(non_cacheable_around(range(0, 0)).error(), Refusal::empty_range);
  EXPECT_EQ(non_cacheable_around(range(0xffff'ffff, 2)).error(), Refusal::above_4_gib);
  EXPECT_EQ(non_cacheable_regions(range(0, 0), {}).error(), Refusal::empty_range);
  EXPECT_EQ(non_cacheable_regions(range(0, 33), {}).error(), Refusal::no_such_region);
  EXPECT_EQ(non_cacheable_regions(range(0xffff'ffe0, 64), {}).error(), Refusal::above_4_gib);
}

TEST(PmsaV7, ABlockUnder256BytesHasNoEighthsAndTheOneAroundItHas) {
  const auto region = non_cacheable_region(range(0x2000'0020, 0x40));
  ASSERT_TRUE(region.has_value());
  EXPECT_EQ(region->rbar, 0x2000'0000U);
  EXPECT_EQ(region->size_bytes(), 256U);
  EXPECT_EQ(region->subregions_off(), 0xf9U);
}

TEST(PmsaV7, ARoundedRegionTakesWholeEighths) {
  const auto region = non_cacheable_around(range(0x3000'1000, 0x1100));
  ASSERT_TRUE(region.has_value());
  EXPECT_EQ(region->covered(), range(0x3000'1000, 0x1800));
  EXPECT_EQ(non_cacheable_around(range(0x2000'0001, 1))->covered(), range(0x2000'0000, 32));
}

TEST(PmsaV7, TheLastBytesOfTheAddressSpaceAreARegion) {
  EXPECT_EQ(non_cacheable_around(range(0xffff'fff0, 16))->covered(), range(0xffff'ffe0, 32));
  EXPECT_EQ(non_cacheable_region(range(0, 0x1'0000'0000))->covered(), range(0, 0x1'0000'0000));
}

// ---- against a model
// -----------------------------------------------------------------------------

/// A run of units of 32 bytes.
using Units = std::pair<unsigned, unsigned>;

constexpr unsigned kUnits = 2048;  // 64 KiB

/// Every run that one region can have on, by what the manual says of a region: its size is a power
/// of two from 32 bytes on, its base a multiple of it, and from 256 bytes on each eighth may be
/// off. Other sets of eighths hold no range that a run does not.
std::vector<Units> every_run(unsigned units) {
  std::vector<Units> runs;
  for (unsigned size = 1; size <= units; size *= 2) {
    const unsigned parts = size >= 8 ? 8 : 1;
    for (unsigned base = 0; base < units; base += size) {
      for (unsigned first = 0; first < parts; ++first) {
        for (unsigned last = first; last < parts; ++last) {
          runs.emplace_back(base + first * size / parts, base + (last + 1) * size / parts);
        }
      }
    }
  }
  return runs;
}

/// What hardware has on of a region, unit by unit from `bottom` on: 32 bytes are in the region, and
/// not in an eighth that is off.
std::vector<unsigned> units_on(const Region& region, std::uint64_t bottom, unsigned units) {
  const unsigned log2 = ((region.rasr >> 1) & 31) + 1;
  std::vector<unsigned> on;
  for (unsigned unit = 0; unit < units; ++unit) {
    const std::uint64_t at = bottom + unit * 32ULL;
    if (at >> log2 != region.rbar >> log2) continue;
    if (log2 >= 8 && ((region.rasr >> (8 + (at >> (log2 - 3) & 7))) & 1) != 0) continue;
    on.push_back(unit);
  }
  return on;
}

TEST(PmsaV7, EveryRoundingUpTo64KibibytesIsTheShortestThatAnyRegionHas) {
  constexpr std::uint64_t kBottom = 0x2001'0000;
  // shortest[first][end]: of the runs that hold these units. Its own, or that of a longer range.
  std::vector<std::vector<unsigned>> shortest(kUnits + 1, std::vector<unsigned>(kUnits + 1, ~0U));
  for (const auto& [first, end] : every_run(kUnits)) shortest[first][end] = end - first;
  for (unsigned length = kUnits - 1; length >= 1; --length) {
    for (unsigned first = 0; first + length <= kUnits; ++first) {
      unsigned& mine = shortest[first][first + length];
      if (first > 0) mine = std::min(mine, shortest[first - 1][first + length]);
      if (first + length < kUnits) mine = std::min(mine, shortest[first][first + length + 1]);
    }
  }
  std::map<std::pair<std::uint32_t, std::uint32_t>, Units> decoded;
  for (unsigned first = 0; first < kUnits; ++first) {
    for (unsigned end = first + 1; end <= kUnits; ++end) {
      const PhysRange asked = range(kBottom + first * 32ULL, (end - first) * 32ULL);
      const auto region = non_cacheable_around(asked);
      ASSERT_TRUE(region.has_value());
      Units& run = decoded[{region->rbar, region->rasr}];
      if (run.second == 0) {
        const auto on = units_on(*region, kBottom, kUnits);
        ASSERT_FALSE(on.empty());
        run = {on.front(), on.back() + 1};
        ASSERT_EQ(on.size(), run.second - run.first) << "it has a hole";
      }
      ASSERT_TRUE(run.first <= first && end <= run.second) << first << " to " << end;
      ASSERT_EQ(run.second - run.first, shortest[first][end]) << first << " to " << end;
      ASSERT_EQ(non_cacheable_region(asked).has_value(), shortest[first][end] == end - first);
    }
  }
}

TEST(PmsaV7, SeveralRegionsMakeExactlyTheRangeAndNoFewerCould) {
  constexpr unsigned kFew = 128;  // 4 KiB
  constexpr std::uint64_t kBottom = 0x3000'1000;
  std::vector<std::vector<unsigned>> begins(kFew + 1);  // of the runs that end there
  for (const auto& [first, end] : every_run(kFew)) begins[end].push_back(first);
  for (unsigned first = 0; first < kFew; ++first) {
    std::vector<unsigned> fewest(kFew + 1, kFew);  // from `first` up to there
    fewest[first] = 0;
    for (unsigned end = first + 1; end <= kFew; ++end) {
      for (const unsigned begin : begins[end]) {
        if (begin < first) continue;
        for (unsigned before = begin; before < end; ++before) {
          fewest[end] = std::min(fewest[end], fewest[before] + 1);
        }
      }
      std::array<Region, 16> regions{};
      const PhysRange asked = range(kBottom + first * 32ULL, (end - first) * 32ULL);
      const auto count = non_cacheable_regions(asked, regions);
      ASSERT_EQ(count, fewest[end]) << first << " to " << end;
      std::vector<bool> on(kFew);
      for (const Region& region : std::span{regions}.first(*count)) {
        for (const unsigned unit : units_on(region, kBottom, kFew)) on[unit] = true;
      }
      for (unsigned unit = 0; unit < kFew; ++unit) {
        ASSERT_EQ(on[unit], first <= unit && unit < end) << first << " to " << end;
      }
      ASSERT_TRUE(cover(std::span{regions}.first(*count), asked));
      ASSERT_FALSE(cover(std::span{regions}.first(*count - 1), asked));
    }
  }
}

TEST(PmsaV7, WhatThereIsNoRoomForIsCountedAllTheSame) {
  std::array<Region, 3> all{};
  const auto count = non_cacheable_regions(range(0x3000'1000, 0x1100), all);
  ASSERT_EQ(count, 2U);
  std::array<Region, 1> room{};
  EXPECT_EQ(non_cacheable_regions(range(0x3000'1000, 0x1100), room), 2U);
  EXPECT_EQ(room[0], all[0]);
  EXPECT_EQ(non_cacheable_regions(range(0x3000'1000, 0x1100), {}), 2U);
}

TEST(PmsaV7, ARegionThatIsOffAndAByteInAnEighthThatIsOffAreNotCovered) {
  const Region region = *non_cacheable_region(range(0x2000'1000, 0x3000));
  EXPECT_TRUE(cover({&region, 1}, range(0x2000'1000, 0x3000)));
  EXPECT_FALSE(cover({&region, 1}, range(0x2000'0fff, 0x3000)));
  EXPECT_FALSE(cover({&region, 1}, range(0x2000'1001, 0x3000)));
  const Region off{.rbar = region.rbar, .rasr = region.rasr & ~1U};
  EXPECT_FALSE(cover({&off, 1}, range(0x2000'1000, 0x3000)));
  EXPECT_EQ((Region{.rbar = 0x2000'0000, .rasr = 0xff00 | 19U << 1 | 1}.covered()),
            range(0x2000'0000, 0));
}

}  // namespace
}  // namespace carveout::test
