#include "carveout_port/arm.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>

#include "lines.hpp"

namespace carveout::test {
namespace {

using arm::data_lines;
using arm::DataLines;
using arm::identity_view;

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
}

TEST(ArmIdentityView, OneEntryServesTheWholeRangeAlsoWhereEntriesOverlap) {
  constexpr std::array kMemory{PhysRange{PhysAddr{0x1000}, 0x1000},
                               PhysRange{PhysAddr{0x1800}, 0x1000},
                               PhysRange{PhysAddr{0x2800}, 0x1000}};
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0x1900}, 0x100}), pointer_to(0x1900)) << "in two";
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0x1900}, 0x800}), pointer_to(0x1900)) << "in one";
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0x1000}, 0x1800}), nullptr) << "in none alone";
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0x2700}, 0x200}), nullptr) << "across a seam";
}

TEST(ArmIdentityView, MemoryThatBeginsAtZeroHasNoViewOfItsFirstByte) {
  constexpr std::array kMemory{PhysRange{PhysAddr{0}, 0x1000}};
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{0}, 1}), nullptr);
  EXPECT_EQ(identity_view(kMemory, {PhysAddr{1}, 1}), pointer_to(1));
}

}  // namespace
}  // namespace carveout::test
