// The descriptor lies in cached memory, and nobody cleans it: the device fetches what RAM has,
// which is an old one or none. With a barrier, because it is so tempting to believe that it helps.
//
// Public: STMicroelectronics/STM32CubeN6#20, sending wedges; STM32CubeF7#125, a misspelt section.
#include "bug.hpp"

namespace bugs {
namespace {

template <Version version>
bool send(Board& board) {
  auto* const descriptor =
      version == Version::right ? board.uncached<Descriptor>() : board.cached<Descriptor>();
  board.store(&descriptor->address, board.dma_address(board.cached<std::byte>(kPacket)));
  board.store(&descriptor->length, kPacket);
  board.barrier();
  board.doorbell(descriptor);
  return board.sent().size() == kPacket;
}

}  // namespace

constinit const Bug descriptor_in_cached_memory{"descriptor_in_cached_memory",
                                                sim::Mistake::missing_sync_before_device_reads,
                                                send<Version::wrong>, send<Version::right>};

}  // namespace bugs
