// The two address spaces do not mix: only a Window crosses between them.
// expect: (could not convert|no viable conversion) .*PhysSpace.* to .*DmaSpace
#include <carveout/core/address.hpp>

carveout::DmaAddr device_address(carveout::PhysAddr address) {
#ifdef CARVEOUT_COMPILE_FAIL
  return address;
#else
  return carveout::DmaAddr{address.raw()};
#endif
}
