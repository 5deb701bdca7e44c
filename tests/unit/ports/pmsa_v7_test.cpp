#include "carveout_port/pmsa_v7.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cortex_m_machine.hpp"

namespace carveout::test {
namespace {

using cortex_m::MpuAccess;
using cortex_m::MpuRefusal;
using cortex_m::MpuRegion;
using cortex_m::non_cacheable_region;
using What = CortexMMachine::What;

constexpr PhysRange range(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}

// The row of the project's reference vectors: the ART-Pi's default pool.
TEST(PmsaV7, Row56AMebibyteAtTheTopOfTheSdramIsOneRegion) {
  constexpr auto region = non_cacheable_region(range(0xc1f0'0000, 0x10'0000));
  static_assert(region.has_value());
  EXPECT_EQ(region->rbar, 0xc1f0'0000U);
  EXPECT_EQ(region->size_field(), 19U);
  EXPECT_EQ(region->subregions_off(), 0U);
  EXPECT_EQ(region->size_bytes(), 0x10'0000U);
}

TEST(PmsaV7, TheRegionIsNormalMemoryThatIsNeitherCachedNorExecuted) {
  const auto region = non_cacheable_region(range(0x2021'0000, 0x1'0000));
  ASSERT_TRUE(region.has_value());
  EXPECT_TRUE(region->enabled());
  EXPECT_TRUE(region->execute_never());
  EXPECT_EQ(region->tex(), 1U);
  EXPECT_FALSE(region->c());
  EXPECT_FALSE(region->b());
  EXPECT_FALSE(region->shareable());
  EXPECT_EQ(region->ap(), 3U);
  EXPECT_EQ(region->rasr, 0x1308'001fU);  // what the emulated Cortex-M7 read back
}

TEST(PmsaV7, ARegionForNobodyDiffersInItsAccessOnly) {
  const auto open = non_cacheable_region(range(0x2021'0000, 0x1'0000));
  const auto shut = non_cacheable_region(range(0x2021'0000, 0x1'0000), MpuAccess::nobody);
  ASSERT_TRUE(open && shut);
  EXPECT_EQ(shut->ap(), 0U);
  EXPECT_EQ(shut->rbar, open->rbar);
  EXPECT_EQ(open->rasr ^ shut->rasr, 3U << 24);
}

TEST(PmsaV7, EverySizeFrom32BytesTo4GibibytesHasItsField) {
  for (unsigned log2 = 5; log2 <= 32; ++log2) {
    const std::uint64_t size = 1ULL << log2;
    const auto region = non_cacheable_region(range(0, size));
    ASSERT_TRUE(region.has_value()) << log2;
    EXPECT_EQ(region->size_field(), log2 - 1);
    EXPECT_EQ(region->size_bytes(), size);
  }
}

TEST(PmsaV7, WhatOneRegionDoesNotHoldExactlyIsRefused) {
  const auto refusal = [](std::uint64_t base, std::uint64_t size) {
    const auto region = non_cacheable_region(range(base, size));
    return region ? "none" : std::to_string(static_cast<int>(region.error()));
  };
  const auto code = [](MpuRefusal why) { return std::to_string(static_cast<int>(why)); };
  EXPECT_EQ(refusal(0x2000'0000, 0), code(MpuRefusal::below_32_bytes));
  EXPECT_EQ(refusal(0x2000'0000, 16), code(MpuRefusal::below_32_bytes));
  EXPECT_EQ(refusal(0xc1f8'0000, 0x6'0000), code(MpuRefusal::not_a_power_of_two));
  EXPECT_EQ(refusal(0x3000'1000, 0x1100), code(MpuRefusal::not_a_power_of_two));
  EXPECT_EQ(refusal(0x2000'1000, 0x2000), code(MpuRefusal::base_not_aligned));
  EXPECT_EQ(refusal(0x1'0000'0000, 0x1000), code(MpuRefusal::above_4_gib));
  EXPECT_EQ(refusal(0xffff'ffe0, 0x40), code(MpuRefusal::above_4_gib));
  EXPECT_EQ(refusal(0xffff'ffff'ffff'ffe0, 0x40), code(MpuRefusal::above_4_gib));
}

struct PmsaV7Unit : testing::Test {
  CortexMMachine machine;
  cortex_m::BasicMpu<CortexMRegisters> mpu{CortexMRegisters{&machine}};
};

TEST_F(PmsaV7Unit, ARegionIsOffWhileItsBaseChangesAndInForceWhenSetReturns) {
  mpu.set(7, {.rbar = 0x2021'0000, .rasr = 0x1308'001f});
  EXPECT_EQ(machine.events, (std::vector<CortexMMachine::Event>{
                                {.what = What::dsb},
                                {What::write, 0xe000'ed98, 7},
                                {What::write, 0xe000'eda0, 0},
                                {What::write, 0xe000'ed9c, 0x2021'0000},
                                {What::write, 0xe000'eda0, 0x1308'001f},
                                {.what = What::dsb},
                                {.what = What::isb},
                            }));
}

TEST_F(PmsaV7Unit, EnablingKeepsTheDefaultMapForPrivilegedCode) {
  EXPECT_FALSE(mpu.enabled());
  mpu.enable();
  EXPECT_EQ(machine.registers[0xe000'ed94], 5U);
  EXPECT_TRUE(mpu.enabled());
  EXPECT_EQ(machine.events.back().what, What::isb);
}

TEST_F(PmsaV7Unit, ARegionReadBackHasNoNumberInItsBase) {
  machine.registers[0xe000'ed9c] = 0x2021'0017;  // VALID, REGION 7
  machine.registers[0xe000'eda0] = 0x1308'001f;
  EXPECT_EQ(mpu.get(7), (MpuRegion{.rbar = 0x2021'0000, .rasr = 0x1308'001f}));
  EXPECT_EQ(machine.registers[0xe000'ed98], 7U);
}

TEST_F(PmsaV7Unit, TheNumberOfRegionsIsWhatTheCoreSays) {
  machine.registers[0xe000'ed90] = 0x0000'0800;
  EXPECT_EQ(mpu.regions(), 8U);
}

}  // namespace
}  // namespace carveout::test
