// A route that is only described, and the sentences for its steps.
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "carveout/map/route.hpp"
#include "tests/support/route_world.hpp"

namespace carveout {
namespace {

using test::brief;
using test::RouteWorld;
using test::Views;

/// A board that is read and not run: no CPU views exist.
class Described : public testing::Test {
 protected:
  Described() {
    world_.roles.described_only = true;
    world_.give(Role::default_pool, world_.pool("d", Memory::coherent, Views::none));
    world_.give(Role::contiguous_default, world_.pool("cma", Memory::contiguous, Views::none));
  }

  RouteWorld world_;
};

TEST_F(Described, AssumesThatACoherentPoolIsUncached) {
  EXPECT_EQ(world_.walk().at(2).verdict, Verdict::open);
}

TEST_F(Described, PassesContiguousMemoryWhereNoUncachedViewIsAssumed) {
  EXPECT_EQ(world_.walk().back().verdict, Verdict::skipped);
  EXPECT_EQ(world_.walk().back().reason, Reason::no_uncached_view);
}

TEST_F(Described, ComesToContiguousMemoryWhereAnUncachedViewIsAssumed) {
  world_.roles.assume_uncached_view = true;
  EXPECT_EQ(world_.walk().back().verdict, Verdict::open);
}

TEST_F(Described, ACoherentDeviceNeedsNoUncachedViewOfContiguousMemory) {
  world_.device.coherent = true;
  const auto candidates = world_.walk({.attributes = Attributes::force_contiguous});
  EXPECT_EQ(brief(candidates.at(4)), "contiguous_default:cma");
}

std::string sentence(const Candidate& candidate) {
  std::array<char, 200> buffer;
  Text text{buffer};
  describe(candidate, text);
  EXPECT_FALSE(text.truncated());
  return std::string{text.view()};
}

TEST(RouteText, EveryAbsentRoleHasASentenceOfItsOwn) {
  std::set<std::string> sentences;
  for (std::size_t i = 0; i < kRoles; ++i) {
    sentences.insert(sentence(
        {.role = static_cast<Role>(i), .verdict = Verdict::skipped, .reason = Reason::absent}));
  }
  EXPECT_EQ(sentences.size(), kRoles);
  EXPECT_FALSE(sentences.contains(""));
}

TEST(RouteText, EveryRoleThatServesHasASentenceOfItsOwn) {
  std::set<std::string> sentences;
  for (std::size_t i = 0; i < kRoles; ++i) {
    sentences.insert(sentence(
        {.role = static_cast<Role>(i), .verdict = Verdict::open, .reason = Reason::role_serves}));
  }
  EXPECT_EQ(sentences.size(), kRoles);
  EXPECT_FALSE(sentences.contains(""));
}

TEST(RouteText, ARefusalIsInTheWordsOfItsError) {
  const std::string text = sentence({.role = Role::device,
                                     .verdict = Verdict::refused,
                                     .reason = Reason::refused,
                                     .error = Error::not_in_window});
  EXPECT_EQ(text, meaning_of(Error::not_in_window));
}

TEST(RouteText, ADeviceWithoutAPoolOfItsOwnIsToldSo) {
  EXPECT_EQ(sentence({.role = Role::device, .verdict = Verdict::skipped, .reason = Reason::absent}),
            "the device has no pool of its own");
}

TEST(RouteText, TheLackOfARestrictedPoolIsSaid) {
  EXPECT_EQ(sentence({.role = Role::bounce, .verdict = Verdict::skipped, .reason = Reason::absent}),
            "no restricted pool");
}

TEST(RouteText, APoolThatTheRequestNamesAgainstItsAttributesIsSaidToBe) {
  const std::string text =
      sentence({.role = Role::device, .verdict = Verdict::open, .reason = Reason::named_against});
  EXPECT_EQ(text, "the request names it, against its own attributes");
}

TEST(RouteText, EveryFallbackHasASentenceOfItsOwn) {
  EXPECT_EQ(
      sentence({.role = Role::default_pool, .verdict = Verdict::open, .reason = Reason::fallback}),
      "the board lets it stand in for what is exhausted");
  EXPECT_EQ(sentence({.role = Role::default_pool,
                      .verdict = Verdict::skipped,
                      .reason = Reason::restricted_bars}),
            "barred: the device may reach nothing but its restricted pool");
  EXPECT_EQ(sentence({.role = Role::default_pool,
                      .verdict = Verdict::skipped,
                      .reason = Reason::coherent_barred}),
            "no fallback: the request does without coherent memory");
}

TEST(RouteText, TheOnlyMemoryLeftIsSaidToBeAgainstTheAttributes) {
  const std::string text = sentence(
      {.role = Role::default_pool, .verdict = Verdict::open, .reason = Reason::only_memory_left});
  EXPECT_NE(text.find("attributes"), std::string::npos) << text;
}

}  // namespace
}  // namespace carveout
