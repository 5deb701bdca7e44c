// System::create() and System::add_device(): bus masters, their windows and their masks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "carveout/setup/system.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::k32Bits;
using test::kAnyAddress;
using test::kCachedRam;
using test::must;
using test::ram;
using test::SimBoard;

class AddDevice : public testing::Test {
 protected:
  Result<Device*> add(std::string_view name, Translation translation, DmaAddr mask = k32Bits) {
    return board_.system->add_device(
        {.name = name, .coherent_mask = mask, .translation = translation});
  }
  std::optional<Error> refused(const Window& window) {
    const std::size_t used = board_.system->storage_used_bytes();
    const auto result = add("refused", Translation::through({&window, 1}));
    EXPECT_EQ(board_.system->storage_used_bytes(), used);
    EXPECT_EQ(board_.system->find_device("refused"), nullptr);
    EXPECT_TRUE(add("refused", Translation::identity())) << "the name is spent";
    return error_of(result);
  }

  SimBoard board_;
};

TEST_F(AddDevice, IsFoundByItsName) {
  Device* const device = must(add("eth", Translation::identity()));
  EXPECT_EQ(board_.system->find_device("eth"), device);
}

TEST_F(AddDevice, IsNumberedInTheOrderOfAdding) {
  Device* const first = must(add("a", Translation::identity()));
  Device* const second = must(add("b", Translation::identity()));
  EXPECT_EQ(board_.system->device(0), first);
  EXPECT_EQ(board_.system->device(1), second);
}

TEST_F(AddDevice, HasNoNumberPastTheLast) {
  must(add("a", Translation::identity()));
  EXPECT_EQ(board_.system->device(1), nullptr);
}

TEST_F(AddDevice, ARefusedDeviceTakesNoNumber) {
  const Window wrapping{DmaAddr{0}, PhysAddr{~std::uint64_t{0}}, 2};
  ASSERT_FALSE(add("a", Translation::through({&wrapping, 1})));
  EXPECT_EQ(must(add("b", Translation::identity()))->id, 0U);
}

TEST_F(AddDevice, ASecondDeviceOfTheSameNameIsRefusedAndTheFirstStays) {
  Device* const first = must(add("eth", Translation::identity()));
  const std::size_t used = board_.system->storage_used_bytes();
  EXPECT_EQ(error_of(add("eth", Translation::identity())), Error::already_declared);
  EXPECT_EQ(board_.system->find_device("eth"), first);
  EXPECT_EQ(board_.system->storage_used_bytes(), used);
}

constexpr std::array kTwice{Role::default_pool, Role::atomic, Role::default_pool};
constexpr std::array kToOwn{Role::default_pool, Role::device};
constexpr std::array kToBounce{Role::bounce};

TEST_F(AddDevice, AFallbackThatNamesARoleTwiceIsRefused) {
  const auto refused =
      board_.system->add_device({.name = "eth", .coherent_mask = k32Bits, .fallback = kTwice});
  ASSERT_EQ(error_of(refused), Error::already_declared);
  EXPECT_EQ(refused.error().pool, "default");
  EXPECT_EQ(refused.error().other, "eth");
  EXPECT_EQ(board_.system->find_device("eth"), nullptr);
}

TEST_F(AddDevice, AFallbackToTheDevicesOwnPoolsOrToARestrictedOneIsRefused) {
  for (const std::span<const Role> chain : {std::span<const Role>{kToOwn}, {kToBounce}}) {
    const auto refused =
        board_.system->add_device({.name = "eth", .coherent_mask = k32Bits, .fallback = chain});
    ASSERT_EQ(error_of(refused), Error::wrong_kind);
    EXPECT_EQ(refused.error().pool, name_of(chain.back()));
  }
}

