#include "carveout/core/size.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>

namespace carveout {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

TEST(Size, ZeroIsNoPowerOfTwo) {
  EXPECT_FALSE(is_power_of_two(0));
  EXPECT_TRUE(is_power_of_two(1));
  EXPECT_FALSE(is_power_of_two(3));
  EXPECT_TRUE(is_power_of_two(std::uint64_t{1} << 63));
  EXPECT_FALSE(is_power_of_two(kTop));
}

TEST(Size, RoundingLeavesAMultipleAsItIs) {
  EXPECT_EQ(align_down(0x3000, 0x1000), 0x3000U);
  EXPECT_EQ(align_up(0x3000, 0x1000), 0x3000U);
  EXPECT_EQ(align_up(0, 0x1000), 0U);
}

TEST(Size, RoundingGoesToTheNearestMultipleOnItsSide) {
  EXPECT_EQ(align_down(0x3fff, 0x1000), 0x3000U);
  EXPECT_EQ(align_up(0x3001, 0x1000), 0x4000U);
}

TEST(Size, RoundingUpPastTheEndHasNoAnswer) {
  EXPECT_EQ(align_up(kTop - 0xfff, 0x1000), kTop - 0xfff);
  EXPECT_EQ(align_up(kTop - 0xffe, 0x1000), std::nullopt);
  EXPECT_EQ(align_up(kTop, 1), kTop);
}

TEST(Size, CheckedSumsAndProductsAnswerUpToTheLastValue) {
  EXPECT_EQ(checked_add(kTop - 1, 1), kTop);
  EXPECT_EQ(checked_add(kTop, 1), std::nullopt);
  EXPECT_EQ(checked_multiply(kTop, 1), kTop);
  EXPECT_EQ(checked_multiply(std::uint64_t{1} << 32, std::uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(checked_multiply(kTop, 0), 0U);
}

}  // namespace
}  // namespace carveout
