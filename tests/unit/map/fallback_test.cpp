// The fallback that a board declares for a device: where it stands in the route, and what it never
// is. With every board that differs: tests/property/route.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "carveout/map/route.hpp"
#include "tests/support/route_world.hpp"

namespace carveout {
namespace {

using test::brief;
using test::RouteWorld;
using test::Views;
using Names = std::vector<std::string>;

class Fallback : public testing::Test {
 protected:
  /// Declares the chain and walks.
  std::vector<Candidate> walk(std::vector<Role> chain, const Options& options = {}) {
    chain_ = std::move(chain);
    world_.device.fallback = chain_;
    return world_.walk(options);
  }

  RouteWorld world_;
  std::vector<Role> chain_;
};

TEST_F(Fallback, TakesThePlaceOfWhatTheRulesHaveBelowTheFinalCandidate) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous));
  world_.give_node(3, world_.pool("node", Memory::contiguous));
  EXPECT_EQ(brief(walk({Role::contiguous_default})),
            (Names{"-device", "-bounce", "default:d", "contiguous_default:cma"}));
}

TEST_F(Fallback, ComesInTheOrderDeclared) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::atomic, world_.pool("a", Memory::coherent));
  EXPECT_EQ(brief(walk({Role::atomic, Role::contiguous_node, Role::default_pool})),
            (Names{"device:own", "atomic:a", "-contiguous_node", "default:d"}));
}

TEST_F(Fallback, SaysThatItIsOne) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(walk({Role::default_pool}).back().reason, Reason::fallback);
}

TEST_F(Fallback, EachButTheLastHasAStandIn) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::atomic, world_.pool("a", Memory::coherent));
  const auto candidates = walk({Role::atomic, Role::default_pool, Role::ordinary});
  ASSERT_EQ(candidates.size(), 4U);
  EXPECT_TRUE(candidates[0].has_stand_in);
  EXPECT_TRUE(candidates[1].has_stand_in);
  EXPECT_FALSE(candidates[2].has_stand_in);
}

TEST_F(Fallback, OfWhichNothingServesIsNobodysStandIn) {
  world_.bind(world_.pool("own", Memory::coherent));
  EXPECT_FALSE(walk({Role::default_pool}).front().has_stand_in);
}

TEST_F(Fallback, DoesNotNameTheExhaustedRoleAgain) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(brief(walk({Role::default_pool, Role::atomic})),
            (Names{"-device", "-bounce", "default:d", "-atomic"}));
}

TEST_F(Fallback, StandsBehindAllOfTheDevicesOwnPools) {
  world_.bind(world_.pool("first", Memory::coherent));
  world_.bind(world_.pool("second", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(brief(walk({Role::default_pool})),
            (Names{"device:first", "device:second", "default:d"}));
}

TEST_F(Fallback, NamesEveryContiguousPoolOfTheDevice) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.bind(world_.pool("one", Memory::contiguous));
  world_.bind(world_.pool("two", Memory::contiguous));
  const auto candidates = walk({Role::contiguous_device});
  EXPECT_EQ(brief(candidates), (Names{"-device", "-bounce", "default:d", "contiguous_device:one",
                                      "contiguous_device:two"}));
  EXPECT_TRUE(candidates[3].has_stand_in);
}

TEST_F(Fallback, IsNotForADeviceWhoseOwnPoolWasRefused) {
  world_.bind(world_.pool("own", Memory::coherent), Error::not_in_window);
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(brief(walk({Role::default_pool})), (Names{"!device:own"}));
}

TEST_F(Fallback, IsNotForARequestThatNothingServes) {
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(brief(walk({Role::ordinary})).back(), "-contiguous_default");
}

TEST_F(Fallback, IsNotForARequestThatNamesAPool) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  const auto candidates = walk({Role::default_pool}, {.pool = {.index = 0}});
  EXPECT_EQ(brief(candidates), (Names{"device:own"}));
  EXPECT_FALSE(candidates[0].has_stand_in);
}

TEST_F(Fallback, OfOrdinaryMemoryIsSkippedWhereTheCpuWouldUseItThroughItsCache) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary, Views::cached_only));
  const auto candidates = walk({Role::ordinary});
  EXPECT_EQ(brief(candidates.back()), "-ordinary:ram");
  EXPECT_EQ(candidates.back().reason, Reason::no_uncached_view);
}

TEST_F(Fallback, OfOrdinaryMemoryServesPastTheCacheWhereThereIsSuchAView) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  const Candidate last = walk({Role::ordinary}).back();
  EXPECT_EQ(last.verdict, Verdict::open);
  EXPECT_EQ(last.view, View::uncached);
}

constexpr std::array kAllMemory{PhysRange{PhysAddr{0}, std::uint64_t{1} << 40}};

TEST_F(Fallback, OfOrdinaryMemoryElsewhereIsCacheableAndSkipped) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.roles.ordinary_elsewhere = kAllMemory;
  EXPECT_EQ(walk({Role::ordinary}).back().reason, Reason::no_uncached_view);
}

TEST_F(Fallback, OfOrdinaryMemoryElsewhereIsSkippedOffLineToo) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.roles.ordinary_elsewhere = kAllMemory;
  world_.roles.described_only = true;
  world_.roles.assume_uncached_view = true;
  EXPECT_EQ(walk({Role::ordinary}).back().verdict, Verdict::skipped);
}

TEST_F(Fallback, OfARestrictedDeviceIsBarredWithTheReason) {
  world_.bind(world_.pool("only", Memory::bounce));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  const auto candidates = walk({Role::default_pool});
  EXPECT_EQ(brief(candidates), (Names{"-device", "bounce:only", "-default:d"}));
  EXPECT_EQ(candidates.back().reason, Reason::restricted_bars);
  EXPECT_FALSE(candidates[1].has_stand_in);
}

TEST_F(Fallback, OfCoherentMemoryIsBarredForARequestThatDoesWithout) {
  world_.device.coherent = true;
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  for (const Attributes attributes : {Attributes::non_coherent, Attributes::no_cpu_mapping}) {
    const Candidate last = walk({Role::default_pool}, {.attributes = attributes}).back();
    EXPECT_EQ(brief(last), "-default:d");
    EXPECT_EQ(last.reason, Reason::coherent_barred);
  }
}

TEST_F(Fallback, OfCoherentMemoryServesARequestThatWouldDoWithoutWhereThereIsNoOther) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(brief(walk({Role::default_pool}, {.attributes = Attributes::non_coherent})).back(),
            "default:d");
}

TEST_F(Fallback, OutOfReachSaysSo) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent, Views::both, false));
  const Candidate last = walk({Role::default_pool}).back();
  EXPECT_EQ(last.verdict, Verdict::refused);
  EXPECT_EQ(last.error, Error::unreachable);
}

TEST_F(Fallback, OfARestrictedDeviceIsBarredBehindItsCoherentPoolToo) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.bind(world_.pool("only", Memory::bounce));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  const auto candidates = walk({Role::default_pool});
  EXPECT_EQ(brief(candidates), (Names{"device:own", "-default:d"}));
  EXPECT_EQ(candidates.back().reason, Reason::restricted_bars);
}

}  // namespace
}  // namespace carveout
