// A receive buffer is mapped to_device: the lines are cleaned and stay in the cache, and when it is
// unmapped none is invalidated.
//
// Public: openwrt/openwrt#24218, Ethernet of a Qualcomm SoC.
#include "bug.hpp"

namespace bugs {
namespace {

template <Version version>
bool receive(Board& board) {
  constexpr auto kDirection =
      version == Version::right ? Direction::from_device : Direction::to_device;
  auto* const packet = board.cached<std::byte>();
  board.dma_map(packet, kPacket, kDirection);
  board.start_receive(packet, kPacket);
  board.wait();
  board.dma_unmap(packet, kPacket, kDirection);
  return board.sees_received(packet, kPacket);
}

}  // namespace

constinit const Bug wrong_direction{"wrong_direction", sim::Mistake::device_write_to_read_only,
                                    receive<Version::wrong>, receive<Version::right>};

}  // namespace bugs
