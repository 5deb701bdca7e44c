// System::bind(): a pool for one device, checked when it is bound and not when it is used.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "carveout/setup/system.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::kCachedRam;
using test::must;
using test::ram;
using test::SimBoard;

class Bind : public testing::Test {
 protected:
  Result<void> bind(const BindingSettings& settings = {}) {
    return board_.system->bind(device_, pool_, settings);
  }
  /// What a device that was meant to have a pool of its own is told, while a default pool is free.
  [[nodiscard]] std::optional<Error> told() const { return error_of(alloc_coherent(device_, 32)); }

  SimBoard board_;
  Pool& default_ = board_.default_pool("default", ram(0x8000, 0x1000));
  Pool& pool_ = board_.pool("own", ram(0, 0x1000));
  Pool& other_ = board_.pool("other", ram(0x2000, 0x1000));
  Device& device_ = board_.device("eth");
};

TEST_F(Bind, GivesTheDeviceThePool) {
  must(bind());
  EXPECT_EQ(must(alloc_coherent(device_, 32)).pool, &pool_);
}

TEST_F(Bind, LeavesOtherDevicesAlone) {
  must(bind());
  EXPECT_EQ(must(alloc_coherent(board_.device("usb"), 32)).pool, &default_);
}

TEST_F(Bind, SharesOnePoolAmongSeveralDevices) {
  Device& usb = board_.device("usb");
  must(bind());
  must(board_.system->bind(usb, pool_));
  const Block first = must(alloc_coherent(device_, 0x800));
  const Block second = must(alloc_coherent(usb, 0x800));
  EXPECT_EQ(first.pool, second.pool);
  EXPECT_NE(first.phys, second.phys);
}

TEST_F(Bind, OrdersPoolsByIndexAndNotByTheOrderOfBinding) {
  must(board_.system->bind(device_, other_, {.index = 5}));
  must(bind({.index = 2}));
  EXPECT_EQ(must(alloc_coherent(device_, 32)).pool, &pool_);
}

TEST_F(Bind, PutsAnIndexBetweenTwoOthers) {
  Pool& third = board_.pool("third", ram(0x4000, 0x1000));
  must(bind({.index = 0}));
  must(board_.system->bind(device_, third, {.index = 9}));
  must(board_.system->bind(device_, other_, {.index = 4}));
  must(alloc_coherent(device_, 0x1000));
  EXPECT_EQ(must(alloc_coherent(device_, 0x1000)).pool, &other_);
}

TEST_F(Bind, FindsAPoolByIndexAndByName) {
  must(bind({.index = 3, .name = "tx"}));
  EXPECT_EQ(must(alloc_coherent(device_, 32, {.pool = {.index = 3}})).pool, &pool_);
  EXPECT_EQ(must(alloc_coherent(device_, 32, {.pool = {.name = "tx"}})).pool, &pool_);
}

TEST_F(Bind, ASecondPoolOfOneIndexIsRefusedAndTheFirstStays) {
  must(bind());
  const std::size_t used = board_.system->storage_used_bytes();
  const auto again = board_.system->bind(device_, other_);
  ASSERT_EQ(error_of(again), Error::already_declared);
  EXPECT_EQ(again.error().other, "own");
  EXPECT_EQ(board_.system->storage_used_bytes(), used);
  EXPECT_EQ(must(alloc_coherent(device_, 32)).pool, &pool_);
}

TEST_F(Bind, ASecondPoolOfOneNameIsRefusedAndTheFirstStays) {
  must(bind({.index = 0, .name = "tx"}));
  EXPECT_EQ(error_of(board_.system->bind(device_, other_, {.index = 1, .name = "tx"})),
            Error::already_declared);
  EXPECT_EQ(must(alloc_coherent(device_, 32, {.pool = {.name = "tx"}})).pool, &pool_);
}

TEST_F(Bind, ASecondPoolOfOneIndexWithAWindowGivesItsStorageBack) {
  must(bind());
  const std::size_t used = board_.system->storage_used_bytes();
  ASSERT_FALSE(board_.system->bind(
      device_, other_, {.window = Window{DmaAddr{0}, other_.chunks()[0].range.base, 0x1000}}));
  EXPECT_EQ(board_.system->storage_used_bytes(), used);
}

