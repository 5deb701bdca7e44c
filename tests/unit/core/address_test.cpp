#include "carveout/core/address.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace carveout {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

constexpr PhysRange phys(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}

// The promises of the types.
static_assert(!std::convertible_to<PhysAddr, DmaAddr> &&
              !std::constructible_from<DmaAddr, PhysAddr>);
static_assert(!std::convertible_to<std::uint64_t, PhysAddr>);
static_assert(!std::convertible_to<PhysAddr, std::uint64_t>);
static_assert(!std::is_default_constructible_v<PhysAddr>);
static_assert(!std::equality_comparable_with<PhysAddr, DmaAddr>);
static_assert(std::totally_ordered<PhysAddr>);

TEST(Range, OfNoBytesContainsAndOverlapsNothingNotEvenItself) {
  constexpr PhysRange empty = phys(0x1000, 0);
  EXPECT_TRUE(empty.empty());
  EXPECT_FALSE(empty.wraps());
  EXPECT_FALSE(empty.contains(PhysAddr{0x1000}));
  EXPECT_FALSE(empty.overlaps(empty));
  EXPECT_FALSE(empty.overlaps(phys(0, 0x2000)));
  EXPECT_FALSE(phys(0, 0x2000).overlaps(empty));
  EXPECT_FALSE(phys(0, 0x2000).contains(empty));
}

TEST(Range, MayEndExactlyAtTheEndOfTheAddressSpace) {
  constexpr PhysRange page = phys(kTop - 0xfff, 0x1000);
  EXPECT_FALSE(page.wraps());
  EXPECT_EQ(page.last(), PhysAddr{kTop});
  EXPECT_TRUE(page.contains(PhysAddr{kTop}));
  EXPECT_TRUE(page.contains(page));
  EXPECT_FALSE(page.contains(PhysAddr{kTop - 0x1000}));
}

TEST(Range, OneByteBeyondTheEndOfTheAddressSpaceWraps) {
  EXPECT_TRUE(phys(kTop - 0xfff, 0x1001).wraps());
  EXPECT_TRUE(phys(2, kTop).wraps());
  EXPECT_FALSE(phys(1, kTop).wraps());
  EXPECT_EQ(phys(kTop, kTop).last(), PhysAddr{kTop}) << "what is beyond is cut off";
}

TEST(Range, ContainsItsFirstAndLastByteAndNoNeighbour) {
  constexpr PhysRange range = phys(0x1000, 0x100);
  EXPECT_TRUE(range.contains(PhysAddr{0x1000}));
  EXPECT_TRUE(range.contains(PhysAddr{0x10ff}));
  EXPECT_FALSE(range.contains(PhysAddr{0xfff}));
  EXPECT_FALSE(range.contains(PhysAddr{0x1100}));
}

TEST(Range, ContainsAnotherOnlyWhole) {
  constexpr PhysRange range = phys(0x1000, 0x100);
  EXPECT_TRUE(range.contains(phys(0x1010, 0xf0)));
  EXPECT_FALSE(range.contains(phys(0x1010, 0xf1)));
  EXPECT_FALSE(range.contains(phys(0xfff, 0x10)));
}

TEST(Range, OverlapsByOneByteAndNotByTouching) {
  constexpr PhysRange range = phys(0x1000, 0x100);
  EXPECT_TRUE(range.overlaps(phys(0xff0, 0x11)));
  EXPECT_FALSE(range.overlaps(phys(0xff0, 0x10)));
  EXPECT_TRUE(range.overlaps(phys(0x10ff, 1)));
  EXPECT_FALSE(range.overlaps(phys(0x1100, 1)));
}

TEST(Range, IntersectionIsWhatBothHaveInEitherOrder) {
  constexpr PhysRange low = phys(0x1000, 0x200);
  constexpr PhysRange high = phys(0x1100, 0x200);
  EXPECT_EQ(low.intersection(high), phys(0x1100, 0x100));
  EXPECT_EQ(high.intersection(low), phys(0x1100, 0x100));
  EXPECT_TRUE(low.intersection(phys(0x1200, 0x10)).empty());
}

TEST(Range, FromFirstToLastHasBothEnds) {
  EXPECT_EQ(PhysRange::from_to(PhysAddr{0x10}, PhysAddr{0x1f}), phys(0x10, 0x10));
  EXPECT_EQ(PhysRange::from_to(PhysAddr{kTop}, PhysAddr{kTop}), phys(kTop, 1));
  EXPECT_EQ(PhysRange::from_to(PhysAddr{0}, PhysAddr{kTop}), phys(0, kTop))
      << "all of memory is one byte more than a size can say";
}

}  // namespace
}  // namespace carveout
