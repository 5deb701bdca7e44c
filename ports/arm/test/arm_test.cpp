#include "carveout_port/arm.hpp"

#include <gtest/gtest.h>

#include <cstddef>

namespace carveout::test {
namespace {

using arm::data_lines;
using arm::DataLines;

constexpr DataLines kUnstated{.granule_bytes = 256, .step_bytes = 8};

TEST(ArmDataLines, BothSizesAreTheRegistersPowersOfTwoOfWords) {
  EXPECT_EQ(data_lines(0x8543'8003, kUnstated),
            (DataLines{.granule_bytes = 128, .step_bytes = 32}));
}

TEST(ArmDataLines, TheGranuleIsNeverLessThanTheShortestLine) {
  EXPECT_EQ(data_lines(0x8204'8004, kUnstated), (DataLines{.granule_bytes = 64, .step_bytes = 64}));
  EXPECT_EQ(data_lines(0x8007'8003, kUnstated),
            (DataLines{.granule_bytes = 512, .step_bytes = 512}))
      << "nor is one that came from the caller";
}

TEST(ArmDataLines, WhatTheRegisterDoesNotStateIsTheCallers) {
  EXPECT_EQ(data_lines(0x8003'8003, kUnstated),
            (DataLines{.granule_bytes = 256, .step_bytes = 32}));
  EXPECT_EQ(data_lines(0, kUnstated), kUnstated);
  EXPECT_EQ(data_lines(0x1d15'2152, kUnstated), kUnstated) << "the format of ARMv6";
  EXPECT_EQ(data_lines(0x8000'c000, kUnstated), kUnstated) << "Cortex-M33: lines of one word";
}

}  // namespace
}  // namespace carveout::test
