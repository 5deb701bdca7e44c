#include "carveout_port/pmsa_v7.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "cortex_m_machine.hpp"

namespace carveout::test {
namespace {

using cortex_m::MpuRegion;
using What = CortexMMachine::What;

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
  machine.regions[7][0xe000'ed9c] = 0x2021'0017;  // VALID, REGION 7
  machine.regions[7][0xe000'eda0] = 0x1308'001f;
  EXPECT_EQ(mpu.get(7), (MpuRegion{.rbar = 0x2021'0000, .rasr = 0x1308'001f}));
  EXPECT_EQ(machine.registers[0xe000'ed98], 7U);
}

TEST_F(PmsaV7Unit, TheNumberOfRegionsIsWhatTheCoreSays) {
  machine.registers[0xe000'ed90] = 0x0000'0800;
  EXPECT_EQ(mpu.regions(), 8U);
}

}  // namespace
}  // namespace carveout::test
