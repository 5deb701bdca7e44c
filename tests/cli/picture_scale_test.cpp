// Addresses as heights, and labels beside them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "picture/scale.hpp"
#include "picture/spread.hpp"

namespace carveout::test {
namespace {

using cli::picture::Ground;
using cli::picture::Scale;
using cli::picture::spread;
using cli::picture::Stretch;
using cli::picture::Wish;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

PhysRange range(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}

/// Memory with some ranges reserved in it and beyond, drawn from a seed.
struct Facts {
  explicit Facts(unsigned seed, int count) {
    std::mt19937 random{seed};
    std::uint64_t at = 0x8000'0000;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t size_bytes = std::uint64_t{1} << (8 + random() % 20);
      places.push_back(range(at, size_bytes));
      at += size_bytes + (random() % 3 == 0 ? random() % (64 * kMiB) : 0);
    }
    memory.push_back(range(0x8000'0000, (at - 0x8000'0000) / 2));
  }
  [[nodiscard]] Scale scale(int height) const {
    return Scale{{.memory = memory, .places = places, .edges = {}}, height};
  }

  std::vector<PhysRange> memory;
  std::vector<PhysRange> places;
};

TEST(PictureScale, GoesDownWithoutHolesAsAddressesAscend) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    int top = 0;
    std::uint64_t above = 0;
    const Scale scale = Facts{seed, 40}.scale(500);
    for (const Stretch& stretch : scale.stretches()) {
      EXPECT_EQ(stretch.top, top);
      EXPECT_GT(stretch.height, 0);
      EXPECT_LE(stretch.first, stretch.last);
      EXPECT_TRUE(above == 0 || above + 1 == stretch.first);
      top += stretch.height;
      above = stretch.last;
    }
  }
}

TEST(PictureScale, DrawsWhatIsLongerNeverShorter) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const Scale scale = Facts{seed, 40}.scale(500);
    for (const Stretch& a : scale.stretches()) {
      for (const Stretch& b : scale.stretches()) {
        if (a.ground != b.ground || a.size_bytes() <= b.size_bytes()) continue;
        EXPECT_GE(a.height, b.height);
      }
    }
  }
}

