// An owner of a run of elements is asked for one of them by its index, which is checked.
// expect: no match for .*operator\*|indirection requires pointer operand
#include <carveout/ops/buffer.hpp>

unsigned first(const carveout::Coherent<unsigned[]>& run) {
#ifdef CARVEOUT_COMPILE_FAIL
  return *run;
#else
  return run[0];
#endif
}
