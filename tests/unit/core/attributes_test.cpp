#include "carveout/core/attributes.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace carveout {
namespace {

TEST(Attributes, ASetHasWhatWasPutInAndNothingElse) {
  constexpr Attributes set = Attributes::non_coherent | Attributes::uninitialized;
  EXPECT_TRUE(has(set, Attributes::non_coherent));
  EXPECT_TRUE(has(set, Attributes::uninitialized));
  EXPECT_FALSE(has(set, Attributes::no_cpu_mapping));
  EXPECT_FALSE(has(set, Attributes::force_contiguous));
  EXPECT_FALSE(has(Attributes::none, set));
}

TEST(Attributes, AskingForSeveralIsAskingForAnyOfThem) {
  EXPECT_TRUE(has(Attributes::non_coherent, Attributes::non_coherent | Attributes::no_cpu_mapping));
}

constexpr std::uint32_t kAttributes = 10;

TEST(Attributes, EachHasTheNameThatStandsInTheCode) {
  std::set<std::string_view> names;
  for (std::uint32_t bit = 0; bit < kAttributes; ++bit) {
    names.insert(name_of(static_cast<Attributes>(1U << bit)));
  }
  EXPECT_EQ(names.size(), kAttributes);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(name_of(static_cast<Attributes>(1U << kAttributes)), "unknown");
  EXPECT_EQ(name_of(Attributes::skip_cpu_sync), "skip_cpu_sync");
}

TEST(Attributes, TwoPairsContradictEachOtherAndNoOther) {
  using enum Attributes;
  for (std::uint32_t a = 0; a < kAttributes; ++a) {
    for (std::uint32_t b = 0; b < kAttributes; ++b) {
      const Attributes both = static_cast<Attributes>(1U << a) | static_cast<Attributes>(1U << b);
      const bool wrong =
          both == (non_coherent | require_coherent) || both == (force_contiguous | single_pages);
      EXPECT_EQ(contradiction_in(both), wrong ? both : none) << a << " and " << b;
    }
  }
}

TEST(Attributes, AContradictionIsFoundAmongOthersAndIsThePairAlone) {
  using enum Attributes;
  EXPECT_EQ(contradiction_in(no_warn | single_pages | uninitialized | force_contiguous),
            single_pages | force_contiguous);
}

TEST(PoolChoice, IsAnyUntilAnIndexOrANameIsGiven) {
  EXPECT_TRUE(PoolChoice{}.any());
  EXPECT_FALSE(PoolChoice{.index = 0}.any());
  EXPECT_FALSE(PoolChoice{.name = "ring"}.any());
}

}  // namespace
}  // namespace carveout
