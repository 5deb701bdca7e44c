// A mapping is ended once: who copied it would end it twice.
// expect: (deleted function .*(Loan|Mapping)|deleted constructor of .*Mapping|implicitly deleted)
#include <utility>

#include <carveout/ops/stream_buffer.hpp>

using ToDevice = carveout::Mapping<carveout::Direction::to_device>;

void keep(ToDevice);

void hand_over(ToDevice mapping) {
#ifdef CARVEOUT_COMPILE_FAIL
  keep(mapping);
#else
  keep(std::move(mapping));
#endif
}
