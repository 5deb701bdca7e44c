// A block of coherent memory has one owner: who copied it would give it back twice.
// expect: (deleted function .*Coherent\(const |deleted constructor of .*Coherent)
#include <utility>

#include <carveout/ops/buffer.hpp>

void keep(carveout::Coherent<int>);

void hand_over(carveout::Coherent<int> buffer) {
#ifdef CARVEOUT_COMPILE_FAIL
  keep(buffer);
#else
  keep(std::move(buffer));
#endif
}
