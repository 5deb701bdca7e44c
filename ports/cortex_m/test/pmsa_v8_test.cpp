#include "carveout_port/pmsa_v8.hpp"

#include <gtest/gtest.h>

#include "cortex_m_machine.hpp"

namespace carveout::test {
namespace {

using What = CortexMMachine::What;

struct PmsaV8Unit : testing::Test {
  CortexMMachine machine;
  cortex_m::BasicMpuV8<CortexMRegisters> mpu{CortexMRegisters{&machine}};
};

TEST_F(PmsaV8Unit, ARegionIsOffWhileItsBaseChangesAndInForceWhenSetReturns) {
  mpu.set(3, {.rbar = 0x2800'0003, .rlar = 0x2800'004b});
  EXPECT_EQ(machine.events, (std::vector<CortexMMachine::Event>{
                                {.what = What::dsb},
                                {What::write, 0xe000'ed98, 3},
                                {What::write, 0xe000'eda0, 0},
                                {What::write, 0xe000'ed9c, 0x2800'0003},
                                {What::write, 0xe000'eda0, 0x2800'004b},
                                {.what = What::dsb},
                                {.what = What::isb},
                            }));
  EXPECT_EQ(mpu.get(3), (pmsa_v8::Region{.rbar = 0x2800'0003, .rlar = 0x2800'004b}));
}

TEST_F(PmsaV8Unit, EachAttributeIsAByteOfItsOwn) {
  for (unsigned attribute = 0; attribute < 8; ++attribute) {
    mpu.set_attribute(attribute, static_cast<std::uint8_t>(0x10 + attribute));
  }
  mpu.set_attribute(2, pmsa_v8::kNonCacheable);
  EXPECT_EQ(machine.registers[0xe000'edc0], 0x1344'1110U);
  EXPECT_EQ(machine.registers[0xe000'edc4], 0x1716'1514U);
  EXPECT_EQ(mpu.attribute(2), pmsa_v8::kNonCacheable);
  EXPECT_EQ(mpu.attribute(7), 0x17U);
  EXPECT_EQ(machine.events.back().what, What::isb);
}

}  // namespace
}  // namespace carveout::test
