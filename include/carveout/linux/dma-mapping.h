/* Linux's DMA API over Carveout, for drivers that are being ported: C11 and C++. carveout::linux is
 * its CMake target; with include/carveout in the include path it is <linux/dma-mapping.h>.
 *
 * Names, arguments and results are Linux's (v6.6). What is covered, what differs and what is not
 * there: docs/linux.md. It alone in Carveout has global state, which lies in storage of the caller:
 * carveout_linux_init(). It remembers what it handed out, so that a handle given back twice, with
 * another size or direction, or by the wrong function is reported and refused, and nothing
 * breaks. */
#ifndef CARVEOUT_LINUX_DMA_MAPPING_H
#define CARVEOUT_LINUX_DMA_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Linux's names, and C. */
/* NOLINTBEGIN(bugprone-reserved-identifier,modernize-use-nullptr,performance-no-int-to-ptr) */

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t dma_addr_t;
typedef uint64_t phys_addr_t;
typedef unsigned int gfp_t;

#ifndef EIO
#define EIO 5
#define ENXIO 6
#define ENOMEM 12
#define EBUSY 16
#define ENODEV 19
#define EINVAL 22
#endif

#ifndef PAGE_SIZE
#define PAGE_SIZE 4096UL
#endif

/* May wait, or must not: nothing else is asked of them. */
#define GFP_KERNEL 0U
#define GFP_ATOMIC 1U
#define GFP_NOWAIT GFP_ATOMIC
#define __GFP_ZERO 2U /* always so */
#define GFP_DMA 4U    /* the device's mask says it */
#define GFP_DMA32 8U  /* likewise */

#define DMA_MAPPING_ERROR (~UINT64_C(0))
#define DMA_BIT_MASK(n) (((n) == 64) ? ~UINT64_C(0) : ((UINT64_C(1) << (n)) - 1))

#define DMA_ATTR_WEAK_ORDERING (1UL << 1)
#define DMA_ATTR_WRITE_COMBINE (1UL << 2)
#define DMA_ATTR_NO_KERNEL_MAPPING (1UL << 4)
#define DMA_ATTR_SKIP_CPU_SYNC (1UL << 5)
#define DMA_ATTR_FORCE_CONTIGUOUS (1UL << 6)
#define DMA_ATTR_ALLOC_SINGLE_PAGES (1UL << 7)
#define DMA_ATTR_NO_WARN (1UL << 8)
#define DMA_ATTR_PRIVILEGED (1UL << 9)

enum dma_data_direction {
  DMA_BIDIRECTIONAL = 0,
  DMA_TO_DEVICE = 1,
  DMA_FROM_DEVICE = 2,
  DMA_NONE = 3,
};

/* A device, which carveout_linux_device() ties to one of the system's. */
struct device {
  const void* carveout;
  void* driver_data;
};

/* ---- the face itself --------------------------------------------------------------------------
 */

struct carveout_system;

/* Hears of each mistake of a driver: the function that was called, and what is wrong. */
typedef void (*carveout_linux_mistake_fn)(void* context, const char* function, const char* what);

/* How much the face can remember. */
struct carveout_linux_limits {
  size_t live;             /* allocations, mappings and blocks of dma_pools that live at once */
  size_t dma_pools;        /* that live at once */
  size_t dma_pool_blocks;  /* of all dma_pools together */
  uint32_t dma_pool_pages; /* of one dma_pool at most */
};

/* Bytes of storage, at any alignment; SIZE_MAX: nobody has that many. */
size_t carveout_linux_storage_bytes(const struct carveout_linux_limits* limits);
/* Begins. `system` is carveout_build()'s. -EBUSY: it has begun; -ENOMEM: too little storage. */
int carveout_linux_init(struct carveout_system* system, const struct carveout_linux_limits* limits,
                        void* storage, size_t size);
/* Ends; the storage is the caller's again. Returns how much still lived, and is forgotten. */
size_t carveout_linux_exit(void);
/* Ties a device to the one of this name in the system. -ENODEV: there is none. */
int carveout_linux_device(struct device* dev, const char* name);
/* `mistake` NULL: nobody listens. They are counted in any case. */
void carveout_linux_on_mistake(carveout_linux_mistake_fn mistake, void* context);
size_t carveout_linux_mistakes(void);
/* How much lives. */
size_t carveout_linux_live(void);

/* ---- masks and limits -------------------------------------------------------------------------
 */

