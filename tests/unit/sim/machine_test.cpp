// The machine: two views of the same RAM, and what goes wrong between them and a device.
#include "carveout_sim/machine.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <tuple>

#include "bytes.hpp"
#include "carveout_sim/adversary.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"

namespace carveout::sim {
namespace {

constexpr Window kWindows[] = {kOddWindow};
constexpr std::size_t kLine = CacheGeometry{}.line_bytes;
constexpr LineState kAbsent{.valid = false, .dirty = false};
constexpr LineState kClean{.valid = true, .dirty = false};
constexpr LineState kDirty{.valid = true, .dirty = true};

/// The default machine, a buffer in the middle of its RAM by all of its addresses, and a device.
class Incoherence : public testing::Test {
 protected:
  static constexpr PhysAddr kCached{0x3'5a04'0000};
  static constexpr PhysAddr kUncached{0x7'1b44'0000};
  static constexpr DmaAddr kDma{0x4c84'0000};

  Machine machine_;
  DmaEngine device_{machine_, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* const cached_ = machine_.cpu_view({kCached, 4096});
  std::byte* const uncached_ = machine_.cpu_view({kUncached, 4096});

  /// Makes the CPU use so many other lines of the same set that this one has to go.
  void crowd_out(const std::byte* at) {
    for (std::size_t way = 1; way <= CacheGeometry{}.ways; ++way) {
      static_cast<void>(machine_.load(at + way * CacheGeometry{}.set_stride_bytes()));
    }
  }
};

TEST_F(Incoherence, WhatTheDeviceWroteIsStaleThroughTheCachedViewUntilInvalidated) {
  const Bytes before = pattern(64, 1);
  const Bytes after = pattern(64, 2);
  std::memcpy(uncached_, before.data(), before.size());
  ASSERT_EQ(read(machine_, cached_, 64), before);

  ASSERT_TRUE(device_.write(kDma, after));

  EXPECT_EQ(read(machine_, cached_, 64), before);
  machine_.invalidate(cached_, 64);
  EXPECT_EQ(read(machine_, cached_, 64), after);
}

TEST_F(Incoherence, WhatTheDeviceWroteIsRightThroughTheUncachedViewAtOnce) {
  static_cast<void>(read(machine_, cached_, 64));
  const Bytes after = pattern(64, 2);

  ASSERT_TRUE(device_.write(kDma, after));

  EXPECT_EQ(read(machine_, uncached_, 64), after);
  EXPECT_EQ(std::memcmp(uncached_, after.data(), after.size()), 0);
}

TEST_F(Incoherence, WhatTheCpuStoredThroughTheCacheReachesTheDeviceOnlyWhenCleaned) {
  const Bytes data = pattern(64, 3);
  Bytes seen(64);
  machine_.write(cached_, data);

  ASSERT_TRUE(device_.read(kDma, seen));
  EXPECT_EQ(seen, Bytes(64));

  machine_.clean(cached_, 64);
  ASSERT_TRUE(device_.read(kDma, seen));
  EXPECT_EQ(seen, data);
}

TEST_F(Incoherence, WhatTheCpuStoredThroughTheUncachedViewReachesTheDeviceAtOnce) {
  const Bytes data = pattern(64, 3);
  Bytes seen(64);
  std::memcpy(uncached_, data.data(), data.size());
  ASSERT_TRUE(device_.read(kDma, seen));
  EXPECT_EQ(seen, data);

  machine_.store(reinterpret_cast<std::uint32_t*>(uncached_ + 8), 0xa1b2'c3d4U);
  std::uint32_t word = 0;
  ASSERT_TRUE(device_.read(DmaAddr{kDma.raw() + 8}, std::as_writable_bytes(std::span{&word, 1})));
  EXPECT_EQ(word, 0xa1b2'c3d4U);
}

TEST_F(Incoherence, ADirtyLineEvictedLaterOverwritesWhatTheDeviceWrote) {
  const Bytes by_cpu = pattern(kLine, 4);
  const Bytes by_device = pattern(kLine, 5);
  machine_.write(cached_, by_cpu);
  ASSERT_TRUE(device_.write(kDma, by_device));
  ASSERT_EQ(ram(machine_, kCached, kLine), by_device);

  crowd_out(cached_);

  EXPECT_EQ(machine_.line(cached_), kAbsent);
  EXPECT_EQ(ram(machine_, kCached, kLine), by_cpu);
}

TEST_F(Incoherence, ACleanLineEvictedLaterLeavesWhatTheDeviceWrote) {
  const Bytes by_device = pattern(kLine, 5);
  static_cast<void>(machine_.load(cached_));
  ASSERT_TRUE(device_.write(kDma, by_device));

  crowd_out(cached_);

  EXPECT_EQ(ram(machine_, kCached, kLine), by_device);
  EXPECT_EQ(read(machine_, cached_, kLine), by_device);
}

TEST_F(Incoherence, InvalidateDestroysANeighboursUnwrittenByteInTheSameLine) {
  std::byte* const buffer = cached_ + 8;  // eight bytes in a line that it shares
  machine_.store(cached_, std::byte{0x5a});

  machine_.invalidate(buffer, 8);

  EXPECT_EQ(machine_.load(cached_), std::byte{0});
}

TEST_F(Incoherence, CleanAndInvalidateKeepsANeighboursByteAndOverwritesTheDevices) {
  machine_.store(cached_, std::byte{0x5a});
  ASSERT_TRUE(device_.fill(DmaAddr{kDma.raw() + 8}, 8, std::byte{0x77}));

  machine_.clean_invalidate(cached_ + 8, 8);

  EXPECT_EQ(machine_.load(cached_), std::byte{0x5a});
  EXPECT_EQ(machine_.load(cached_ + 8), std::byte{0});
}

TEST_F(Incoherence, CleanWritesBackAndKeepsTheLine) {
  machine_.store(cached_, std::byte{0x5a});
  ASSERT_EQ(machine_.line(cached_), kDirty);
  ASSERT_EQ(*uncached_, std::byte{0});

  machine_.clean(cached_, 1);

  EXPECT_EQ(*uncached_, std::byte{0x5a});
  EXPECT_EQ(machine_.line(cached_), kClean);
  *uncached_ = std::byte{0x66};
  EXPECT_EQ(machine_.load(cached_), std::byte{0x5a}) << "the kept line answers";
}

TEST_F(Incoherence, CleanInvalidateWritesBackAndDropsTheLine) {
  machine_.store(cached_, std::byte{0x5a});

  machine_.clean_invalidate(cached_, 1);

  EXPECT_EQ(*uncached_, std::byte{0x5a});
  EXPECT_EQ(machine_.line(cached_), kAbsent);
}

TEST_F(Incoherence, ALineCleanedAlreadyIsNotWrittenBackAgain) {
  machine_.store(cached_, std::byte{0x5a});
  machine_.clean(cached_, 1);
  *uncached_ = std::byte{0x66};

  machine_.clean(cached_, 1);

  EXPECT_EQ(*uncached_, std::byte{0x66});
}

TEST_F(Incoherence, MaintenanceTouchesEveryLineOfTheRangeAndNoOther) {
  for (std::size_t line = 0; line < 5; ++line) {
    machine_.store(cached_ + line * kLine, std::byte{0x5a});
  }

  machine_.clean(cached_ + 2 * kLine - 1, kLine + 2);  // the last byte of line 1 to the first of 3

  EXPECT_EQ(machine_.line(cached_), kDirty);
  EXPECT_EQ(machine_.line(cached_ + 1 * kLine), kClean);
  EXPECT_EQ(machine_.line(cached_ + 2 * kLine), kClean);
  EXPECT_EQ(machine_.line(cached_ + 3 * kLine), kClean);
  EXPECT_EQ(machine_.line(cached_ + 4 * kLine), kDirty);
}

TEST_F(Incoherence, MaintenanceOfNothingTouchesNothing) {
  machine_.store(cached_, std::byte{0x5a});
  machine_.invalidate(cached_, 0);
  EXPECT_EQ(machine_.line(cached_), kDirty);
}

TEST_F(Incoherence, AnUncachedAccessBringsNoLineIn) {
  static_cast<void>(machine_.load(uncached_));
  machine_.store(uncached_, std::byte{1});
  EXPECT_EQ(machine_.line(cached_), kAbsent);
}

using IncoherenceDeathTest = Incoherence;

TEST_F(IncoherenceDeathTest, APlainLoadThroughTheCachedViewFaults) {
  EXPECT_DEATH(static_cast<void>(*static_cast<const volatile std::byte*>(cached_)), "");
}

TEST_F(IncoherenceDeathTest, APlainStoreThroughTheCachedViewFaults) {
  EXPECT_DEATH(*static_cast<volatile std::byte*>(cached_) = std::byte{1}, "");
}

TEST_F(IncoherenceDeathTest, APointerThatRunsOffTheUncachedViewFaults) {
  std::byte* const ram = machine_.cpu_view({PhysAddr{0x7'1b40'0000}, 0x10'0000});
  EXPECT_DEATH(*static_cast<volatile std::byte*>(ram + 0x10'0000) = std::byte{1}, "");
  EXPECT_DEATH(*static_cast<volatile std::byte*>(ram - 1) = std::byte{1}, "");
}

TEST(MachineViews, FollowTheAddressThatIsGivenAndNotItsAlias) {
  Machine machine;
  std::byte* const cached = machine.cpu_view({PhysAddr{0x3'5a00'1000}, 16});
  std::byte* const uncached = machine.cpu_view({PhysAddr{0x7'1b40'1000}, 16});
  ASSERT_NE(cached, nullptr);
  ASSERT_NE(uncached, nullptr);
  EXPECT_NE(cached, uncached);
  EXPECT_EQ(machine.cpu_view({PhysAddr{0x3'5a00'1010}, 16}), cached + 16);
  EXPECT_EQ(machine.cpu_view({PhysAddr{0x7'1b40'1010}, 16}), uncached + 16);
}

TEST(MachineViews, ShowOnlyRangesThatAreWholeInRam) {
  Machine machine;
  EXPECT_EQ(machine.cpu_view({PhysAddr{0x3'59ff'ffff}, 2}), nullptr);
  EXPECT_EQ(machine.cpu_view({PhysAddr{0x3'5a0f'ffff}, 2}), nullptr);
  EXPECT_NE(machine.cpu_view({PhysAddr{0x3'5a0f'ffff}, 1}), nullptr);
  EXPECT_EQ(machine.cpu_view({PhysAddr{0x3'5a00'0000}, 0}), nullptr);
  EXPECT_EQ(machine.cpu_view({PhysAddr{0x3'5a00'0000}, ~std::uint64_t{0}}), nullptr);
  EXPECT_EQ(machine.cpu_view({PhysAddr{0x4c80'0000}, 16}), nullptr) << "a device address";
}

TEST(MachineViews, AreAlignedToHostPages) {
  Machine machine;
  for (const std::uint64_t base : {0x3'5a00'0000U, 0x7'1b40'0000U}) {
    const auto pointer =
        reinterpret_cast<std::uintptr_t>(machine.cpu_view({PhysAddr{base}, 0x10'0000}));
    EXPECT_EQ(pointer % host_page_bytes(), 0U);
    EXPECT_NE(pointer, base);
  }
}

TEST(MachineViews, AreListedAsAliasesWhereThereAreTwoAddresses) {
  const Machine machine{
      {.ram = {
           {.size_bytes = 0x2000,
            .cached = PhysAddr{0x3'5a00'0000},
            .uncached = PhysAddr{0x7'1b40'0000}},
           {.size_bytes = 0x1000, .cached = PhysAddr{0x5'0000'0000}, .uncached = std::nullopt}}}};
  ASSERT_EQ(machine.aliases().size(), 1U);
  EXPECT_EQ(machine.aliases()[0],
            (Alias{PhysAddr{0x3'5a00'0000}, PhysAddr{0x7'1b40'0000}, 0x2000}));
}

TEST(MachineViews, HaveNoUncachedOneWhereRamHasNoUncachedAddress) {
  Machine machine{
      {.ram = {
           {.size_bytes = 0x1000, .cached = PhysAddr{0x5'0000'0000}, .uncached = std::nullopt}}}};
  std::byte* const view = machine.cpu_view({PhysAddr{0x5'0000'0000}, 0x1000});
  ASSERT_NE(view, nullptr);
  machine.store(view, std::byte{7});
  EXPECT_TRUE(machine.line(view).dirty) << "it goes through the cache";
}

TEST(MachineAccess, OutsideOfRamThrowsAndTouchesNothing) {
  Machine machine;
  std::byte* const end = machine.cpu_view({PhysAddr{0x3'5a0f'ffff}, 1}) + 1;
  std::byte mine{1};
  EXPECT_THROW(static_cast<void>(machine.load(&mine)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(machine.load(reinterpret_cast<std::uint16_t*>(end - 1))),
               std::out_of_range);
  EXPECT_THROW(machine.store(&mine, std::byte{2}), std::out_of_range);
  EXPECT_THROW(machine.clean(end - 1, 2), std::out_of_range);
  EXPECT_THROW(machine.bus_write(PhysAddr{0x3'5a0f'ffff}, pattern(2, 1)), std::out_of_range);
  Bytes seen = pattern(2, 2);
  EXPECT_THROW(machine.bus_read(PhysAddr{0x3'5a0f'ffff}, seen), std::out_of_range);
  EXPECT_EQ(seen, pattern(2, 2));
  EXPECT_EQ(mine, std::byte{1});
  EXPECT_EQ(ram(machine, PhysAddr{0x3'5a0f'ffff}, 1), Bytes(1));
}

TEST(MachineAccess, MaintenanceThroughAnUncachedAliasThrowsBecauseHardwareWouldIgnoreIt) {
  Machine machine;
  std::byte* const uncached = machine.cpu_view({PhysAddr{0x7'1b40'0000}, 64});
  EXPECT_THROW(machine.invalidate(uncached, 64), std::invalid_argument);
}

TEST(MachineAccess, CrossesFromOnePieceOfRamIntoTheNextOnTheBus) {
  const Machine machine{
      {.ram = {{.size_bytes = 0x1000, .cached = PhysAddr{0x5'0000'0000}, .uncached = std::nullopt},
               {.size_bytes = 0x1000,
                .cached = PhysAddr{0x5'0000'1000},
                .uncached = PhysAddr{0x5'0000'1000}}}}};
  EXPECT_TRUE(machine.is_ram({PhysAddr{0x5'0000'0ff0}, 0x20}));
  EXPECT_FALSE(machine.is_ram({PhysAddr{0x5'0000'1ff0}, 0x20}));
}

TEST(MachineAccess, MayReachTheTopOfTheAddressSpaceAndNotPassIt) {
  constexpr PhysAddr kTop{~std::uint64_t{0xfff}};
  const Machine machine{
      {.ram = {{.size_bytes = 0x1000, .cached = kTop, .uncached = std::nullopt}}}};
  EXPECT_TRUE(machine.is_ram({kTop, 0x1000}));
  EXPECT_FALSE(machine.is_ram({kTop, 0x1001}));
}

/// RAM with one address that an MPU makes uncached, as on a Cortex-M7.
class OneAddress : public testing::Test {
 protected:
  static constexpr PhysAddr kPhys{0x5'c1f0'0000};
  Machine machine_{{.ram = {{.size_bytes = 0x1000, .cached = kPhys, .uncached = kPhys}}}};
  std::byte* const view_ = machine_.cpu_view({kPhys, 0x1000});
  std::byte* const without_mpu_ = machine_.cached_view({kPhys, 0x1000});
};

TEST_F(OneAddress, IsSeenPastTheCache) {
  *view_ = std::byte{3};
  EXPECT_EQ(ram(machine_, kPhys, 1), Bytes{std::byte{3}});
  EXPECT_NE(view_, without_mpu_);
}

TEST_F(OneAddress, ALineFromBeforeTheMpuOverwritesLaterUnlessItIsTakenOutOfTheCache) {
  machine_.store(without_mpu_, std::byte{0x11});  // before the MPU is switched on
  *view_ = std::byte{0x22};
  machine_.clean(view_, 1);
  EXPECT_EQ(*view_, std::byte{0x11}) << "the old line came down on it";

  machine_.store(without_mpu_, std::byte{0x33});
  machine_.clean_invalidate(view_, 1);
  *view_ = std::byte{0x44};
  machine_.clean(view_, 1);
  EXPECT_EQ(*view_, std::byte{0x44});
}

TEST(MachineWithoutCache, ShowsTheRamItselfInBothViews) {
  Machine machine{{.cache = std::nullopt}};
  std::byte* const a = machine.cpu_view({PhysAddr{0x3'5a00'0000}, 64});
  std::byte* const b = machine.cpu_view({PhysAddr{0x7'1b40'0000}, 64});
  *a = std::byte{9};
  EXPECT_EQ(*b, std::byte{9});
  EXPECT_EQ(machine.load(a), std::byte{9});
  EXPECT_EQ(machine.line_bytes(), 1U);
}

TEST(MachineWithoutCache, NeedsNoUncachedAddress) {
  Machine machine{
      {.ram = {{.size_bytes = 0x1000, .cached = PhysAddr{0x5'0000'0000}, .uncached = std::nullopt}},
       .cache = std::nullopt}};
  std::byte* const view = machine.cpu_view({PhysAddr{0x5'0000'0000}, 64});
  *view = std::byte{9};
  EXPECT_EQ(machine.load(view), std::byte{9});
}

TEST(MachineWithoutCache, MaintenanceDoesNothingAndIsAllowedAnywhereInRam) {
  Machine machine{{.cache = std::nullopt}};
  std::byte* const view = machine.cpu_view({PhysAddr{0x7'1b40'0000}, 64});
  *view = std::byte{9};
  machine.invalidate(view, 64);
  EXPECT_EQ(*view, std::byte{9});
  EXPECT_EQ(machine.line(view), kAbsent);
}

TEST(MachineWithoutCache, SeesADevicesWritesAtOnce) {
  Machine machine{{.cache = std::nullopt}};
  DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* const view = machine.cpu_view({PhysAddr{0x3'5a00'0000}, 64});
  EXPECT_EQ(machine.load(view), std::byte{0});
  ASSERT_TRUE(device.fill(DmaAddr{0x4c80'0000}, 64, std::byte{0x5c}));
  EXPECT_EQ(machine.load(view), std::byte{0x5c});
}

/// A machine with all that keeps something, and a device.
struct Keeping {
  explicit Keeping(std::uint64_t ram_bytes) : machine{facts(ram_bytes)} {}
  static MachineFacts facts(std::uint64_t ram_bytes) {
    return {.ram = {{.size_bytes = ram_bytes,
                     .cached = PhysAddr{0x3'5a00'0000},
                     .uncached = PhysAddr{0x7'1b40'0000}}},
            .write_buffer_stores = 4,
            .early_loads = 8};
  }

  /// @return what its loads saw.
  Bytes use(Adversary& adversary) {
    machine.set_adversary(&adversary);
    machine.write(cached, pattern(64, 1));
    machine.store(uncached + 256, std::byte{2});
    std::ignore = device.write(kOddWindow.dma, pattern(96, 3));
    Bytes seen = read(machine, cached, 128);
    std::ignore = device.write(DmaAddr{kOddWindow.dma.raw() + 512}, pattern(8, 4));
    std::ignore = device.write(DmaAddr{kOddWindow.dma.raw() + 576}, pattern(8, 5));
    seen.push_back(machine.load(uncached + 576));
    seen.push_back(machine.load(uncached + 512));
    machine.store(uncached + 512, std::byte{6});
    return seen;
  }

  Machine machine;
  DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* cached = machine.cached_view({PhysAddr{0x3'5a00'0000}, 1024});
  std::byte* uncached = machine.cpu_view({PhysAddr{0x7'1b40'0000}, 1024});
};

TEST(MachineReset, LosesAllThatRamCacheAndWriteBufferHad) {
  for (const std::uint64_t ram_bytes : {0x1000U, 0x20'0000U}) {
    Keeping keeping{ram_bytes};
    Adversary nothing = Adversary::replaying({});
    std::ignore = keeping.use(nothing);
    keeping.uncached[1000] = std::byte{9};  // which the model does not see

    keeping.machine.reset();

    EXPECT_EQ(ram(keeping.machine, PhysAddr{0x3'5a00'0000}, 1024), Bytes(1024));
    EXPECT_EQ(keeping.machine.line(keeping.cached), kAbsent);
    EXPECT_EQ(keeping.machine.cpu(0).stores_waiting(), 0U);
    EXPECT_EQ(read(keeping.machine, keeping.cached, 1024), Bytes(1024));
  }
}

TEST(MachineReset, MakesEachSeedTheRunThatItIsOnANewMachine) {
  Keeping used{0x1000};
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    used.machine.reset();
    Keeping made{0x1000};
    Adversary on_used = Adversary::seeded(seed);
    Adversary on_made = Adversary::seeded(seed);
    EXPECT_EQ(used.use(on_used), made.use(on_made));
    ASSERT_EQ(on_used.done(), on_made.done()) << "seed " << seed;
  }
}

TEST(MachineReset, ForgetsPastWritesAndWhatTheCpuSaw) {
  Machine machine{{.early_loads = 2}};
  DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  const std::byte* const uncached = machine.cpu_view({PhysAddr{0x7'1b40'0000}, 16});
  const auto device_writes = [&](std::byte value) {
    std::ignore = device.fill(kOddWindow.dma, 16, value);
  };
  for (const int value : {1, 2, 3, 4}) device_writes(std::byte(value));
  machine.cpu(0).observe_barrier();
  std::ignore = machine.load(uncached);

  machine.reset();
  Adversary worst = Adversary::worst();
  machine.set_adversary(&worst);
  device_writes(std::byte{5});
  EXPECT_EQ(machine.load(uncached + 8), std::byte{5}) << "there is no load that it could pass";
  EXPECT_EQ(machine.load(uncached), std::byte{0}) << "early, it sees what memory held at first";
}

TEST(MachineReset, TakesTheAdversaryAwayAndLeavesTheObserver) {
  Keeping keeping{0x1000};
  Adversary adversary = Adversary::seeded(1);
  const Checker checker{keeping.machine, {.callback = Checker::silent}};
  std::ignore = keeping.use(adversary);
  const std::uint64_t moments = adversary.moments();
  const std::uint64_t reports = checker.count();
  ASSERT_GT(moments, 0U);

  keeping.machine.reset();
  std::ignore = read(keeping.machine, keeping.cached, 64);
  EXPECT_FALSE(keeping.device.fill(DmaAddr{0}, 64, std::byte{2}));

  EXPECT_EQ(adversary.moments(), moments);
  EXPECT_EQ(checker.count(Mistake::outside_window), 1U);
  EXPECT_EQ(checker.count(), reports + 1) << "of what was loaded nothing is old";
}

struct BadFacts {
  const char* what;
  MachineFacts facts;
};
void PrintTo(const BadFacts& bad, std::ostream* out) { *out << bad.what; }

class MachineFactsCheck : public testing::TestWithParam<BadFacts> {};

TEST_P(MachineFactsCheck, RefusesWhatNoMachineIs) {
  EXPECT_THROW(Machine{GetParam().facts}, std::invalid_argument);
}

Ram ram_at(std::uint64_t cached, std::uint64_t uncached, std::uint64_t size) {
  return {.size_bytes = size, .cached = PhysAddr{cached}, .uncached = PhysAddr{uncached}};
}

INSTANTIATE_TEST_SUITE_P(
    All, MachineFactsCheck,
    testing::Values(
        BadFacts{"empty", {.ram = {ram_at(0x10000, 0x20000, 0)}}},
        BadFacts{"no address", {.ram = {{0x1000, std::nullopt, std::nullopt}}}},
        BadFacts{"part of a page", {.ram = {ram_at(0x10000, 0x20000, 0x1001)}}},
        BadFacts{"unaligned", {.ram = {ram_at(0x10040, 0x20000, 0x1000)}}},
        BadFacts{"past 2^64", {.ram = {ram_at(0x10000, ~0xfffULL, 0x2000)}}},
        BadFacts{"aliases that overlap", {.ram = {ram_at(0x10000, 0x11000, 0x2000)}}},
        BadFacts{"two at one address",
                 {.ram = {ram_at(0x10000, 0x20000, 0x1000), ram_at(0x30000, 0x10000, 0x1000)}}},
        BadFacts{"a line of 24 bytes", {.cache = CacheGeometry{.line_bytes = 24}}},
        BadFacts{"no ways", {.cache = CacheGeometry{.ways = 0}}},
        BadFacts{"a line longer than a page", {.cache = CacheGeometry{.line_bytes = 1U << 20}}}));

}  // namespace
}  // namespace carveout::sim
