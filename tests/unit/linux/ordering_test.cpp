// Linux's barriers by what CPU and device see without them: stores wait, and loads come early.
#include <cstdint>
#include <span>

#include "carveout_sim/adversary.hpp"
#include "tests/unit/linux/linux_board.hpp"

namespace carveout {
namespace {

using test::LinuxBoard;

class LinuxOrdering : public LinuxBoard {
 protected:
  LinuxOrdering() : LinuxBoard{{.write_buffer_stores = 8, .early_loads = 8}} {
    board_.machine.set_adversary(&worst_);
  }
  ~LinuxOrdering() override { board_.machine.set_adversary(nullptr); }

  [[nodiscard]] std::uint32_t device_reads_data() {
    std::uint32_t value = 0;
    EXPECT_TRUE(engine_.read(DmaAddr{dma_}, std::as_writable_bytes(std::span{&value, 1})));
    return value;
  }
  /// Data, and behind it a flag, which the CPU then sees.
  void device_is_done() {
    const std::uint32_t value = 7;
    EXPECT_TRUE(engine_.write(DmaAddr{dma_}, std::as_bytes(std::span{&value, 1})));
    EXPECT_TRUE(engine_.write(DmaAddr{dma_ + 64}, std::as_bytes(std::span{&value, 1})));
    ASSERT_EQ(board_.machine.load(data_ + 16), 7U);
  }

  sim::Adversary worst_ = sim::Adversary::worst();
  sim::DmaEngine engine_ = board_.engine(device_);
  dma_addr_t dma_ = 0;
  std::uint32_t* data_ =
      static_cast<std::uint32_t*>(dma_alloc_coherent(&dev_, 128, &dma_, GFP_KERNEL));
};

TEST_F(LinuxOrdering, AWriteBarrierShowsTheDeviceWhatWasStored) {
  board_.machine.store(data_, 5);
  dma_wmb();
  EXPECT_EQ(device_reads_data(), 5U);
}

TEST_F(LinuxOrdering, AReadBarrierReadsNothingBeforeTheFlag) {
  device_is_done();
  dma_rmb();
  EXPECT_EQ(board_.machine.load(data_), 7U);
}

TEST_F(LinuxOrdering, AFullBarrierIsBoth) {
  board_.machine.store(data_, 5);
  mb();
  EXPECT_EQ(device_reads_data(), 5U);
  device_is_done();
  mb();
  EXPECT_EQ(board_.machine.load(data_), 7U);
}

}  // namespace
}  // namespace carveout
