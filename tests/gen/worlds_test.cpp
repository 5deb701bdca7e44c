// TrustZone: what each world gets of one tree, and what neither may have.
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

#include "secure_world/carveout_mpu.hpp"
#include "secure_world/carveout_tables.hpp"
#include "tests/gen/gen_board.hpp"

namespace carveout::test {
namespace {

using cli::GenWorld;

cli::GenPlan plan_of(GenWorld world, const std::vector<std::string>& devices) {
  const auto board = cli::read_board(source_path("tests/gen/trees/worlds.dts"), {});
  cli::GenRequest request{.target = cli::GenTarget::armv8m, .world = world};
  for (const std::string& device : devices) {
    request.devices.push_back({.node = device, .mask_bits = 32});
  }
  return cli::plan(board, request);
}

TEST(GenWorlds, TheSecureWorldHasBothKindsOfPoolAndKnowsWhichIsWhich) {
  const auto plan = plan_of(GenWorld::secure, {"crypto", "ethernet"});
  ASSERT_TRUE(plan.refused.empty()) << plan.refused[0];
  ASSERT_EQ(plan.pools.size(), 2U);
  EXPECT_TRUE(plan.pools[0].secure);
  EXPECT_FALSE(plan.pools[1].secure);
  EXPECT_TRUE(plan.devices[0].secure);
  EXPECT_FALSE(plan.devices[1].secure);
}

TEST(GenWorlds, TheOtherWorldHasNoSecurePoolAndLeavesItsMemoryAlone) {
  const auto plan = plan_of(GenWorld::non_secure, {"ethernet"});
  ASSERT_TRUE(plan.refused.empty()) << plan.refused[0];
  ASSERT_EQ(plan.pools.size(), 1U);
  EXPECT_EQ(plan.pools[0].path, "/reserved-memory/packets@20020000");
  ASSERT_FALSE(plan.memory.empty());
  for (const auto& memory : plan.memory) {
    EXPECT_FALSE(memory.range.overlaps({PhysAddr{0x2001'0000}, 0x2000})) << memory.id;
  }
}

TEST(GenWorlds, ADeviceThatIsNotSecureGetsNoSecureMemoryInEitherWorld) {
  const auto in_secure = plan_of(GenWorld::secure, {"spy"});
  ASSERT_EQ(in_secure.refused.size(), 1U);
  EXPECT_EQ(in_secure.refused[0],
            "/spy@3000 is not Secure, and /reserved-memory/keys@20010000, which it may be served "
            "from, is");
  const auto in_other = plan_of(GenWorld::non_secure, {"spy"});
  ASSERT_EQ(in_other.refused.size(), 1U);
  EXPECT_EQ(in_other.refused[0],
            "/spy@3000 is bound to /reserved-memory/keys@20010000, which is Secure");
}

TEST(GenWorlds, WithoutAWorldASecureRegionIsADisabledOne) {
  const auto plan = plan_of(GenWorld::one, {"spy", "ethernet"});
  EXPECT_TRUE(plan.refused.empty());
  ASSERT_EQ(plan.pools.size(), 1U);
  EXPECT_FALSE(plan.pools[0].secure || plan.devices[0].secure);
}

TEST(GenWorlds, TheTablesSayWhichPoolsAndDevicesAreSecureAndWhatTheSauIsTold) {
  EXPECT_TRUE(secure_world::kPoolIsSecure[secure_world::pool_keys_20010000]);
  EXPECT_FALSE(secure_world::kPoolIsSecure[secure_world::pool_packets_20020000]);
  EXPECT_TRUE(secure_world::kDeviceIsSecure[secure_world::device_crypto]);
  EXPECT_FALSE(secure_world::kDeviceIsSecure[secure_world::device_ethernet]);
  ASSERT_EQ(std::size(secure_world::kNonSecureRegions), 1U);
  EXPECT_EQ(secure_world::kNonSecureRegions[0].rbar, 0x2002'0000U);
  EXPECT_EQ(secure_world::kNonSecureRegions[0].rlar, 0x2002'7fe1U);
}

}  // namespace
}  // namespace carveout::test
