#include "sizes.hpp"

#include <gtest/gtest.h>

#include <string>

#include "program.hpp"

namespace carveout::cli {
namespace {

TEST(Sizes, AreDecimalHexadecimalOrWithAUnit) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("010"), 10U);
  EXPECT_EQ(parse_size("0x1000"), 0x1000U);
  EXPECT_EQ(parse_size("0XaB"), 0xabU);
  EXPECT_EQ(parse_size("4K"), 4096U);
  EXPECT_EQ(parse_size("4k"), 4096U);
  EXPECT_EQ(parse_size("1M"), 1U << 20);
  EXPECT_EQ(parse_size("3G"), std::uint64_t{3} << 30);
  EXPECT_EQ(parse_size("2T"), std::uint64_t{2} << 40);
  EXPECT_EQ(parse_size("18446744073709551615"), 0xffffffffffffffffU);
  EXPECT_EQ(parse_size("0xffffffffffffffff"), 0xffffffffffffffffU);
  EXPECT_EQ(parse_size("16777215T"), 0xffffffU * (std::uint64_t{1} << 40));
}

TEST(Sizes, NothingElseIsASize) {
  for (const std::string text : {"", "K", "x", "0x", "0xg", "-1", "+1", " 1", "1 ", "1.5", "1,000",
                                 "4KB", "4KiB", "0x4K", "1e3", "4096 bytes", "4\n", "١"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Sizes, WhatDoesNotFitIn64BitsIsNotCut) {
  for (const std::string text :
       {"18446744073709551616", "0x10000000000000000", "16777216T", "18446744073709551615K"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_NE(size.error().what.find("64 bits"), std::string::npos) << size.error().what;
  }
}

TEST(Sizes, CountsHaveBounds) {
  EXPECT_EQ(parse_count("1", 1, 64), 1U);
  EXPECT_EQ(parse_count("64", 1, 64), 64U);
  for (const std::string text : {"", "0", "65", "-1", "0x10", "1K", "99999999999999999999"}) {
    EXPECT_FALSE(parse_count(text, 1, 64)) << text;
  }
}

}  // namespace
}  // namespace carveout::cli
