// Which pool each verb uses, and what a refusal says.
#include <gtest/gtest.h>

#include <string_view>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::DeviceFacts;
using test::error_of;
using test::kCachedRam;
using test::must;
using test::ram;
using test::SimBoard;

constexpr Options kMustNotWait{.context = Context::must_not_wait};

/// A board with one pool of each role. "own" has two pools, "plain" has none.
class Verbs : public testing::Test {
 protected:
  Verbs() {
    must(board_.system->bind(own_, first_, {.index = 0, .name = "tx"}));
    must(board_.system->bind(own_, second_, {.index = 1, .name = "rx"}));
  }

  SimBoard board_;
  Pool& default_ = board_.default_pool("default", ram(0, 0x1000));
  Pool& atomic_ = board_.default_pool("atomic", ram(0x1000, 0x200), Role::atomic);
  Pool& contiguous_ = board_.default_pool("cma", ram(0x2000, 0x1000), Role::contiguous_default);
  Pool& first_ = board_.pool("first", ram(0x4000, 0x400));
  Pool& second_ = board_.pool("second", ram(0x5000, 0x800));
  Device& plain_ = board_.device("plain");
  Device& own_ = board_.device("own");
};

// ---- alloc_coherent
// ------------------------------------------------------------------------------

TEST_F(Verbs, ADeviceWithoutAPoolOfItsOwnIsServedFromTheDefaultPool) {
  EXPECT_EQ(must(alloc_coherent(plain_, 32)).pool, &default_);
}

TEST_F(Verbs, ADeviceWithItsOwnPoolIsServedFromThere) {
  EXPECT_EQ(must(alloc_coherent(own_, 32)).pool, &first_);
}

TEST_F(Verbs, TheSecondOwnPoolStandsInForTheFirst) {
  must(alloc_coherent(own_, 0x400));
  EXPECT_EQ(must(alloc_coherent(own_, 32)).pool, &second_);
}

TEST_F(Verbs, ExhaustedOwnPoolsAreFinal) {
  EXPECT_EQ(error_of(alloc_coherent(own_, 0x1000)), Error::exhausted);
  EXPECT_EQ(default_.usage().used_bytes, 0U);
}

TEST_F(Verbs, AnExhaustedDefaultPoolIsFinal) {
  must(alloc_coherent(plain_, 0x1000));
  EXPECT_EQ(error_of(alloc_coherent(plain_, 32)), Error::exhausted);
  EXPECT_EQ(contiguous_.usage().used_bytes, 0U);
}

TEST_F(Verbs, WhoMustNotWaitIsServedFromTheAtomicPool) {
  EXPECT_EQ(must(alloc_coherent(plain_, 32, kMustNotWait)).pool, &atomic_);
}

TEST_F(Verbs, AnExhaustedAtomicPoolIsFinal) {
  EXPECT_EQ(error_of(alloc_coherent(plain_, 0x400, kMustNotWait)), Error::exhausted);
}

TEST_F(Verbs, WhoMustNotWaitIsServedFromItsOwnPoolAllTheSame) {
  EXPECT_EQ(must(alloc_coherent(own_, 32, kMustNotWait)).pool, &first_);
}

TEST_F(Verbs, ANamedPoolServesAlone) {
  EXPECT_EQ(must(alloc_coherent(own_, 32, {.pool = {.name = "rx"}})).pool, &second_);
}

TEST_F(Verbs, ANamedPoolThatIsExhaustedIsFinal) {
  EXPECT_EQ(error_of(alloc_coherent(own_, 0x800, {.pool = {.name = "tx"}})), Error::exhausted);
}

TEST_F(Verbs, APoolByIndexServesAlone) {
  EXPECT_EQ(must(alloc_coherent(own_, 32, {.pool = {.index = 1}})).pool, &second_);
}

TEST_F(Verbs, AnUnknownPoolIsRefusedByItsName) {
  const auto result = alloc_coherent(own_, 32, {.pool = {.name = "nobody"}});
  ASSERT_EQ(error_of(result), Error::unknown_pool);
  EXPECT_EQ(result.error().pool, "nobody");
}

