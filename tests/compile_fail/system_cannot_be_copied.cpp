// A System is the storage that it lies in: blocks and devices point into it.
// expect: (deleted function .*System\(const |deleted constructor of .*System)
#include <carveout/setup/system.hpp>

carveout::System* second(carveout::System& system) {
#ifdef CARVEOUT_COMPILE_FAIL
  static carveout::System copy{system};
  return &copy;
#else
  return &system;
#endif
}
