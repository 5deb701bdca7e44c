// While it is the CPU's turn there is nothing to tell the device.
// expect: has no member named .dma.|no member named .dma. in
#include <utility>

#include <carveout/ops/stream_buffer.hpp>

using carveout::Direction;

carveout::DmaAddr address(carveout::CpuTurn<Direction::to_device> turn) {
#ifdef CARVEOUT_COMPILE_FAIL
  return turn.dma();
#else
  return std::move(turn).sync_for_device().dma();
#endif
}
