// Streaming by Linux's names: the bytes arrive, by way of the cache and of copies.
#include <array>

#include "tests/unit/linux/linux_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::LinuxBoard;
using test::pattern;
using test::ram;

class LinuxStreaming : public LinuxBoard {
 protected:
  Bytes device_reads(dma_addr_t from, std::size_t size) {
    Bytes bytes(size);
    EXPECT_TRUE(board_.engine(device_).read(DmaAddr{from}, bytes));
    return bytes;
  }
  void device_writes(dma_addr_t to, const Bytes& bytes) {
    EXPECT_TRUE(board_.engine(device_).write(DmaAddr{to}, bytes));
  }

  std::byte* at_ = memory(0x8000, 0x100);
};

TEST_F(LinuxStreaming, TheDeviceReadsWhatTheCpuWrote) {
  board_.store(at_, pattern(0x80));
  const dma_addr_t handle = dma_map_single(&dev_, at_, 0x80, DMA_TO_DEVICE);
  ASSERT_EQ(dma_mapping_error(&dev_, handle), 0);
  EXPECT_EQ(device_reads(handle, 0x80), pattern(0x80));
  dma_unmap_single(&dev_, handle, 0x80, DMA_TO_DEVICE);
  EXPECT_EQ(carveout_linux_live(), 0U);
}

TEST_F(LinuxStreaming, TheCpuReadsWhatTheDeviceWrote) {
  const dma_addr_t handle = dma_map_single(&dev_, at_, 0x80, DMA_FROM_DEVICE);
  static_cast<void>(board_.load(at_, 0x80));  // as speculation may
  device_writes(handle, pattern(0x80, 2));
  dma_unmap_single(&dev_, handle, 0x80, DMA_FROM_DEVICE);
  EXPECT_EQ(board_.load(at_, 0x80), pattern(0x80, 2));
}