TEST_F(Bind, SeveralPoolsWithoutANameDoNotCollide) {
  must(bind({.index = 0}));
  EXPECT_TRUE(board_.system->bind(device_, other_, {.index = 1}));
}

TEST_F(Bind, OrdinaryMemoryIsNobodysOwn) {
  Pool& memory = board_.pool("ram", ram(0x6000, 0x1000), Memory::ordinary);
  EXPECT_EQ(error_of(board_.system->bind(device_, memory)), Error::wrong_kind);
}

TEST_F(Bind, OrdinaryMemoryThatWasRefusedBarsNothing) {
  Pool& memory = board_.pool("ram", ram(0x6000, 0x1000), Memory::ordinary);
  ASSERT_FALSE(board_.system->bind(device_, memory));
  EXPECT_EQ(told(), std::nullopt);
}

// ---- reach
// ---------------------------------------------------------------------------------------

TEST_F(Bind, APoolThatNoWindowShowsIsRefused) {
  Device& far = board_.device("far", {.windows = {{DmaAddr{0}, ram(0x1000, 1).base, 0x1000}}});
  EXPECT_EQ(error_of(board_.system->bind(far, pool_)), Error::not_in_window);
}

TEST_F(Bind, APoolThatTwoWindowsShowTogetherIsRefused) {
  Device& split =
      board_.device("split", {.windows = {{DmaAddr{0x1000}, kCachedRam, 0x800},
                                          {DmaAddr{0x2000}, ram(0x800, 1).base, 0x800}}});
  EXPECT_EQ(error_of(board_.system->bind(split, pool_)), Error::not_in_window);
}

