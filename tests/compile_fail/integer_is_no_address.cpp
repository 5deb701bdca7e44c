// An integer becomes an address only where somebody says of which space.
// expect: (could not convert|no known conversion from) .*int.* to .*DmaAddr
#include <carveout/core/address.hpp>

void tell_the_device(carveout::DmaAddr address);

void start() {
#ifdef CARVEOUT_COMPILE_FAIL
  tell_the_device(0x4c80'0000);
#else
  tell_the_device(carveout::DmaAddr{0x4c80'0000});
#endif
}
