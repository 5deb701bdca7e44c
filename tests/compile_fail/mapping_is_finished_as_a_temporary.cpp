// To take a buffer back is to give the mapping up: it is moved from, in so many words.
// expect: passing .* as .this. argument discards qualifiers|'this' argument to member function
// 'finish' is an lvalue
#include <utility>

#include <carveout/ops/stream_buffer.hpp>

using FromDevice = carveout::Mapping<carveout::Direction::from_device>;

carveout::StreamBuffer take_back(FromDevice& mapping) {
#ifdef CARVEOUT_COMPILE_FAIL
  return mapping.finish();
#else
  return std::move(mapping).finish();
#endif
}
