// A driver's mistakes: each is refused, named and counted, and nothing breaks.
#include <array>

#include "tests/unit/linux/linux_board.hpp"

namespace carveout {
namespace {

using test::LinuxBoard;
using test::ram;

class LinuxMistakes : public LinuxBoard {
 protected:
  void expect(const std::string& mistake) {
    ASSERT_EQ(mistakes_, std::vector<std::string>{mistake});
    EXPECT_EQ(carveout_linux_mistakes(), 1U);
    mistakes_.clear();
  }

  std::byte* at_ = memory(0x8000, 0x100);
  dma_addr_t handle_ = dma_map_single(&dev_, at_, 0x80, DMA_TO_DEVICE);
};

TEST_F(LinuxMistakes, UnmappedTwice) {
  dma_unmap_single(&dev_, handle_, 0x80, DMA_TO_DEVICE);
  dma_unmap_single(&dev_, handle_, 0x80, DMA_TO_DEVICE);
  expect("dma_unmap_single_attrs: it was never handed out, or given back before");
}

TEST_F(LinuxMistakes, AnotherSize) {
  dma_unmap_single(&dev_, handle_, 0x40, DMA_TO_DEVICE);
  expect("dma_unmap_single_attrs: the size is another than at first");
  EXPECT_EQ(carveout_linux_live(), 1U);
}

TEST_F(LinuxMistakes, AnotherDirection) {
  dma_unmap_single(&dev_, handle_, 0x80, DMA_FROM_DEVICE);
  expect("dma_unmap_single_attrs: the direction is another than at first");
}

TEST_F(LinuxMistakes, AnotherKindOfFunction) {
  dma_unmap_resource(&dev_, handle_, 0x80, DMA_TO_DEVICE, 0);
  expect("dma_unmap_resource: it was handed out by another kind of function");
}

TEST_F(LinuxMistakes, AnotherDevice) {
  struct device other{};
  board_.device("other");
  ASSERT_EQ(carveout_linux_device(&other, "other"), 0);
  dma_unmap_single(&other, handle_, 0x80, DMA_TO_DEVICE);
  expect("dma_unmap_single_attrs: it belongs to another device or pool");
}

TEST_F(LinuxMistakes, AnotherAddressOfTheCpu) {
  dma_addr_t handle = 0;
  auto* const at = static_cast<std::byte*>(dma_alloc_coherent(&dev_, 64, &handle, GFP_KERNEL));
  dma_free_coherent(&dev_, 64, at + 1, handle);
  expect("dma_free_attrs: the CPU's address is another than at first");
}

TEST_F(LinuxMistakes, AnotherNumberOfEntries) {
  std::array<scatterlist, 2> list{};
  sg_init_table(list.data(), 2);
  sg_set_buf(&list[0], at_, 0x40);
  sg_set_buf(&list[1], at_ + 0x40, 0x40);
  ASSERT_EQ(dma_map_sg(&dev_, list.data(), 2, DMA_FROM_DEVICE), 2U);
  dma_unmap_sg(&dev_, list.data(), 1, DMA_FROM_DEVICE);
  expect("dma_unmap_sg_attrs: the list has another number of entries than at first");
}

TEST_F(LinuxMistakes, ASyncOfWhatIsNotMapped) {
  dma_sync_single_for_cpu(&dev_, handle_ + 0x80, 1, DMA_TO_DEVICE);
  expect("dma_sync_single_for_cpu: it is not mapped");
}

TEST_F(LinuxMistakes, ASyncPastTheEnd) {
  dma_sync_single_for_device(&dev_, handle_ + 0x40, 0x41, DMA_TO_DEVICE);
  expect("dma_sync_single_for_device: part of it is not mapped");
}

TEST_F(LinuxMistakes, ASyncInAnotherDirection) {
  dma_sync_single_for_cpu(&dev_, handle_, 0x40, DMA_FROM_DEVICE);
  expect("dma_sync_single_for_cpu: the direction is another than at first");
}

TEST_F(LinuxMistakes, AMappingWithoutADirection) {
  EXPECT_EQ(dma_map_single(&dev_, at_, 0x40, DMA_NONE), DMA_MAPPING_ERROR);
  expect("dma_map_single_attrs: a mapping without a direction");
}

TEST_F(LinuxMistakes, ADeviceThatIsTiedToNone) {
  struct device untied{};
  EXPECT_EQ(dma_map_single(&untied, at_, 0x40, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
  expect("dma_map_single_attrs: the device is tied to none of the system's");
}

TEST_F(LinuxMistakes, AMappingOfCoherentMemoryIsRefused) {
  dma_addr_t handle = 0;
  void* const at = dma_alloc_coherent(&dev_, 64, &handle, GFP_KERNEL);
  EXPECT_EQ(dma_map_single(&dev_, at, 64, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
}

}  // namespace
}  // namespace carveout
