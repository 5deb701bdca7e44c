// Whoever lends a buffer says so: it is moved from.
// expect: cannot bind rvalue reference|no matching function for call to 'map|expects an rvalue
#include <utility>

#include <carveout/ops/stream_buffer.hpp>

using carveout::Direction;

bool lend(const carveout::Device& device, carveout::StreamBuffer& buffer) {
#ifdef CARVEOUT_COMPILE_FAIL
  return carveout::map<Direction::to_device>(device, buffer).has_value();
#else
  return carveout::map<Direction::to_device>(device, std::move(buffer)).has_value();
#endif
}
