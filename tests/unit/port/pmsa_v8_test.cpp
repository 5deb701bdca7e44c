#include "carveout/port/pmsa_v8.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace carveout::test {
namespace {

using pmsa_v8::cover;
using pmsa_v8::non_secure_around;
using pmsa_v8::Refusal;
using pmsa_v8::region;
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
  EXPECT_EQ(region->attribute(), 3U);
}

TEST(PmsaV8, EveryRangeIn128BytesIsRoundedToMultiplesOf32) {
  constexpr std::uint64_t kBottom = 0x2000'0000;
  for (unsigned first = 0; first < 128; ++first) {
    for (unsigned end = first + 1; end <= 128; ++end) {
      const PhysRange asked = range(kBottom + first, end - first);
      const auto made = region_around(asked, 7);
      const auto non_secure = non_secure_around(asked);
      ASSERT_TRUE(made && non_secure);
      // As the manual compares: bits 31 to 5 of an address, with base and limit, both included.
      for (unsigned at = 0; at < 128; ++at) {
        const std::uint64_t block = (kBottom + at) >> 5;
        const bool expected = at / 32 >= first / 32 && at / 32 <= (end - 1) / 32;
        ASSERT_EQ(made->rbar >> 5 <= block && block <= made->rlar >> 5, expected);
        ASSERT_EQ(non_secure->rbar >> 5 <= block && block <= non_secure->rlar >> 5, expected);
      }
      ASSERT_EQ(made->covered(), non_secure->covered());
    }
  }
}

TEST(PmsaV8, WhatIsNotInStepsOf32BytesIsNoRegionOfItsOwn) {
  EXPECT_EQ(region(range(0x2001'0000, 0x20), 2)->covered(), range(0x2001'0000, 0x20));
  EXPECT_EQ(region(range(0x2001'0010, 0x20), 2).error(), Refusal::not_in_steps_of_32_bytes);
  EXPECT_EQ(region(range(0x2001'0000, 0x30), 2).error(), Refusal::not_in_steps_of_32_bytes);
  EXPECT_EQ(region(range(0x2001'0000, 0), 2).error(), Refusal::empty_range);
}

TEST(PmsaV8, ARegionCoversWhatLiesInItAlone) {
  const auto made = *region(range(0x2001'0000, 0x40), 2);
  EXPECT_TRUE(cover({&made, 1}, range(0x2001'0001, 0x3f)));
  EXPECT_FALSE(cover({&made, 1}, range(0x2001'0001, 0x40)));
  EXPECT_FALSE(cover({&made, 0}, range(0x2001'0001, 1)));
  const pmsa_v8::Region off{.rbar = made.rbar, .rlar = made.rlar & ~1U};
  EXPECT_FALSE(cover({&off, 1}, range(0x2001'0001, 1)));
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
