// The buffer begins in the middle of a line: to invalidate it drops what was stored in front of it,
// and had not reached memory.
//
// Public: zephyrproject-rtos/zephyr#108716, found in review: buffers aligned to 4 where a line has
// 32 bytes; apache/nuttx#4878, two opinions about the tail.
#include "bug.hpp"

namespace bugs {
namespace {

template <Version version>
struct Request {
  std::uint32_t tag;
  alignas(version == Version::right ? kLine : 4) std::array<std::byte, kPacket> reply;
};

template <Version version>
bool ask(Board& board) {
  auto* const request = board.cached<Request<version>>();
  board.store(&request->tag, 7);
  board.dcache_invalidate(&request->reply, kPacket);
  board.start_receive(&request->reply, kPacket);
  board.wait();
  board.dcache_invalidate(&request->reply, kPacket);
  return board.sees_received(&request->reply, kPacket) && board.load(&request->tag) == 7;
}

}  // namespace

constinit const Bug unaligned_invalidate{"unaligned_invalidate",
                                         sim::Mistake::store_lost_by_invalidate,
                                         ask<Version::wrong>, ask<Version::right>};

}  // namespace bugs
