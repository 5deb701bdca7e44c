// dma_pool and gen_pool.
#include <algorithm>

#include "tests/unit/linux/linux_board.hpp"

namespace carveout {
namespace {

using test::LinuxBoard;
using test::ram;

class LinuxPools : public LinuxBoard {
 protected:
  dma_addr_t handle_ = 0;
};

TEST_F(LinuxPools, BlocksOfOneSizeAreAlignedAndAtTheirHandles) {
  dma_pool* const pool = dma_pool_create("td", &dev_, 48, 64, 0);
  ASSERT_NE(pool, nullptr);
  dma_addr_t second = 0;
  void* const one = dma_pool_alloc(pool, GFP_KERNEL, &handle_);
  void* const two = dma_pool_alloc(pool, GFP_ATOMIC, &second);
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(second, handle_ + 64);
  EXPECT_EQ(handle_ % 64, 0U);
  dma_pool_free(pool, one, handle_);
  dma_pool_free(pool, two, second);
  dma_pool_destroy(pool);
  EXPECT_EQ(used(pool_), 0U);
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(LinuxPools, ZallocZeroesWhatTheLastOwnerLeft) {
  dma_pool* const pool = dma_pool_create("td", &dev_, 48, 16, 0);
  auto* at = static_cast<unsigned char*>(dma_pool_alloc(pool, GFP_KERNEL, &handle_));
  std::fill_n(at, 48, 0xa5);
  dma_pool_free(pool, at, handle_);
  at = static_cast<unsigned char*>(dma_pool_zalloc(pool, GFP_KERNEL, &handle_));
  EXPECT_TRUE(std::all_of(at, at + 48, [](unsigned char byte) { return byte == 0; }));
}

TEST_F(LinuxPools, ArgumentsThatLinuxRefusesAreRefused) {
  EXPECT_EQ(dma_pool_create("td", &dev_, 0, 16, 0), nullptr);
  EXPECT_EQ(dma_pool_create("td", &dev_, 48, 3, 0), nullptr);
  EXPECT_EQ(dma_pool_create("td", &dev_, 600, 4, 512), nullptr);
  EXPECT_EQ(dma_pool_create("td", nullptr, 48, 16, 0), nullptr);
}

TEST_F(LinuxPools, TheirNumberAndTablesAreLimitedAndUsedAgain) {
  for (int round = 0; round < 3; ++round) {
    dma_pool* const one = dma_pool_create("a", &dev_, 64, 64, 0);
    dma_pool* const two = dma_pool_create("b", &dev_, 64, 64, 0);
    ASSERT_NE(one, nullptr);
    ASSERT_NE(two, nullptr);
    EXPECT_EQ(dma_pool_create("c", &dev_, 64, 64, 0), nullptr);
    dma_pool_destroy(one);
    dma_pool_destroy(two);
  }
  EXPECT_EQ(dma_pool_create("small", &dev_, 1, 1, 0), nullptr);  // 4096 blocks in a page
}

TEST_F(LinuxPools, ADmaPoolWithBlocksInUseStays) {
  dma_pool* const pool = dma_pool_create("td", &dev_, 48, 16, 0);
  void* const at = dma_pool_alloc(pool, GFP_KERNEL, &handle_);
  dma_pool_destroy(pool);
  EXPECT_EQ(mistakes_, std::vector<std::string>{"dma_pool_destroy: blocks of it are in use"});
  dma_pool_free(pool, at, handle_);
  dma_pool_destroy(pool);
  dma_pool_destroy(pool);
  EXPECT_EQ(mistakes_.back(), "dma_pool_destroy: it was destroyed before");
}

TEST_F(LinuxPools, AGenPoolIsAPoolOfTheBoard) {
  gen_pool* const pool = carveout_linux_gen_pool("d");
  ASSERT_NE(pool, nullptr);
  EXPECT_EQ(carveout_linux_gen_pool("none"), nullptr);
  EXPECT_EQ(gen_pool_size(pool), 0x4000U);
  const unsigned long at = gen_pool_alloc(pool, 100);
  ASSERT_NE(at, 0U);
  EXPECT_EQ(gen_pool_avail(pool), 0x4000U - 128);
  const phys_addr_t phys = gen_pool_virt_to_phys(pool, at + 5);
  EXPECT_TRUE(ram(0, 0x4000).contains(PhysAddr{phys}));
  EXPECT_EQ(gen_pool_virt_to_phys(pool, at), phys - 5);
  EXPECT_EQ(gen_pool_virt_to_phys(pool, 0), ~phys_addr_t{0});
  gen_pool_free(pool, at, 100);
  gen_pool_free(pool, at, 100);
  EXPECT_EQ(mistakes_, std::vector<std::string>{
                           "gen_pool_free: it was never handed out, or given back before"});
  EXPECT_EQ(gen_pool_alloc(pool, 0), 0U);
  EXPECT_EQ(gen_pool_alloc(pool, 0x8000), 0U);
  EXPECT_EQ(gen_pool_avail(pool), 0x4000U);
}

}  // namespace
}  // namespace carveout