int dma_set_mask(struct device* dev, uint64_t mask);
int dma_set_coherent_mask(struct device* dev, uint64_t mask);
int dma_set_mask_and_coherent(struct device* dev, uint64_t mask);
uint64_t dma_get_mask(struct device* dev);
size_t dma_max_mapping_size(struct device* dev);
bool dma_need_sync(struct device* dev, dma_addr_t dma_addr);
int dma_get_cache_alignment(void);

/* ---- coherent memory --------------------------------------------------------------------------
 */

void* dma_alloc_attrs(struct device* dev, size_t size, dma_addr_t* dma_handle, gfp_t flag,
                      unsigned long attrs);
void dma_free_attrs(struct device* dev, size_t size, void* cpu_addr, dma_addr_t dma_handle,
                    unsigned long attrs);
void* dma_alloc_noncoherent(struct device* dev, size_t size, dma_addr_t* dma_handle,
                            enum dma_data_direction dir, gfp_t gfp);
void dma_free_noncoherent(struct device* dev, size_t size, void* vaddr, dma_addr_t dma_handle,
                          enum dma_data_direction dir);

static inline void* dma_alloc_coherent(struct device* dev, size_t size, dma_addr_t* dma_handle,
                                       gfp_t gfp) {
  return dma_alloc_attrs(dev, size, dma_handle, gfp, 0);
}
static inline void dma_free_coherent(struct device* dev, size_t size, void* cpu_addr,
                                     dma_addr_t dma_handle) {
  dma_free_attrs(dev, size, cpu_addr, dma_handle, 0);
}
static inline void* dma_alloc_wc(struct device* dev, size_t size, dma_addr_t* dma_handle,
                                 gfp_t gfp) {
  return dma_alloc_attrs(dev, size, dma_handle, gfp, DMA_ATTR_WRITE_COMBINE);
}
static inline void dma_free_wc(struct device* dev, size_t size, void* cpu_addr,
                               dma_addr_t dma_handle) {
  dma_free_attrs(dev, size, cpu_addr, dma_handle, DMA_ATTR_WRITE_COMBINE);
}

/* A process's view of an allocation. dma_mmap_attrs() maps nothing: it checks, and writes what the
 * operating system is to map. */
struct vm_area_struct {
  unsigned long vm_start;
  unsigned long vm_end;
  unsigned long vm_pgoff;
  phys_addr_t carveout_phys; /* the first byte to map */
  bool carveout_cached;      /* through the cache */
};
bool dma_can_mmap(struct device* dev);
int dma_mmap_attrs(struct device* dev, struct vm_area_struct* vma, void* cpu_addr,
                   dma_addr_t dma_addr, size_t size, unsigned long attrs);
static inline int dma_mmap_coherent(struct device* dev, struct vm_area_struct* vma, void* cpu_addr,
                                    dma_addr_t dma_addr, size_t size) {
  return dma_mmap_attrs(dev, vma, cpu_addr, dma_addr, size, 0);
}

/* ---- streaming --------------------------------------------------------------------------------
 */

#ifdef __cplusplus
#define CARVEOUT_LINUX_CAST(type, value) reinterpret_cast<type>(value)
#else
#define CARVEOUT_LINUX_CAST(type, value) ((type)(value))
#endif

/* A page is its first byte: there is no array of them. */
struct page;
static inline struct page* virt_to_page(const void* at) {
  return CARVEOUT_LINUX_CAST(struct page*,
                             CARVEOUT_LINUX_CAST(uintptr_t, at) / PAGE_SIZE * PAGE_SIZE);
}
static inline void* page_address(const struct page* page) {
  return CARVEOUT_LINUX_CAST(void*, CARVEOUT_LINUX_CAST(uintptr_t, page));
}