TEST_F(LinuxStreaming, SyncsGiveAPartToEachSideInTurn) {
  const dma_addr_t handle = dma_map_single(&dev_, at_, 0x80, DMA_BIDIRECTIONAL);
  static_cast<void>(board_.load(at_, 0x80));
  device_writes(handle, pattern(0x80, 2));
  dma_sync_single_range_for_cpu(&dev_, handle, 0x20, 0x20, DMA_FROM_DEVICE);
  const Bytes sent = pattern(0x80, 2);
  EXPECT_EQ(board_.load(at_ + 0x20, 0x20), Bytes(sent.begin() + 0x20, sent.begin() + 0x40));
  board_.store(at_ + 0x20, pattern(0x20, 3));
  dma_sync_single_range_for_device(&dev_, handle, 0x20, 0x20, DMA_TO_DEVICE);
  EXPECT_EQ(device_reads(handle + 0x20, 0x20), pattern(0x20, 3));
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(LinuxStreaming, WhatTheDeviceCannotUseAsItLiesIsAnError) {
  EXPECT_EQ(dma_map_single(&dev_, at_ + 1, 0x10, DMA_FROM_DEVICE), DMA_MAPPING_ERROR);
  EXPECT_EQ(dma_mapping_error(&dev_, DMA_MAPPING_ERROR), -ENOMEM);
  EXPECT_EQ(dma_mapping_error(&dev_, 0), 0);
  EXPECT_EQ(dma_map_single(&dev_, storage_.data(), 0x10, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
  EXPECT_EQ(dma_map_single(&dev_, at_, 0, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
}

TEST_F(LinuxStreaming, OrIsCopiedWhereTheBoardHasABouncePool) {
  board_.default_pool("bounce", ram(0x4000, 0x1000), Role::bounce);
  const dma_addr_t handle = dma_map_single(&dev_, at_ + 1, 0x10, DMA_FROM_DEVICE);
  ASSERT_NE(handle, DMA_MAPPING_ERROR);
  EXPECT_TRUE(dma_need_sync(&dev_, handle));
  device_writes(handle, pattern(0x10, 4));
  dma_unmap_single(&dev_, handle, 0x10, DMA_FROM_DEVICE);
  EXPECT_EQ(board_.load(at_ + 1, 0x10), pattern(0x10, 4));
  EXPECT_GT(dma_max_mapping_size(&dev_), 0U);
}

TEST_F(LinuxStreaming, APageIsItsFirstByte) {
  const dma_addr_t handle =
      dma_map_page(&dev_, virt_to_page(at_ + 0x40), 0x40, 0x40, DMA_TO_DEVICE);
  const auto phys = sim::kOddWindow.to_phys(DmaAddr{handle});
  EXPECT_EQ(phys, ram(0x8040, 1).base);
  dma_unmap_page(&dev_, handle, 0x40, DMA_TO_DEVICE);
  EXPECT_EQ(carveout_linux_live(), 0U);
}

TEST_F(LinuxStreaming, RegistersAreMappedByTheirAddress) {
  const dma_addr_t handle =
      dma_map_resource(&dev_, ram(0x9000, 1).base.raw(), 0x100, DMA_BIDIRECTIONAL, 0);
  EXPECT_EQ(sim::kOddWindow.to_phys(DmaAddr{handle}), ram(0x9000, 1).base);
  dma_unmap_resource(&dev_, handle, 0x100, DMA_BIDIRECTIONAL, 0);
  EXPECT_EQ(carveout_linux_live(), 0U);
  EXPECT_EQ(dma_map_resource(&dev_, 0x100, 0x100, DMA_BIDIRECTIONAL, 0), DMA_MAPPING_ERROR);
}

class LinuxList : public LinuxStreaming {
 protected:
  LinuxList() {
    sg_init_table(list_.data(), 3);
    for (unsigned i = 0; i < list_.size(); ++i) sg_set_buf(&list_[i], at_ + i * 0x40, 0x40);
  }
  std::array<scatterlist, 3> list_;
};

TEST_F(LinuxList, IsMappedEntryByEntry) {
  board_.store(at_, pattern(0xc0));
  ASSERT_EQ(dma_map_sg(&dev_, list_.data(), 3, DMA_TO_DEVICE), 3U);
  scatterlist* sg = nullptr;
  int i = 0;
  Bytes seen;
  for_each_sg(list_.data(), sg, 3, i) {
    const Bytes part = device_reads(sg_dma_address(sg), sg_dma_len(sg));
    seen.insert(seen.end(), part.begin(), part.end());
  }
  EXPECT_EQ(seen, pattern(0xc0));
  dma_unmap_sg(&dev_, list_.data(), 3, DMA_TO_DEVICE);
  EXPECT_EQ(carveout_linux_live(), 0U);
  EXPECT_TRUE(mistakes_.empty());
}

TEST_F(LinuxList, IsMappedWholeOrNotAtAll) {
  sg_set_buf(&list_[2], at_ + 1, 0x10);
  EXPECT_EQ(dma_map_sg(&dev_, list_.data(), 3, DMA_FROM_DEVICE), 0U);
  EXPECT_EQ(carveout_linux_live(), 0U);
  EXPECT_TRUE(mistakes_.empty());
  sg_table table{.sgl = list_.data(), .nents = 0, .orig_nents = 3};
  EXPECT_EQ(dma_map_sgtable(&dev_, &table, DMA_FROM_DEVICE, 0), -EIO);
}

TEST_F(LinuxList, IsSynchronisedWhole) {
  sg_table table{.sgl = list_.data(), .nents = 0, .orig_nents = 3};
  ASSERT_EQ(dma_map_sgtable(&dev_, &table, DMA_BIDIRECTIONAL, 0), 0);
  EXPECT_EQ(table.nents, 3U);
  static_cast<void>(board_.load(at_, 0xc0));
  for (const scatterlist& sg : list_) device_writes(sg.dma_address, pattern(0x40, 5));
  dma_sync_sgtable_for_cpu(&dev_, &table, DMA_BIDIRECTIONAL);
  EXPECT_EQ(board_.load(at_ + 0x80, 0x40), pattern(0x40, 5));
  board_.store(at_ + 0x80, pattern(0x40, 6));
  dma_sync_sgtable_for_device(&dev_, &table, DMA_BIDIRECTIONAL);
  EXPECT_EQ(device_reads(list_[2].dma_address, 0x40), pattern(0x40, 6));
  dma_unmap_sgtable(&dev_, &table, DMA_BIDIRECTIONAL, 0);
  EXPECT_EQ(carveout_linux_live(), 0U);
}

TEST_F(LinuxList, OfOneEntryEndsThere) {
  scatterlist one{};
  sg_init_one(&one, at_, 0x40);
  EXPECT_EQ(sg_next(&one), nullptr);
  EXPECT_EQ(sg_virt(&one), at_);
  EXPECT_EQ(sg_next(list_.data()), &list_[1]);
}

}  // namespace
}  // namespace carveout
