/* What the driver calls. On the product these are your board support package's; in the tests they
   are made of the machine. */
#ifndef BSP_H
#define BSP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void dcache_clean(const void* at, size_t size);
void dcache_invalidate(const void* at, size_t size);
void dma_start_receive(void* into, size_t size);
void dma_start_send(const void* from, size_t size);
void dma_wait(void);

/* Loads and stores that the machine is to see one by one. */
#ifdef EXPLICIT_ACCESSES
uint8_t load8(const uint8_t* from);
void store8(uint8_t* to, uint8_t value);
#else
static inline uint8_t load8(const uint8_t* from) { return *from; }
static inline void store8(uint8_t* to, uint8_t value) { *to = value; }
#endif

#ifdef __cplusplus
}
#endif
#endif
