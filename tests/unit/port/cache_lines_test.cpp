#include "carveout/port/cache_lines.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace carveout {
namespace {

using Lines = std::vector<std::uintptr_t>;

constexpr std::uintptr_t kTop = std::numeric_limits<std::uintptr_t>::max();

Lines lines_of(std::uintptr_t at, std::size_t size_bytes, std::size_t line_bytes) {
  Lines lines;
  for_each_line(at, size_bytes, line_bytes, [&](std::uintptr_t line) { lines.push_back(line); });
  return lines;
}

TEST(CacheLines, OfAnEmptyRangeAreNone) { EXPECT_EQ(lines_of(0x1004, 0, 32), Lines{}); }

TEST(CacheLines, OfOneByteAreTheOneLineAroundIt) {
  EXPECT_EQ(lines_of(0x1000, 1, 32), Lines{0x1000});
  EXPECT_EQ(lines_of(0x101f, 1, 32), Lines{0x1000});
}

TEST(CacheLines, OfWholeLinesAreExactlyThose) {
  EXPECT_EQ(lines_of(0x1000, 0x40, 32), (Lines{0x1000, 0x1020}));
}

TEST(CacheLines, IncludeBothLinesThatARangeOnlyTouches) {
  EXPECT_EQ(lines_of(0x101f, 0x22, 32), (Lines{0x1000, 0x1020, 0x1040}));
  EXPECT_EQ(lines_of(0x101f, 2, 32), (Lines{0x1000, 0x1020}));
}

TEST(CacheLines, OfARangeAtTheTopOfTheAddressSpaceEnd) {
  EXPECT_EQ(lines_of(kTop - 32, 33, 32), (Lines{kTop - 63, kTop - 31}));
}

TEST(CacheLines, OfOneByteEachAreEveryByte) {
  EXPECT_EQ(lines_of(0x1001, 3, 1), (Lines{0x1001, 0x1002, 0x1003}));
}

TEST(WholeLines, AreOwnedOnlyIfBothEndsAreOnLines) {
  EXPECT_TRUE(owns_whole_lines(0x1000, 64, 32));
  EXPECT_FALSE(owns_whole_lines(0x1010, 64, 32));
  EXPECT_FALSE(owns_whole_lines(0x1000, 48, 32));
  EXPECT_FALSE(owns_whole_lines(0x1010, 48, 32)) << "two wrong ends do not make a right one";
  EXPECT_TRUE(owns_whole_lines(0x1001, 1, 1));
}

}  // namespace
}  // namespace carveout