TEST_F(AddDevice, AWindowOfNoBytesIsLeftOut) {
  const std::array windows{Window{DmaAddr{0}, PhysAddr{0x1000}, 0},
                           Window{DmaAddr{0}, PhysAddr{0x2000}, 0x100}};
  const Device& device = *must(add("eth", Translation::through(windows)));
  ASSERT_EQ(device.translation.windows().size(), 1U);
  EXPECT_EQ(device.translation.windows()[0], windows[1]);
}

TEST_F(AddDevice, WindowsOfNoBytesAloneReachNothing) {
  const std::array windows{Window{DmaAddr{0}, PhysAddr{0x1000}, 0}};
  const Device& device = *must(add("eth", Translation::through(windows)));
  EXPECT_EQ(device.translation.kind(), Translation::Kind::invalid);
  EXPECT_TRUE(device.reaches.empty());
}

TEST_F(AddDevice, AWindowThatContinuesTheOneBeforeItOnBothSidesIsJoinedWithIt) {
  const std::array windows{Window{DmaAddr{0x100}, PhysAddr{0x2000}, 0x100},
                           Window{DmaAddr{0x200}, PhysAddr{0x2100}, 0x100},
                           Window{DmaAddr{0x300}, PhysAddr{0x2300}, 0x100},
                           Window{DmaAddr{0x500}, PhysAddr{0x2400}, 0x100}};
  const Device& device = *must(add("eth", Translation::through(windows)));
  EXPECT_THAT(device.translation.windows(),
              testing::ElementsAre(Window{DmaAddr{0x100}, PhysAddr{0x2000}, 0x200}, windows[2],
                                   windows[3]));
}

TEST_F(AddDevice, AWindowThatPasses2To64InMemoryIsRefused) {
  EXPECT_EQ(refused({DmaAddr{0}, PhysAddr{~std::uint64_t{0}}, 2}), Error::wraps);
}

TEST_F(AddDevice, AWindowThatPasses2To64AtTheDeviceIsRefused) {
  EXPECT_EQ(refused({DmaAddr{~std::uint64_t{0}}, PhysAddr{0}, 2}), Error::wraps);
}

TEST_F(AddDevice, AWindowThatEndsAt2To64IsAccepted) {
  const Window window{DmaAddr{0 - std::uint64_t{0x1000}}, PhysAddr{0}, 0x1000};
  const Device* const device = must(add("top", Translation::through({&window, 1}), kAnyAddress));
  EXPECT_EQ(device->to_dma({PhysAddr{0xfff}, 1}), kAnyAddress);
}

TEST_F(AddDevice, CopiesTheWindows) {
  std::vector<Window> windows{sim::kOddWindow};
  const Device* const device = must(add("eth", Translation::through(windows)));
  windows[0] = {DmaAddr{0}, PhysAddr{0}, 1};
  EXPECT_EQ(device->to_dma(ram(0x10, 1)), sim::kOddWindow.to_dma(ram(0x10, 1).base));
}

TEST_F(AddDevice, KeepsItsWindowsInTheirOrder) {
  constexpr std::array kTwo{Window{DmaAddr{0x1000}, PhysAddr{0x8000}, 0x1000},
                            Window{DmaAddr{0x9000}, PhysAddr{0x8000}, 0x2000}};
  const Device* const device = must(add("eth", Translation::through(kTwo)));
  EXPECT_EQ(device->to_dma({PhysAddr{0x8000}, 0x10}), DmaAddr{0x1000});
  EXPECT_EQ(device->to_dma({PhysAddr{0x9000}, 0x10}), DmaAddr{0xa000});
}

TEST_F(AddDevice, ReachesWhatItsWindowsShow) {
  const Device* const device = must(add("eth", Translation::through({&sim::kOddWindow, 1})));
  ASSERT_EQ(device->reaches.size(), 1U);
  EXPECT_EQ(device->reaches[0],
            (Reach{kCachedRam, ram(test::kRamBytes - 1, 1).base, sim::kOddWindow.dma}));
}

