// dma_pool and gen_pool.
#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

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

TEST_F(LinuxPools, ADestroyedDmaPoolHasNoBlocks) {
  dma_pool* const pool = dma_pool_create("td", &dev_, 48, 16, 0);
  dma_pool_destroy(pool);
  EXPECT_EQ(dma_pool_alloc(pool, GFP_KERNEL, &handle_), nullptr);
  EXPECT_EQ(dma_pool_zalloc(pool, GFP_KERNEL, &handle_), nullptr);
  EXPECT_EQ(mistakes_,
            (std::vector<std::string>{"dma_pool_alloc: the pool was destroyed before",
                                      "dma_pool_zalloc: the pool was destroyed before"}));
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

TEST_F(LinuxPools, AGenPoolHandsOutNothingOfAnEarlierOwner) {
  gen_pool* const pool = carveout_linux_gen_pool("d");
  {
    const Block earlier = test::must(alloc_coherent(device_, 64));
    board_.put_in_ram(earlier.phys, test::pattern(64));
    board_.store(board_.twin(earlier), test::pattern(64));  // a line that is written back later
    ASSERT_TRUE(free_coherent(earlier));
  }
  const unsigned long at = gen_pool_alloc(pool, 64);
  const PhysRange range{PhysAddr{gen_pool_virt_to_phys(pool, at)}, 64};
  EXPECT_EQ(board_.in_ram(range), test::Bytes(64));
  board_.push_everything_out_of_the_cache(ram(0x8000, 0x8'0000));
  EXPECT_EQ(board_.in_ram(range), test::Bytes(64));
}

/// Two drivers probe at once: when one lets go of a lock, it is the other's turn.
class TwoDriversPort : public sim::HostPort {
 public:
  using sim::HostPort::HostPort;
  void unlock(LockWord& word, LockState state) noexcept {
    sim::HostPort::unlock(word, state);
    if (const auto turn = std::exchange(others_turn, nullptr)) turn();
  }
  std::function<void()> others_turn;
};

TEST(LinuxDmaPools, OfDriversThatProbeAtOnceAreNotTheSame) {
  sim::Machine machine;
  TwoDriversPort port{machine};
  std::vector<std::byte> memory(16 * 1024);
  System& system =
      *test::must(System::create({.port = port, .aliases = machine.aliases()}, memory));
  const PhysRange range = ram(0, 0x4000);
  Pool& pool = *test::must(system.declare({.name = "d", .chunks = {&range, 1}}));
  test::must(system.set_default(Role::default_pool, pool));
  test::must(system.add_device({.name = "eth", .coherent_mask = test::kAnyAddress}));
  const carveout_linux_limits limits{
      .live = 2, .dma_pools = 2, .dma_pool_blocks = 256, .dma_pool_pages = 1};
  std::vector<std::byte> storage(carveout_linux_storage_bytes(&limits));
  ASSERT_EQ(carveout_linux_init(system, limits, storage.data(), storage.size()), 0);
  struct device dev{};
  ASSERT_EQ(carveout_linux_device(&dev, "eth"), 0);

  dma_pool* two = nullptr;
  port.others_turn = [&] { two = dma_pool_create("two", &dev, 64, 64, 0); };
  dma_pool* const one = dma_pool_create("one", &dev, 64, 64, 0);
  EXPECT_NE(one, nullptr);
  EXPECT_NE(two, nullptr);
  EXPECT_NE(one, two);
  std::array<dma_addr_t, 2> handles{};
  EXPECT_NE(dma_pool_alloc(one, GFP_KERNEL, handles.data()), nullptr);
  EXPECT_NE(dma_pool_alloc(two, GFP_KERNEL, &handles[1]), nullptr);
  EXPECT_NE(handles[0], handles[1]);
  carveout_linux_exit();
}

}  // namespace
}  // namespace carveout
