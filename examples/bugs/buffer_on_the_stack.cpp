// A receive buffer on the stack: the compiler lays other variables into its first and last line,
// and the function goes on using them.
//
// Public: mbed-ce/mbed-os#199, a test of SPI whose stack was corrupted.
#include "bug.hpp"

namespace bugs {
namespace {

using Buffer = std::array<std::byte, kLine>;
struct Frame {  // of the function below
  std::uint32_t polls;
  Buffer reply;
};

template <Version version>
bool read_sensor(Board& board) {
  auto* const frame = board.on_stack<Frame>();
  auto* const reply = version == Version::right ? board.cached<Buffer>(0x100) : &frame->reply;
  board.dma_map(reply, sizeof *reply, Direction::from_device);
  board.start_receive(reply, sizeof *reply);
  board.store(&frame->polls, 1);
  board.wait();
  board.dma_unmap(reply, sizeof *reply, Direction::from_device);
  return board.sees_received(reply, sizeof *reply) && board.load(&frame->polls) == 1;
}

}  // namespace

constinit const Bug buffer_on_the_stack{"buffer_on_the_stack", sim::Mistake::maps_stack,
                                        read_sensor<Version::wrong>, read_sensor<Version::right>};

}  // namespace bugs
