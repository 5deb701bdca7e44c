#include "carveout_sim/range_set.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <cstddef>
#include <limits>
#include <random>

namespace carveout::sim {
namespace {

constexpr PhysRange r(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}

TEST(RangeSet, IsASetOfBytesAsAnyOther) {
  constexpr std::size_t kBytes = 64;
  std::mt19937 draw{1};
  RangeSet set;
  std::bitset<kBytes> plain;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t base = draw() % kBytes;
    const std::size_t size = draw() % (kBytes - base + 1) % 9;
    const bool adds = draw() % 2 == 0;
    if (adds) {
      set.add(r(base, size));
    } else {
      set.remove(r(base, size));
    }
    for (std::size_t i = base; i < base + size; ++i) plain[i] = adds;

    const std::size_t from = draw() % kBytes;
    std::size_t first = from;
    while (first < kBytes && !plain[first]) ++first;
    std::size_t end = first;
    while (end < kBytes && plain[end]) ++end;
    const auto found = set.find(r(from, kBytes - from));
    ASSERT_EQ(found.has_value(), first < kBytes) << step;
    if (found) {
      ASSERT_EQ(*found, r(first, end - first)) << step;
    }
    ASSERT_EQ(set.empty(), plain.none());
  }
}

TEST(RangeSet, GoesToTheTopOfTheAddressSpace) {
  constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();
  RangeSet set;
  set.add(r(kTop - 3, 4));
  set.add(r(kTop - 7, 4));
  EXPECT_TRUE(set.contains(r(kTop - 7, 8)));
  set.remove(r(kTop, 1));
  EXPECT_FALSE(set.find(r(kTop, 1)));
  EXPECT_TRUE(set.contains(r(kTop - 7, 7)));
}

TEST(RangeSet, ContainsARangeOnlyWhole) {
  RangeSet set;
  set.add(r(0, 4));
  set.add(r(8, 4));
  EXPECT_FALSE(set.contains(r(0, 12)));
  EXPECT_FALSE(set.contains(r(2, 4)));
  EXPECT_TRUE(set.contains(r(9, 3)));
  RangeSet other;
  other.add(r(4, 4));
  set.add(other);
  EXPECT_TRUE(set.contains(r(0, 12)));
}

}  // namespace
}  // namespace carveout::sim
