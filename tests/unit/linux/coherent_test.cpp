// Coherent memory by Linux's names.
#include <algorithm>

#include "tests/unit/linux/linux_board.hpp"

namespace carveout {
namespace {

using test::kCachedRam;
using test::kUncachedRam;
using test::LinuxBoard;
using test::ram;

class LinuxCoherent : public LinuxBoard {
 protected:
  void* alloc(std::size_t size, unsigned long attrs = 0) {
    return dma_alloc_attrs(&dev_, size, &handle_, GFP_KERNEL, attrs);
  }
  dma_addr_t handle_ = 0;
};

TEST_F(LinuxCoherent, IsMemoryOfTheDevicesRouteByItsTwoAddresses) {
  void* const at = dma_alloc_coherent(&dev_, 100, &handle_, GFP_KERNEL);
  ASSERT_NE(at, nullptr);
  EXPECT_EQ(used(pool_), 128U);
  const auto phys = sim::kOddWindow.to_phys(DmaAddr{handle_});
  EXPECT_EQ(at, board_.machine.cpu_view(
                    {PhysAddr{phys.raw() - kCachedRam.raw() + kUncachedRam.raw()}, 100}));
  dma_free_coherent(&dev_, 100, at, handle_);
  EXPECT_EQ(used(pool_), 0U);
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(LinuxCoherent, IsAlignedToItsSizeRoundedUpToAPowerOfTwo) {
  static_cast<void>(alloc(32));
  static_cast<void>(alloc(5000));
  EXPECT_EQ(handle_ % 8192, 0U);
}

TEST_F(LinuxCoherent, IsNullWhereThereIsNoneLeft) {
  EXPECT_EQ(alloc(0x8000), nullptr);
  EXPECT_EQ(alloc(0), nullptr);
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(LinuxCoherent, IsNullAndGivenBackWhereNoMoreCanBeRemembered) {
  for (std::size_t i = 0; i < kLimits.live; ++i) EXPECT_NE(alloc(32), nullptr);
  EXPECT_EQ(alloc(32), nullptr);
  EXPECT_EQ(used(pool_), kLimits.live * 32);
}

TEST_F(LinuxCoherent, WithoutAKernelMappingIsACookieThatFreesIt) {
  board_.default_pool("ram", ram(0x8000, 0x1000), Role::ordinary);
  void* const cookie = alloc(64, DMA_ATTR_NO_KERNEL_MAPPING);
  ASSERT_NE(cookie, nullptr);
  EXPECT_EQ(used(pool_), 0U);
  dma_free_attrs(&dev_, 64, cookie, handle_, DMA_ATTR_NO_KERNEL_MAPPING);
  EXPECT_TRUE(mistakes_.empty());
  EXPECT_EQ(carveout_linux_live(), 0U);
}

TEST_F(LinuxCoherent, OfWriteCombineIsTheSame) {
  void* const at = dma_alloc_wc(&dev_, 64, &handle_, GFP_KERNEL);
  ASSERT_NE(at, nullptr);
  dma_free_wc(&dev_, 64, at, handle_);
  EXPECT_EQ(carveout_linux_live(), 0U);
}

TEST_F(LinuxCoherent, FreeingNothingIsAllowed) {
  dma_free_coherent(&dev_, 64, nullptr, 0);
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(LinuxCoherent, NonCoherentMemoryIsMappedAndSynchronisedByItsHandle) {
  Pool& ordinary = board_.default_pool("ram", ram(0x8000, 0x1000), Role::ordinary);
  auto* const at = static_cast<std::byte*>(
      dma_alloc_noncoherent(&dev_, 64, &handle_, DMA_FROM_DEVICE, GFP_KERNEL));
  ASSERT_NE(at, nullptr);
  EXPECT_EQ(used(ordinary), 64U);
  static_cast<void>(board_.load(at, 64));  // as speculation may
  ASSERT_TRUE(board_.engine(device_).write(DmaAddr{handle_}, test::pattern(64)));
  dma_sync_single_for_cpu(&dev_, handle_, 64, DMA_FROM_DEVICE);
  EXPECT_EQ(board_.load(at, 64), test::pattern(64));
  dma_free_noncoherent(&dev_, 64, at, handle_, DMA_FROM_DEVICE);
  EXPECT_EQ(used(ordinary), 0U);
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(LinuxCoherent, IsShownToAProcessInPages) {
  void* const at = alloc(0x2000);
  vm_area_struct vma{};
  vma.vm_end = 0x1000;
  vma.vm_pgoff = 1;
  EXPECT_TRUE(dma_can_mmap(&dev_));
  EXPECT_EQ(dma_mmap_coherent(&dev_, &vma, at, handle_, 0x2000), 0);
  const auto phys = sim::kOddWindow.to_phys(DmaAddr{handle_});
  EXPECT_EQ(vma.carveout_phys, phys.raw() - kCachedRam.raw() + kUncachedRam.raw() + 0x1000);
  EXPECT_FALSE(vma.carveout_cached);
  vma.vm_end = 0x2000;
  EXPECT_EQ(dma_mmap_coherent(&dev_, &vma, at, handle_, 0x2000), -ENXIO);
}

TEST_F(LinuxCoherent, MasksAreTheDriversToState) {
  EXPECT_EQ(dma_set_mask_and_coherent(&dev_, DMA_BIT_MASK(64)), 0);
  EXPECT_EQ(dma_get_mask(&dev_), DMA_BIT_MASK(64));
  EXPECT_EQ(dma_set_mask(&dev_, DMA_BIT_MASK(32)), 0);
  EXPECT_EQ(device_.coherent_mask, DmaAddr{DMA_BIT_MASK(64)});
  EXPECT_EQ(dma_set_coherent_mask(&dev_, DMA_BIT_MASK(24)), 0);
  EXPECT_EQ(dma_get_mask(&dev_), DMA_BIT_MASK(32));
  EXPECT_EQ(alloc(64), nullptr);  // the pool is at 0x4c800000
  EXPECT_EQ(dma_get_cache_alignment(), 32);
}

TEST_F(LinuxCoherent, AMaskThatWouldTakeAwayWhatIsInUseIsRefused) {
  ASSERT_NE(alloc(64), nullptr);
  EXPECT_EQ(dma_set_mask_and_coherent(&dev_, DMA_BIT_MASK(24)), -EIO);
  EXPECT_EQ(dma_get_mask(&dev_), DMA_BIT_MASK(32));
}

TEST_F(LinuxCoherent, BarriersAreThePorts) {
  board_.port.record();
  dma_wmb();
  dma_rmb();
  mb();
  const auto calls = board_.port.recorded();
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].op, sim::PortOp::publish_barrier);
  EXPECT_EQ(calls[1].op, sim::PortOp::observe_barrier);
  EXPECT_EQ(calls[2].op, sim::PortOp::full_barrier);
}

// ---- architecture code

TEST_F(LinuxCoherent, ADriverDeclaresAPoolForItsDeviceOnce) {
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, ram(0x8000, 1).base.raw(), 0, 0), -EINVAL);
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, ram(0x8000, 1).base.raw(), 0, 0x1000), 0);
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, ram(0xa000, 1).base.raw(), 0, 0x1000), -EBUSY);
  EXPECT_NE(alloc(64), nullptr);
  EXPECT_LT(handle_, 0x1000U);  // 0 is an address like any other
  EXPECT_EQ(used(pool_), 0U);
  EXPECT_EQ(of_reserved_mem_device_init(&dev_), 0);
}

