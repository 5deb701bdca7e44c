#include "carveout/core/window.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace carveout {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

constexpr PhysRange phys(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}
constexpr DmaRange dma(std::uint64_t base, std::uint64_t size_bytes) {
  return {DmaAddr{base}, size_bytes};
}

/// Two windows that touch in memory and lie apart on the bus.
constexpr std::array kTwo{
    Window{.dma = DmaAddr{0x80000000}, .cpu = PhysAddr{0x20000000}, .size_bytes = 0x10000000},
    Window{.dma = DmaAddr{0xc0000000}, .cpu = PhysAddr{0x30000000}, .size_bytes = 0x10000000},
};

TEST(Translation, GoesThroughTheWindowThatHoldsTheRange) {
  const Translation bus = Translation::through(kTwo);
  EXPECT_EQ(bus.to_dma(phys(0x20000010, 4)), DmaAddr{0x80000010});
  EXPECT_EQ(bus.to_dma(phys(0x3fffffff, 1)), DmaAddr{0xcfffffff});
  EXPECT_EQ(bus.to_phys(dma(0xc0001000, 0x1000)), PhysAddr{0x30001000});
}

TEST(Translation, HasNoAnswerForARangeInTwoWindowsEvenWhereTheyTouch) {
  const Translation bus = Translation::through(kTwo);
  EXPECT_EQ(bus.to_dma(phys(0x2fffffff, 2)), std::nullopt);
}

TEST(Translation, HasNoAnswerOutsideTheWindows) {
  const Translation bus = Translation::through(kTwo);
  EXPECT_EQ(bus.to_dma(phys(0x1fffffff, 1)), std::nullopt);
  EXPECT_EQ(bus.to_dma(phys(0x40000000, 1)), std::nullopt);
  EXPECT_EQ(bus.to_phys(dma(0x90000000, 1)), std::nullopt);
  EXPECT_EQ(bus.to_dma(phys(0x20000000, 0)), std::nullopt);
}

TEST(Translation, ZeroIsADeviceAddressLikeAnyOther) {
  const std::array<Window, 1> windows{
      Window{.dma = DmaAddr{0}, .cpu = PhysAddr{0x80000000}, .size_bytes = 0x10000}};
  const Translation bus = Translation::through(windows);
  EXPECT_EQ(bus.to_dma(phys(0x80000000, 0x1000)), DmaAddr{0});
  EXPECT_EQ(bus.to_phys(dma(0, 0x1000)), PhysAddr{0x80000000});
}

TEST(Translation, TheFirstOfTwoWindowsOverTheSameMemoryDecides) {
  const std::array windows{
      Window{.dma = DmaAddr{0x1000}, .cpu = PhysAddr{0x80000000}, .size_bytes = 0x1000},
      Window{.dma = DmaAddr{0x9000}, .cpu = PhysAddr{0x80000000}, .size_bytes = 0x2000}};
  const Translation bus = Translation::through(windows);
  EXPECT_EQ(bus.to_dma(phys(0x80000000, 0x1000)), DmaAddr{0x1000});
  EXPECT_EQ(bus.to_dma(phys(0x80000000, 0x1001)), DmaAddr{0x9000}) << "the first is too short";
}

TEST(Translation, IdentityIsWithoutLimitAndReachesTheLastByte) {
  const Translation bus = Translation::identity();
  EXPECT_EQ(bus.to_dma(phys(kTop, 1)), DmaAddr{kTop});
  EXPECT_EQ(bus.to_phys(dma(0x123, 5)), PhysAddr{0x123});
  EXPECT_EQ(bus.to_dma(phys(kTop, 2)), std::nullopt) << "past the end there is nothing";
  EXPECT_EQ(bus.limit(), std::nullopt);
}

TEST(Translation, ThroughNoWindowReachesNothing) {
  const Translation bus = Translation::through({});
  EXPECT_EQ(bus.kind(), Translation::Kind::invalid);
  EXPECT_EQ(bus.to_dma(phys(0, 1)), std::nullopt);
  EXPECT_EQ(bus.to_phys(dma(0, 1)), std::nullopt);
}

TEST(Translation, LimitIsTheHighestByteOfAnyWindow) {
  EXPECT_EQ(Translation::through(kTwo).limit(), DmaAddr{0xcfffffff});
  const std::array turned{kTwo[1], kTwo[0]};
  EXPECT_EQ(Translation::through(turned).limit(), DmaAddr{0xcfffffff});
}

TEST(Reach, HoldsARangeUpToItsLastByteAndMovesIt) {
  constexpr Reach reach{PhysAddr{0x1000}, PhysAddr{0x1fff}, DmaAddr{0}};
  EXPECT_TRUE(reach.contains(phys(0x1000, 0x1000)));
  EXPECT_FALSE(reach.contains(phys(0x1001, 0x1000)));
  EXPECT_FALSE(reach.contains(phys(0xfff, 2)));
  EXPECT_FALSE(reach.contains(phys(0x1000, 0)));
  EXPECT_EQ(reach.to_dma(PhysAddr{0x1234}), DmaAddr{0x234});
}

TEST(Reach, CanBeAllOfMemory) {
  constexpr Reach all{PhysAddr{0}, PhysAddr{kTop}, DmaAddr{0}};
  EXPECT_TRUE(all.contains(phys(kTop - 0xfff, 0x1000)));
  EXPECT_TRUE(all.contains(phys(0, kTop)));
}

}  // namespace
}  // namespace carveout
