// Coherent memory is reached past the cache. Who adds the offset between the two views to its
// pointer gets one that goes through the cache, which has what was there before.
//
// Public: kendryte/kendryte-standalone-sdk#129, K210: one view computed from the other by
// 0x40000000, "there is no guarantee at any point" that both show the same.
#include "bug.hpp"

namespace bugs {
namespace {

template <Version version>
bool receive(Board& board) {
  const std::ptrdiff_t to_cached = board.cached<std::byte>() - board.uncached<std::byte>();
  std::byte* const packet = board.dma_alloc(kPacket);
  board.start_receive(packet, kPacket);
  board.wait();
  return board.sees_received(version == Version::right ? packet : packet + to_cached, kPacket);
}

}  // namespace

constinit const Bug alias_by_pointer_arithmetic{"alias_by_pointer_arithmetic",
                                                sim::Mistake::cached_twin, receive<Version::wrong>,
                                                receive<Version::right>};

}  // namespace bugs
