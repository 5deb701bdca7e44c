// The buffer begins at a line, and its size is no whole number of lines: a counter lies in the last
// one. Either the device's bytes are lost or the CPU's, whoever's line goes last.
//
// Public: rsta2/circle#135, "random modification of data": base address and size must be aligned.
#include "bug.hpp"

namespace bugs {
namespace {

template <Version version>
struct Port {
  alignas(kLine) std::array<std::byte, 48> packet;
  alignas(version == Version::right ? kLine : 4) std::uint32_t interrupts;
};

template <Version version>
bool receive(Board& board) {
  auto* const port = board.cached<Port<version>>();
  board.dcache_clean_invalidate(&port->packet, sizeof port->packet);
  board.start_receive(&port->packet, sizeof port->packet);
  board.store(&port->interrupts, 1);
  board.wait();
  board.dcache_invalidate(&port->packet, sizeof port->packet);
  return board.sees_received(&port->packet, sizeof port->packet) &&
         board.load(&port->interrupts) == 1;
}

}  // namespace

constinit const Bug line_shared_with_a_neighbour{"line_shared_with_a_neighbour",
                                                 sim::Mistake::line_shared, receive<Version::wrong>,
                                                 receive<Version::right>};

}  // namespace bugs
