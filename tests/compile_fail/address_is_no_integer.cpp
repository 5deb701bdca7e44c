// An address becomes an integer only where somebody asks for the raw one.
// expect: (cannot convert|no viable conversion from).*DmaAddr.* to .*uint64_t
#include <carveout/core/address.hpp>

std::uint64_t register_value(carveout::DmaAddr address) {
#ifdef CARVEOUT_COMPILE_FAIL
  return address;
#else
  return address.raw();
#endif
}
