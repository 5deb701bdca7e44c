// The buffer was cleared, so its lines are dirty, and the device is started: whenever the cache
// needs the room, old zeros go out over what the device wrote. The invalidate afterwards is too
// late.
//
// Public: zephyrproject-rtos/zephyr#42206, I2S of the SAM; apache/nuttx#5062, SD card of the
// STM32F7.
#include "bug.hpp"

namespace bugs {
namespace {

template <Version version>
bool receive(Board& board) {
  auto* const packet = board.cached<std::byte>();
  board.fill(packet, kPacket, std::byte{0});
  if (version == Version::right) board.dcache_clean_invalidate(packet, kPacket);
  board.start_receive(packet, kPacket);
  board.wait();
  board.dcache_invalidate(packet, kPacket);
  return board.sees_received(packet, kPacket);
}

}  // namespace

constinit const Bug dirty_eviction_over_dma_data{"dirty_eviction_over_dma_data",
                                                 sim::Mistake::dirty_line_over_device_data,
                                                 receive<Version::wrong>, receive<Version::right>};

}  // namespace bugs
