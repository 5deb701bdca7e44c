// System::set_default() and System::release(): how pools get the roles of a board and lose them.
#include <gtest/gtest.h>

#include <array>

#include "carveout/ops/coherent.hpp"
#include "carveout/setup/system.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::must;
using test::ram;
using test::SimBoard;

constexpr std::array kBoardRoles{Role::bounce,
                                 Role::atomic,
                                 Role::default_pool,
                                 Role::contiguous_node,
                                 Role::contiguous_default,
                                 Role::ordinary};
constexpr std::array kKinds{Memory::coherent, Memory::contiguous, Memory::bounce, Memory::ordinary};

class SetDefault : public testing::Test {
 protected:
  SimBoard board_;
  Pool& pool_ = board_.pool("first", ram(0, 0x1000));
  Pool& other_ = board_.pool("second", ram(0x1000, 0x1000));
};

TEST_F(SetDefault, GivesThePoolTheRole) {
  must(board_.system->set_default(Role::default_pool, pool_));
  EXPECT_EQ(board_.system->roles().of(Role::default_pool), &pool_);
}

TEST_F(SetDefault, GivesNoOtherRole) {
  must(board_.system->set_default(Role::default_pool, pool_));
  for (const Role role : kBoardRoles) {
    const Pool* const expected = role == Role::default_pool ? &pool_ : nullptr;
    EXPECT_EQ(board_.system->roles().of(role), expected) << name_of(role);
  }
}

TEST_F(SetDefault, OnePoolMayHaveSeveralRoles) {
  must(board_.system->set_default(Role::default_pool, pool_));
  EXPECT_TRUE(board_.system->set_default(Role::atomic, pool_));
}

TEST_F(SetDefault, ADefaultPoolMayAlsoBeADevicesOwn) {
  must(board_.system->set_default(Role::default_pool, pool_));
  EXPECT_TRUE(board_.system->bind(board_.device("eth"), pool_));
}

TEST_F(SetDefault, ASecondPoolOfARoleIsRefusedAndTheFirstStays) {
  must(board_.system->set_default(Role::default_pool, pool_));
  const auto again = board_.system->set_default(Role::default_pool, other_);
  ASSERT_EQ(error_of(again), Error::already_declared);
  EXPECT_EQ(again.error().pool, "second");
  EXPECT_EQ(again.error().other, "first");
  EXPECT_EQ(board_.system->roles().of(Role::default_pool), &pool_);
}

TEST_F(SetDefault, EveryRoleTakesItsKindOfMemoryAndNoOther) {
  for (const Role role : kBoardRoles) {
    for (const Memory memory : kKinds) {
      SimBoard board;
      Pool& pool = board.pool("p", ram(0, 0x1000), memory);
      const auto expected =
          memory == memory_for(role) ? std::nullopt : std::optional{Error::wrong_kind};
      EXPECT_EQ(error_of(board.system->set_default(role, pool)), expected)
          << name_of(role) << " of kind " << static_cast<int>(memory);
    }
  }
}

TEST_F(SetDefault, RolesOfADevicesOwnAreNotTheBoards) {
  Pool& cma = board_.pool("cma", ram(0x2000, 0x1000), Memory::contiguous);
  EXPECT_EQ(error_of(board_.system->set_default(Role::device, pool_)), Error::wrong_kind);
  EXPECT_EQ(error_of(board_.system->set_default(Role::contiguous_device, cma)), Error::wrong_kind);
}

TEST_F(SetDefault, CacheableMemoryIsNoDefaultPool) {
  SimBoard board{{}, [](Platform& platform) { platform.aliases = {}; }};
  Pool& pool = board.pool("p", ram(0, 0x1000));
  EXPECT_EQ(error_of(board.system->set_default(Role::default_pool, pool)), Error::no_uncached_view);
  EXPECT_EQ(board.system->roles().of(Role::default_pool), nullptr);
}

TEST_F(SetDefault, EachNumaNodeHasContiguousMemoryOfItsOwn) {
  Pool& one = board_.pool("one", ram(0x2000, 0x1000), Memory::contiguous);
  Pool& two = board_.pool("two", ram(0x3000, 0x1000), Memory::contiguous);
  must(board_.system->set_default(Role::contiguous_node, one, 1));
  must(board_.system->set_default(Role::contiguous_node, two, 2));
  EXPECT_EQ(must(alloc_coherent(board_.device("b", {.numa_node = 2}), 32)).pool, &two);
  EXPECT_EQ(must(alloc_coherent(board_.device("a", {.numa_node = 1}), 32)).pool, &one);
}

TEST_F(SetDefault, ASecondPoolForOneNumaNodeIsRefused) {
  Pool& one = board_.pool("one", ram(0x2000, 0x1000), Memory::contiguous);
  Pool& two = board_.pool("two", ram(0x3000, 0x1000), Memory::contiguous);
  must(board_.system->set_default(Role::contiguous_node, one, 1));
  const auto again = board_.system->set_default(Role::contiguous_node, two, 1);
  ASSERT_EQ(error_of(again), Error::already_declared);
  EXPECT_EQ(again.error().other, "one");
}

