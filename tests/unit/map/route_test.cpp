// The rules of the route, one by one: which roles are looked at, in which order, and what ends it.
// All of them together: tests/property/route.
#include "carveout/map/route.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/route_world.hpp"

namespace carveout {
namespace {

using test::brief;
using test::RouteWorld;
using test::Views;
using Names = std::vector<std::string>;

constexpr Options kMustNotWait{.context = Context::must_not_wait};
constexpr Options kNonCoherent{.attributes = Attributes::non_coherent};
constexpr Options kNoMapping{.attributes = Attributes::no_cpu_mapping};

class Route : public testing::Test {
 protected:
  [[nodiscard]] Names names(const Options& options = {}) const {
    return brief(world_.walk(options));
  }
  [[nodiscard]] Candidate last(const Options& options = {}) const {
    return world_.walk(options).back();
  }

  RouteWorld world_;
};

// ---- a device that is not coherent --------------------------------------------------------------

TEST_F(Route, WithoutAnyMemoryNamesEveryRoleThatWasLookedFor) {
  EXPECT_EQ(names(), (Names{"-device", "-bounce", "-default", "-contiguous_device",
                            "-contiguous_node", "-contiguous_default"}));
}

TEST_F(Route, OfADeviceThatIsNotCoherentEndsWithContiguousMemory) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.bind(world_.pool("own", Memory::contiguous));
  world_.give_node(3, world_.pool("node", Memory::contiguous));
  world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous));
  EXPECT_EQ(names(), (Names{"-device", "-bounce", "default:d", "contiguous_device:own",
                            "contiguous_node:node", "contiguous_default:cma"}));
}

TEST_F(Route, OfADeviceThatIsNotCoherentNeverComesToOrdinaryMemory) {
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  for (const std::string& name : names()) EXPECT_NE(name, "ordinary:ram");
}

TEST_F(Route, AnOwnPoolBarsEverythingBelow) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names(), (Names{"device:own"}));
}

TEST_F(Route, AnOwnPoolThatCannotBeUsedBarsEverythingBelow) {
  world_.bind(world_.pool("own", Memory::coherent), Error::not_in_window);
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names(), (Names{"!device:own"}));
}

TEST_F(Route, AnOwnPoolThatWasRefusedSaysWhy) {
  world_.bind(world_.pool("own", Memory::coherent), Error::not_in_window);
  EXPECT_EQ(last().error, Error::not_in_window);
}

TEST_F(Route, SeveralOwnPoolsComeInTheOrderOfMemoryRegion) {
  world_.bind(world_.pool("first", Memory::coherent));
  world_.bind(world_.pool("second", Memory::coherent), Error::unreachable);
  world_.bind(world_.pool("third", Memory::coherent));
  EXPECT_EQ(names(), (Names{"device:first", "!device:second", "device:third"}));
}

TEST_F(Route, OwnContiguousMemoryIsNoOwnPoolAndBarsNothing) {
  world_.bind(world_.pool("cma", Memory::contiguous));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names().at(2), "default:d");
}

TEST_F(Route, ARestrictedPoolBarsEverythingBelow) {
  world_.bind(world_.pool("restricted", Memory::bounce));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names(), (Names{"-device", "bounce:restricted"}));
}

TEST_F(Route, ARestrictedPoolThatCannotBeUsedBarsEverythingBelow) {
  world_.bind(world_.pool("restricted", Memory::bounce), Error::unreachable);
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names(), (Names{"-device", "!bounce:restricted"}));
}

TEST_F(Route, AnOwnPoolComesBeforeARestrictedOne) {
  world_.bind(world_.pool("restricted", Memory::bounce));
  world_.bind(world_.pool("own", Memory::coherent));
  EXPECT_EQ(names(), (Names{"device:own"}));
}

TEST_F(Route, WhoMustNotWaitIsServedFromTheAtomicPoolBeforeTheDefaultOne) {
  world_.give(Role::atomic, world_.pool("atomic", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names(kMustNotWait).at(2), "atomic:atomic");
  EXPECT_EQ(names(kMustNotWait).at(3), "default:d");
}

TEST_F(Route, WhoMayWaitNeverComesToTheAtomicPool) {
  world_.give(Role::atomic, world_.pool("atomic", Memory::coherent));
  for (const std::string& name : names()) EXPECT_NE(name, "atomic:atomic");
}

TEST_F(Route, WithoutAnAtomicPoolWhoMustNotWaitUsesTheDefaultOne) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names(kMustNotWait).at(2), "-atomic");
  EXPECT_EQ(names(kMustNotWait).at(3), "default:d");
}

