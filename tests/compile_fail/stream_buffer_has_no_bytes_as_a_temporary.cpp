// The bytes of a buffer that ends with the statement are gone before anyone can use them.
// expect: use of deleted function .*bytes|call to deleted member function 'bytes'
#include <utility>

#include <carveout/ops/stream_buffer.hpp>

using FromDevice = carveout::Mapping<carveout::Direction::from_device>;

std::size_t received(FromDevice mapping) {
#ifdef CARVEOUT_COMPILE_FAIL
  std::move(mapping).finish().bytes();
  return 0;
#else
  carveout::StreamBuffer buffer = std::move(mapping).finish();
  return buffer.bytes().size();
#endif
}