dma_addr_t dma_map_single_attrs(struct device* dev, void* ptr, size_t size,
                                enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_single_attrs(struct device* dev, dma_addr_t addr, size_t size,
                            enum dma_data_direction dir, unsigned long attrs);
dma_addr_t dma_map_resource(struct device* dev, phys_addr_t phys_addr, size_t size,
                            enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_resource(struct device* dev, dma_addr_t addr, size_t size,
                        enum dma_data_direction dir, unsigned long attrs);
void dma_sync_single_for_cpu(struct device* dev, dma_addr_t addr, size_t size,
                             enum dma_data_direction dir);
void dma_sync_single_for_device(struct device* dev, dma_addr_t addr, size_t size,
                                enum dma_data_direction dir);
int dma_mapping_error(struct device* dev, dma_addr_t dma_addr);

static inline dma_addr_t dma_map_single(struct device* dev, void* ptr, size_t size,
                                        enum dma_data_direction dir) {
  return dma_map_single_attrs(dev, ptr, size, dir, 0);
}
static inline void dma_unmap_single(struct device* dev, dma_addr_t addr, size_t size,
                                    enum dma_data_direction dir) {
  dma_unmap_single_attrs(dev, addr, size, dir, 0);
}
static inline dma_addr_t dma_map_page_attrs(struct device* dev, struct page* page, size_t offset,
                                            size_t size, enum dma_data_direction dir,
                                            unsigned long attrs) {
  return dma_map_single_attrs(dev, CARVEOUT_LINUX_CAST(char*, page_address(page)) + offset, size,
                              dir, attrs);
}
static inline void dma_unmap_page_attrs(struct device* dev, dma_addr_t addr, size_t size,
                                        enum dma_data_direction dir, unsigned long attrs) {
  dma_unmap_single_attrs(dev, addr, size, dir, attrs);
}
static inline dma_addr_t dma_map_page(struct device* dev, struct page* page, size_t offset,
                                      size_t size, enum dma_data_direction dir) {
  return dma_map_page_attrs(dev, page, offset, size, dir, 0);
}
static inline void dma_unmap_page(struct device* dev, dma_addr_t addr, size_t size,
                                  enum dma_data_direction dir) {
  dma_unmap_single_attrs(dev, addr, size, dir, 0);
}
static inline void dma_sync_single_range_for_cpu(struct device* dev, dma_addr_t addr,
                                                 unsigned long offset, size_t size,
                                                 enum dma_data_direction dir) {
  dma_sync_single_for_cpu(dev, addr + offset, size, dir);
}
static inline void dma_sync_single_range_for_device(struct device* dev, dma_addr_t addr,
                                                    unsigned long offset, size_t size,
                                                    enum dma_data_direction dir) {
  dma_sync_single_for_device(dev, addr + offset, size, dir);
}

/* ---- scatter lists ----------------------------------------------------------------------------
 */

struct scatterlist {
  void* buffer;
  unsigned int length;
  bool last;
  dma_addr_t dma_address;
  unsigned int dma_length;
};
struct sg_table {
  struct scatterlist* sgl;
  unsigned int nents;
  unsigned int orig_nents;
};

#define sg_dma_address(sg) ((sg)->dma_address)
#define sg_dma_len(sg) ((sg)->dma_length)

static inline void sg_init_table(struct scatterlist* sgl, unsigned int nents) {
  for (unsigned int i = 0; i < nents; ++i) {
    struct scatterlist* sg = &sgl[i];
    sg->buffer = NULL;
    sg->length = 0;
    sg->last = i + 1 == nents;
    sg->dma_address = 0;
    sg->dma_length = 0;
  }
}
static inline void sg_set_buf(struct scatterlist* sg, const void* buf, unsigned int buflen) {
  sg->buffer = CARVEOUT_LINUX_CAST(void*, CARVEOUT_LINUX_CAST(uintptr_t, buf));
  sg->length = buflen;
}
static inline void sg_set_page(struct scatterlist* sg, struct page* page, unsigned int len,
                               unsigned int offset) {
  sg_set_buf(sg, CARVEOUT_LINUX_CAST(char*, page_address(page)) + offset, len);
}
static inline void sg_init_one(struct scatterlist* sg, const void* buf, unsigned int buflen) {
  sg_init_table(sg, 1);
  sg_set_buf(sg, buf, buflen);
}
static inline void* sg_virt(struct scatterlist* sg) { return sg->buffer; }
static inline struct scatterlist* sg_next(struct scatterlist* sg) {
  return sg->last ? NULL : sg + 1;
}
#define for_each_sg(sglist, sg, nr, __i) \
  for ((__i) = 0, (sg) = (sglist); (__i) < (nr); (__i)++, (sg) = sg_next(sg))
#define for_each_sgtable_sg(sgt, sg, i) for_each_sg((sgt)->sgl, sg, (sgt)->orig_nents, i)
#define for_each_sgtable_dma_sg(sgt, sg, i) for_each_sg((sgt)->sgl, sg, (sgt)->nents, i)

unsigned int dma_map_sg_attrs(struct device* dev, struct scatterlist* sg, int nents,
                              enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_sg_attrs(struct device* dev, struct scatterlist* sg, int nents,
                        enum dma_data_direction dir, unsigned long attrs);
int dma_map_sgtable(struct device* dev, struct sg_table* sgt, enum dma_data_direction dir,
                    unsigned long attrs);
void dma_sync_sg_for_cpu(struct device* dev, struct scatterlist* sg, int nelems,
                         enum dma_data_direction dir);
void dma_sync_sg_for_device(struct device* dev, struct scatterlist* sg, int nelems,
                            enum dma_data_direction dir);

static inline unsigned int dma_map_sg(struct device* dev, struct scatterlist* sg, int nents,
                                      enum dma_data_direction dir) {
  return dma_map_sg_attrs(dev, sg, nents, dir, 0);
}
static inline void dma_unmap_sg(struct device* dev, struct scatterlist* sg, int nents,
                                enum dma_data_direction dir) {
  dma_unmap_sg_attrs(dev, sg, nents, dir, 0);
}
void dma_unmap_sgtable(struct device* dev, struct sg_table* sgt, enum dma_data_direction dir,
                       unsigned long attrs);
void dma_sync_sgtable_for_cpu(struct device* dev, struct sg_table* sgt,
                              enum dma_data_direction dir);
void dma_sync_sgtable_for_device(struct device* dev, struct sg_table* sgt,
                                 enum dma_data_direction dir);

/* ---- barriers ---------------------------------------------------------------------------------
 */

void dma_wmb(void);
void dma_rmb(void);
void dma_mb(void);
static inline void wmb(void) { dma_wmb(); }
static inline void rmb(void) { dma_rmb(); }
static inline void mb(void) { dma_mb(); }

/* ---- pools ------------------------------------------------------------------------------------
 */

struct dma_pool;
struct dma_pool* dma_pool_create(const char* name, struct device* dev, size_t size, size_t align,
                                 size_t boundary);
void dma_pool_destroy(struct dma_pool* pool);
void* dma_pool_alloc(struct dma_pool* pool, gfp_t mem_flags, dma_addr_t* handle);
void* dma_pool_zalloc(struct dma_pool* pool, gfp_t mem_flags, dma_addr_t* handle);
void dma_pool_free(struct dma_pool* pool, void* vaddr, dma_addr_t addr);

/* A gen_pool is a pool of the system, which carveout_linux_gen_pool() finds by name. */
struct gen_pool;
struct gen_pool* carveout_linux_gen_pool(const char* name);
unsigned long gen_pool_alloc(struct gen_pool* pool, size_t size);
void gen_pool_free(struct gen_pool* pool, unsigned long addr, size_t size);
phys_addr_t gen_pool_virt_to_phys(struct gen_pool* pool, unsigned long addr);
size_t gen_pool_avail(struct gen_pool* pool);
size_t gen_pool_size(struct gen_pool* pool);

/* ---- architecture code ------------------------------------------------------------------------
 */

int dma_declare_coherent_memory(struct device* dev, phys_addr_t phys_addr, dma_addr_t device_addr,
                                size_t size);
void dma_release_coherent_memory(struct device* dev);
int dma_init_global_coherent(phys_addr_t phys_addr, size_t size);
int dma_alloc_from_dev_coherent(struct device* dev, size_t size, dma_addr_t* dma_handle,
                                void** ret);
int dma_release_from_dev_coherent(struct device* dev, int order, void* vaddr);
void* dma_alloc_from_global_coherent(struct device* dev, size_t size, dma_addr_t* dma_handle);
int dma_release_from_global_coherent(int order, void* vaddr);

/* A tree's memory-region was bound when the system was built: these say whether that worked. */
struct device_node;
int of_reserved_mem_device_init_by_idx(struct device* dev, struct device_node* np, int idx);
int of_reserved_mem_device_init_by_name(struct device* dev, struct device_node* np,
                                        const char* name);
static inline int of_reserved_mem_device_init(struct device* dev) {
  return of_reserved_mem_device_init_by_idx(dev, NULL, 0);
}

#ifdef __cplusplus
}  // extern "C"

namespace carveout {
class System;
}
/* The same for a system that C++ has made. */
int carveout_linux_init(carveout::System& system, const carveout_linux_limits& limits,
                        void* storage, size_t size);
#endif

/* NOLINTEND(bugprone-reserved-identifier,modernize-use-nullptr,performance-no-int-to-ptr) */

#endif
