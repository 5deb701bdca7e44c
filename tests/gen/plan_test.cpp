// The facts that `gen` takes out of a tree.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "range_sets.hpp"
#include "refusal.hpp"
#include "tests/gen/gen_board.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout::test {
namespace {

using cli::GenTarget;

cli::GenPlan plan_of(TreeMaker& maker, cli::GenRequest request) {
  return cli::plan(board_of(maker.finish()), request);
}

TreeMaker tree_with_memory() {
  TreeMaker maker;
  maker.counts(1, 1);
  maker.begin("memory").string("device_type", "memory").cells("reg", {0x8000'0000, 0x1000}).end();
  return maker;
}

TEST(GenPlan, WithoutADeviceItHasThoseWithAMemoryRegionThatAreEnabled) {
  TreeMaker maker = tree_with_memory();
  maker.begin("a").cells("memory-region", {}).end();
  maker.begin("b").cells("memory-region", {}).string("status", "disabled").end();
  maker.begin("c").end();
  const auto plan = plan_of(maker, {.target = GenTarget::generic});
  ASSERT_EQ(plan.devices.size(), 1U);
  EXPECT_EQ(plan.devices[0].path, "/a");
  EXPECT_EQ(plan.devices[0].mask_bits, cli::kAssumedMaskBits);
  EXPECT_FALSE(plan.devices[0].mask_stated);
}

TEST(GenPlan, DevicesOfOneBusShareTheirWindows) {
  TreeMaker maker = tree_with_memory();
  maker.begin("bus").counts(1, 1).cells("dma-ranges", {0, 0x8000'0000, 0x1000});
  maker.begin("x").end().begin("y").end().end();
  maker.begin("z").end();
  const auto plan = plan_of(maker, {.target = GenTarget::generic,
                                    .devices = {{.node = "x", .mask_bits = 32},
                                                {.node = "y", .mask_bits = 24},
                                                {.node = "z", .mask_bits = 32}}});
  ASSERT_EQ(plan.windows.size(), 1U);
  EXPECT_EQ(plan.devices[0].windows, 0U);
  EXPECT_EQ(plan.devices[1].windows, 0U);
  EXPECT_EQ(plan.devices[1].mask_bits, 24U);
  EXPECT_EQ(plan.devices[2].windows, std::nullopt);
}

TEST(GenPlan, AMistakeThatDisablesSomethingIsAReasonToWriteNothing) {
  TreeMaker maker = tree_with_memory();
  maker.begin("d").cells("memory-region", {77}).end();
  const auto plan = plan_of(maker, {.target = GenTarget::generic});
  ASSERT_EQ(plan.refused.size(), 1U);
  EXPECT_TRUE(plan.refused[0].starts_with("DMA021 /d memory-region: ")) << plan.refused[0];
}

TEST(GenPlan, MemoryThatIsReservedForAnybodyIsNotLeft) {
  TreeMaker maker{{{0x8000'0800, 0x100}}};
  maker.counts(1, 1);
  maker.begin("memory").string("device_type", "memory").cells("reg", {0x8000'0000, 0x1000}).end();
  maker.begin("reserved-memory").counts(1, 1).empty("ranges");
  maker.begin("somebodys").cells("reg", {0x8000'0000, 0x200}).end();
  maker.begin("off").cells("reg", {0x8000'0400, 0x200}).string("status", "disabled").end().end();
  const auto plan = plan_of(maker, {.target = GenTarget::generic});
  ASSERT_EQ(plan.memory.size(), 2U);
  EXPECT_EQ(plan.memory[0].id, "memory_80000200");
  EXPECT_EQ(plan.memory[0].range, (PhysRange{PhysAddr{0x8000'0200}, 0x600}));
  EXPECT_EQ(plan.memory[1].range, (PhysRange{PhysAddr{0x8000'0900}, 0x700}));
}

TEST(GenPlan, ACacheBlockIsSaidWhereAllHartsAgree) {
  const auto block = [](std::vector<std::uint32_t> sizes, GenTarget target) {
    TreeMaker maker = tree_with_memory();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      maker.begin("cpu" + std::to_string(i)).cells("riscv,cbom-block-size", {sizes[i]}).end();
    }
    return plan_of(maker, {.target = target}).cbom_block_bytes;
  };
  EXPECT_EQ(block({64, 64}, GenTarget::riscv), 64U);
  EXPECT_EQ(block({64, 32}, GenTarget::riscv), std::nullopt);
  EXPECT_EQ(block({}, GenTarget::riscv), std::nullopt);
  EXPECT_EQ(block({64}, GenTarget::generic), std::nullopt);
}

TEST(GenPlan, ACacheBlockThatIsNoPowerOfTwoIsAReasonToWriteNothing) {
  for (const std::uint32_t bytes : {0U, 48U}) {
    TreeMaker maker = tree_with_memory();
    maker.begin("cpu").cells("riscv,cbom-block-size", {bytes}).end();
    const auto plan = plan_of(maker, {.target = GenTarget::riscv});
    ASSERT_EQ(plan.refused.size(), 1U) << bytes;
    EXPECT_EQ(plan.refused[0], "/cpu riscv,cbom-block-size: " + std::to_string(bytes) +
                                   " bytes are no power of two");
  }
}

TEST(GenPlan, MoreDevicesThanTheLimitAreWrongUse) {
  TreeMaker maker = tree_with_memory();
  for (std::size_t i = 0; i <= cli::kMaxGenDevices; ++i) {
    maker.begin("d" + std::to_string(i)).cells("memory-region", {}).end();
  }
  EXPECT_THROW(static_cast<void>(plan_of(maker, {.target = GenTarget::generic})), cli::Refusal);
}

// ---- ranges
// --------------------------------------------------------------------------------------

TEST(Without, LeavesTheBytesThatAreInAllAndInNoneOfTheTaken) {
  // Every pair of two sets of two ranges in eight bytes.
  std::vector<PhysRange> ranges;
  for (std::uint64_t base = 0; base < 8; ++base) {
    for (std::uint64_t size = 0; base + size <= 8; size += base % 2 + 1) {
      ranges.push_back({PhysAddr{base}, size});
    }
  }
  const auto holds = [](const auto& set, std::uint64_t at) {
    return std::ranges::any_of(
        set, [&](const PhysRange& range) { return range.contains(PhysAddr{at}); });
  };
  for (const PhysRange& a : ranges) {
    for (const PhysRange& b : ranges) {
      const std::vector<PhysRange> all{b, a};
      for (const PhysRange& c : ranges) {
        const std::vector<PhysRange> taken{c, {PhysAddr{5}, 1}};
        const auto left = cli::without(all, taken);
        for (std::uint64_t at = 0; at < 9; ++at) {
          ASSERT_EQ(holds(left, at), holds(all, at) && !holds(taken, at));
        }
        for (std::size_t i = 1; i < left.size(); ++i) {
          ASSERT_GT(left[i].base.raw(), left[i - 1].last().raw() + 1);
        }
      }
    }
  }
}

TEST(Without, TakesTheEndOfTheAddressSpaceAsItsEnd) {
  const PhysRange top{PhysAddr{~std::uint64_t{0} - 0xff}, 0x1000};
  const auto left = cli::without({top}, {{PhysAddr{~std::uint64_t{0} - 0xf}, 0x10}});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0], (PhysRange{PhysAddr{~std::uint64_t{0} - 0xff}, 0xf0}));
  EXPECT_TRUE(cli::without({top}, {top}).empty());
}

}  // namespace
}  // namespace carveout::test