TEST_F(Route, TheContiguousMemoryOfAnotherNodeIsNotTheDevices) {
  world_.give_node(2, world_.pool("node2", Memory::contiguous));
  EXPECT_EQ(names().at(4), "-contiguous_node");
}

TEST_F(Route, TheContiguousMemoryOfTheDevicesNodeIsFoundAmongSeveral) {
  world_.give_node(3, world_.pool("node3", Memory::contiguous));
  world_.give_node(2, world_.pool("node2", Memory::contiguous));
  EXPECT_EQ(names().at(4), "contiguous_node:node3");
}

TEST_F(Route, ADefaultPoolOfWhichNothingIsReachedIsPassedWithTheReason) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent, Views::both, false));
  world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous));
  const auto candidates = world_.walk();
  EXPECT_EQ(candidates.at(2).verdict, Verdict::refused);
  EXPECT_EQ(candidates.at(2).error, Error::unreachable);
  EXPECT_EQ(brief(candidates.back()), "contiguous_default:cma");
}

TEST_F(Route, AnAtomicPoolOfWhichNothingIsReachedIsPassedWithTheReason) {
  world_.give(Role::atomic, world_.pool("atomic", Memory::coherent, Views::both, false));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names(kMustNotWait).at(2), "!atomic:atomic");
  EXPECT_EQ(names(kMustNotWait).at(3), "default:d");
}

TEST_F(Route, ContiguousMemoryWithoutAnUncachedViewDoesNotServeADeviceThatIsNotCoherent) {
  world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous, Views::cached_only));
  EXPECT_NE(last().verdict, Verdict::open);
}

TEST_F(Route, CoherentMemoryIsUsedThroughTheUncachedView) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(world_.walk().at(2).view, View::uncached);
}

TEST_F(Route, ContiguousMemoryIsUsedThroughTheUncachedView) {
  world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous));
  EXPECT_EQ(last().view, View::uncached);
}

TEST_F(Route, CarriesHowTheDeviceReachesThePool) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  const Candidate candidate = world_.walk().at(2);
  ASSERT_EQ(candidate.reaches.size(), 1U);
  EXPECT_EQ(candidate.reaches[0].dma, DmaAddr{0x4c80'0000});
}

// ---- a coherent device --------------------------------------------------------------------------

class CoherentRoute : public Route {
 protected:
  CoherentRoute() { world_.device.coherent = true; }
};

TEST_F(CoherentRoute, ComesToOrdinaryMemoryAndNotToTheDefaultPool) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names(), (Names{"-device", "-bounce", "ordinary:ram"}));
}

TEST_F(CoherentRoute, UsesOrdinaryMemoryThroughTheCache) {
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(last().view, View::cached);
}

TEST_F(CoherentRoute, ComesToTheDefaultPoolWhereTheBoardDeclaredNoOrdinaryMemory) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(names(), (Names{"-device", "-bounce", "-ordinary", "default:d"}));
}

TEST_F(CoherentRoute, DoesNotComeToTheDefaultPoolBecauseOrdinaryMemoryIsOutOfReach) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary, Views::both, false));
  EXPECT_EQ(names(), (Names{"-device", "-bounce", "!ordinary:ram"}));
}

constexpr PhysRange kAllMemory[] = {{PhysAddr{0}, std::uint64_t{1} << 40}};
constexpr PhysRange kHighMemory[] = {{PhysAddr{std::uint64_t{1} << 60}, 0x1000},
                                     {PhysAddr{std::uint64_t{1} << 61}, 0x1000}};

TEST_F(CoherentRoute, ComesToOrdinaryMemoryThatLiesElsewhere) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.roles.ordinary_elsewhere = kAllMemory;
  EXPECT_EQ(names(), (Names{"-device", "-bounce", "ordinary"}));
}

TEST_F(CoherentRoute, RefusesOrdinaryMemoryElsewhereOfWhichTheDeviceReachesNothing) {
  world_.roles.ordinary_elsewhere = kHighMemory;
  EXPECT_EQ(names(), (Names{"-device", "-bounce", "!ordinary"}));
  EXPECT_EQ(last().error, Error::unreachable);
}

TEST_F(CoherentRoute, BehindAnIommuReachesOrdinaryMemoryWhereverItLies) {
  world_.roles.ordinary_elsewhere = kHighMemory;
  world_.device.behind_iommu = true;
  EXPECT_EQ(last().reason, Reason::elsewhere);
}

