// What a device reaches, and the words for roles.
#include "carveout/map/device.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string_view>

#include "tests/support/made_pool.hpp"

namespace carveout {
namespace {

constexpr std::array kRoleList{Role::device,
                               Role::bounce,
                               Role::atomic,
                               Role::default_pool,
                               Role::contiguous_device,
                               Role::contiguous_node,
                               Role::contiguous_default,
                               Role::ordinary};
static_assert(kRoleList.size() == kRoles);

/// Two windows that touch in physical memory and lie apart for the device; the mask takes half of
/// the second one away.
constexpr std::array kWindows{Window{DmaAddr{0x100}, PhysAddr{0x1'0000}, 0x1000},
                              Window{DmaAddr{0x8000}, PhysAddr{0x1'1000}, 0x1000}};
constexpr std::array kReaches{Reach{PhysAddr{0x1'0000}, PhysAddr{0x1'0fff}, DmaAddr{0x100}},
                              Reach{PhysAddr{0x1'1000}, PhysAddr{0x1'17ff}, DmaAddr{0x8000}}};

std::optional<Error> error_of(std::uint64_t base, std::uint64_t size_bytes) {
  return reach_error(Translation::through(kWindows), kReaches, {PhysAddr{base}, size_bytes});
}

TEST(Reach, ARangeInOneWindowUnderTheMaskIsReached) {
  EXPECT_EQ(error_of(0x1'0000, 0x1000), std::nullopt);
}

TEST(Reach, UpToTheMasksLastByteIsReached) { EXPECT_EQ(error_of(0x1'1000, 0x800), std::nullopt); }

TEST(Reach, OneByteOverTheMaskIsUnreachable) {
  EXPECT_EQ(error_of(0x1'1000, 0x801), Error::unreachable);
}

TEST(Reach, WhatTwoWindowsShowTogetherIsInNoWindow) {
  EXPECT_EQ(error_of(0x1'0f00, 0x200), Error::not_in_window);
}

TEST(Reach, WhatNoWindowShowsIsInNoWindow) {
  EXPECT_EQ(error_of(0x2'0000, 0x10), Error::not_in_window);
}

TEST(Reach, WithoutWindowsOnlyTheMaskLimits) {
  constexpr std::array kBelow4GiB{Reach{PhysAddr{0}, PhysAddr{0xffff'ffff}, DmaAddr{0}}};
  EXPECT_EQ(reach_error(Translation::identity(), kBelow4GiB, {PhysAddr{0x1'4000'0000}, 0x1000}),
            Error::unreachable);
}

TEST(Reach, AnUnusableTranslationReachesNothing) {
  EXPECT_EQ(reach_error(Translation::invalid(), {}, {PhysAddr{0x1000}, 0x1000}),
            Error::not_in_window);
}

TEST(Reach, APoolOfWhichOneByteIsReachedIsReachedInPart) {
  test::MadePool pool{"p", Memory::coherent, {PhysAddr{0x1'1780}, 0x1000}};
  EXPECT_TRUE(reaches_any(kReaches, *pool.get()));
}

TEST(Reach, APoolThatBeginsJustBehindIsNotReached) {
  test::MadePool pool{"p", Memory::coherent, {PhysAddr{0x1'1800}, 0x1000}};
  EXPECT_FALSE(reaches_any(kReaches, *pool.get()));
}

TEST(Reach, APoolThatEndsJustBeforeIsNotReached) {
  test::MadePool pool{"p", Memory::coherent, {PhysAddr{0xf000}, 0x1000}};
  EXPECT_FALSE(reaches_any(kReaches, *pool.get()));
}

TEST(Reach, NothingIsReachedThroughNoWindow) {
  test::MadePool pool{"p", Memory::coherent, {PhysAddr{0x1'0000}, 0x1000}};
  EXPECT_FALSE(reaches_any({}, *pool.get()));
}

TEST(Device, TranslatesByItsWindowsAndNotByItsMask) {
  const Device device{.name = "d",
                      .id = 0,
                      .translation = Translation::through(kWindows),
                      .coherent_mask = DmaAddr{0x87ff},
                      .reaches = kReaches,
                      .coherent = false,
                      .behind_iommu = false,
                      .numa_node = 0,
                      .roles = nullptr};
  EXPECT_EQ(device.to_dma({PhysAddr{0x1'1900}, 0x10}), DmaAddr{0x8900});
}

TEST(Role, NamesAreThoseOfTheCommandLine) {
  const std::array<std::string_view, kRoles> names{"device",
                                                   "bounce",
                                                   "atomic",
                                                   "default",
                                                   "contiguous_device",
                                                   "contiguous_node",
                                                   "contiguous_default",
                                                   "ordinary"};
  for (std::size_t i = 0; i < kRoles; ++i) EXPECT_EQ(name_of(kRoleList[i]), names[i]);
}

TEST(Role, TheDevicesOwnTheAtomicAndTheDefaultPoolAreCoherentMemory) {
  for (const Role role : {Role::device, Role::atomic, Role::default_pool}) {
    EXPECT_EQ(memory_for(role), Memory::coherent) << name_of(role);
  }
}

TEST(Role, TheThreeContiguousRolesAreContiguousMemory) {
  for (const Role role :
       {Role::contiguous_device, Role::contiguous_node, Role::contiguous_default}) {
    EXPECT_EQ(memory_for(role), Memory::contiguous) << name_of(role);
  }
}

TEST(Role, ARestrictedPoolIsBounceMemory) { EXPECT_EQ(memory_for(Role::bounce), Memory::bounce); }

TEST(Role, OrdinaryMemoryIsOrdinary) { EXPECT_EQ(memory_for(Role::ordinary), Memory::ordinary); }

}  // namespace
}  // namespace carveout
