#include "carveout/port/pmsa_v7.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
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

TEST(PmsaV7, WhoMayUseARegionIsAllThatAnAccessSays) {
  const auto open = non_cacheable_region(range(0x2021'0000, 0x1'0000));
  const auto readable = non_cacheable_region(range(0x2021'0000, 0x1'0000), Access::readers);
  const auto shut = non_cacheable_region(range(0x2021'0000, 0x1'0000), Access::nobody);
  ASSERT_TRUE(open && readable && shut);
  EXPECT_EQ(open->ap(), 3U);
  EXPECT_EQ(readable->ap(), 6U);
  EXPECT_EQ(shut->ap(), 0U);
  for (const auto& other : {*readable, *shut}) {
    EXPECT_EQ(other.rbar, open->rbar);
    EXPECT_EQ((open->rasr ^ other.rasr) & ~(7U << 24), 0U);
  }
}

TEST(PmsaV7, ARegionTakesTheKindOfMemoryOfAnotherAndNothingElse) {
  const auto region = non_cacheable_region(range(0x2021'0000, 0x1'0000), Access::readers);
  constexpr Region kOther{.rbar = 0x6000'0000, .rasr = 3U << 24 | 0x3eU << 16 | 0xff3f};
  ASSERT_TRUE(region.has_value());
  const Region taken = region->with_memory_of(kOther);
  EXPECT_EQ(taken.rbar, region->rbar);
  EXPECT_EQ(taken.ap(), 6U);
  EXPECT_EQ(taken.covered(), region->covered());
  EXPECT_EQ(taken.tex(), 7U);
  EXPECT_TRUE(taken.shareable());
  EXPECT_TRUE(taken.c());
  EXPECT_FALSE(taken.b());
  EXPECT_FALSE(taken.execute_never());
}

TEST(PmsaV7, AHoleIsAnEighthThatIsOffBetweenTwoThatAreOn) {
  for (std::uint32_t off = 0; off < 256; ++off) {
    unsigned changes = 0;  // between on and off, beginning and ending with off
    bool before = true;
    for (unsigned i = 0; i <= 8; ++i) {
      const bool is_off = i == 8 || ((off >> i) & 1) != 0;
      changes += is_off != before ? 1U : 0U;
      before = is_off;
    }
    const Region region{.rbar = 0x2000'0000, .rasr = off << 8 | 7U << 1 | 1U};  // 256 bytes
    EXPECT_EQ(region.has_hole(), changes > 2) << off;
  }
  EXPECT_FALSE((Region{.rbar = 0, .rasr = 0x5aU << 8 | 6U << 1 | 1U}.has_hole())) << "no eighths";
}

TEST(PmsaV7, MemoryThatNoRegionSpeaksOfIsOfTheArchitecturesKind) {
  struct Row {
    std::uint64_t base;
    unsigned tex;
    bool c;
    bool b;
    bool execute_never;
  };
  constexpr std::array kRows{
      Row{0x0000'0000, 0, true, false, false}, Row{0x2000'0000, 1, true, true, false},
      Row{0x4000'0000, 2, false, false, true}, Row{0x6000'0000, 1, true, true, false},
      Row{0x8000'0000, 0, true, false, false}, Row{0xa000'0000, 0, false, true, true},
      Row{0xc000'0000, 2, false, false, true},
  };
  for (const Row& row : kRows) {
    for (const std::uint64_t at : {row.base, row.base + 0x1fff'ffff}) {
      const auto region = pmsa_v7::default_memory(PhysAddr{at});
      ASSERT_TRUE(region.has_value()) << std::hex << at;
      EXPECT_EQ(region->covered(), range(row.base, 0x2000'0000));
      EXPECT_EQ(region->tex(), row.tex) << std::hex << at;
      EXPECT_EQ(region->c(), row.c) << std::hex << at;
      EXPECT_EQ(region->b(), row.b) << std::hex << at;
      EXPECT_EQ(region->execute_never(), row.execute_never) << std::hex << at;
      EXPECT_EQ(region->ap(), 3U);
      EXPECT_TRUE(region->enabled());
    }
  }
  EXPECT_FALSE(pmsa_v7::default_memory(PhysAddr{0xe000'0000}).has_value());
  EXPECT_FALSE(pmsa_v7::default_memory(PhysAddr{0x1'0000'0000}).has_value());
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

/// A run of units of 32 bytes, counted from address 0.
struct Run {
  std::uint64_t begin, end;

  [[nodiscard]] std::uint64_t units() const { return end - begin; }
};

constexpr std::uint64_t kUnitBytes = 32;
constexpr std::uint64_t kUnits = 2048;  // 64 KiB

/// Every run with a unit from `from` up to `to` that one region can have on, by what the manual
/// says of a region: its size is a power of two from 32 bytes to 4 GiB, its base a multiple of it,
/// and from 256 bytes on each eighth may be off. Other sets of eighths hold no range that a run
/// does not.
std::vector<Run> every_run(std::uint64_t from, std::uint64_t to) {
  std::vector<Run> runs;
  for (std::uint64_t size = 1; size <= (1ULL << 32) / kUnitBytes; size *= 2) {
    const std::uint64_t parts = size >= 8 ? 8 : 1;
    for (std::uint64_t base = from / size * size; base < to; base += size) {
      for (std::uint64_t first = 0; first < parts; ++first) {
        for (std::uint64_t last = first; last < parts; ++last) {
          const Run run{base + first * size / parts, base + (last + 1) * size / parts};
          if (run.begin < to && run.end > from) runs.push_back(run);
        }
      }
    }
  }
  return runs;
}

/// Whether hardware has an address on: it is in the region, and not in an eighth that is off.
bool is_on(const Region& region, std::uint64_t at) {
  const unsigned log2 = ((region.rasr >> 1) & 31) + 1;
  if (at >> log2 != std::uint64_t{region.rbar} >> log2) return false;
  return log2 < 8 || ((region.rasr >> (8 + (at >> (log2 - 3) & 7))) & 1) == 0;
}

/// What hardware has on of a region; nothing where that is no run.
std::optional<Run> run_of(const Region& region) {
  const std::uint64_t size = 2ULL << ((region.rasr >> 1) & 31);
  const std::uint64_t step = std::max(size / 8, kUnitBytes);
  std::optional<Run> run;
  for (std::uint64_t at = region.rbar; at < region.rbar + size; at += step) {
    if (!is_on(region, at)) continue;
    const std::uint64_t begin = at / kUnitBytes;
    if (run && run->end != begin) return std::nullopt;
    run = Run{run ? run->begin : begin, begin + step / kUnitBytes};
  }
  return run;
}

/// The length of the shortest run that holds a range, for each that begins in one window of 64 KiB
/// and ends in the same, or in another one.
class Shortest {
 public:
  Shortest(std::uint64_t begins_at, std::uint64_t ends_at)
      : begins_at_{begins_at}, ends_at_{ends_at}, units_(place(kUnits, kUnits) + 1, ~0ULL) {
    for (const Run& run : every_run(begins_at, ends_at + kUnits)) {
      if (run.begin > begins_at + kUnits || run.end < ends_at) continue;
      const std::uint64_t begin = std::max(run.begin, begins_at) - begins_at;
      const std::uint64_t end = std::min(run.end, ends_at + kUnits) - ends_at;
      std::uint64_t& shortest = units(begin, end);
      shortest = std::min(shortest, run.units());
    }
    // A run that holds a longer range holds this one.
    for (std::uint64_t begin = 0; begin <= kUnits; ++begin) {
      for (std::uint64_t end = kUnits + 1; end-- > 0;) {
        std::uint64_t& mine = units(begin, end);
        if (begin > 0) mine = std::min(mine, units(begin - 1, end));
        if (end < kUnits) mine = std::min(mine, units(begin, end + 1));
      }
    }
  }

  [[nodiscard]] std::uint64_t operator()(std::uint64_t begin, std::uint64_t end) const {
    return units_[place(begin - begins_at_, end - ends_at_)];
  }

 private:
  static std::size_t place(std::uint64_t begin, std::uint64_t end) {
    return static_cast<std::size_t>(begin * (kUnits + 1) + end);
  }
  std::uint64_t& units(std::uint64_t begin, std::uint64_t end) { return units_[place(begin, end)]; }

  std::uint64_t begins_at_;
  std::uint64_t ends_at_;
  std::vector<std::uint64_t> units_;
};

/// What non_cacheable_around() makes of ranges, against a Shortest.
class Judge {
 public:
  explicit Judge(const Shortest& shortest) : shortest_{shortest} {}

  /// @param first,end  addresses of bytes.
  void judge(std::uint64_t first, std::uint64_t end) {
    const PhysRange asked = range(first, end - first);
    const auto region = non_cacheable_around(asked);
    ASSERT_TRUE(region.has_value());
    auto [place, is_new] = decoded_.try_emplace({region->rbar, region->rasr}, Run{0, 0});
    Run& run = place->second;
    if (is_new) {
      const auto made = run_of(*region);
      ASSERT_TRUE(made.has_value()) << "it has a hole";
      run = *made;
    }
    ASSERT_TRUE(run.begin * kUnitBytes <= first && end <= run.end * kUnitBytes)
        << asked_text(asked);
    const std::uint64_t fewest = shortest_(first / kUnitBytes, (end + kUnitBytes - 1) / kUnitBytes);
    ASSERT_EQ(run.units(), fewest) << asked_text(asked);
    ASSERT_EQ(non_cacheable_region(asked).has_value(), fewest * kUnitBytes == end - first)
        << asked_text(asked);
  }

 private:
  static std::string asked_text(PhysRange asked) {
    return std::to_string(asked.base.raw()) + " to " + std::to_string(asked.last().raw());
  }

  const Shortest& shortest_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Run> decoded_;
};

TEST(PmsaV7, EveryRoundingInside64KibibytesIsTheShortestThatAnyRegionHas) {
  constexpr std::uint64_t kBottom = 0x2001'0000 / kUnitBytes;
  const Shortest shortest{kBottom, kBottom};
  Judge judge{shortest};
  for (std::uint64_t first = kBottom; first < kBottom + kUnits; ++first) {
    for (std::uint64_t end = first + 1; end <= kBottom + kUnits; ++end) {
      ASSERT_NO_FATAL_FAILURE(judge.judge(first * kUnitBytes, end * kUnitBytes));
    }
  }
}

struct Across {
  std::uint64_t boundary;
  std::uint64_t step;  ///< in units, of the ends of the ranges
};

struct PmsaV7Across : testing::TestWithParam<Across> {};

TEST_P(PmsaV7Across, EveryRoundingUpTo64KibibytesIsTheShortestThatAnyRegionHas) {
  const std::uint64_t boundary = GetParam().boundary / kUnitBytes;
  const std::uint64_t step = GetParam().step;
  const Shortest shortest{boundary - kUnits, boundary};
  Judge judge{shortest};
  for (std::uint64_t first = boundary - kUnits; first < boundary; first += step) {
    for (std::uint64_t end = boundary + 1; end <= first + kUnits; end += step) {
      ASSERT_NO_FATAL_FAILURE(judge.judge(first * kUnitBytes, end * kUnitBytes));
    }
  }
}

// One that 64 KiB divide and 128 KiB do not, with every range; then every power of two that is a
// boundary, so that the block has every length up to 4 GiB, with one range in 9 to 400.
INSTANTIATE_TEST_SUITE_P(Boundary, PmsaV7Across,
                         testing::Values(Across{0x2001'0000, 1}, Across{0x2002'0000, 3},
                                         Across{0x4'0000, 20}, Across{0x8'0000, 20},
                                         Across{0x10'0000, 20}, Across{0x20'0000, 20},
                                         Across{0x40'0000, 20}, Across{0x80'0000, 20},
                                         Across{0x100'0000, 20}, Across{0x200'0000, 20},
                                         Across{0x400'0000, 20}, Across{0x800'0000, 20},
                                         Across{0x1000'0000, 20}, Across{0x2000'0000, 20},
                                         Across{0x4000'0000, 20}, Across{0x8000'0000, 5}));

TEST(PmsaV7, ARangeThatBeginsOrEndsAtAnyByteTakesTheShortestRegionThatHoldsIt) {
  constexpr std::uint64_t kBoundary = 0x2001'0000;
  const Shortest shortest{kBoundary / kUnitBytes - kUnits, kBoundary / kUnitBytes};
  Judge judge{shortest};
  // Every byte of 512 on either side; then strides that meet every offset in a unit, as both are
  // odd.
  for (std::uint64_t first = kBoundary - 512; first < kBoundary; ++first) {
    for (std::uint64_t end = kBoundary + 1; end <= kBoundary + 512; ++end) {
      ASSERT_NO_FATAL_FAILURE(judge.judge(first, end));
    }
  }
  for (std::uint64_t first = kBoundary - 0x1'0000; first < kBoundary; first += 61) {
    for (std::uint64_t end = kBoundary + 1; end - first <= 0x1'0000; end += 59) {
      ASSERT_NO_FATAL_FAILURE(judge.judge(first, end));
    }
  }
}

struct PmsaV7Several : testing::TestWithParam<std::uint64_t> {};

TEST_P(PmsaV7Several, MakeExactlyTheRangeAndNoFewerCould) {
  constexpr std::size_t kFew = 128;  // 4 KiB
  const std::uint64_t bottom = GetParam() / kUnitBytes;
  std::vector<std::vector<std::size_t>> begins(kFew + 1);  // of the runs that end there
  for (const auto& [begin, end] : every_run(bottom, bottom + kFew)) {
    if (begin < bottom || end > bottom + kFew) continue;
    begins[static_cast<std::size_t>(end - bottom)].push_back(
        static_cast<std::size_t>(begin - bottom));
  }
  for (std::size_t first = 0; first < kFew; ++first) {
    std::vector<std::size_t> fewest(kFew + 1, kFew);  // from `first` up to there
    fewest[first] = 0;
    for (std::size_t end = first + 1; end <= kFew; ++end) {
      for (const std::size_t begin : begins[end]) {
        if (begin < first) continue;
        for (std::size_t before = begin; before < end; ++before) {
          fewest[end] = std::min(fewest[end], fewest[before] + 1);
        }
      }
      std::array<Region, 16> regions{};
      const PhysRange asked = range((bottom + first) * kUnitBytes, (end - first) * kUnitBytes);
      const auto count = non_cacheable_regions(asked, regions);
      ASSERT_EQ(count, fewest[end]) << first << " to " << end;
      const auto made = std::span{regions}.first(*count);
      for (const Region& region : made) {
        const auto run = run_of(region);
        ASSERT_TRUE(run && run->begin >= bottom + first && run->end <= bottom + end)
            << first << " to " << end;
      }
      for (std::size_t unit = 0; unit < kFew; ++unit) {
        const auto has = [&](const Region& region) {
          return is_on(region, (bottom + unit) * kUnitBytes);
        };
        ASSERT_EQ(std::ranges::any_of(made, has), first <= unit && unit < end)
            << first << " to " << end;
      }
      ASSERT_TRUE(cover(made, asked));
      ASSERT_FALSE(cover(made.first(*count - 1), asked));
    }
  }
}

// The second has a boundary of 64 KiB in its middle.
INSTANTIATE_TEST_SUITE_P(Bottom, PmsaV7Several, testing::Values(0x3000'1000, 0x3000'f800));

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
