// Coherent memory is loaded and stored whole: there is no reference into what a device writes.
// expect: no match for .*operator\*|indirection requires pointer operand
#include <carveout/ops/buffer.hpp>

unsigned first(const carveout::Coherent<unsigned[]>& run) {
#ifdef CARVEOUT_COMPILE_FAIL
  return *run;
#else
  return run.load(0);
#endif
}
