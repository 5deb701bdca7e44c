// A descriptor is copied once, and a device may change it at any time: there is no reference to it.
// expect: no match for .*operator\[\]|does not provide a subscript operator
#include <carveout/ops/ring.hpp>

struct Descriptor {
  unsigned address;
  unsigned status;
};

void send(carveout::DescriptorRing<&Descriptor::status>& ring) {
#ifdef CARVEOUT_COMPILE_FAIL
  ring[0].status = 1;
#else
  ring.write(0, {.address = 0, .status = 1});
#endif
}
