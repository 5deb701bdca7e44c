// Ownership changes hands in one access, which a structure of several words is not.
// expect: ownership changes hands in one access
#include <carveout/ops/ring.hpp>

struct Status {
  unsigned words[4];
};
struct Descriptor {
  unsigned address;
  unsigned word;
  Status status;
};

#ifdef CARVEOUT_COMPILE_FAIL
void restart(carveout::DescriptorRing<&Descriptor::status>& ring) { ring.restart(); }
#else
void restart(carveout::DescriptorRing<&Descriptor::word>& ring) { ring.restart(); }
#endif
