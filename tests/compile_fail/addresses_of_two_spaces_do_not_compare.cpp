// That two numbers are equal says nothing where they are addresses of different spaces.
// expect: (no match for .*operator==|invalid operands to binary expression).*PhysAddr.*DmaAddr
#include <carveout/core/address.hpp>

bool same(carveout::PhysAddr cpu, carveout::DmaAddr device) {
#ifdef CARVEOUT_COMPILE_FAIL
  return cpu == device;
#else
  return cpu.raw() == device.raw();
#endif
}
