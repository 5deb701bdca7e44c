#include "carveout_port/pmsa_v7.hpp"

#include <gtest/gtest.h>

#include <cstdint>
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

TEST(PmsaV7, Row57ARangeThatIsNoPowerOfTwoIsARegionWithEighthsOff) {
  struct Row {
    PhysRange range;
    std::uint32_t base;
    unsigned size_field, off;
  };
  for (const Row& row : {Row{range(0xc1f8'0000, 0x6'0000), 0xc1f8'0000, 18, 0xc0},
                         Row{range(0xc1fd'0000, 0x3'0000), 0xc1fc'0000, 17, 0x03},
                         Row{range(0xc1f1'0000, 0x5'0000), 0xc1f0'0000, 18, 0xc1},
                         Row{range(0x2000'1000, 0x3000), 0x2000'0000, 13, 0x03}}) {
    const auto region = non_cacheable_region(row.range);
    ASSERT_TRUE(region.has_value()) << row.range.base.raw();
    EXPECT_EQ(region->rbar, row.base);
    EXPECT_EQ(region->size_field(), row.size_field);
    EXPECT_EQ(region->subregions_off(), row.off);
  }
}

constexpr auto refusal(std::uint64_t base, std::uint64_t size) {
  return non_cacheable_region(range(base, size)).error();
}

TEST(PmsaV7, Row58WhatEndsInsideAnEighthIsNoSingleRegion) {
  EXPECT_EQ(refusal(0x3000'1000, 0x1100), MpuRefusal::no_such_region);
}

TEST(PmsaV7, EveryRegionCoversItsRangeByteForByteOrIsRefused) {
  // Every range of 32-byte steps in 4 KiB: what is on is the range, or no region has just that.
  for (std::uint64_t base = 0; base < 0x1000; base += 32) {
    for (std::uint64_t size = 32; base + size <= 0x1000; size += 32) {
      const auto region = non_cacheable_region(range(0x2000'0000 + base, size));
      if (!region) continue;
      for (std::uint64_t at = 0; at < 0x1000; at += 32) {
        const std::uint64_t inside = 0x2000'0000 + at - region->rbar;
        const bool in_region = inside < region->size_bytes();
        const bool on =
            in_region &&
            ((region->subregions_off() >> (inside * 8 / region->size_bytes())) & 1) == 0;
        ASSERT_EQ(on, base <= at && at < base + size) << base << "+" << size << " at " << at;
      }
    }
  }
}

TEST(PmsaV7, WhatIsTooShortOrTooHighIsRefused) {
  EXPECT_EQ(refusal(0x2000'0000, 0), MpuRefusal::below_32_bytes);
  EXPECT_EQ(refusal(0x2000'0000, 16), MpuRefusal::below_32_bytes);
  EXPECT_EQ(refusal(0x1'0000'0000, 0x1000), MpuRefusal::above_4_gib);
  EXPECT_EQ(refusal(0xffff'ffe0, 0x40), MpuRefusal::above_4_gib);
  EXPECT_EQ(refusal(0xffff'ffff'ffff'ffe0, 0x40), MpuRefusal::above_4_gib);
}

TEST(PmsaV7, ARegionUnder256BytesHasNoEighths) {
  EXPECT_EQ(refusal(0x2000'0000, 0x60), MpuRefusal::no_such_region);
  EXPECT_EQ(refusal(0x2000'0020, 0x40), MpuRefusal::no_such_region);
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
