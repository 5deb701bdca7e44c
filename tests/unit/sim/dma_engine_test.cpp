// A bus master behind windows and a mask: what it reaches, and that it moves nothing else.
#include "carveout_sim/dma_engine.hpp"

#include <gtest/gtest.h>

#include <array>

#include "bytes.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kRam{0x3'5a00'0000};
constexpr std::uint64_t kRamBytes = 0x10'0000;
constexpr DmaAddr kAll{~std::uint64_t{0}};

/// Three windows: the first page of RAM at device address 0, another page elsewhere, and one that
/// shows no RAM.
constexpr std::array kWindows{
    Window{DmaAddr{0}, kRam, 0x1000},
    Window{DmaAddr{0x6b00'0000}, PhysAddr{kRam.raw() + 0x8000}, 0x1000},
    Window{DmaAddr{0x7000'0000}, PhysAddr{0x9'0000'0000}, 0x1000},
};

class Engine : public testing::Test {
 protected:
  Machine machine_;
  DmaEngine engine_{machine_, Translation::through(kWindows), DmaAddr{0x7fff'ffff}};

  /// All of RAM, to see that nothing moved.
  [[nodiscard]] Bytes everything() const { return ram(machine_, kRam, kRamBytes); }
};

TEST_F(Engine, WritesThroughTheWindowThatHoldsTheAddress) {
  const Bytes data = pattern(100, 1);
  ASSERT_TRUE(engine_.write(DmaAddr{0x6b00'0010}, data));
  EXPECT_EQ(ram(machine_, PhysAddr{kRam.raw() + 0x8010}, 100), data);
}

TEST_F(Engine, Address0IsADeviceAddressLikeAnyOther) {
  const Bytes data = pattern(16, 2);
  ASSERT_TRUE(engine_.write(DmaAddr{0}, data));
  EXPECT_EQ(ram(machine_, kRam, 16), data);
}

TEST_F(Engine, ReadsWhatRamHolds) {
  const Bytes data = pattern(16, 3);
  machine_.bus_write(PhysAddr{kRam.raw() + 0x8ff0}, data);
  Bytes seen(16);
  ASSERT_TRUE(engine_.read(DmaAddr{0x6b00'0ff0}, seen));
  EXPECT_EQ(seen, data);
}

TEST_F(Engine, FillsExactlyTheBytesAsked) {
  ASSERT_TRUE(engine_.fill(DmaAddr{1}, 3, std::byte{0xee}));
  EXPECT_EQ(ram(machine_, kRam, 5),
            (Bytes{std::byte{0}, std::byte{0xee}, std::byte{0xee}, std::byte{0xee}, std::byte{0}}));
}

TEST_F(Engine, CopiesBetweenWindows) {
  const Bytes data = pattern(64, 4);
  machine_.bus_write(kRam, data);
  ASSERT_TRUE(engine_.copy({.from = DmaAddr{0}, .to = DmaAddr{0x6b00'0020}, .size_bytes = 64}));
  EXPECT_EQ(ram(machine_, PhysAddr{kRam.raw() + 0x8020}, 64), data);
}

TEST_F(Engine, ACopyOntoItselfMovesWhatWasThereBefore) {
  const Bytes data = pattern(64, 5);
  machine_.bus_write(kRam, data);
  ASSERT_TRUE(engine_.copy({.from = DmaAddr{0}, .to = DmaAddr{8}, .size_bytes = 64}));
  EXPECT_EQ(ram(machine_, PhysAddr{kRam.raw() + 8}, 64), data);
}

TEST_F(Engine, AnAddressOutsideTheWindowsMovesNothing) {
  const Bytes before = everything();
  const Transfer missed = std::unexpected{BusError::not_in_window};
  EXPECT_EQ(engine_.write(DmaAddr{0x5000'0000}, pattern(4, 6)), missed);
  EXPECT_EQ(engine_.fill(DmaAddr{0x1000}, 1, std::byte{1}), missed);
  EXPECT_EQ(everything(), before);

  Bytes seen = pattern(4, 7);
  EXPECT_EQ(engine_.read(DmaAddr{0x5000'0000}, seen), missed);
  EXPECT_EQ(seen, pattern(4, 7));
}

TEST_F(Engine, ATransferOfWhichTheLastByteIsOutsideMovesNothing) {
  const Bytes before = everything();
  const Transfer missed = std::unexpected{BusError::not_in_window};
  EXPECT_EQ(engine_.write(DmaAddr{0xffd}, pattern(4, 6)), missed);
  EXPECT_EQ(engine_.copy({DmaAddr{0xffd}, DmaAddr{0x6b00'0000}, 4}), missed);
  EXPECT_EQ(engine_.copy({DmaAddr{0}, DmaAddr{0x6b00'0ffd}, 4}), missed);
  EXPECT_EQ(everything(), before);
}

TEST_F(Engine, AWindowOntoNoRamMovesNothing) {
  const Transfer missed = std::unexpected{BusError::no_memory};
  EXPECT_EQ(engine_.write(DmaAddr{0x7000'0000}, pattern(4, 6)), missed);
  EXPECT_EQ(engine_.copy({DmaAddr{0}, DmaAddr{0x7000'0000}, 4}), missed);
}

TEST_F(Engine, AnAddressOverTheMaskMovesNothing) {
  const Bytes before = everything();
  DmaEngine narrow{machine_, Translation::through(kWindows), DmaAddr{0x6b00'07ff}};
  EXPECT_TRUE(narrow.write(DmaAddr{0x6b00'07f0}, Bytes(16)));
  EXPECT_EQ(narrow.write(DmaAddr{0x6b00'07f0}, pattern(17, 8)),
            Transfer{std::unexpected{BusError::over_mask}});
  EXPECT_EQ(everything(), before);
}

TEST_F(Engine, ATransferPast2To64MovesNothing) {
  DmaEngine identity{machine_, Translation::identity(), kAll};
  Bytes seen(16);
  EXPECT_EQ(identity.read(DmaAddr{kAll.raw() - 7}, seen),
            Transfer{std::unexpected{BusError::over_mask}});
}

TEST_F(Engine, AnUnusableTranslationReachesNothing) {
  DmaEngine lost{machine_, Translation::invalid(), kAll};
  Bytes seen(1);
  EXPECT_EQ(lost.read(DmaAddr{0}, seen), Transfer{std::unexpected{BusError::not_in_window}});
}

TEST_F(Engine, ATransferOfNothingSucceedsAnywhere) {
  EXPECT_TRUE(engine_.write(DmaAddr{0x5000'0000}, {}));
  EXPECT_TRUE(engine_.fill(DmaAddr{0x5000'0000}, 0, std::byte{1}));
  EXPECT_TRUE(engine_.read(DmaAddr{0x5000'0000}, {}));
  EXPECT_TRUE(engine_.copy({DmaAddr{0x5000'0000}, DmaAddr{0x5000'0000}, 0}));
}

TEST_F(Engine, ReachesRamByEitherOfItsPhysicalAddresses) {
  // A tree may state a pool, and the window to it, by the uncached address.
  static constexpr std::array kToUncached{
      Window{DmaAddr{0x1000}, PhysAddr{0x7'1b40'0000}, kRamBytes}};
  DmaEngine engine{machine_, Translation::through(kToUncached), DmaAddr{0xffff'ffff}};
  ASSERT_TRUE(engine.write(DmaAddr{0x1000}, pattern(8, 9)));
  EXPECT_EQ(ram(machine_, kRam, 8), pattern(8, 9));
}

TEST_F(Engine, SwappingPhysicalAndDeviceAddressesNeverWorks) {
  static constexpr std::array kOdd{kOddWindow};
  const Translation odd = Translation::through(kOdd);
  DmaEngine engine{machine_, odd, kAll};
  for (std::uint64_t offset = 0; offset < kRamBytes; offset += 0x1000) {
    const PhysAddr phys{kRam.raw() + offset};
    const DmaAddr dma{kOddWindow.dma.raw() + offset};
    const PhysAddr uncached{0x7'1b40'0000 + offset};

    EXPECT_TRUE(engine.fill(dma, 1, std::byte{1}));
    EXPECT_FALSE(engine.fill(DmaAddr{phys.raw()}, 1, std::byte{1}));
    EXPECT_FALSE(engine.fill(DmaAddr{uncached.raw()}, 1, std::byte{1}));
    EXPECT_FALSE(machine_.is_ram({PhysAddr{dma.raw()}, 1}));
    EXPECT_EQ(machine_.cpu_view({PhysAddr{dma.raw()}, 1}), nullptr);

    for (const std::byte* pointer :
         {machine_.cpu_view({phys, 1}), machine_.cpu_view({uncached, 1})}) {
      const auto raw = reinterpret_cast<std::uintptr_t>(pointer);
      EXPECT_FALSE(engine.fill(DmaAddr{raw}, 1, std::byte{1}));
      EXPECT_FALSE(machine_.is_ram({PhysAddr{raw}, 1}));
    }
  }
}

}  // namespace
}  // namespace carveout::sim
