// Storage: what is asked for is what is needed, and one byte less is a refusal that changes
// nothing.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "carveout/setup/system.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::must;
using test::ram;

constexpr std::size_t kAlign = 8;
/// create() is measured with what may be lost in front of it; this storage is aligned.
constexpr std::size_t kBase = System::base_storage_bytes() - (kAlign - 1);

class Storage : public testing::Test {
 protected:
  /// A System with so many bytes left after its own.
  System& with_left(std::size_t left_bytes) {
    storage_.assign((kBase + left_bytes) / sizeof(std::uint64_t) + 1, 0);
    return *must(
        System::create({.port = port_, .aliases = machine_.aliases(), .store = TagStore::sparse(4)},
                       std::as_writable_bytes(std::span{storage_}).first(kBase + left_bytes)));
  }

  sim::Machine machine_;
  sim::HostPort port_{machine_};
  std::vector<std::uint64_t> storage_;
  const std::array<PhysRange, 2> chunks_{ram(0, 0x1000), ram(0x4000, 0x1000)};
  const PoolSettings pool_{.name = "d", .chunks = chunks_, .store = TagStore::sparse(5)};
  const std::array<Window, 3> windows_{Window{DmaAddr{0}, ram(0, 1).base, 0x1000},
                                       Window{DmaAddr{0x1000}, ram(0x4000, 1).base, 0x1000},
                                       Window{DmaAddr{0x2000}, ram(0x8000, 1).base, 0x1000}};
  const DeviceSettings device_{
      .name = "eth", .coherent_mask = test::k32Bits, .translation = Translation::through(windows_)};
};

TEST_F(Storage, ASystemFitsIntoExactlyItsBase) {
  EXPECT_EQ(with_left(0).storage_used_bytes(), kBase);
}

TEST_F(Storage, ASystemDoesNotFitIntoOneByteLess) {
  storage_.assign(kBase, 0);
  const auto result =
      System::create({.port = port_}, std::as_writable_bytes(std::span{storage_}).first(kBase - 1));
  ASSERT_EQ(error_of(result), Error::storage_too_small);
  EXPECT_EQ(result.error().asked_bytes, System::base_storage_bytes());
  EXPECT_EQ(result.error().free_bytes, kBase - 1);
}

TEST_F(Storage, ASystemFitsIntoItsBaseWhateverTheAlignment) {
  for (std::size_t skew = 0; skew < kAlign; ++skew) {
    storage_.assign(kBase, 0);
    const auto bytes = std::as_writable_bytes(std::span{storage_});
    EXPECT_TRUE(System::create({.port = port_}, bytes.subspan(skew, System::base_storage_bytes())))
        << skew;
  }
}

TEST_F(Storage, NoStorageAtAllIsTooSmall) {
  EXPECT_EQ(error_of(System::create({.port = port_}, {})), Error::storage_too_small);
}

TEST_F(Storage, APoolTakesExactlyWhatItsMeasureSays) {
  constexpr std::size_t kNeeded = System::pool_storage_bytes(2, TagStore::sparse(5));
  System& system = with_left(kNeeded);
  ASSERT_TRUE(system.declare(pool_));
  EXPECT_EQ(system.storage_used_bytes(), kBase + kNeeded);
}

TEST_F(Storage, APoolDoesNotFitIntoOneByteLess) {
  System& system = with_left(System::pool_storage_bytes(2, TagStore::sparse(5)) - 1);
  EXPECT_EQ(error_of(system.declare(pool_)), Error::storage_too_small);
}

TEST_F(Storage, APoolThatDidNotFitTakesNothing) {
  for (std::size_t left = 0; left < System::pool_storage_bytes(2, TagStore::sparse(5)); ++left) {
    System& system = with_left(left);
    ASSERT_EQ(error_of(system.declare(pool_)), Error::storage_too_small) << left;
    ASSERT_EQ(system.storage_used_bytes(), kBase) << left;
    ASSERT_EQ(system.find_pool("d"), nullptr) << left;
  }
}