// ---- release
// -------------------------------------------------------------------------------------

class Release : public testing::Test {
 protected:
  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0, 0x1000));
  Device& first_ = board_.device("/soc/first");
  Device& second_ = board_.device("/soc/second");
};

TEST_F(Release, APoolWithLiveBlocksIsNotReleased) {
  must(alloc_coherent(first_, 32));
  EXPECT_EQ(error_of(board_.system->release(pool_)), Error::in_use);
}

TEST_F(Release, TheRefusalNamesWhoHoldsABlock) {
  must(alloc_coherent(second_, 32));
  EXPECT_EQ(board_.system->release(pool_).error().other, "/soc/second");
}

TEST_F(Release, TheRefusalNamesThePool) {
  must(alloc_coherent(second_, 32));
  EXPECT_EQ(board_.system->release(pool_).error().pool, "d");
}

TEST_F(Release, ThatIsRefusedChangesNothing) {
  const Block block = must(alloc_coherent(first_, 32));
  ASSERT_FALSE(board_.system->release(pool_));
  EXPECT_TRUE(alloc_coherent(first_, 32));
  EXPECT_TRUE(free_coherent(block));
}

TEST_F(Release, WorksWhenAllBlocksAreBack) {
  must(free_coherent(must(alloc_coherent(first_, 32))));
  EXPECT_TRUE(board_.system->release(pool_));
}

TEST_F(Release, ASecondTimeIsToldThatThePoolIsGone) {
  must(board_.system->release(pool_));
  EXPECT_EQ(error_of(board_.system->release(pool_)), Error::pool_gone);
}

TEST_F(Release, TakesThePoolOutOfItsRole) {
  must(board_.system->release(pool_));
  EXPECT_EQ(board_.system->roles().of(Role::default_pool), nullptr);
  EXPECT_EQ(error_of(alloc_coherent(first_, 32)), Error::no_pool);
}

TEST_F(Release, TakesThePoolOutOfAllItsRoles) {
  must(board_.system->set_default(Role::atomic, pool_));
  must(board_.system->release(pool_));
  EXPECT_EQ(board_.system->roles().of(Role::atomic), nullptr);
}

TEST_F(Release, TakesContiguousMemoryFromItsNodeAndLeavesTheOtherNodes) {
  Pool& one = board_.pool("one", ram(0x2000, 0x1000), Memory::contiguous);
  Pool& two = board_.pool("two", ram(0x3000, 0x1000), Memory::contiguous);
  must(board_.system->set_default(Role::contiguous_node, one, 1));
  must(board_.system->set_default(Role::contiguous_node, two, 2));
  must(board_.system->release(pool_));
  must(board_.system->release(one));
  EXPECT_EQ(error_of(alloc_coherent(board_.device("a", {.numa_node = 1}), 32)), Error::no_pool);
  EXPECT_TRUE(alloc_coherent(board_.device("b", {.numa_node = 2}), 32));
}

TEST_F(Release, APoolThatWasReleasedGetsNoRole) {
  must(board_.system->release(pool_));
  EXPECT_EQ(error_of(board_.system->set_default(Role::default_pool, pool_)), Error::pool_gone);
  EXPECT_EQ(board_.system->roles().of(Role::default_pool), nullptr);
}

TEST_F(Release, APoolThatWasReleasedIsBoundToNobody) {
  must(board_.system->release(pool_));
  EXPECT_EQ(error_of(board_.system->bind(first_, pool_)), Error::pool_gone);
  EXPECT_EQ(first_.bindings, nullptr);
}

TEST_F(Release, LeavesTheRoleFreeForAnother) {
  must(board_.system->release(pool_));
  EXPECT_TRUE(
      board_.system->set_default(Role::default_pool, board_.pool("e", ram(0x2000, 0x1000))));
}

TEST_F(Release, LeavesNameAndMemoryFreeForAnother) {
  must(board_.system->release(pool_));
  const std::array chunk{ram(0, 0x1000)};
  EXPECT_TRUE(board_.system->declare({.name = "d", .chunks = chunk}));
}

TEST_F(Release, ADeviceWhosePoolIsGoneGetsNoOtherInstead) {
  Pool& own = board_.pool("own", ram(0x2000, 0x1000));
  must(board_.system->bind(first_, own));
  must(board_.system->release(own));
  EXPECT_EQ(error_of(alloc_coherent(first_, 32)), Error::pool_gone);
}

TEST_F(Release, TheRouteOfADeviceWhosePoolIsGoneSaysSo) {
  Pool& own = board_.pool("own", ram(0x2000, 0x1000));
  must(board_.system->bind(first_, own));
  must(board_.system->release(own));
  std::optional<Error> error;
  route(first_, {}, [&](const Candidate& candidate) {
    error = candidate.error;
    return Step::stop;
  });
  EXPECT_EQ(error, Error::pool_gone);
}

TEST_F(Release, APoolIsNotFoundByItsNameAfterwards) {
  must(board_.system->release(pool_));
  EXPECT_EQ(board_.system->find_pool("d"), nullptr);
}

}  // namespace
}  // namespace carveout
