// Nor the other way round: what a device calls a byte is not where the CPU's bus finds it.
// expect: (could not convert|no viable conversion) .*DmaSpace.* to .*PhysSpace
#include <carveout/core/address.hpp>

carveout::PhysAddr physical_address(carveout::DmaAddr address) {
#ifdef CARVEOUT_COMPILE_FAIL
  return address;
#else
  return carveout::PhysAddr{address.raw()};
#endif
}
