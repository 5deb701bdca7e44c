// A field in a device's byte order is read by value(): it is no number until somebody says so.
// expect: cannot convert|no viable conversion
#include <carveout/core/endian.hpp>

unsigned length(carveout::BigEndian<unsigned> field) {
#ifdef CARVEOUT_COMPILE_FAIL
  return field;
#else
  return field.value();
#endif
}
