/* A driver as it is on the product: plain C, its own cache calls, nothing of Carveout. */
#include "driver.h"

#include "bsp.h"

uint8_t ask(uint8_t* buffer, size_t size, uint8_t request) {
  store8(&buffer[0], request);
  dcache_clean(buffer, 1);
  dma_start_send(buffer, 1);
  dma_wait();

  dcache_invalidate(buffer, size);
  dma_start_receive(buffer, size);
  dma_wait();
#ifndef FORGET_THE_SECOND_INVALIDATE
  dcache_invalidate(buffer, size);
#endif

  uint8_t sum = 0;
  for (size_t i = 0; i < size; ++i) {
    sum = (uint8_t)(sum + load8(&buffer[i]));
  }
  return sum;
}
