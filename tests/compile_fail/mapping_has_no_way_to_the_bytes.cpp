// While a buffer is lent, its bytes are the device's: the CPU has no way to them.
// expect: has no member named .bytes.|no member named .bytes. in
#include <utility>

#include <carveout/ops/stream_buffer.hpp>

using carveout::Direction;

std::size_t size_of(carveout::Mapping<Direction::from_device> mapping) {
#ifdef CARVEOUT_COMPILE_FAIL
  return mapping.bytes().size();
#else
  carveout::StreamBuffer buffer = std::move(mapping).finish();
  return buffer.bytes().size();
#endif
}