TEST(PictureScale, HasAHeightThatIsALengthWhereNothingIsCutOrRaised) {
  const std::vector<PhysRange> memory{range(0x1000'0000, 64 * kMiB)};
  const std::vector<PhysRange> places{range(0x1100'0000, 16 * kMiB)};
  const Scale scale{{.memory = memory, .places = places, .edges = {}}, 64};
  ASSERT_EQ(scale.pixel_log2(), 20U);
  EXPECT_EQ(scale.height(), 64);
  EXPECT_EQ(scale.top_of(0x1100'0000), 16);
  EXPECT_EQ(scale.bottom_of(0x11ff'ffff), 32);
}

TEST(PictureScale, TakesTheSmallestPixelWithWhichAllFits) {
  const std::vector<PhysRange> memory{range(0x1000'0000, 64 * kMiB)};
  EXPECT_EQ((Scale{{.memory = memory, .places = {}, .edges = {}}, 64}).pixel_log2(), 20U);
  EXPECT_EQ((Scale{{.memory = memory, .places = {}, .edges = {}}, 63}).pixel_log2(), 21U);
}

TEST(PictureScale, CollapsesALongGapAndNoShortOne) {
  const std::vector<PhysRange> memory{range(0x1000'0000, 64 * kMiB),
                                      range(0x1000'0000 + 68 * kMiB, 64 * kMiB),
                                      range(0x8'0000'0000, 64 * kMiB)};
  const Scale scale{{.memory = memory, .places = {}, .edges = {}}, 240};
  const auto all = scale.stretches();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[1].ground, Ground::gap);
  EXPECT_FALSE(all[1].collapsed);
  EXPECT_EQ(all[3].ground, Ground::gap);
  EXPECT_TRUE(all[3].collapsed);
  EXPECT_EQ(all[3].height, Scale::kGap);
  EXPECT_EQ(all[3].size_bytes(), 0x8'0000'0000 - (0x1000'0000 + 132 * kMiB));
}

TEST(PictureScale, CollapsesFreeMemoryOnlyWhereTheReservedWouldNotBeSeen) {
  const std::vector<PhysRange> memory{range(0, 4096 * kMiB)};
  const std::vector<PhysRange> small{range(kMiB, kMiB), range(3 * kMiB, kMiB)};
  const Scale collapsed{{.memory = memory, .places = small, .edges = {}}, 240};
  EXPECT_TRUE(collapsed.stretches().back().collapsed);
  const std::vector<PhysRange> large{range(kMiB, 1024 * kMiB)};
  const Scale whole{{.memory = memory, .places = large, .edges = {}}, 240};
  EXPECT_FALSE(whole.stretches().back().collapsed);
}

TEST(PictureScale, DrawsEverythingReservedSoThatItIsSeen) {
  const Scale scale = Facts{7, 100}.scale(200);
  for (const Stretch& stretch : scale.stretches()) {
    if (stretch.ground == Ground::reserved) {
      EXPECT_GE(stretch.height, Scale::kLeast);
    }
  }
}

TEST(PictureScale, KnowsTheLastByteOfTheAddressSpace) {
  const std::vector<PhysRange> places{range(0, 4096), range(0xffff'ffff'ffff'f000, 4096)};
  const Scale scale{{.memory = {}, .places = places, .edges = {}}, 240};
  ASSERT_EQ(scale.stretches().size(), 3U);
  EXPECT_EQ(scale.stretches()[2].last, 0xffff'ffff'ffff'ffff);
  EXPECT_EQ(scale.bottom_of(0xffff'ffff'ffff'ffff), scale.height());
}

TEST(PictureScale, IsEmptyWhereThereIsNothing) {
  const Scale scale{{.memory = {}, .places = {}, .edges = {}}, 240};
  EXPECT_TRUE(scale.stretches().empty());
  EXPECT_EQ(scale.height(), 0);
}

TEST(PictureScale, EndsAStretchAtAnEdgeInsideMemory) {
  const std::vector<PhysRange> memory{range(0, 64 * kMiB)};
  const std::vector<PhysRange> edges{range(16 * kMiB, 4096 * kMiB)};
  const Scale scale{{.memory = memory, .places = {}, .edges = edges}, 240};
  ASSERT_EQ(scale.stretches().size(), 2U);
  EXPECT_EQ(scale.stretches()[1].first, 16 * kMiB);
}

std::vector<int> tops(std::vector<Wish> wishes, int top, int bottom) {
  spread(wishes, top, bottom);
  std::vector<int> result;
  for (const Wish& wish : wishes) result.push_back(wish.top);
  return result;
}

TEST(PictureSpread, LeavesLabelsWhereTheyWishIfThereIsRoom) {
  EXPECT_EQ(tops({{.middle = 20, .height = 10}, {.middle = 60, .height = 10}}, 0, 100),
            (std::vector{15, 55}));
}

TEST(PictureSpread, PutsLabelsThatCrowdAroundTheirMean) {
  EXPECT_EQ(tops({{.middle = 50, .height = 10},
                  {.middle = 50, .height = 10},
                  {.middle = 50, .height = 10}},
                 0, 100),
            (std::vector{35, 45, 55}));
}

TEST(PictureSpread, StaysInTheColumnWhereThereIsRoom) {
  EXPECT_EQ(tops({{.middle = 0, .height = 10}, {.middle = 100, .height = 10}}, 0, 100),
            (std::vector{0, 90}));
}

TEST(PictureSpread, GoesBelowTheColumnWhereThereIsNone) {
  EXPECT_EQ(tops({{.middle = 5, .height = 10}, {.middle = 5, .height = 10}}, 0, 15),
            (std::vector{0, 10}));
}

TEST(PictureSpread, NeverPutsOneLabelOverAnother) {
  std::mt19937 random{11};
  for (int round = 0; round < 200; ++round) {
    std::vector<Wish> wishes;
    for (int i = 0; i < 60; ++i) {
      wishes.push_back({.middle = static_cast<int>(random() % 900),
                        .height = 5 + static_cast<int>(random() % 30)});
    }
    std::ranges::sort(wishes, {}, &Wish::middle);
    spread(wishes, 10, 900);
    int end = 10;
    for (const Wish& wish : wishes) {
      EXPECT_GE(wish.top, end);
      end = wish.top + wish.height;
    }
  }
}

}  // namespace
}  // namespace carveout::test
