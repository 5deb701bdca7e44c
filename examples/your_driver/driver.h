#ifndef DRIVER_H
#define DRIVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sends a request of one byte and receives the reply; returns the sum of its bytes. The buffer has
   `size` bytes, which are whole cache lines. */
uint8_t ask(uint8_t* buffer, size_t size, uint8_t request);

#ifdef __cplusplus
}
#endif
#endif
