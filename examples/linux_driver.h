/* What the driver of linux_driver.c and its board agree on. */
#ifndef CARVEOUT_EXAMPLES_LINUX_DRIVER_H
#define CARVEOUT_EXAMPLES_LINUX_DRIVER_H

#include <linux/dma-mapping.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NIC_OWN 0x80000000u
enum { NIC_RING = 4, NIC_BUF = 256 };

struct nic_desc {
  uint32_t addr;
  uint32_t status;
};

struct nic {
  struct device* dev;
  void (*tell_ring)(struct nic* nic, dma_addr_t ring);
  void (*receive)(struct nic* nic, const void* data, unsigned int len);
  struct nic_desc* ring;
  dma_addr_t ring_dma;
  unsigned char* bufs[NIC_RING]; /* NIC_BUF bytes each, as kmalloc() would give them */
  dma_addr_t bufs_dma[NIC_RING];
  unsigned int next;
};

int nic_probe(struct nic* nic);
void nic_interrupt(struct nic* nic);
void nic_remove(struct nic* nic);

#ifdef __cplusplus
}
#endif

#endif