TEST_F(Bind, APoolOverTheMaskIsRefused) {
  Device& narrow = board_.device("narrow", {.mask = DmaAddr{0x4c80'0ffe}});
  EXPECT_EQ(error_of(board_.system->bind(narrow, pool_)), Error::unreachable);
}

TEST_F(Bind, APoolUpToTheMaskIsAccepted) {
  Device& narrow = board_.device("narrow", {.mask = DmaAddr{0x4c80'0fff}});
  EXPECT_TRUE(board_.system->bind(narrow, pool_));
}

TEST_F(Bind, EveryChunkMustBeReached) {
  const std::array chunks{ram(0x4000, 0x1000), ram(0xc000, 0x1000)};
  Pool* const pool = must(board_.system->declare({.name = "two", .chunks = chunks}));
  Device& far = board_.device("far", {.windows = {{DmaAddr{0}, kCachedRam, 0x8000}}});
  EXPECT_EQ(error_of(board_.system->bind(far, *pool)), Error::not_in_window);
}

TEST_F(Bind, ChunksMayLieInDifferentWindows) {
  const std::array chunks{ram(0x4000, 0x1000), ram(0xc000, 0x1000)};
  Pool* const pool = must(board_.system->declare({.name = "two", .chunks = chunks}));
  Device& two = board_.device("two", {.windows = {{DmaAddr{0}, ram(0x4000, 1).base, 0x1000},
                                                  {DmaAddr{0x9000}, ram(0xc000, 1).base, 0x1000}}});
  ASSERT_TRUE(board_.system->bind(two, *pool));
  must(alloc_coherent(two, 0x1000));
  EXPECT_TRUE(alloc_coherent(two, 0x1000));
}

TEST_F(Bind, UnusableRangesReachNoPool) {
  Device* const device = must(board_.system->add_device(
      {.name = "odd", .coherent_mask = test::kAnyAddress, .translation = Translation::invalid()}));
  EXPECT_EQ(error_of(board_.system->bind(*device, pool_)), Error::not_in_window);
}

TEST_F(Bind, ARefusalNamesPoolAndDevice) {
  Device& narrow = board_.device("narrow", {.mask = DmaAddr{0xfff}});
  const auto result = board_.system->bind(narrow, pool_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().pool, "own");
  EXPECT_EQ(result.error().other, "narrow");
}

TEST_F(Bind, ARefusedBindingBarsTheDefaultPool) {
  Device& narrow = board_.device("narrow", {.mask = DmaAddr{0x4c80'0ffe}});
  ASSERT_FALSE(board_.system->bind(narrow, pool_));
  EXPECT_EQ(error_of(alloc_coherent(narrow, 32)), Error::unreachable);
}

TEST_F(Bind, TheCpuMustHaveAnUncachedView) {
  SimBoard board{{}, [](Platform& platform) { platform.aliases = {}; }};
  EXPECT_EQ(error_of(board.system->bind(board.device("eth"), board.pool("own", ram(0, 0x1000)))),
            Error::no_uncached_view);
}

TEST_F(Bind, ACoherentDeviceNeedsNoUncachedView) {
  SimBoard board{{}, [](Platform& platform) { platform.aliases = {}; }};
  Device& device = board.device("eth", {.coherent = true});
  EXPECT_TRUE(board.system->bind(device, board.pool("own", ram(0, 0x1000))));
}

// ---- a device address that is declared
// -----------------------------------------------------------

TEST_F(Bind, ADeclaredWindowIsUsedInsteadOfTheDevices) {
  Device& far = board_.device("far", {.windows = {{DmaAddr{0}, PhysAddr{0}, 0x1000}}});
  must(board_.system->bind(far, pool_, {.window = Window{DmaAddr{0}, kCachedRam, 0x1000}}));
  EXPECT_EQ(must(alloc_coherent(far, 0x1000)).dma, DmaAddr{0});
}

TEST_F(Bind, ADeclaredWindowIsCutByTheMask) {
  EXPECT_EQ(error_of(bind({.window = Window{DmaAddr{0xffff'f001}, kCachedRam, 0x1000}})),
            Error::unreachable);
}

TEST_F(Bind, ADeclaredWindowThatDoesNotHoldThePoolIsRefused) {
  EXPECT_EQ(error_of(bind({.window = Window{DmaAddr{0}, kCachedRam, 0xfff}})),
            Error::not_in_window);
}

TEST_F(Bind, ADeclaredWindowOfNoBytesIsRefused) {
  EXPECT_EQ(error_of(bind({.window = Window{DmaAddr{0}, kCachedRam, 0}})), Error::empty_range);
}

TEST_F(Bind, ADeclaredWindowThatPasses2To64IsRefused) {
  EXPECT_EQ(error_of(bind({.window = Window{test::kAnyAddress, kCachedRam, 0x1000}})),
            Error::wraps);
}

TEST_F(Bind, AMalformedWindowBarsTheDefaultPool) {
  ASSERT_FALSE(bind({.window = Window{DmaAddr{0}, kCachedRam, 0}}));
  EXPECT_EQ(told(), Error::empty_range);
}

TEST_F(Bind, AWindowThatWrapsBarsTheDefaultPool) {
  ASSERT_FALSE(bind({.window = Window{test::kAnyAddress, kCachedRam, 0x1000}}));
  EXPECT_EQ(told(), Error::wraps);
}

// ---- a pool that does not exist
// ------------------------------------------------------------------

TEST_F(Bind, APoolThatDoesNotExistBarsTheDefaultPool) {
  must(board_.system->bind_refused(device_, "lost", Memory::coherent, Error::overlaps));
  EXPECT_EQ(told(), Error::overlaps);
}

TEST_F(Bind, APoolThatDoesNotExistIsNamed) {
  must(board_.system->bind_refused(device_, "lost", Memory::coherent, Error::overlaps));
  EXPECT_EQ(alloc_coherent(device_, 32).error().pool, "lost");
}

TEST_F(Bind, APoolThatDoesNotExistTakesItsIndex) {
  must(board_.system->bind_refused(device_, "lost", Memory::coherent, Error::overlaps));
  EXPECT_EQ(error_of(bind()), Error::already_declared);
}

TEST_F(Bind, ANextOwnPoolServesBesideOneThatDoesNotExist) {
  must(board_.system->bind_refused(device_, "lost", Memory::coherent, Error::overlaps));
  must(bind({.index = 1}));
  EXPECT_EQ(must(alloc_coherent(device_, 32)).pool, &pool_);
}

}  // namespace
}  // namespace carveout
