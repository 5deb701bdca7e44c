// In the middle of a from_device mapping the CPU reads: what it wrote there would be written back
// over what the device writes next.
// expect: assignment of read-only location|cannot assign to return value|is not assignable
#include <carveout/ops/stream_buffer.hpp>

using carveout::Direction;

#ifdef CARVEOUT_COMPILE_FAIL
using Turn = carveout::CpuTurn<Direction::from_device>;
#else
using Turn = carveout::CpuTurn<Direction::to_device>;
#endif

void mark(Turn& turn) { turn.bytes()[0] = std::byte{1}; }
