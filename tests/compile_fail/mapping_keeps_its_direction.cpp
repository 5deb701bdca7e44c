// What was mapped for the device to read is not taken for what it may write.
// expect: could not convert|cannot convert|no known conversion
#include <utility>

#include <carveout/ops/stream_buffer.hpp>

using carveout::Direction;

void receive_into(carveout::Mapping<Direction::from_device>);
void send(carveout::Mapping<Direction::to_device>);

void start(carveout::Mapping<Direction::to_device> mapping) {
#ifdef CARVEOUT_COMPILE_FAIL
  receive_into(std::move(mapping));
#else
  send(std::move(mapping));
#endif
}
