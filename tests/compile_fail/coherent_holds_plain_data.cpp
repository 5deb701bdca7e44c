// A device writes the bytes behind the type's back: a type that keeps promises about itself cannot
// live there.
// expect: coherent memory holds plain data: a device writes it behind the type's back
#include <carveout/ops/buffer.hpp>

struct Descriptor {
#ifdef CARVEOUT_COMPILE_FAIL
  ~Descriptor() { length = 0; }
#endif
  unsigned length;
};

carveout::Result<carveout::Coherent<Descriptor>> make(const carveout::Device& device) {
  return carveout::alloc_coherent<Descriptor>(device);
}