TEST_F(CoherentRoute, SaysOfOrdinaryMemoryElsewhereThatItIsNotCarveoutsToPlace) {
  world_.roles.ordinary_elsewhere = kAllMemory;
  EXPECT_EQ(last().reason, Reason::elsewhere);
}

TEST_F(CoherentRoute, AnOwnPoolBarsEverythingBelow) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names(), (Names{"device:own"}));
}

TEST_F(CoherentRoute, ARestrictedPoolBarsEverythingBelow) {
  world_.bind(world_.pool("restricted", Memory::bounce));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names(), (Names{"-device", "bounce:restricted"}));
}

TEST_F(CoherentRoute, ComesToContiguousMemoryOnlyWhereItIsAskedFor) {
  world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names(), (Names{"-device", "-bounce", "ordinary:ram"}));
  EXPECT_EQ(names({.attributes = Attributes::force_contiguous}),
            (Names{"-device", "-bounce", "-contiguous_device", "-contiguous_node",
                   "contiguous_default:cma", "ordinary:ram"}));
}

TEST_F(CoherentRoute, NeverComesToTheAtomicPool) {
  world_.give(Role::atomic, world_.pool("atomic", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names(kMustNotWait), (Names{"-device", "-bounce", "ordinary:ram"}));
}

// ---- requests that need no coherent memory ------------------------------------------------------

TEST_F(Route, NonCoherentSpendsNoCoherentMemory) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names(kNonCoherent), (Names{"-bounce", "ordinary:ram"}));
}

TEST_F(Route, NoCpuMappingSpendsNoCoherentMemory) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names(kNoMapping), (Names{"-bounce", "ordinary:ram"}));
}

TEST_F(Route, NonCoherentMemoryIsUsedThroughTheCache) {
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(last(kNonCoherent).view, View::cached);
}

TEST_F(Route, NonCoherentStaysInARestrictedPool) {
  world_.bind(world_.pool("restricted", Memory::bounce));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names(kNonCoherent), (Names{"bounce:restricted"}));
}

TEST_F(Route, NonCoherentTakesContiguousMemoryWhereItIsAskedFor) {
  world_.bind(world_.pool("cma", Memory::contiguous));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  EXPECT_EQ(names({.attributes = Attributes::non_coherent | Attributes::force_contiguous}),
            (Names{"-bounce", "contiguous_device:cma", "-contiguous_node", "-contiguous_default",
                   "ordinary:ram"}));
}

TEST_F(Route, NonCoherentTakesContiguousMemoryThatHasNoUncachedView) {
  world_.bind(world_.pool("cma", Memory::contiguous, Views::cached_only));
  const auto candidates =
      world_.walk({.attributes = Attributes::non_coherent | Attributes::force_contiguous});
  EXPECT_EQ(brief(candidates.at(1)), "contiguous_device:cma");
  EXPECT_EQ(candidates.at(1).view, View::cached);
}

TEST_F(Route, NoCpuMappingTakesMemoryThatHasNoCpuViewAtAll) {
  world_.give(Role::ordinary, world_.pool("unmapped", Memory::ordinary, Views::none));
  EXPECT_EQ(brief(last(kNoMapping)), "ordinary:unmapped");
}

TEST_F(Route, NonCoherentDoesNotTakeMemoryThatHasNoCpuViewAtAll) {
  world_.give(Role::ordinary, world_.pool("unmapped", Memory::ordinary, Views::none));
  EXPECT_NE(world_.walk(kNonCoherent).at(1).verdict, Verdict::open);
}

TEST_F(Route, NonCoherentTakesAnOwnPoolThatIsTheOnlyMemory) {
  world_.bind(world_.pool("own", Memory::coherent));
  EXPECT_EQ(brief(last(kNonCoherent)), "device:own");
}

TEST_F(Route, NonCoherentTakesADefaultPoolThatIsTheOnlyMemory) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(brief(last(kNonCoherent)), "default:d");
}

TEST_F(Route, NonCoherentTakesCoherentMemoryWhereOrdinaryMemoryIsOutOfReach) {
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary, Views::both, false));
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(brief(last(kNonCoherent)), "default:d");
}

TEST_F(Route, NonCoherentTakesContiguousMemoryThatNobodyAskedForBeforeCoherentMemory) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous));
  EXPECT_EQ(names(kNonCoherent), (Names{"-bounce", "-ordinary", "-contiguous_device",
                                        "-contiguous_node", "contiguous_default:cma"}));
}

