// Invalidated before the transfer, and not after it: while the device writes, the CPU may fetch the
// lines by speculation, and then it loads what was there before.
//
// Public: apache/nuttx#19506, SD card of the STM32H7; before it #4872 (F7) and #18787 (SPI).
#include "bug.hpp"

namespace bugs {
namespace {

template <Version version>
bool receive(Board& board) {
  auto* const packet = board.cached<std::byte>();
  board.dcache_invalidate(packet, kPacket);
  board.start_receive(packet, kPacket);
  board.wait();
  if (version == Version::right) board.dcache_invalidate(packet, kPacket);
  return board.sees_received(packet, kPacket);
}

}  // namespace

constinit const Bug receive_invalidated_only_before{
    "receive_invalidated_only_before", sim::Mistake::missing_sync_after_device_wrote,
    receive<Version::wrong>, receive<Version::right>};

}  // namespace bugs
