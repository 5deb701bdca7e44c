// A modelled machine with the face of Linux's names on it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "carveout/linux/dma-mapping.h"
#include "tests/support/sim_board.hpp"

namespace carveout::test {

class LinuxBoard : public testing::Test {
 protected:
  static constexpr carveout_linux_limits kLimits{
      .live = 6, .dma_pools = 2, .dma_pool_blocks = 256, .dma_pool_pages = 1};

  explicit LinuxBoard(const sim::MachineFacts& facts = {})
      : board_{facts}, storage_(carveout_linux_storage_bytes(&kLimits)) {
    EXPECT_EQ(carveout_linux_init(*board_.system, kLimits, storage_.data(), storage_.size()), 0);
    EXPECT_EQ(carveout_linux_device(&dev_, "eth"), 0);
    carveout_linux_on_mistake(
        [](void* context, const char* function, const char* what) {
          static_cast<LinuxBoard*>(context)->mistakes_.push_back(std::string{function} + ": " +
                                                                 what);
        },
        this);
  }
  ~LinuxBoard() override { carveout_linux_exit(); }

  /// The CPU's pointer to memory that no pool has, as a program would have it.
  [[nodiscard]] std::byte* memory(std::uint64_t offset, std::uint64_t size) const {
    return board_.machine.cached_view(ram(offset, size));
  }
  [[nodiscard]] std::uint64_t used(const Pool& pool) const { return pool.usage().used_bytes; }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0, 0x4000));
  Device& device_ = board_.device("eth");
  std::vector<std::byte> storage_;
  struct device dev_{};
  std::vector<std::string> mistakes_;
};

}  // namespace carveout::test