TEST_F(Route, AnExhaustedOwnContiguousPoolHasTheNextForAStandIn) {
  world_.bind(world_.pool("a", Memory::contiguous));
  world_.bind(world_.pool("b", Memory::contiguous));
  const auto candidates = world_.walk();
  EXPECT_EQ(brief(candidates.at(3)), "contiguous_device:a");
  EXPECT_TRUE(candidates.at(3).has_stand_in);
  EXPECT_EQ(brief(candidates.at(4)), "contiguous_device:b");
  EXPECT_FALSE(candidates.at(4).has_stand_in);
}

TEST_F(Route, ARefusedPoolIsNobodysStandIn) {
  world_.bind(world_.pool("a", Memory::coherent));
  world_.bind(world_.pool("b", Memory::coherent), Error::unreachable);
  EXPECT_FALSE(world_.walk().at(0).has_stand_in);
}

TEST_F(Route, ADefaultPoolHasNoStandIn) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous));
  EXPECT_FALSE(world_.walk().at(2).has_stand_in);
}

TEST_F(Route, SaysWhenCoherentMemoryIsTakenBecauseThereIsNoOther) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(last(kNonCoherent).reason, Reason::only_memory_left);
}

TEST_F(Route, AnOwnPoolBarsTheDefaultOneAlsoWhereItIsTheOnlyMemory) {
  world_.bind(world_.pool("own", Memory::coherent), Error::unreachable);
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(brief(last(kNonCoherent)), "!device:own");
}

TEST_F(Route, CoherentMemoryThatIsTheOnlyOneIsStillUsedPastTheCache) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  EXPECT_EQ(last(kNonCoherent).view, View::uncached);
}

// ---- a named pool -------------------------------------------------------------------------------

class NamedPool : public Route {
 protected:
  NamedPool() {
    world_.bind(world_.pool("tx", Memory::coherent), std::nullopt, "transmit");
    world_.bind(world_.pool("rx", Memory::coherent), std::nullopt, "receive");
    world_.bind(world_.pool("cma", Memory::contiguous), std::nullopt, "frames");
    world_.bind(world_.pool("bad", Memory::coherent), Error::not_in_window, "bad");
  }
};

TEST_F(NamedPool, ByIndexIsTheOnlyCandidate) {
  EXPECT_EQ(names({.pool = {.index = 1}}), (Names{"device:rx"}));
}

TEST_F(NamedPool, ByNameIsTheOnlyCandidate) {
  EXPECT_EQ(names({.pool = {.name = "receive"}}), (Names{"device:rx"}));
}

TEST_F(NamedPool, MayBeContiguousMemory) {
  EXPECT_EQ(names({.pool = {.name = "frames"}}), (Names{"contiguous_device:cma"}));
}

TEST_F(NamedPool, SaysThatItIsServedBecauseItWasNamed) {
  EXPECT_EQ(last({.pool = {.index = 1}}).reason, Reason::named);
}

TEST_F(NamedPool, OfCoherentMemorySaysWhenThatIsAgainstTheAttributes) {
  for (const Attributes against : {Attributes::non_coherent, Attributes::no_cpu_mapping}) {
    EXPECT_EQ(last({.attributes = against, .pool = {.index = 1}}).reason, Reason::named_against);
  }
}

TEST_F(NamedPool, OfContiguousMemoryIsNotAgainstAttributesThatWantNoCoherentMemory) {
  EXPECT_EQ(last({.attributes = Attributes::non_coherent, .pool = {.name = "frames"}}).reason,
            Reason::named);
}

TEST_F(NamedPool, ThatWasRefusedSaysWhy) {
  EXPECT_EQ(last({.pool = {.name = "bad"}}).error, Error::not_in_window);
}

TEST_F(NamedPool, OfAnUnknownNameIsAnError) {
  EXPECT_EQ(route(world_.device, {.pool = {.name = "nobody"}},
                  [](const Candidate&) { return Step::next; }),
            Error::unknown_pool);
}

TEST_F(NamedPool, OfAnUnknownIndexIsAnError) {
  EXPECT_EQ(
      route(world_.device, {.pool = {.index = 4}}, [](const Candidate&) { return Step::next; }),
      Error::unknown_pool);
}

TEST_F(NamedPool, OfAnUnknownNameHasNoCandidates) {
  EXPECT_EQ(names({.pool = {.name = "nobody"}}), Names{});
}

TEST_F(NamedPool, IsNotFoundByTheNameOfThePoolItself) {
  EXPECT_EQ(names({.pool = {.name = "rx"}}), Names{});
}

// ---- an IOMMU -----------------------------------------------------------------------------------

