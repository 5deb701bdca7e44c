// There is no address that stands for "none": 0 is a legal device address.
// expect: no matching (function for call|constructor for initialization).*(Address|DmaAddr)
#include <carveout/core/address.hpp>

carveout::DmaAddr nowhere() {
#ifdef CARVEOUT_COMPILE_FAIL
  return carveout::DmaAddr{};
#else
  return carveout::DmaAddr{0};
#endif
}
