// A block that nobody keeps can never be given back.
// expect: ignoring return(ed)? value
#include <carveout/ops/coherent.hpp>

void allocate(const carveout::Device& device) {
#ifdef CARVEOUT_COMPILE_FAIL
  carveout::alloc_coherent(device, 64);
#else
  const auto block = carveout::alloc_coherent(device, 64);
  static_cast<void>(block);
#endif
}
