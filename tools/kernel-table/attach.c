// What a driver gets from the kernel: for each device of the tree that is "carveout,device",
// attaches every entry of its memory-region, then allocates two pages - one page never comes from
// the default contiguous memory (kernel/dma/contiguous.c, dma_alloc_contiguous()) - and logs the
// answers.
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>

static int attach(struct platform_device* platform_device) {
  struct device* dev = &platform_device->dev;
  int count = of_count_phandle_with_args(dev->of_node, "memory-region", NULL);
  dma_addr_t block = 0;

  for (int index = 0; index < count; index++)
    pr_info("carveout: %pOF: entry %d: %d\n", dev->of_node, index,
            of_reserved_mem_device_init_by_idx(dev, dev->of_node, index));
  // A mask may be refused: the request is made all the same, as a careless driver would.
  (void)dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
  if (dma_alloc_coherent(dev, 2 * PAGE_SIZE, &block, GFP_KERNEL))
    pr_info("carveout: %pOF: block: %pad\n", dev->of_node, &block);
  else
    pr_info("carveout: %pOF: block: none\n", dev->of_node);
  return 0;
}

static const struct of_device_id attach_ids[] = {{.compatible = "carveout,device"}, {}};
static struct platform_driver attach_driver = {
    .probe = attach,
    .driver = {.name = "carveout", .of_match_table = attach_ids},
};
module_platform_driver(attach_driver);
MODULE_LICENSE("Dual MIT/GPL");
