// The descriptor lies in uncached memory, and no barrier stands between its last store and the
// register that tells the device: the store may still wait in the CPU's write buffer.
//
// Public: quartiq/stabilizer#49, Ethernet of the STM32H7: the engine sees a descriptor that it does
// not own, and sends it with the next packet.
#include "bug.hpp"

namespace bugs {
namespace {

template <Version version>
bool send(Board& board) {
  auto* const descriptor = board.uncached<Descriptor>();
  board.store(&descriptor->address, board.dma_address(board.cached<std::byte>(kPacket)));
  board.store(&descriptor->length, kPacket);
  if (version == Version::right) board.barrier();
  board.doorbell(descriptor);
  return board.sent().size() == kPacket;
}

}  // namespace

constinit const Bug missing_barrier{"missing_barrier", sim::Mistake::missing_publish_barrier,
                                    send<Version::wrong>, send<Version::right>};

}  // namespace bugs
