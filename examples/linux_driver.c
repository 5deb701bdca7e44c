/* A receive ring as a driver in Linux has it. It knows nothing of Carveout. */
#include "linux_driver.h"

#define READ_ONCE(x) (*(const volatile uint32_t*)&(x))
#define WRITE_ONCE(x, val) (*(volatile uint32_t*)&(x) = (val))

static void nic_give(struct nic* nic, unsigned int i) {
  WRITE_ONCE(nic->ring[i].addr, (uint32_t)nic->bufs_dma[i]);
  dma_wmb(); /* the address before the ownership */
  WRITE_ONCE(nic->ring[i].status, NIC_OWN | NIC_BUF);
}

static void nic_unmap(struct nic* nic, unsigned int count) {
  while (count-- > 0) dma_unmap_single(nic->dev, nic->bufs_dma[count], NIC_BUF, DMA_FROM_DEVICE);
}

int nic_probe(struct nic* nic) {
  const size_t size = NIC_RING * sizeof(*nic->ring);
  int err = dma_set_mask_and_coherent(nic->dev, DMA_BIT_MASK(32));
  if (err) return err;
  nic->ring = dma_alloc_coherent(nic->dev, size, &nic->ring_dma, GFP_KERNEL);
  if (!nic->ring) return -ENOMEM;
  for (unsigned int i = 0; i < NIC_RING; i++) {
    nic->bufs_dma[i] = dma_map_single(nic->dev, nic->bufs[i], NIC_BUF, DMA_FROM_DEVICE);
    if (dma_mapping_error(nic->dev, nic->bufs_dma[i])) {
      nic_unmap(nic, i);
      dma_free_coherent(nic->dev, size, nic->ring, nic->ring_dma);
      return -ENOMEM;
    }
    nic_give(nic, i);
  }
  nic->next = 0;
  nic->tell_ring(nic, nic->ring_dma);
  return 0;
}

void nic_interrupt(struct nic* nic) {
  for (unsigned int budget = NIC_RING; budget > 0; budget--) {
    const unsigned int i = nic->next;
    const uint32_t status = READ_ONCE(nic->ring[i].status);
    if (status & NIC_OWN) return;
    dma_rmb(); /* the ownership before what it covers */
    const unsigned int len = (status & 0xffff) < NIC_BUF ? status & 0xffff : NIC_BUF;
    dma_sync_single_for_cpu(nic->dev, nic->bufs_dma[i], NIC_BUF, DMA_FROM_DEVICE);
    nic->receive(nic, nic->bufs[i], len);
    dma_sync_single_for_device(nic->dev, nic->bufs_dma[i], NIC_BUF, DMA_FROM_DEVICE);
    nic_give(nic, i);
    nic->next = (i + 1) % NIC_RING;
  }
}

void nic_remove(struct nic* nic) {
  nic_unmap(nic, NIC_RING);
  dma_free_coherent(nic->dev, NIC_RING * sizeof(*nic->ring), nic->ring, nic->ring_dma);
}
