// The two sides of a window cannot be swapped.
// expect: (could not convert|no viable conversion) .*PhysSpace.* to .*DmaSpace
#include <carveout/core/window.hpp>

carveout::Window window(carveout::PhysAddr cpu, carveout::DmaAddr dma) {
#ifdef CARVEOUT_COMPILE_FAIL
  return carveout::Window{cpu, dma, 0x1000};
#else
  return carveout::Window{dma, cpu, 0x1000};
#endif
}
