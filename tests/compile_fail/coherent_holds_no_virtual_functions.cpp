// All zero is what coherent memory is at first, and no object with a virtual table is all zero.
// expect: coherent memory holds plain data: a device writes it behind the type's back
#include <carveout/ops/buffer.hpp>

struct Descriptor {
#ifdef CARVEOUT_COMPILE_FAIL
  virtual unsigned next() const { return 0; }
#endif
  unsigned length;
};

carveout::Result<carveout::Coherent<Descriptor[]>> make(const carveout::Device& device) {
  return carveout::alloc_coherent<Descriptor[]>(device, 16);
}
