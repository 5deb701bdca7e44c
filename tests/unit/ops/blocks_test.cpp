// Block pools for a device: from which memory, and in which state its pages come.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::error_of;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

class Blocks : public testing::Test {
 protected:
  static constexpr PhysRange kRange = ram(0x2000, 0x2000);
  static constexpr BlockPool::Settings kSettings{.size_bytes = 48, .align_bytes = 16};

  Result<BlockPool> create(const Device& device, const Options& options = {}) {
    return create_block_pool(device, kSettings, std::as_writable_bytes(std::span{storage_}),
                             options);
  }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", kRange);
  std::vector<std::uint64_t> storage_ = std::vector<std::uint64_t>(512);
};

TEST_F(Blocks, AreCutFromThePoolThatTheDeviceIsServedFrom) {
  const Device& device = board_.device("eth");
  BlockPool blocks = must(create(device));
  const Block block = must(blocks.take());
  EXPECT_EQ(block.pool, &pool_);
  EXPECT_EQ(block.dma, sim::kOddWindow.to_dma(block.phys));
  EXPECT_EQ(pool_.any_holder(), device.id);
}

TEST_F(Blocks, OfADeviceWithAPoolOfItsOwnAreCutFromThat) {
  Device& device = board_.device("eth");
  Pool& own = board_.pool("own", ram(0x8000, 0x1000));
  must(board_.system->bind(device, own));
  EXPECT_EQ(must(must(create(device)).take()).pool, &own);
}

TEST_F(Blocks, ComeOfPagesThatAreZero) {
  board_.put_in_ram(kRange.base, pattern(kRange.size_bytes));
  BlockPool blocks = must(create(board_.device("eth")));
  const Block block = must(blocks.take());
  EXPECT_TRUE(
      std::all_of(block.cpu, block.cpu + 48, [](auto byte) { return byte == std::byte{}; }));
}

TEST_F(Blocks, AreNotWrittenOverByALineThatTheCacheHadFromBefore) {
  board_.machine.write(board_.machine.cached_view(kRange), pattern(0x100, 9));
  BlockPool blocks = must(create(board_.device("eth")));
  const Block block = must(blocks.take());
  std::fill_n(block.cpu, 48, std::byte{7});
  board_.push_everything_out_of_the_cache(ram(0x8000, 0x1000));
  EXPECT_EQ(board_.in_ram({block.phys, 48}), Bytes(48, std::byte{7}));
}

TEST_F(Blocks, OfOrdinaryMemoryAreUsedThroughTheCacheAndZero) {
  board_.default_pool("ram", ram(0x8000, 0x1000), Role::ordinary);
  board_.machine.write(board_.machine.cached_view(ram(0x8000, 0x1000)), pattern(0x100, 9));
  BlockPool blocks = must(create(board_.device("eth"), {.attributes = Attributes::non_coherent}));
  const Block block = must(blocks.take());
  EXPECT_EQ(block.cpu, board_.machine.cached_view({block.phys, 48}));
  Bytes bytes(48);
  board_.machine.read(block.cpu, bytes);
  EXPECT_EQ(bytes, Bytes(48));
}

TEST_F(Blocks, AreRefusedForTheReasonsThatOneBlockIs) {
  EXPECT_EQ(error_of(create(board_.device("far", {.mask = DmaAddr{0xfff}}))), Error::unreachable);
  const Device& device = board_.device("eth");
  EXPECT_EQ(error_of(create(device, {.pool = {.name = "none"}})), Error::unknown_pool);
  EXPECT_EQ(error_of(create(board_.device("iommu", {.behind_iommu = true}))), Error::needs_iommu);
  EXPECT_EQ(error_of(create(device, {.attributes = Attributes::no_cpu_mapping})),
            Error::bad_attributes);
  storage_.resize(1);
  EXPECT_EQ(error_of(create(device)), Error::storage_too_small);
}

}  // namespace
}  // namespace carveout