TEST_F(Storage, ASmallerPoolFitsWhereALargerDidNot) {
  System& system = with_left(System::pool_storage_bytes(2, TagStore::sparse(5)) - 1);
  ASSERT_FALSE(system.declare(pool_));
  PoolSettings smaller = pool_;
  smaller.store = TagStore::sparse(1);
  EXPECT_TRUE(system.declare(smaller));
}

TEST_F(Storage, ARefusalNamesThePoolAndSaysThatMoreWasAskedThanLeft) {
  for (std::size_t left = 0; left < System::pool_storage_bytes(2, TagStore::sparse(5)); left += 8) {
    const auto result = with_left(left).declare(pool_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().pool, "d");
    EXPECT_GT(result.error().asked_bytes, result.error().free_bytes) << left;
  }
}

TEST_F(Storage, MoreBlocksThanAnyMachineHoldsDoNotFit) {
  System& system = with_left(0x1000);
  PoolSettings huge = pool_;
  huge.store = TagStore::sparse(~std::size_t{0} / 2);
  EXPECT_EQ(error_of(system.declare(huge)), Error::storage_too_small);
}

TEST_F(Storage, APoolThatDoesNotSayHasThePlatformsNumberOfBlocks) {
  System& system = with_left(System::pool_storage_bytes(2, TagStore::sparse(4)));
  PoolSettings silent = pool_;
  silent.store = std::nullopt;
  ASSERT_TRUE(system.declare(silent));
  EXPECT_EQ(system.storage_used_bytes(),
            kBase + System::pool_storage_bytes(2, TagStore::sparse(4)));
}

TEST_F(Storage, ADeviceTakesExactlyWhatItsMeasureSays) {
  constexpr std::size_t kNeeded = System::device_storage_bytes(3);
  System& system = with_left(kNeeded);
  ASSERT_TRUE(system.add_device(device_));
  EXPECT_EQ(system.storage_used_bytes(), kBase + kNeeded);
}

TEST_F(Storage, ADeviceWithoutWindowsTakesExactlyWhatItsMeasureSays) {
  System& system = with_left(System::device_storage_bytes(0));
  ASSERT_TRUE(system.add_device({.name = "eth", .coherent_mask = test::k32Bits}));
  EXPECT_EQ(system.storage_used_bytes(), kBase + System::device_storage_bytes(0));
}

TEST_F(Storage, ADeviceWithAQuarantineTakesExactlyWhatItsMeasureSaysAndNothingIfItDoesNotFit) {
  constexpr std::size_t kNeeded = System::device_storage_bytes(3, 5);
  DeviceSettings settings = device_;
  settings.quarantine_blocks = 5;
  for (std::size_t left = 0; left < kNeeded; ++left) {
    System& system = with_left(left);
    ASSERT_EQ(error_of(system.add_device(settings)), Error::storage_too_small) << left;
    ASSERT_EQ(system.storage_used_bytes(), kBase) << left;
  }
  System& system = with_left(kNeeded);
  EXPECT_EQ(must(system.add_device(settings))->quarantine->capacity, 5U);
  EXPECT_EQ(system.storage_used_bytes(), kBase + kNeeded);
}

TEST_F(Storage, ADeviceThatDoesNotFitTakesNothing) {
  for (std::size_t left = 0; left < System::device_storage_bytes(3); ++left) {
    System& system = with_left(left);
    ASSERT_EQ(error_of(system.add_device(device_)), Error::storage_too_small) << left;
    ASSERT_EQ(system.storage_used_bytes(), kBase) << left;
    ASSERT_EQ(system.find_device("eth"), nullptr) << left;
  }
}

TEST_F(Storage, ABindingTakesExactlyWhatItsMeasureSays) {
  for (const bool with_window : {false, true}) {
    const std::size_t before =
        System::pool_storage_bytes(2, TagStore::sparse(5)) + System::device_storage_bytes(3);
    System& system = with_left(before + System::binding_storage_bytes(with_window));
    Pool& pool = *must(system.declare(pool_));
    Device& device = *must(system.add_device(device_));
    BindingSettings settings;
    if (with_window) settings.window = Window{DmaAddr{0}, ram(0, 1).base, 0x5000};
    ASSERT_TRUE(system.bind(device, pool, settings));
    EXPECT_EQ(system.storage_used_bytes(),
              kBase + before + System::binding_storage_bytes(with_window));
  }
}