TEST_F(Verbs, AWellFormedRequestWithoutAnyPoolIsNoPool) {
  SimBoard bare;
  EXPECT_EQ(error_of(alloc_coherent(bare.device("eth"), 32)), Error::no_pool);
}

TEST_F(Verbs, ADefaultPoolOutOfReachIsPassedForContiguousMemory) {
  Device& far = board_.device(
      "far", {.windows = {{DmaAddr{0}, PhysAddr{kCachedRam.raw() + 0x2000}, 0x1000}}});
  EXPECT_EQ(must(alloc_coherent(far, 32)).pool, &contiguous_);
}

TEST_F(Verbs, MemoryOutOfReachIsUnreachableAndNotAbsent) {
  Device& far = board_.device(
      "far", {.windows = {{DmaAddr{0}, PhysAddr{kCachedRam.raw() + 0x8000}, 0x1000}}});
  EXPECT_EQ(error_of(alloc_coherent(far, 32)), Error::unreachable);
}

TEST_F(Verbs, ABindingThatWasRefusedIsToldToWhoeverAsks) {
  Device& device = board_.device("odd", {.mask = DmaAddr{0xffff}});
  ASSERT_FALSE(board_.system->bind(device, board_.pool("high", ram(0x8000, 0x1000))));
  const auto result = alloc_coherent(device, 32);
  ASSERT_EQ(error_of(result), Error::unreachable);
  EXPECT_EQ(result.error().pool, "high");
}

TEST_F(Verbs, ContiguousMemoryOfTheNodeComesBeforeTheDefault) {
  SimBoard board;
  Pool& node = board.pool("node2", ram(0, 0x1000), Memory::contiguous);
  must(board.system->set_default(Role::contiguous_node, node, 2));
  board.default_pool("cma", ram(0x1000, 0x1000), Role::contiguous_default);
  EXPECT_EQ(must(alloc_coherent(board.device("a", {.numa_node = 2}), 32)).pool, &node);
}

// ---- an IOMMU
// ------------------------------------------------------------------------------------

TEST_F(Verbs, BehindAnIommuTheDefaultPoolCannotBeAddressedHere) {
  Device& device = board_.device("iommu", {.behind_iommu = true});
  EXPECT_EQ(error_of(alloc_coherent(device, 32)), Error::needs_iommu);
  EXPECT_EQ(default_.usage().used_bytes, 0U);
}

TEST_F(Verbs, BehindAnIommuAnOwnPoolServes) {
  Device& device = board_.device("iommu", {.behind_iommu = true});
  must(board_.system->bind(device, second_));
  EXPECT_EQ(must(alloc_coherent(device, 32)).pool, &second_);
}

// ---- the verbs of single roles
// -------------------------------------------------------------------

TEST_F(Verbs, FromTheDevicePoolTriesAllOfThem) {
  must(alloc_from_device_pool(own_, 0x400));
  EXPECT_EQ(must(alloc_from_device_pool(own_, 0x800)).pool, &second_);
}

TEST_F(Verbs, FromTheDevicePoolTriesNothingElse) {
  EXPECT_EQ(error_of(alloc_from_device_pool(own_, 0x1000)), Error::exhausted);
}

TEST_F(Verbs, FromTheDevicePoolOfADeviceThatHasNoneIsNoPool) {
  EXPECT_EQ(error_of(alloc_from_device_pool(plain_, 32)), Error::no_pool);
}

TEST_F(Verbs, FromTheDevicePoolByNameServesFromThatOne) {
  EXPECT_EQ(must(alloc_from_device_pool(own_, 32, {.pool = {.name = "rx"}})).pool, &second_);
}

TEST_F(Verbs, FromTheDefaultPoolIgnoresTheDevicesOwnPools) {
  EXPECT_EQ(must(alloc_from_default_pool(own_, 32)).pool, &default_);
}

