// Two addresses of the same bytes: which of them a range is stated in, and where its twin lies.
#include "carveout/map/alias.hpp"

#include <gtest/gtest.h>

#include <array>

#include "carveout/map/known_aliases.hpp"

namespace carveout {
namespace {

/// Both sides of the first 512 MiB as the processor sees them.
constexpr std::array kKseg{Alias{PhysAddr{0x8000'0000}, PhysAddr{0xa000'0000}, 0x2000'0000}};
constexpr std::array kJh7100{known_aliases::jh7100};

TEST(Alias, TheTwinOfACachedAddressIsUncached) {
  const auto views = views_of(kKseg, {PhysAddr{0x8010'0000}, 0x1000});
  ASSERT_TRUE(views);
  EXPECT_EQ(views->uncached, (PhysRange{PhysAddr{0xa010'0000}, 0x1000}));
}

TEST(Alias, AnAddressOnTheCachedSideIsItsOwnCachedView) {
  const PhysRange stated{PhysAddr{0x8010'0000}, 0x1000};
  const auto views = views_of(kKseg, stated);
  ASSERT_TRUE(views);
  EXPECT_EQ(views->cached, stated);
}

TEST(Alias, AnAddressOnTheUncachedSideIsAlreadyUncached) {
  const PhysRange stated{PhysAddr{0x10'7a00'0000}, 0x100'0000};
  const auto views = views_of(kJh7100, stated);
  ASSERT_TRUE(views);
  EXPECT_EQ(views->uncached, stated);
}

TEST(Alias, TheTwinOfAnUncachedAddressIsCached) {
  const auto views = views_of(kJh7100, {PhysAddr{0x10'7a00'0000}, 0x100'0000});
  ASSERT_TRUE(views);
  EXPECT_EQ(views->cached, (PhysRange{PhysAddr{0xfa00'0000}, 0x100'0000}));
}

TEST(Alias, OneAddressThatAnMpuMadeUncachedIsBothViews) {
  constexpr std::array kMpu{Alias{PhysAddr{0xc1f0'0000}, PhysAddr{0xc1f0'0000}, 0x10'0000}};
  const PhysRange stated{PhysAddr{0xc1f0'1000}, 0x1000};
  const auto views = views_of(kMpu, stated);
  ASSERT_TRUE(views);
  EXPECT_EQ(views->uncached, stated);
  EXPECT_EQ(views->cached, stated);
}

TEST(Alias, ARangeThatLeavesTheAliasHasNoTwin) {
  EXPECT_FALSE(views_of(kKseg, {PhysAddr{0x7fff'f000}, 0x2000}));
}

TEST(Alias, ARangeOverTwoAliasesThatTouchHasNoTwin) {
  constexpr std::array kTwo{Alias{PhysAddr{0x1000}, PhysAddr{0x9000}, 0x1000},
                            Alias{PhysAddr{0x2000}, PhysAddr{0xa000}, 0x1000}};
  EXPECT_FALSE(views_of(kTwo, {PhysAddr{0x1800}, 0x1000}));
}

TEST(Alias, MemoryOutsideEveryAliasHasNoTwin) {
  EXPECT_FALSE(views_of(kKseg, {PhysAddr{0x1000}, 0x1000}));
}

TEST(Alias, ALaterAliasOfTheListIsFoundToo) {
  constexpr std::array kTwo{Alias{PhysAddr{0x1000}, PhysAddr{0x9000}, 0x1000},
                            Alias{PhysAddr{0x4000}, PhysAddr{0xd000}, 0x1000}};
  const auto views = views_of(kTwo, {PhysAddr{0x4010}, 0x10});
  ASSERT_TRUE(views);
  EXPECT_EQ(views->uncached.base, PhysAddr{0xd010});
}

TEST(Alias, TheLastByteOfAnAliasHasATwin) {
  const auto views = views_of(kKseg, {PhysAddr{0x9fff'ffff}, 1});
  ASSERT_TRUE(views);
  EXPECT_EQ(views->uncached.base, PhysAddr{0xbfff'ffff});
}

TEST(ShareBytes, RangesThatOverlapDo) {
  EXPECT_TRUE(share_bytes({}, {PhysAddr{0x1000}, 0x1000}, {PhysAddr{0x1fff}, 0x1000}));
}

TEST(ShareBytes, RangesThatTouchDoNot) {
  EXPECT_FALSE(share_bytes(kKseg, {PhysAddr{0x1000}, 0x1000}, {PhysAddr{0x2000}, 0x1000}));
}

TEST(ShareBytes, ARangeAndItsTwinDo) {
  EXPECT_TRUE(share_bytes(kKseg, {PhysAddr{0x8000'1000}, 0x10}, {PhysAddr{0xa000'1000}, 0x10}));
}

TEST(ShareBytes, ARangeAndTheTwinOfItsNeighbourDoNot) {
  EXPECT_FALSE(share_bytes(kKseg, {PhysAddr{0x8000'1000}, 0x10}, {PhysAddr{0xa000'1010}, 0x10}));
}

TEST(ShareBytes, ARangeThatLeavesTheAliasDoesByThePartInIt) {
  EXPECT_TRUE(share_bytes(kKseg, {PhysAddr{0x7fff'f000}, 0x2000}, {PhysAddr{0xa000'0ff0}, 0x10}));
  EXPECT_TRUE(share_bytes(kKseg, {PhysAddr{0xa000'0ff0}, 0x10}, {PhysAddr{0x7fff'f000}, 0x2000}));
}

TEST(ShareBytes, TwoAliasesOfTheSameRamDo) {
  constexpr std::array kThreeAddresses{Alias{PhysAddr{0x1000}, PhysAddr{0x9000}, 0x1000},
                                       Alias{PhysAddr{0x1000}, PhysAddr{0xd000}, 0x1000}};
  EXPECT_TRUE(share_bytes(kThreeAddresses, {PhysAddr{0x9000}, 0x10}, {PhysAddr{0xd00f}, 0x10}));
}

TEST(ShareBytes, AnEmptyRangeSharesNothing) {
  EXPECT_FALSE(share_bytes(kKseg, {PhysAddr{0x8000'0000}, 0}, {PhysAddr{0x8000'0000}, 0x10}));
}

}  // namespace
}  // namespace carveout