TEST_F(Storage, ABindingThatDoesNotFitBindsNothingAndTakesNothing) {
  const std::size_t before =
      System::pool_storage_bytes(2, TagStore::sparse(5)) + System::device_storage_bytes(3);
  for (std::size_t left = 0; left < System::binding_storage_bytes(true); ++left) {
    System& system = with_left(before + left);
    Pool& pool = *must(system.declare(pool_));
    Device& device = *must(system.add_device(device_));
    const BindingSettings settings{.window = Window{DmaAddr{0}, ram(0, 1).base, 0x5000}};
    ASSERT_EQ(error_of(system.bind(device, pool, settings)), Error::storage_too_small) << left;
    ASSERT_EQ(system.storage_used_bytes(), kBase + before) << left;
    ASSERT_EQ(device.bindings, nullptr) << left;
  }
}

TEST_F(Storage, ARefusedBindingThatDoesNotFitBindsNothing) {
  System& system =
      with_left(System::device_storage_bytes(3) + System::binding_storage_bytes(false) - 1);
  Device& device = *must(system.add_device(device_));
  EXPECT_EQ(error_of(system.bind_refused(device, "lost", Memory::coherent, Error::overlaps)),
            Error::storage_too_small);
  EXPECT_EQ(device.bindings, nullptr);
}

TEST_F(Storage, ANodesDefaultTakesExactlyWhatItsMeasureSays) {
  PoolSettings contiguous = pool_;
  contiguous.memory = Memory::contiguous;
  const std::size_t before = System::pool_storage_bytes(2, TagStore::sparse(5));
  System& system = with_left(before + System::node_default_storage_bytes());
  ASSERT_TRUE(system.set_default(Role::contiguous_node, *must(system.declare(contiguous)), 1));
  EXPECT_EQ(system.storage_used_bytes(), kBase + before + System::node_default_storage_bytes());
}

TEST_F(Storage, ANodesDefaultThatDoesNotFitIsRefused) {
  PoolSettings contiguous = pool_;
  contiguous.memory = Memory::contiguous;
  const std::size_t before = System::pool_storage_bytes(2, TagStore::sparse(5));
  System& system = with_left(before + System::node_default_storage_bytes() - 1);
  EXPECT_EQ(
      error_of(system.set_default(Role::contiguous_node, *must(system.declare(contiguous)), 1)),
      Error::storage_too_small);
  EXPECT_EQ(system.roles().contiguous_nodes, nullptr);
}

TEST_F(Storage, ARoleOfTheWholeBoardTakesNothing) {
  System& system = with_left(System::pool_storage_bytes(2, TagStore::sparse(5)));
  PoolSettings ordinary = pool_;
  ordinary.memory = Memory::ordinary;
  EXPECT_TRUE(system.set_default(Role::ordinary, *must(system.declare(ordinary))));
}

TEST_F(Storage, ATextIsCopied) {
  System& system = with_left(System::text_storage_bytes(5));
  std::string text = "hello";
  const auto kept = system.keep(text);
  ASSERT_TRUE(kept);
  text = "world";
  EXPECT_EQ(*kept, "hello");
}

TEST_F(Storage, ATextThatDoesNotFitIsRefused) {
  System& system = with_left(System::text_storage_bytes(5) - 1);
  EXPECT_EQ(error_of(system.keep("hello")), Error::storage_too_small);
  EXPECT_EQ(system.storage_used_bytes(), kBase);
}

TEST_F(Storage, AnEmptyTextTakesNothing) {
  System& system = with_left(0);
  EXPECT_EQ(must(system.keep("")), "");
}

}  // namespace
}  // namespace carveout