TEST_F(Route, BehindAnIommuNoWindowLimitsMemoryThatIsNotTheDevicesOwn) {
  world_.device.behind_iommu = true;
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent, Views::both, false));
  EXPECT_EQ(world_.walk().at(2).verdict, Verdict::open);
}

TEST_F(Route, BehindAnIommuAnOwnPoolStillComesFirst) {
  world_.device.behind_iommu = true;
  world_.bind(world_.pool("own", Memory::coherent));
  EXPECT_EQ(names(), (Names{"device:own"}));
}

// ---- the walk itself ----------------------------------------------------------------------------

TEST_F(Route, StopsWhereItIsTold) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  int seen = 0;
  route(world_.device, {}, [&](const Candidate& candidate) {
    ++seen;
    return candidate.verdict == Verdict::open ? Step::stop : Step::next;
  });
  EXPECT_EQ(seen, 3);
}

TEST_F(Route, StopsAmongOwnPools) {
  world_.bind(world_.pool("first", Memory::coherent));
  world_.bind(world_.pool("second", Memory::coherent));
  int seen = 0;
  route(world_.device, {}, [&](const Candidate&) {
    ++seen;
    return Step::stop;
  });
  EXPECT_EQ(seen, 1);
}

TEST_F(Route, DoesNotDependOnHowMuchOfAPoolIsFree) {
  auto& pool = world_.pool("d", Memory::coherent);
  world_.give(Role::default_pool, pool);
  const Names before = names();
  ASSERT_TRUE(pool.get()->take({.size_bytes = 0x1000}, world_.device.reaches, View::uncached));
  EXPECT_EQ(names(), before);
}

TEST_F(Route, OfTheDevicesOwnPoolsAloneIgnoresTheAttributes) {
  world_.bind(world_.pool("own", Memory::coherent));
  world_.give(Role::ordinary, world_.pool("ram", Memory::ordinary));
  std::vector<Candidate> candidates;
  route_own_pools(world_.device, kNonCoherent, [&](const Candidate& candidate) {
    candidates.push_back(candidate);
    return Step::next;
  });
  EXPECT_EQ(brief(candidates), (Names{"device:own"}));
}

TEST_F(Route, OfTheDevicesOwnPoolsAloneSaysThatThereIsNone) {
  world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
  std::vector<Candidate> candidates;
  route_own_pools(world_.device, {}, [&](const Candidate& candidate) {
    candidates.push_back(candidate);
    return Step::next;
  });
  EXPECT_EQ(brief(candidates), (Names{"-device"}));
}

// ---- a restricted device, asked past its route

class RestrictedRoute : public Route {
 protected:
  RestrictedRoute() {
    world_.bind(world_.pool("only", Memory::bounce), std::nullopt, "only");
    world_.bind(world_.pool("cma", Memory::contiguous), std::nullopt, "frames");
    world_.give(Role::default_pool, world_.pool("d", Memory::coherent));
    world_.give(Role::contiguous_default, world_.pool("dcma", Memory::contiguous));
  }
};

TEST_F(RestrictedRoute, IsBarredFromThePoolsOfTheBoardThatAVerbAsksFor) {
  for (const Role role : {Role::default_pool, Role::contiguous_default, Role::contiguous_device}) {
    const Candidate candidate = candidate_for(role, world_.device, {});
    EXPECT_EQ(candidate.verdict, Verdict::skipped) << name_of(role);
    EXPECT_EQ(candidate.reason, Reason::restricted_bars) << name_of(role);
  }
}

TEST_F(RestrictedRoute, IsBarredFromItsOwnContiguousMemoryByName) {
  const Candidate candidate = last({.pool = {.name = "frames"}});
  EXPECT_EQ(brief(candidate), "-contiguous_device:cma");
  EXPECT_EQ(candidate.reason, Reason::restricted_bars);
}

TEST_F(RestrictedRoute, IsServedFromItsRestrictedAndItsCoherentPoolsByName) {
  world_.bind(world_.pool("own", Memory::coherent), std::nullopt, "own");
  EXPECT_EQ(names({.pool = {.name = "only"}}), (Names{"bounce:only"}));
  EXPECT_EQ(names({.pool = {.name = "own"}}), (Names{"device:own"}));
}

TEST_F(NamedPool, OfAnotherKindIsUnknownToTheVerbOfOwnCoherentPools) {
  EXPECT_EQ(route_own_pools(world_.device, {.pool = {.name = "frames"}},
                            [](const Candidate&) { return Step::next; }),
            Error::unknown_pool);
}

}  // namespace
}  // namespace carveout
