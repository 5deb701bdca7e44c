#include "carveout/port/pmsa_v8.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace carveout::test {
namespace {

using pmsa_v8::non_secure_around;
using pmsa_v8::Refusal;
using pmsa_v8::region_around;

constexpr PhysRange range(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}

TEST(PmsaV8, ARegionHasItsFirstAndItsLastAddressInItsRegisters) {
  constexpr auto region = region_around(range(0x2001'0000, 0x6'0020), 3);
  static_assert(region.has_value());
  EXPECT_EQ(region->rbar, 0x2001'0003U);  // everybody may read and write, nobody executes
  EXPECT_EQ(region->rlar, 0x2007'0007U);  // the last 32 bytes, attribute 3, on
  EXPECT_EQ(region->covered(), range(0x2001'0000, 0x6'0020));
  EXPECT_TRUE(region->enabled() && region->execute_never());
  EXPECT_EQ(region->ap(), 1U);
  EXPECT_EQ(region->attribute_index(), 3U);
}

TEST(PmsaV8, EveryRangeIn256BytesIsRoundedToMultiplesOf32) {
  constexpr std::uint64_t kBottom = 0x2000'0000;
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned end = first + 1; end <= 256; ++end) {
      const PhysRange asked = range(kBottom + first, end - first);
      const auto region = region_around(asked, 7);
      const auto non_secure = non_secure_around(asked);
      ASSERT_TRUE(region && non_secure);
      // As the manual compares: bits 31 to 5 of an address, with base and limit, both included.
      for (unsigned at = 0; at < 256; ++at) {
        const std::uint64_t block = (kBottom + at) >> 5;
        const bool expected = at / 32 >= first / 32 && at / 32 <= (end - 1) / 32;
        ASSERT_EQ(region->rbar >> 5 <= block && block <= region->rlar >> 5, expected);
        ASSERT_EQ(non_secure->rbar >> 5 <= block && block <= non_secure->rlar >> 5, expected);
      }
      ASSERT_EQ(region->covered(), non_secure->covered());
    }
  }
}

TEST(PmsaV8, ANonSecureRegionIsOnAndNoWayIntoTheSecureWorld) {
  const auto region = non_secure_around(range(0x2001'0000, 0x1000));
  ASSERT_TRUE(region.has_value());
  EXPECT_EQ(region->rlar & 3, 1U);  // ENABLE, not NSC
}

TEST(PmsaV8, WhatIsEmptyOrTooHighIsRefused) {
  EXPECT_EQ(region_around(range(0x2000'0000, 0), 0).error(), Refusal::empty_range);
  EXPECT_EQ(region_around(range(0xffff'ffff, 2), 0).error(), Refusal::above_4_gib);
  EXPECT_EQ(non_secure_around(range(0x1'0000'0000, 32)).error(), Refusal::above_4_gib);
  EXPECT_EQ(region_around(range(0xffff'ffff, 1), 0)->covered(), range(0xffff'ffe0, 32));
}

}  // namespace
}  // namespace carveout::test