TEST_F(LinuxCoherent, AReleasedPoolMayBeDeclaredAnew) {
  const phys_addr_t phys = ram(0x8000, 1).base.raw();
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, phys, 0, 0x1000), 0);
  void* const at = alloc(64);
  dma_release_coherent_memory(&dev_);
  EXPECT_EQ(mistakes_,
            std::vector<std::string>{"dma_release_coherent_memory: blocks of it are in use"});
  dma_free_coherent(&dev_, 64, at, handle_);
  dma_release_coherent_memory(&dev_);
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, phys, 0x100, 0x1000), 0);
  EXPECT_NE(alloc(64), nullptr);
}

TEST_F(LinuxCoherent, ADeclarationThatFailedChangesNothing) {
  const phys_addr_t phys = ram(0x8000, 1).base.raw();
  const dma_addr_t over_the_mask = dma_addr_t{1} << 40;
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, phys, over_the_mask, 0x1000), -EINVAL);
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, phys, ~dma_addr_t{0}, 0x1000), -EINVAL);
  void* const at = alloc(64);
  ASSERT_NE(at, nullptr);
  EXPECT_EQ(used(pool_), 64U);
  dma_free_coherent(&dev_, 64, at, handle_);
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, phys, 0, 0x1000), 0);
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(LinuxCoherent, AfterAReleaseTheDeviceIsServedAsBeforeTheDeclaration) {
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, ram(0x8000, 1).base.raw(), 0, 0x1000), 0);
  dma_release_coherent_memory(&dev_);
  EXPECT_NE(alloc(64), nullptr);
  EXPECT_EQ(used(pool_), 64U);
}

TEST_F(LinuxCoherent, APoolThatTheBoardSharesBetweenDevicesIsNoDriversToRelease) {
  Pool& shared = board_.pool("shared", ram(0x8000, 0x1000));
  Device& other = board_.device("usb");
  test::must(board_.system->bind(device_, shared, {.name = "buffers"}));
  test::must(board_.system->bind(other, shared));
  dma_release_coherent_memory(&dev_);
  EXPECT_EQ(mistakes_, std::vector<std::string>{"dma_release_coherent_memory: the board gave it to "
                                                "the device, and others may have it too"});
  EXPECT_TRUE(alloc_coherent(other, 64));
  EXPECT_NE(alloc(64), nullptr);
  EXPECT_EQ(used(shared), 128U);
}