TEST_F(AddDevice, ItsMaskCutsAWindow) {
  const Device* const device =
      must(add("eth", Translation::through({&sim::kOddWindow, 1}), DmaAddr{0x4c80'07ff}));
  ASSERT_EQ(device->reaches.size(), 1U);
  EXPECT_EQ(device->reaches[0].last, ram(0x7ff, 1).base);
}

TEST_F(AddDevice, AWindowOverItsMaskIsNotReached) {
  constexpr std::array kWindows{Window{DmaAddr{0x1'0000'0000}, PhysAddr{0}, 0x1000},
                                Window{DmaAddr{0x1000}, PhysAddr{0x8000}, 0x1000}};
  const Device* const device = must(add("eth", Translation::through(kWindows)));
  ASSERT_EQ(device->reaches.size(), 1U);
  EXPECT_EQ(device->reaches[0].first, PhysAddr{0x8000});
}

TEST_F(AddDevice, AWindowAtExactlyTheMaskIsReachedByOneByte) {
  constexpr std::array kWindows{Window{k32Bits, PhysAddr{0x8000}, 0x1000}};
  const Device* const device = must(add("eth", Translation::through(kWindows)));
  ASSERT_EQ(device->reaches.size(), 1U);
  EXPECT_EQ(device->reaches[0].last, PhysAddr{0x8000});
}

TEST_F(AddDevice, WithoutWindowsReachesByPhysicalAddressUpToItsMask) {
  const Device* const device = must(add("eth", Translation::identity()));
  ASSERT_EQ(device->reaches.size(), 1U);
  EXPECT_EQ(device->reaches[0], (Reach{PhysAddr{0}, PhysAddr{0xffff'ffff}, DmaAddr{0}}));
}

TEST_F(AddDevice, WithoutWindowsAndWithAFullMaskReachesAllOf2To64) {
  const Device* const device = must(add("eth", Translation::identity(), kAnyAddress));
  EXPECT_EQ(device->reaches[0].last, PhysAddr{~std::uint64_t{0}});
}

TEST_F(AddDevice, WithUnusableRangesReachesNothing) {
  const Device* const device = must(add("eth", Translation::invalid()));
  EXPECT_TRUE(device->reaches.empty());
}

TEST_F(AddDevice, IsNotCoherentWhereNobodySaysSo) {
  EXPECT_FALSE(must(add("eth", Translation::identity()))->coherent);
}

TEST_F(AddDevice, IsCoherentWhereThePlatformSaysSo) {
  SimBoard board{{}, [](Platform& platform) { platform.devices_coherent = true; }};
  EXPECT_TRUE(board.device("eth").coherent);
}

TEST_F(AddDevice, ItsOwnWordOnCoherenceWinsOverThePlatforms) {
  SimBoard board{{}, [](Platform& platform) { platform.devices_coherent = true; }};
  EXPECT_FALSE(board.device("eth", {.coherent = false}).coherent);
}

TEST_F(AddDevice, OfABoardThatIsOnlyDescribedIsNotTakenForCoherentBecauseTheHostHasNoCache) {
  SimBoard board{{.cache = std::nullopt},
                 [](Platform& platform) { platform.described_only = true; }};
  EXPECT_FALSE(board.device("eth").coherent);
}

TEST_F(AddDevice, KeepsWhatItWasToldOfIommuAndNode) {
  const Device& device = board_.device("eth", {.behind_iommu = true, .numa_node = 3});
  EXPECT_TRUE(device.behind_iommu);
  EXPECT_EQ(device.numa_node, 3U);
}

// ---- systems
// -------------------------------------------------------------------------------------

TEST(Create, AGranuleThatIsNoPowerOfTwoIsRefused) {
  sim::Machine machine;
  sim::HostPort port{machine};
  alignas(8) std::array<std::byte, 1024> storage;
  EXPECT_EQ(error_of(System::create({.port = port, .granule_bytes = 96}, storage)),
            Error::bad_granule);
}

TEST(Create, AGranuleOfZeroIsRefused) {
  sim::Machine machine;
  sim::HostPort port{machine};
  alignas(8) std::array<std::byte, 1024> storage;
  EXPECT_EQ(error_of(System::create({.port = port, .granule_bytes = 0}, storage)),
            Error::bad_granule);
}

class CreateWithAlias : public testing::Test {
 protected:
  std::optional<Error> create(const Alias& alias) {
    return error_of(System::create({.port = port_, .aliases = std::span{&alias, 1}}, storage_));
  }

  sim::Machine machine_;
  sim::HostPort port_{machine_};
  alignas(8) std::array<std::byte, 1024> storage_;
};

TEST_F(CreateWithAlias, OneThatIsSoundIsAccepted) {
  EXPECT_EQ(create({PhysAddr{0x8000'0000}, PhysAddr{0xa000'0000}, 0x2000'0000}), std::nullopt);
}

TEST_F(CreateWithAlias, OneThatEndsAt2To64IsAccepted) {
  EXPECT_EQ(create({PhysAddr{0}, PhysAddr{0 - std::uint64_t{0x1000}}, 0x1000}), std::nullopt);
}

TEST_F(CreateWithAlias, AnEmptyOneIsRefused) {
  EXPECT_EQ(create({PhysAddr{0x8000'0000}, PhysAddr{0xa000'0000}, 0}), Error::bad_alias);
}

TEST_F(CreateWithAlias, OneWhoseCachedSidePasses2To64IsRefused) {
  EXPECT_EQ(create({PhysAddr{0 - std::uint64_t{0x1000}}, PhysAddr{0}, 0x1001}), Error::bad_alias);
}

TEST_F(CreateWithAlias, OneWhoseUncachedSidePasses2To64IsRefused) {
  EXPECT_EQ(create({PhysAddr{0}, PhysAddr{0 - std::uint64_t{0x1000}}, 0x1001}), Error::bad_alias);
}

TEST_F(CreateWithAlias, OneThatIsAskewByPartOfACacheLineIsRefused) {
  EXPECT_EQ(create({PhysAddr{0x8000'0000}, PhysAddr{0xa000'0010}, 0x1000}), Error::bad_alias);
}

TEST(Create, TwoSystemsKnowNothingOfEachOther) {
  SimBoard one;
  SimBoard two;
  one.default_pool("d", ram(0, 0x1000));
  one.device("eth");
  EXPECT_EQ(two.system->find_pool("d"), nullptr);
  EXPECT_EQ(two.system->find_device("eth"), nullptr);
  EXPECT_EQ(two.system->roles().of(Role::default_pool), nullptr);
  EXPECT_TRUE(two.system->declare({.name = "d", .chunks = std::array{ram(0, 0x1000)}}));
}

TEST(Create, SystemsInOneStorageBehindEachOtherDoNotDisturbEachOther) {
  sim::Machine machine;
  sim::HostPort port{machine};
  std::vector<std::byte> storage(0x4000);
  const std::span half{storage};
  System* const one = must(System::create({.port = port}, half.first(0x2000)));
  System* const two = must(System::create({.port = port}, half.subspan(0x2000)));
  const std::array chunk{ram(0, 0x1000)};
  Pool* const first = must(one->declare({.name = "d", .chunks = chunk}));
  Pool* const second = must(two->declare({.name = "d", .chunks = chunk}));
  ASSERT_TRUE(first->take({.size_bytes = 0x1000},
                          std::array{Reach{ram(0, 1).base, ram(0xfff, 1).base, DmaAddr{0}}},
                          View::uncached));
  EXPECT_EQ(second->usage().used_bytes, 0U);
}

TEST(DeviceThatKeepsAllBits, IsRefusedWhenItIsAdded) {
  test::SimBoard board;
  const auto refused =
      board.system->add_device({.name = "all",
                                .coherent_mask = test::kAnyAddress,
                                .streaming = {.keep_low_bits = ~std::uint64_t{0}}});
  EXPECT_EQ(test::error_of(refused), Error::bad_alignment);
}

}  // namespace
}  // namespace carveout