TEST_F(Verbs, FromTheDefaultPoolTheDeviceTranslatesTheAddress) {
  Device& other =
      board_.device("other", {.windows = {{DmaAddr{0x7'0000}, kCachedRam, test::kRamBytes}}});
  const Block block = must(alloc_from_default_pool(other, 32));
  EXPECT_EQ(block.dma.raw() - 0x7'0000, block.phys.raw() - kCachedRam.raw());
}

TEST_F(Verbs, FromTheDefaultPoolIsZeroedLikeAnyOther) {
  board_.put_in_ram(kCachedRam, test::pattern(0x1000));
  const Block block = must(alloc_from_default_pool(plain_, 0x1000));
  EXPECT_EQ(board_.in_ram({block.phys, 0x1000}), test::Bytes(0x1000));
}

TEST_F(Verbs, FromTheDefaultPoolWithoutOneIsNoPool) {
  SimBoard bare;
  EXPECT_EQ(error_of(alloc_from_default_pool(bare.device("eth"), 32)), Error::no_pool);
}

TEST_F(Verbs, FromTheDefaultPoolExhaustedIsFinal) {
  EXPECT_EQ(error_of(alloc_from_default_pool(plain_, 0x1020)), Error::exhausted);
}

TEST_F(Verbs, FromTheDefaultPoolOutOfReachIsUnreachable) {
  Device& far = board_.device("far", {.mask = DmaAddr{0xfff}});
  EXPECT_EQ(error_of(alloc_from_default_pool(far, 32)), Error::unreachable);
}

TEST_F(Verbs, FromTheDefaultPoolServesACoherentDeviceToo) {
  EXPECT_EQ(must(alloc_from_default_pool(board_.device("c", {.coherent = true}), 32)).pool,
            &default_);
}

TEST_F(Verbs, FromDefaultContiguousMemoryIsTheTwin) {
  EXPECT_EQ(must(alloc_from_default_contiguous(own_, 32)).pool, &contiguous_);
}

TEST_F(Verbs, FromDefaultContiguousMemoryIsUsedPastTheCache) {
  const Block block = must(alloc_from_default_contiguous(plain_, 32));
  EXPECT_EQ(block.cpu, contiguous_.pointer(block, View::uncached));
}

TEST_F(Verbs, FromDefaultContiguousMemoryWithoutOneIsNoPool) {
  SimBoard bare;
  EXPECT_EQ(error_of(alloc_from_default_contiguous(bare.device("eth"), 32)), Error::no_pool);
}

// ---- what a refusal says
// -------------------------------------------------------------------------

class Refusal : public testing::Test {
 protected:
  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0, 0x1000));
  Device& device_ = board_.device("eth");
  Block low_ = must(alloc_coherent(device_, 0x400));
  Block middle_ = must(alloc_coherent(device_, 0x400));
  Failure failure_ = [this] {
    must(free_coherent(low_));
    return alloc_coherent(device_, 0x8f1).error();
  }();
};

TEST_F(Refusal, NamesThePool) { EXPECT_EQ(failure_.pool, "d"); }
TEST_F(Refusal, SaysWhatWasAskedInWholeGranules) { EXPECT_EQ(failure_.asked_bytes, 0x900U); }
TEST_F(Refusal, SaysWhatIsFreeInAll) { EXPECT_EQ(failure_.free_bytes, 0xc00U); }
TEST_F(Refusal, SaysHowLongTheLongestFreeRunIs) { EXPECT_EQ(failure_.largest_run_bytes, 0x800U); }
TEST_F(Refusal, LeavesThePoolAsItWas) { EXPECT_EQ(pool_.usage().used_bytes, 0x400U); }

TEST(RefusalOfTables, IsToldFromExhaustedMemory) {
  SimBoard board;
  Pool& pool = board.pool("d", ram(0, 0x1000), Memory::coherent, 0, TagStore::sparse(1));
  must(board.system->set_default(Role::default_pool, pool));
  Device& device = board.device("eth");
  std::optional<Error> error;
  for (int i = 0; i < 64 && !error; ++i) error = error_of(alloc_coherent(device, 32));
  EXPECT_EQ(error, Error::table_full);
}

TEST_F(Verbs, OfTheBoardsPoolsServeNoDeviceThatIsRestricted) {
  Device& wifi = board_.device("wifi");
  must(board_.system->bind(wifi, board_.pool("only", ram(0x8000, 0x1000), Memory::bounce)));
  EXPECT_EQ(error_of(alloc_from_default_pool(wifi, 32)), Error::no_pool);
  EXPECT_EQ(error_of(alloc_from_default_contiguous(wifi, 32)), Error::no_pool);
}

}  // namespace
}  // namespace carveout