TEST_F(LinuxCoherent, TheGlobalPoolHasItsOwnVerbs) {
  EXPECT_EQ(dma_init_global_coherent(ram(0x8000, 1).base.raw(), 0x1000), -EBUSY);
  void* const at = dma_alloc_from_global_coherent(&dev_, 5000, &handle_);
  ASSERT_NE(at, nullptr);
  EXPECT_EQ(dma_release_from_dev_coherent(&dev_, 1, at), 0);
  EXPECT_EQ(dma_release_from_global_coherent(0, at), 1);
  EXPECT_EQ(mistakes_.size(), 1U);  // the size is another
  EXPECT_EQ(dma_release_from_global_coherent(1, at), 1);
  EXPECT_EQ(dma_release_from_global_coherent(1, at), 0);
  EXPECT_EQ(used(pool_), 0U);
}

TEST_F(LinuxCoherent, ADevicesPoolHasItsOwnVerbs) {
  void* at = nullptr;
  EXPECT_EQ(dma_alloc_from_dev_coherent(&dev_, 64, &handle_, &at), 0);
  EXPECT_EQ(dma_declare_coherent_memory(&dev_, ram(0x8000, 1).base.raw(), 0, 0x1000), 0);
  EXPECT_EQ(dma_alloc_from_dev_coherent(&dev_, 0x2000, &handle_, &at), 1);
  EXPECT_EQ(at, nullptr);
  EXPECT_EQ(dma_alloc_from_dev_coherent(&dev_, 64, &handle_, &at), 1);
  ASSERT_NE(at, nullptr);
  EXPECT_EQ(dma_release_from_dev_coherent(&dev_, 0, at), 1);
  EXPECT_EQ(carveout_linux_live(), 0U);
}

TEST_F(LinuxCoherent, ATreesRegionIsFoundByIndexAndByName) {
  EXPECT_EQ(of_reserved_mem_device_init(&dev_), -ENODEV);
  Pool& own = board_.pool("own", ram(0x8000, 0x1000));
  test::must(board_.system->bind(device_, own, {.index = 2, .name = "buffers"}));
  EXPECT_EQ(of_reserved_mem_device_init_by_idx(&dev_, nullptr, 2), 0);
  EXPECT_EQ(of_reserved_mem_device_init_by_name(&dev_, nullptr, "buffers"), 0);
  EXPECT_EQ(of_reserved_mem_device_init_by_name(&dev_, nullptr, "none"), -ENODEV);
}

TEST_F(LinuxCoherent, NoNameIsNothingsName) {
  Pool& own = board_.pool("own", ram(0x8000, 0x1000));
  test::must(board_.system->bind(device_, own));
  EXPECT_EQ(of_reserved_mem_device_init_by_name(&dev_, nullptr, nullptr), -ENODEV);
  EXPECT_EQ(of_reserved_mem_device_init_by_name(&dev_, nullptr, ""), -ENODEV);
  struct device dev{};
  EXPECT_EQ(carveout_linux_device(&dev, nullptr), -ENODEV);
  EXPECT_EQ(carveout_linux_gen_pool(nullptr), nullptr);
}

TEST(LinuxGlobalPool, IsSetOnce) {
  test::SimBoard board;
  board.device("eth");
  carveout_linux_limits limits{};
  limits.live = 2;
  std::vector<std::byte> storage(carveout_linux_storage_bytes(&limits));
  EXPECT_EQ(carveout_linux_init(*board.system, limits, storage.data(), 8), -ENOMEM);
  EXPECT_EQ(carveout_linux_init(*board.system, limits, storage.data(), storage.size()), 0);
  EXPECT_EQ(carveout_linux_init(*board.system, limits, storage.data(), storage.size()), -EBUSY);
  EXPECT_EQ(dma_init_global_coherent(ram(0, 1).base.raw(), 0), -EINVAL);
  EXPECT_EQ(dma_init_global_coherent(ram(0, 1).base.raw(), 0x1000), 0);
  EXPECT_EQ(dma_init_global_coherent(ram(0x2000, 1).base.raw(), 0x1000), -EBUSY);
  struct device dev{};
  EXPECT_EQ(carveout_linux_device(&dev, "none"), -ENODEV);
  EXPECT_EQ(carveout_linux_device(&dev, "eth"), 0);
  dma_addr_t handle = 0;
  EXPECT_NE(dma_alloc_coherent(&dev, 64, &handle, GFP_ATOMIC), nullptr);
  EXPECT_EQ(carveout_linux_exit(), 1U);
}

}  // namespace
}  // namespace carveout
