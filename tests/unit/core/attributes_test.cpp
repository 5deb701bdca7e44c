#include "carveout/core/attributes.hpp"

#include <gtest/gtest.h>

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

TEST(PoolChoice, IsAnyUntilAnIndexOrANameIsGiven) {
  EXPECT_TRUE(PoolChoice{}.any());
  EXPECT_FALSE(PoolChoice{.index = 0}.any());
  EXPECT_FALSE(PoolChoice{.name = "ring"}.any());
}

}  // namespace
}  // namespace carveout
