#include "carveout/core/text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace carveout {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

template <class Write>
std::string written(Write write) {
  std::array<char, 64> buffer{};
  Text text{buffer};
  write(text);
  EXPECT_FALSE(text.truncated());
  return std::string{text.view()};
}

std::string hex(std::uint64_t value) {
  return written([=](Text& text) { text.add_hex(value); });
}
std::string decimal(std::uint64_t value) {
  return written([=](Text& text) { text.add_decimal(value); });
}
std::string size(std::uint64_t bytes) {
  return written([=](Text& text) { text.add_size(bytes); });
}

TEST(Text, HexHasNoLeadingZerosAndLowerCaseDigits) {
  EXPECT_EQ(hex(0), "0x0");
  EXPECT_EQ(hex(0xc1f00000), "0xc1f00000");
  EXPECT_EQ(hex(0x10), "0x10");
  EXPECT_EQ(hex(kTop), "0xffffffffffffffff");
}

TEST(Text, DecimalReachesTheLargestValue) {
  EXPECT_EQ(decimal(0), "0");
  EXPECT_EQ(decimal(9), "9");
  EXPECT_EQ(decimal(10), "10");
  EXPECT_EQ(decimal(1000000007), "1000000007");
  EXPECT_EQ(decimal(kTop), "18446744073709551615");
}

TEST(Text, DecimalAgreesWithTheStandardLibraryAtEveryPowerOfTenAndBesideIt) {
  for (std::uint64_t power = 1;; power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1, power * 9 / 10 + 7}) {
      EXPECT_EQ(decimal(value), std::to_string(value));
    }
    if (power > kTop / 10) break;
  }
}

TEST(Text, SizesAreInTheLargestUnitThatIsExact) {
  EXPECT_EQ(size(0), "0 bytes");
  EXPECT_EQ(size(1), "1 byte");
  EXPECT_EQ(size(5000), "5000 bytes");
  EXPECT_EQ(size(1024), "1 KiB");
  EXPECT_EQ(size(1025), "1025 bytes");
  EXPECT_EQ(size(260 * 1024), "260 KiB");
  EXPECT_EQ(size(1024 * 1024), "1 MiB");
  EXPECT_EQ(size(1536 * 1024), "1536 KiB");
  EXPECT_EQ(size(std::uint64_t{3} << 30), "3 GiB");
  EXPECT_EQ(size(std::uint64_t{1} << 63), "8 EiB");
  EXPECT_EQ(size(kTop), "18446744073709551615 bytes");
}

TEST(Text, WhatDoesNotFitIsCutAndSaidToBe) {
  std::array<char, 8> buffer{};
  buffer.fill('#');
  Text text{std::span{buffer}.first(5)};
  text.add("abc");
  EXPECT_FALSE(text.truncated());
  text.add("def");
  EXPECT_TRUE(text.truncated());
  EXPECT_EQ(text.view(), "abcde");
  text.add("").add_hex(1);
  EXPECT_EQ(text.view(), "abcde");
  EXPECT_EQ(std::string_view(buffer.data(), buffer.size()), "abcde###") << "nothing past the end";
}

TEST(Text, ThatFitsExactlyIsNotTruncated) {
  std::array<char, 3> buffer{};
  Text text{buffer};
  text.add("abc");
  EXPECT_FALSE(text.truncated());
  EXPECT_EQ(text.view(), "abc");
}

TEST(Text, WithoutABufferIsEmptyAndTruncatedOnTheFirstByte) {
  Text text{{}};
  text.add("");
  EXPECT_FALSE(text.truncated());
  text.add("a");
  EXPECT_TRUE(text.truncated());
  EXPECT_EQ(text.view(), "");
}

}  // namespace
}  // namespace carveout
