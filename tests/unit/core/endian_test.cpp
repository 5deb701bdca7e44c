#include "carveout/core/endian.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstddef>
#include <type_traits>

namespace carveout {
namespace {

template <std::size_t size>
using Raw = std::array<std::uint8_t, size>;

static_assert(std::is_trivially_copyable_v<LittleEndian<std::uint32_t>>);
static_assert(std::is_trivially_default_constructible_v<BigEndian<std::uint64_t>>);
static_assert(sizeof(BigEndian<std::uint16_t>) == 2 && alignof(BigEndian<std::uint16_t>) == 2);
static_assert(!std::is_convertible_v<LittleEndian<std::uint32_t>, std::uint32_t>);
static_assert(BigEndian<std::uint32_t>{0x11223344U}.value() == 0x11223344U);

TEST(LittleEndian, HasItsLowByteFirst) {
  EXPECT_EQ((std::bit_cast<Raw<2>>(LittleEndian<std::uint16_t>{0x1122})), (Raw<2>{0x22, 0x11}));
  EXPECT_EQ((std::bit_cast<Raw<4>>(LittleEndian<std::uint32_t>{0x11223344})),
            (Raw<4>{0x44, 0x33, 0x22, 0x11}));
}

TEST(BigEndian, HasItsHighByteFirst) {
  EXPECT_EQ((std::bit_cast<Raw<2>>(BigEndian<std::uint16_t>{0x1122})), (Raw<2>{0x11, 0x22}));
  EXPECT_EQ((std::bit_cast<Raw<8>>(BigEndian<std::uint64_t>{0x1122334455667788})),
            (Raw<8>{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}));
}

TEST(Ordered, ReadsBackWhatWasPutIn) {
  EXPECT_EQ(LittleEndian<std::uint64_t>{0x1122334455667788}.value(), 0x1122334455667788U);
  EXPECT_EQ(BigEndian<std::uint64_t>{0x1122334455667788}.value(), 0x1122334455667788U);
}

TEST(Narrow, KeepsAnAddressThatFits) {
  EXPECT_EQ(narrow<std::uint32_t>(DmaAddr{0xffff'ffff}), 0xffff'ffffU);
  EXPECT_EQ(narrow<std::uint32_t>(DmaAddr{0}), 0U);
  EXPECT_EQ(narrow<std::uint64_t>(DmaAddr{0x1'0000'0000}), 0x1'0000'0000U);
}

TEST(NarrowDeathTest, EndsWhereAnAddressDoesNotFit) {
  EXPECT_DEATH(static_cast<void>(narrow<std::uint32_t>(DmaAddr{0x1'0000'0000})), "");
}

}  // namespace
}  // namespace carveout
