#include "carveout/device_tree/bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace carveout::device_tree {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::vector<std::string> all(const Strings& strings) { return {strings.begin(), strings.end()}; }

TEST(Numbers, AreBigEndianAtAnyAddress) {
  const auto bytes = bytes_of({0xff, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0});
  EXPECT_EQ(load_cell(bytes, 1), 0x12345678U);
  EXPECT_EQ(load_number(bytes, 1, 2), 0x1234'5678'9abc'def0U);
}

TEST(Numbers, OfMoreThanTwoCellsCountWithTheLastTwo) {
  const auto bytes = bytes_of({1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 6});
  EXPECT_EQ(load_number(bytes, 0, 3), 0x5'0000'0006U);
}

TEST(Numbers, OfNoCellsAreZero) { EXPECT_EQ(load_number({}, 0, 0), 0U); }

TEST(EntryBytes, DoNotWrapWithCellsByTheBillion) {
  EXPECT_EQ(entry_bytes(1000, 0xffff'ffff, 0xffff'ffff, 2), 0U);
  EXPECT_EQ(entry_bytes(1000, 0x4000'0000, 0), 0U);
  EXPECT_EQ(entry_bytes(12, 1, 1, 1), 12U);
  EXPECT_EQ(entry_bytes(11, 1, 1, 1), 0U);
  EXPECT_EQ(entry_bytes(12, 0, 0, 0), 0U);
}

TEST(Pairs, DropCellsThatMakeNoPair) {
  const auto bytes = bytes_of({0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3});
  const Pairs pairs{bytes, {.address = 1, .size = 1}};
  ASSERT_EQ(pairs.size(), 1U);
  EXPECT_EQ(pairs[0], (PhysRange{PhysAddr{1}, 2}));
  EXPECT_FALSE(pairs.whole());
}

TEST(Pairs, OfNoCellsAreNone) {
  const auto bytes = bytes_of({0, 0, 0, 1});
  const Pairs pairs{bytes, {.address = 0, .size = 0}};
  EXPECT_TRUE(pairs.empty());
  EXPECT_FALSE(pairs.whole());
}

TEST(Pairs, AreNotWholeWhereThereIsNone) {
  EXPECT_FALSE((Pairs{Bytes{}, {.address = 1, .size = 1}}.whole()));
}

TEST(Strings, EndWithTheirZeros) {
  EXPECT_EQ(all(Strings{bytes_of(std::string_view{"a\0\0bc\0", 6})}),
            (std::vector<std::string>{"a", "", "bc"}));
}

TEST(Strings, NeedNoZeroAfterTheLast) {
  EXPECT_EQ(all(Strings{bytes_of(std::string_view{"a\0bc", 4})}),
            (std::vector<std::string>{"a", "bc"}));
}

TEST(Strings, OfNoBytesAreNoneAndOfOneZeroIsOneEmptyOne) {
  EXPECT_FALSE(Strings{Bytes{}}.first());
  EXPECT_EQ((Strings{bytes_of(std::string_view{"\0", 1})}.first()), "");
}

TEST(Strings, ContainWholeStringsOnly) {
  const Strings strings{bytes_of(std::string_view{"shared-dma-pool-x\0vendor\0", 25})};
  EXPECT_FALSE(strings.contains("shared-dma-pool"));
  EXPECT_TRUE(strings.contains("vendor"));
}

}  // namespace
}  // namespace carveout::device_tree
