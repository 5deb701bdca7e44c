// A board as constexpr tables.
#include "carveout/setup/from_tables.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using setup::BindingRow;
using setup::DefaultRow;
using setup::Tables;
using test::error_of;
using test::kCachedRam;
using test::must;
using test::ram;

// ---- a board as a generated header states it
// -----------------------------------------------------

constexpr std::array kDefaultChunks{ram(0, 0x1000)};
constexpr std::array kOwnChunks{ram(0x2000, 0x1000), ram(0x5000, 0x800)};
constexpr std::array kNodeChunks{ram(0x8000, 0x1000)};
constexpr std::array kWindows{sim::kOddWindow};
constexpr std::array kPools{
    PoolSettings{.name = "default", .chunks = kDefaultChunks},
    PoolSettings{
        .name = "own", .chunks = kOwnChunks, .granule_bytes = 64, .store = TagStore::sparse(7)},
    PoolSettings{.name = "node", .memory = Memory::contiguous, .chunks = kNodeChunks},
};
constexpr std::array kDevices{
    DeviceSettings{.name = "eth",
                   .coherent_mask = DmaAddr{0xffff'ffff},
                   .translation = Translation::through(kWindows)},
    DeviceSettings{.name = "usb",
                   .coherent_mask = DmaAddr{0xffff'ffff},
                   .translation = Translation::through(kWindows)},
};
constexpr std::array kBindings{
    BindingRow{.device = 1, .pool = 1, .settings = {.index = 2, .name = "ring"}},
    BindingRow{.device = 1,
               .pool = 0,
               .settings = {.index = 3, .window = Window{DmaAddr{0}, kCachedRam, 0x1000}}},
};
constexpr std::array kDefaults{
    DefaultRow{.role = Role::default_pool, .pool = 0},
    DefaultRow{.role = Role::contiguous_node, .pool = 2, .numa_node = 4}};
constexpr Tables kBoard{.pools = kPools,
                        .devices = kDevices,
                        .bindings = kBindings,
                        .defaults = kDefaults,
                        .store = TagStore::sparse(12)};
constexpr std::size_t kBoardBytes = setup::measure(kBoard);

class FromTables : public testing::Test {
 protected:
  Result<System*> build(const Tables& tables, std::size_t storage_bytes = 0x4000) {
    storage_.assign(storage_bytes / sizeof(std::uint64_t) + 1, 0);
    refusals_.clear();
    return setup::build(tables, platform_,
                        std::as_writable_bytes(std::span{storage_}).first(storage_bytes),
                        [this](const Failure& failure) { refusals_.push_back(failure); });
  }
  /// What was refused, in order.
  [[nodiscard]] std::vector<Error> codes() const {
    std::vector<Error> all;
    for (const Failure& failure : refusals_) all.push_back(failure.code);
    return all;
  }

  sim::Machine machine_;
  sim::HostPort port_{machine_};
  Platform platform_{.port = port_, .aliases = machine_.aliases(), .store = TagStore::sparse(12)};
  std::vector<std::uint64_t> storage_;
  std::vector<Failure> refusals_;
};

TEST_F(FromTables, TheMeasureIsAConstantThatAnArrayCanHave) {
  alignas(8) static std::array<std::byte, kBoardBytes> storage;
  EXPECT_TRUE(setup::build(kBoard, platform_, storage, [](const Failure&) { ADD_FAILURE(); }));
}

TEST_F(FromTables, TheMeasureIsExactButForAlignment) {
  System& system = *must(build(kBoard, kBoardBytes));
  EXPECT_EQ(system.storage_used_bytes() + 7, kBoardBytes);
}

TEST_F(FromTables, AlignedStorageOfSevenBytesLessThanTheMeasureIsEnough) {
  EXPECT_TRUE(build(kBoard, kBoardBytes - 7));
}

TEST_F(FromTables, OneByteLessIsTooSmall) {
  EXPECT_EQ(error_of(build(kBoard, kBoardBytes - 8)), Error::storage_too_small);
}

TEST_F(FromTables, EverySmallerStorageIsTooSmall) {
  for (std::size_t bytes = 0; bytes < kBoardBytes - 7; bytes += 8) {
    ASSERT_EQ(error_of(build(kBoard, bytes)), Error::storage_too_small) << bytes;
  }
}

TEST_F(FromTables, AnyAlignmentOfTheStorageIsEnoughWithTheMeasure) {
  for (std::size_t skew = 0; skew < 8; ++skew) {
    storage_.assign(kBoardBytes / 8 + 3, 0);
    const auto bytes = std::as_writable_bytes(std::span{storage_}).subspan(skew, kBoardBytes);
    EXPECT_TRUE(setup::build(kBoard, platform_, bytes, [](const Failure&) {})) << skew;
  }
}

TEST_F(FromTables, NothingIsRefusedOfASoundBoard) {
  must(build(kBoard));
  EXPECT_EQ(codes(), std::vector<Error>{});
}

TEST_F(FromTables, DevicesHaveTheNumbersOfTheirRows) {
  System& system = *must(build(kBoard));
  EXPECT_EQ(system.device(0)->name, "eth");
  EXPECT_EQ(system.device(1)->name, "usb");
}

TEST_F(FromTables, DefaultsServe) {
  System& system = *must(build(kBoard));
  EXPECT_EQ(must(alloc_coherent(*system.device(0), 32)).pool->name(), "default");
}

TEST_F(FromTables, BindingsServe) {
  System& system = *must(build(kBoard));
  EXPECT_EQ(must(alloc_coherent(*system.device(1), 32, {.pool = {.name = "ring"}})).pool->name(),
            "own");
}

TEST_F(FromTables, ADeclaredDeviceAddressIsUsed) {
  System& system = *must(build(kBoard));
  EXPECT_EQ(must(alloc_coherent(*system.device(1), 0x1000, {.pool = {.index = 3}})).dma,
            DmaAddr{0});
}

TEST_F(FromTables, AnEmptyBoardIsASystem) { EXPECT_TRUE(build({})); }

// ---- mistakes
// ------------------------------------------------------------------------------------

TEST_F(FromTables, ABindingOfAnUnknownDeviceEndsEverything) {
  constexpr std::array kWrong{BindingRow{.device = 2, .pool = 0}};
  Tables tables = kBoard;
  tables.bindings = kWrong;
  EXPECT_EQ(error_of(build(tables)), Error::no_such_node);
}

TEST_F(FromTables, ABindingOfAnUnknownPoolEndsEverything) {
  constexpr std::array kWrong{BindingRow{.device = 0, .pool = 3}};
  Tables tables = kBoard;
  tables.bindings = kWrong;
  EXPECT_EQ(error_of(build(tables)), Error::no_such_node);
}

TEST_F(FromTables, ADefaultOfAnUnknownPoolEndsEverything) {
  constexpr std::array kWrong{DefaultRow{.role = Role::default_pool, .pool = 3}};
  Tables tables = kBoard;
  tables.defaults = kWrong;
  EXPECT_EQ(error_of(build(tables)), Error::no_such_node);
}

TEST_F(FromTables, AGranuleThatIsNoPowerOfTwoEndsEverything) {
  platform_.granule_bytes = 3;
  EXPECT_EQ(error_of(build(kBoard)), Error::bad_granule);
}

TEST_F(FromTables, APoolThatIsRefusedLeavesTheOthers) {
  std::vector<PoolSettings> pools{kPools.begin(), kPools.end()};
  pools[1].chunks = {};
  Tables tables = kBoard;
  tables.pools = pools;
  System& system = *must(build(tables));
  EXPECT_EQ(codes(), std::vector{Error::empty_range});
  EXPECT_TRUE(alloc_coherent(*system.device(0), 32));
}

TEST_F(FromTables, ADeviceWhosePoolWasRefusedGetsNoOtherInstead) {
  std::vector<PoolSettings> pools{kPools.begin(), kPools.end()};
  pools[1].chunks = {};
  const std::array binding{kBindings[0]};
  Tables tables = kBoard;
  tables.pools = pools;
  tables.bindings = binding;
  System& system = *must(build(tables));
  EXPECT_EQ(error_of(alloc_coherent(*system.device(1), 32)), Error::empty_range);
}

TEST_F(FromTables, ABindingThatIsRefusedLeavesTheOthers) {
  const std::array windows{Window{DmaAddr{0}, ram(0x2000, 1).base, 0x1000}};
  std::vector<DeviceSettings> devices{kDevices.begin(), kDevices.end()};
  devices[1].translation = Translation::through(windows);
  Tables tables = kBoard;
  tables.devices = devices;
  System& system = *must(build(tables));
  EXPECT_EQ(codes(), std::vector{Error::not_in_window});
  EXPECT_EQ(must(alloc_coherent(*system.device(1), 32)).pool->name(), "default");
}

TEST_F(FromTables, ADeviceThatIsRefusedLeavesTheOthersTheirNumbers) {
  const std::array bad{Window{DmaAddr{0}, PhysAddr{~std::uint64_t{0}}, 2}};
  std::vector<DeviceSettings> devices{kDevices.begin(), kDevices.end()};
  devices[0].translation = Translation::through(bad);
  Tables tables = kBoard;
  tables.devices = devices;
  System& system = *must(build(tables));
  EXPECT_EQ(codes(), std::vector{Error::wraps});
  EXPECT_EQ(system.device(0), nullptr);
  ASSERT_NE(system.device(1), nullptr);
  EXPECT_EQ(system.device(1)->name, "usb");
}

TEST_F(FromTables, TheBindingsOfADeviceThatIsRefusedAreNobodyElses) {
  std::vector<DeviceSettings> devices{kDevices.begin(), kDevices.end()};
  devices[1].name = "eth";
  Tables tables = kBoard;
  tables.devices = devices;
  System& system = *must(build(tables));
  EXPECT_EQ(codes(), std::vector{Error::already_declared});
  EXPECT_EQ(must(alloc_coherent(*system.find_device("eth"), 32)).pool->name(), "default");
}

TEST_F(FromTables, ASecondPoolOfOneNameIsRefusedAndTheFirstStays) {
  std::vector<PoolSettings> pools{kPools.begin(), kPools.end()};
  pools[2].name = "default";
  Tables tables = kBoard;
  tables.pools = pools;
  System& system = *must(build(tables));
  EXPECT_EQ(codes(), std::vector{Error::already_declared});
  EXPECT_EQ(system.find_pool("default")->memory(), Memory::coherent);
}

TEST_F(FromTables, PoolsThatOverlapAreBothRefused) {
  const std::array chunks{ram(0x2800, 0x1000)};
  std::vector<PoolSettings> pools{kPools.begin(), kPools.end()};
  pools[2].chunks = chunks;
  Tables tables = kBoard;
  tables.pools = pools;
  System& system = *must(build(tables));
  EXPECT_EQ(codes(), (std::vector{Error::overlaps, Error::overlaps}));
  EXPECT_EQ(system.find_pool("own"), nullptr);
  EXPECT_EQ(system.find_pool("node"), nullptr);
}

TEST_F(FromTables, AnOverlapNamesBothPools) {
  const std::array chunks{ram(0x2800, 0x1000)};
  std::vector<PoolSettings> pools{kPools.begin(), kPools.end()};
  pools[2].chunks = chunks;
  Tables tables = kBoard;
  tables.pools = pools;
  must(build(tables));
  EXPECT_EQ(refusals_.at(0).pool, "own");
  EXPECT_EQ(refusals_.at(0).other, "node");
}

TEST_F(FromTables, OfTwoDefaultsTheFirstStays) {
  constexpr std::array kTwo{DefaultRow{.role = Role::default_pool, .pool = 1},
                            DefaultRow{.role = Role::default_pool, .pool = 0}};
  Tables tables = kBoard;
  tables.defaults = kTwo;
  System& system = *must(build(tables));
  ASSERT_EQ(codes(), std::vector{Error::already_declared});
  EXPECT_EQ(refusals_[0].pool, "default");
  EXPECT_EQ(refusals_[0].other, "own");
  EXPECT_EQ(system.roles().of(Role::default_pool)->name(), "own");
}

TEST_F(FromTables, ASecondDefaultDoesNotStandInForABrokenFirst) {
  constexpr std::array kTwo{DefaultRow{.role = Role::default_pool, .pool = 1},
                            DefaultRow{.role = Role::default_pool, .pool = 0}};
  std::vector<PoolSettings> pools{kPools.begin(), kPools.end()};
  pools[1].chunks = {};
  Tables tables = kBoard;
  tables.pools = pools;
  tables.bindings = {};
  tables.defaults = kTwo;
  System& system = *must(build(tables));
  EXPECT_EQ(system.roles().of(Role::default_pool), nullptr);
}

TEST_F(FromTables, DefaultsOfDifferentNodesAreNoSecondDefaults) {
  constexpr std::array kChunks{ram(0xa000, 0x1000)};
  std::vector<PoolSettings> pools{kPools.begin(), kPools.end()};
  pools.push_back({.name = "node5", .memory = Memory::contiguous, .chunks = kChunks});
  constexpr std::array kTwo{DefaultRow{.role = Role::contiguous_node, .pool = 2, .numa_node = 4},
                            DefaultRow{.role = Role::contiguous_node, .pool = 3, .numa_node = 5}};
  Tables tables = kBoard;
  tables.pools = pools;
  tables.defaults = kTwo;
  must(build(tables));
  EXPECT_EQ(codes(), std::vector<Error>{});
}

TEST_F(FromTables, ADefaultOfTheWrongKindIsRefused) {
  constexpr std::array kWrong{DefaultRow{.role = Role::default_pool, .pool = 2}};
  Tables tables = kBoard;
  tables.defaults = kWrong;
  must(build(tables));
  EXPECT_EQ(codes(), std::vector{Error::wrong_kind});
}

}  // namespace
}  // namespace carveout
