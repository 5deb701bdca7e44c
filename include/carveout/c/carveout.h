/* Carveout for C: the whole of it, in C11 and C++. carveout::c is its CMake target.
 *
 * What a function means, what it costs and from where it may be called is said where it is declared
 * in C++: carveout_alloc_coherent() is alloc_coherent() of carveout/ops/coherent.hpp, and so for
 * each. Here stands what differs: handles for references, a status and an optional
 * carveout_failure for a Result, and structures of which all zero asks for nothing special.
 *
 * docs/c.md has each verb of C++ beside its name here, and what is not here.
 *
 * An enumeration is a number of 32 bits, so that what a compiler makes of enumerations does not
 * matter. A number that means nothing is refused: as wrong_kind where a board is stated, as
 * bad_attributes in a request.
 *
 * A pointer is NULL only where that is said to mean something.
 *
 * No heap and no global state: a system lives in storage of the caller. Texts that go in end with
 * a zero and outlive the system. */
#ifndef CARVEOUT_C_CARVEOUT_H
#define CARVEOUT_C_CARVEOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors -----------------------------------------------------------------------------------
 */

/* What went wrong: docs/errors.md. */
enum carveout_error_values {
  CARVEOUT_OK = 0,
  CARVEOUT_ZERO_SIZE,
  CARVEOUT_BAD_ALIGNMENT,
  CARVEOUT_BAD_BOUNDARY,
  CARVEOUT_CROSSES_BOUNDARY,
  CARVEOUT_SIZE_OVERFLOW,
  CARVEOUT_EXHAUSTED,
  CARVEOUT_NOT_IN_WINDOW,
  CARVEOUT_UNREACHABLE,
  CARVEOUT_NO_POOL,
  CARVEOUT_UNKNOWN_POOL,
  CARVEOUT_NEEDS_IOMMU,
  CARVEOUT_TABLE_FULL,
  CARVEOUT_WOULD_WAIT,
  CARVEOUT_BAD_ATTRIBUTES,
  CARVEOUT_PARTIAL_LINE,
  CARVEOUT_TOO_LONG,
  CARVEOUT_WRONG_VIEW,
  CARVEOUT_UNKNOWN_MEMORY,
  CARVEOUT_NEEDS_COPY,
  CARVEOUT_OUTSIDE_MAPPING,
  CARVEOUT_OUTSIDE_BLOCK,
  CARVEOUT_SHARED_PAGE,
  CARVEOUT_DOUBLE_FREE,
  CARVEOUT_STALE_BLOCK,
  CARVEOUT_FOREIGN_BLOCK,
  CARVEOUT_WRONG_ADDRESS,
  CARVEOUT_WRONG_SIZE,
  CARVEOUT_POOL_GONE,
  CARVEOUT_ALREADY_DECLARED,
  CARVEOUT_EMPTY_RANGE,
  CARVEOUT_WRAPS,
  CARVEOUT_OVERLAPS,
  CARVEOUT_BELOW_GRANULE,
  CARVEOUT_BAD_GRANULE,
  CARVEOUT_BAD_ALIAS,
  CARVEOUT_NO_UNCACHED_VIEW,
  CARVEOUT_WRONG_KIND,
  CARVEOUT_IN_USE,
  CARVEOUT_STORAGE_TOO_SMALL,
  CARVEOUT_MALFORMED,
  CARVEOUT_NOT_PLACED,
  CARVEOUT_NO_SUCH_NODE,
};
typedef int32_t carveout_error;

/* Characters that do not end with a zero. */
typedef struct carveout_text {
  const char* at;
  size_t length;
} carveout_text;

/* A refusal: the reason, what was asked, and what there was. Fields that do not apply are empty. */
typedef struct carveout_failure {
  carveout_error code;
  carveout_text pool;
  carveout_text other; /* the second party: who was there first, who holds blocks */
  uint64_t asked_bytes;
  uint64_t free_bytes;
  uint64_t largest_run_bytes;
  bool has_stated;
  uint64_t stated;       /* the alignment, boundary or index that is wrong or too small */
  uint64_t needed_bytes; /* of an atomic pool that was too small: Failure::needed_bytes */
} carveout_failure;

/* Functions that can fail answer with the code. The rest goes to `why`, if that is not NULL; where
 * nothing failed, it is left as it was. */

/* The name as in docs/errors.md; "ok" for CARVEOUT_OK. Ends with a zero, lives for ever. */
const char* carveout_error_name(carveout_error error);
/* Half a sentence. Ends with a zero, lives for ever. */
const char* carveout_error_meaning(carveout_error error);
/* Writes one sentence: what, where and how much. It always ends with a zero, if size is not 0, and
 * is cut where it does not fit. Returns its length. */
size_t carveout_describe(const carveout_failure* failure, char* buffer, size_t size);

/* ---- addresses --------------------------------------------------------------------------------
 */

/* An address in one address space: structures, so that the compiler keeps the two apart. 0 is an
 * address like any other. */
typedef struct carveout_phys_addr {
  uint64_t raw; /* what the CPU's bus matrix emits */
} carveout_phys_addr;
typedef struct carveout_dma_addr {
  uint64_t raw; /* what the device puts on its bus */
} carveout_dma_addr;

typedef struct carveout_phys_range {
  carveout_phys_addr base;
  uint64_t size_bytes;
} carveout_phys_range;

/* One entry of a bus's dma-ranges. */
typedef struct carveout_window {
  carveout_dma_addr dma;
  carveout_phys_addr cpu;
  uint64_t size_bytes;
} carveout_window;

/* RAM that the CPU sees at two addresses; equal: an MPU or MMU makes the one address uncached. */
typedef struct carveout_alias {
  carveout_phys_addr cached;
  carveout_phys_addr uncached;
  uint64_t size_bytes;
} carveout_alias;

/* ---- caches -----------------------------------------------------------------------------------
 */

/* Who writes the bytes of a streaming mapping, seen from memory. */
enum carveout_direction_values {
  CARVEOUT_TO_DEVICE,
  CARVEOUT_FROM_DEVICE,
  CARVEOUT_BIDIRECTIONAL,
};
typedef int32_t carveout_direction;

/* What is done to every line of a range. */
enum carveout_cache_work_values {
  CARVEOUT_CACHE_NOTHING = 0,
  CARVEOUT_CACHE_CLEAN = 1,
  CARVEOUT_CACHE_INVALIDATE = 2,
  CARVEOUT_CACHE_CLEAN_INVALIDATE = 3,
};
typedef int32_t carveout_cache_work;

/* One row for each direction, in its order: carveout/port/sync_table.hpp, which has the tables of
 * Linux's architectures. */
typedef struct carveout_sync_row {
  carveout_cache_work before; /* when the device gets the bytes */
  carveout_cache_work after;  /* when the CPU gets them back */
} carveout_sync_row;
typedef struct carveout_sync_table {
  carveout_sync_row rows[3];
} carveout_sync_table;

/* ---- the port ---------------------------------------------------------------------------------
 */

/* What hardware must offer. What each function owes: carveout/port/port.hpp. The structure is
 * copied; `context` is handed to every function. */
typedef struct carveout_port {
  void* context;
  size_t (*cache_line_bytes)(void* context);
  /* NULL: the CPU has no such view */
  void* (*cpu_view)(void* context, carveout_phys_addr first, uint64_t size_bytes);
  void (*clean)(void* context, void* at, size_t size_bytes);
  void (*invalidate)(void* context, void* at, size_t size_bytes);
  void (*clean_invalidate)(void* context, void* at, size_t size_bytes);
  void (*publish_barrier)(void* context);
  void (*observe_barrier)(void* context);
  void (*full_barrier)(void* context);
  /* what is returned comes back to unlock(); *word is 0 at first */
  uintptr_t (*lock)(void* context, uintptr_t* word);
  void (*unlock)(void* context, uintptr_t* word, uintptr_t state);
  /* from here on NULL where the default will do */
  bool (*may_lock)(void* context);
  uint32_t (*processor)(void* context);
  const carveout_sync_table* sync_table; /* copied */
  /* whether it is known where the bytes lie; writes where */
  bool (*phys_of)(void* context, const void* at, size_t size_bytes, carveout_phys_addr* phys);
  void (*copy)(void* context, void* to, const void* from, size_t size_bytes);
} carveout_port;

/* ---- a board ----------------------------------------------------------------------------------
 */

typedef struct carveout_system carveout_system;
typedef struct carveout_pool carveout_pool;
typedef struct carveout_device carveout_device;

/* What the memory of a pool is. */
enum carveout_memory_values {
  CARVEOUT_MEMORY_COHERENT,
  CARVEOUT_MEMORY_CONTIGUOUS,
  CARVEOUT_MEMORY_BOUNCE,
  CARVEOUT_MEMORY_ORDINARY,
};
typedef int32_t carveout_memory;

/* The part that a pool plays. */
enum carveout_role_values {
  CARVEOUT_ROLE_DEVICE,
  CARVEOUT_ROLE_BOUNCE,
  CARVEOUT_ROLE_ATOMIC,
  CARVEOUT_ROLE_DEFAULT_POOL,
  CARVEOUT_ROLE_CONTIGUOUS_DEVICE,
  CARVEOUT_ROLE_CONTIGUOUS_NODE,
  CARVEOUT_ROLE_CONTIGUOUS_DEFAULT,
  CARVEOUT_ROLE_ORDINARY,
};
typedef int32_t carveout_role;

/* Which tables a pool keeps: TagStore. */
enum carveout_store_kind_values {
  CARVEOUT_STORE_DEFAULT, /* that of the board, and of a board sparse with 32 blocks */
  CARVEOUT_STORE_SPARSE,
  CARVEOUT_STORE_DENSE,
  CARVEOUT_STORE_BITMAP,
};
typedef int32_t carveout_store_kind;
typedef struct carveout_store {
  carveout_store_kind kind;
  size_t blocks;       /* of a sparse store: the most that may live at once */
  uint32_t processors; /* that share the pool, each with a slot; 0 and 1: none */
} carveout_store;

enum carveout_coherence_values {
  CARVEOUT_COHERENCE_OF_THE_BOARD,
  CARVEOUT_NOT_COHERENT,
  CARVEOUT_COHERENT,
};
typedef int32_t carveout_coherence;

/* Hears of every refusal of a verb that C++ tells to Platform::log, and when. `device` is empty
 * where a block is given back. */
typedef void (*carveout_log_fn)(void* context, const carveout_failure* failure,
                                carveout_text device);

/* What a board is, apart from its pools and devices. All of it is copied. */
typedef struct carveout_platform {
  carveout_port port;
  const carveout_alias* aliases;
  size_t alias_count;
  uint64_t granule_bytes; /* 0: the cache line */
  carveout_store store;
  uint64_t largest_bounce_bytes; /* 0: 256 KiB */
  bool devices_coherent;
  carveout_log_fn log; /* NULL: nobody listens */
  void* log_context;
  const carveout_phys_range* ordinary_elsewhere; /* ordinary memory that no pool describes */
  size_t ordinary_elsewhere_count;
  bool described_only; /* and not run: for routes alone */
  bool assume_uncached_view;
} carveout_platform;

typedef struct carveout_pool_settings {
  const char* name;
  carveout_memory memory;
  const carveout_phys_range* chunks;
  size_t chunk_count;
  uint64_t granule_bytes; /* 0: the board's */
  carveout_store store;
} carveout_pool_settings;

/* What a device can do with streaming mappings: StreamingLimits. 0 limits nothing. */
typedef struct carveout_streaming_limits {
  bool has_mask; /* false: the coherent mask */
  carveout_dma_addr mask;
  uint64_t max_segment_bytes;
  uint64_t segment_boundary_bytes;
  uint64_t keep_low_bits;
} carveout_streaming_limits;

typedef struct carveout_device_settings {
  const char* name;
  carveout_dma_addr coherent_mask; /* the highest address that it can put on its bus */
  const carveout_window* windows;  /* NULL: device addresses are physical ones */
  size_t window_count;
  carveout_coherence coherent;
  bool behind_iommu;
  uint32_t numa_node;
  carveout_streaming_limits streaming;
  size_t quarantine_blocks;
  const carveout_role* fallback; /* DeviceSettings::fallback, in order; copied */
  size_t fallback_count;
} carveout_device_settings;

/* The limits of a device that its driver may learn after it was added. */
typedef struct carveout_masks {
  carveout_dma_addr coherent;
  bool has_streaming; /* false: the coherent mask */
  carveout_dma_addr streaming;
} carveout_masks;

typedef struct carveout_binding_settings {
  uint32_t index;
  const char* name;              /* NULL: by index only */
  const carveout_window* window; /* NULL: the device's own windows */
} carveout_binding_settings;

/* The pool for callers that must not wait, to be cut out of the default pool: AtomicSettings. */
typedef struct carveout_atomic_settings {
  const char* name;
  uint64_t size_bytes;    /* of a piece */
  uint64_t granule_bytes; /* 0: the board's */
  carveout_store store;
  uint32_t most_pieces; /* 0: as 1 */
  uint64_t low_water_bytes;
} carveout_atomic_settings;

/* How a board gets ordinary users out of lent memory, and what it owes: Reclaim. Answers whether it
 * moved the data away and gave the block `lent` back; else it is pinned. `user` is the number that
 * was given to carveout_borrow(). */
typedef bool (*carveout_vacate_fn)(void* context, carveout_phys_range lent, uint32_t user,
                                   carveout_phys_range wanted);

/* Rows of a board's tables; `device` and `pool` are numbers of rows. */
typedef struct carveout_binding_row {
  size_t device;
  size_t pool;
  carveout_binding_settings settings;
} carveout_binding_row;
typedef struct carveout_default_row {
  carveout_role role;
  size_t pool;
  uint32_t numa_node;
} carveout_default_row;

typedef struct carveout_tables {
  const carveout_pool_settings* pools;
  size_t pool_count;
  const carveout_device_settings* devices;
  size_t device_count;
  const carveout_binding_row* bindings;
  size_t binding_count;
  const carveout_default_row* defaults;
  size_t default_count;
} carveout_tables;

/* Hears of each thing that was refused while the rest works. */
typedef void (*carveout_refused_fn)(void* context, const carveout_failure* failure);

/* How many bytes of storage, at any alignment, carveout_build() needs. SIZE_MAX: nobody has that
 * many. Add what is declared later. */
size_t carveout_storage_bytes(const carveout_platform* platform, const carveout_tables* tables);
size_t carveout_pool_storage_bytes(const carveout_platform* platform,
                                   const carveout_pool_settings* settings);
size_t carveout_device_storage_bytes(const carveout_device_settings* settings);
size_t carveout_binding_storage_bytes(const carveout_binding_settings* settings);
size_t carveout_node_default_storage_bytes(void);
/* A store that keeps tables for granules needs so much if `size_bytes` is whole granules of the
 * default pool. */
size_t carveout_atomic_storage_bytes(const carveout_platform* platform,
                                     const carveout_atomic_settings* settings);
size_t carveout_lend_storage_bytes(void);

/* A system in `storage`, which outlives it, with what the tables say; they are not read afterwards,
 * but for their texts. `tables` NULL: nothing is declared yet. `refused` NULL: nobody listens.
 * Fails with: bad_granule, bad_alias, storage_too_small, no_such_node, wrong_kind (a number that
 * means nothing). */
carveout_error carveout_build(const carveout_platform* platform, const carveout_tables* tables,
                              void* storage, size_t size, carveout_refused_fn refused,
                              void* context, carveout_system** system, carveout_failure* why);

/* By code, as System does it. They fail with what its functions fail with, and with wrong_kind for
 * a number that means nothing. What was copied before another refusal keeps its storage. */
carveout_error carveout_declare(carveout_system* system, const carveout_pool_settings* settings,
                                carveout_pool** pool, carveout_failure* why);
carveout_error carveout_set_default(carveout_system* system, carveout_role role,
                                    carveout_pool* pool, uint32_t numa_node, carveout_failure* why);
carveout_error carveout_add_device(carveout_system* system,
                                   const carveout_device_settings* settings,
                                   carveout_device** device, carveout_failure* why);
carveout_error carveout_bind(carveout_system* system, carveout_device* device, carveout_pool* pool,
                             const carveout_binding_settings* settings, carveout_failure* why);
carveout_error carveout_release(carveout_system* system, carveout_pool* pool,
                                carveout_failure* why);
carveout_error carveout_set_masks(carveout_system* system, carveout_device* device,
                                  const carveout_masks* masks, carveout_failure* why);
/* `context` is handed to `vacate`; both outlive the system. May fail with storage_too_small, too.
 */
carveout_error carveout_lend(carveout_system* system, carveout_pool* pool,
                             carveout_vacate_fn vacate, void* context, carveout_failure* why);
carveout_error carveout_carve_atomic(carveout_system* system,
                                     const carveout_atomic_settings* settings, carveout_pool** pool,
                                     carveout_failure* why);
bool carveout_atomic_is_low(const carveout_system* system);
/* `more_bytes`: how many the pool has more, also 0. */
carveout_error carveout_grow_atomic(carveout_system* system, uint64_t* more_bytes,
                                    carveout_failure* why);
size_t carveout_storage_used_bytes(const carveout_system* system);

/* NULL where there is none of that name. */
carveout_pool* carveout_find_pool(const carveout_system* system, const char* name);
carveout_device* carveout_find_device(const carveout_system* system, const char* name);

/* ---- coherent memory --------------------------------------------------------------------------
 */

/* Attributes of a request: a set. */
enum {
  CARVEOUT_ATTR_NON_COHERENT = 1 << 0,
  CARVEOUT_ATTR_NO_CPU_MAPPING = 1 << 1,
  CARVEOUT_ATTR_UNINITIALIZED = 1 << 2,
  CARVEOUT_ATTR_FORCE_CONTIGUOUS = 1 << 3,
  CARVEOUT_ATTR_WRITE_COMBINE = 1 << 4,
  CARVEOUT_ATTR_SINGLE_PAGES = 1 << 5,
  CARVEOUT_ATTR_SKIP_CPU_SYNC = 1 << 6,
  CARVEOUT_ATTR_NO_WARN = 1 << 7,
  CARVEOUT_ATTR_PRIVILEGED = 1 << 8,
  CARVEOUT_ATTR_REQUIRE_COHERENT = 1 << 9,
};

/* Which of a device's own pools a request means. */
enum carveout_pool_choice_values {
  CARVEOUT_ANY_POOL,
  CARVEOUT_POOL_BY_INDEX,
  CARVEOUT_POOL_BY_NAME,
};
typedef int32_t carveout_pool_choice;

/* What is wanted beyond a number of bytes. NULL, or all zero: nothing special. A choice by name
 * without a name is unknown_pool. */
typedef struct carveout_options {
  uint64_t align_bytes;    /* a power of two; 0: as 1 */
  uint64_t boundary_bytes; /* a power of two that the bytes must not cross; 0: none */
  uint32_t attributes;
  bool must_not_wait;
  carveout_pool_choice choice;
  uint32_t pool_index;
  const char* pool_name;
} carveout_options;

/* Memory that was handed out: a plain value. Giving back a second copy of it is refused. */
typedef struct carveout_block {
  void* cpu; /* NULL for memory without a CPU mapping */
  carveout_dma_addr dma;
  carveout_phys_addr phys;
  uint64_t size_bytes; /* what was granted */
  carveout_pool* pool;
  uint32_t tag;
  uint32_t serial;
} carveout_block;

carveout_error carveout_alloc_coherent(const carveout_device* device, uint64_t size_bytes,
                                       const carveout_options* options, carveout_block* block,
                                       carveout_failure* why);
carveout_error carveout_alloc_from_device_pool(const carveout_device* device, uint64_t size_bytes,
                                               const carveout_options* options,
                                               carveout_block* block, carveout_failure* why);
carveout_error carveout_alloc_from_default_pool(const carveout_device* device, uint64_t size_bytes,
                                                const carveout_options* options,
                                                carveout_block* block, carveout_failure* why);
carveout_error carveout_alloc_from_default_contiguous(const carveout_device* device,
                                                      uint64_t size_bytes,
                                                      const carveout_options* options,
                                                      carveout_block* block, carveout_failure* why);
carveout_error carveout_free_coherent(const carveout_block* block, carveout_failure* why);

/* Ordinary memory, from a pool that carveout_lend() opened: borrow(). `user` is less than 2^31;
 * nothing of the block lies in `avoid`, if that is not NULL. carveout_free_coherent() gives back.
 */
carveout_error carveout_borrow(carveout_pool* pool, uint64_t size_bytes, uint32_t user,
                               const carveout_phys_range* avoid, carveout_block* block,
                               carveout_failure* why);

/* Memory that a device may still write: carveout/ops/quarantine.hpp. */
carveout_error carveout_quarantine(const carveout_device* device, const carveout_block* block,
                                   carveout_failure* why);
carveout_error carveout_quiesced(const carveout_device* device, carveout_failure* why);

/* Memory that changes hands between programs: carveout/ops/handover.hpp. */
carveout_error carveout_write_before_read(carveout_pool* pool, carveout_failure* why);
void carveout_clean_for_handover(const carveout_pool* pool);
/* Every pool of the board. */
void carveout_clean_all_for_handover(const carveout_system* system);
void carveout_take_over(const carveout_pool* pool);

/* The pages of a block that a process may map: mmap_check(). */
typedef struct carveout_mmap_request {
  uint64_t first_page;
  uint64_t pages;
  uint64_t page_bytes;
  bool cached; /* as the process would see it */
} carveout_mmap_request;
carveout_error carveout_mmap_check(const carveout_device* device, const carveout_block* block,
                                   const carveout_mmap_request* request, carveout_phys_range* range,
                                   carveout_failure* why);

/* Between data and ownership flag, and before the doorbell; and between flag and data. */
void carveout_publish_barrier(const carveout_system* system);
void carveout_observe_barrier(const carveout_system* system);

/* ---- the route --------------------------------------------------------------------------------
 */

enum carveout_verdict_values {
  CARVEOUT_VERDICT_OPEN,
  CARVEOUT_VERDICT_TAKEN,
  CARVEOUT_VERDICT_SKIPPED,
  CARVEOUT_VERDICT_REFUSED,
};
typedef int32_t carveout_verdict;

/* One pool that a request may come from. It lives for the call. */
typedef struct carveout_candidate {
  carveout_role role;
  carveout_verdict verdict;
  carveout_error error; /* of a refused one, else CARVEOUT_OK */
  carveout_text pool;
  const void* of_the_library; /* for carveout_describe_candidate() */
} carveout_candidate;
/* Answers whether to go on. */
typedef bool (*carveout_candidate_fn)(void* context, const carveout_candidate* candidate);

/* As the command line prints it; "unknown" for a number that is no role. Ends with a zero, lives
 * for ever. */
const char* carveout_role_name(carveout_role role);
/* Writes why a candidate stands as it does; as carveout_describe() does. */
size_t carveout_describe_candidate(const carveout_candidate* candidate, char* buffer, size_t size);

/* Calls `each` with the candidates of a request in order. Pure: nothing is taken.
 * Fails with: unknown_pool, bad_attributes (a number that means nothing). */
carveout_error carveout_route(const carveout_device* device, const carveout_options* options,
                              carveout_candidate_fn each, void* context);

/* ---- blocks of one size -----------------------------------------------------------------------
 */

typedef struct carveout_block_pool carveout_block_pool;

typedef struct carveout_block_pool_settings {
  uint64_t size_bytes;
  uint64_t align_bytes;    /* a power of two; 0: as 1 */
  uint64_t boundary_bytes; /* a power of two that no block crosses; 0: none */
  uint32_t page_bytes;     /* what is taken at a time; 0: 4096 */
  uint32_t most_pages;     /* 0: as 1 */
} carveout_block_pool_settings;

typedef struct carveout_block_usage {
  uint32_t blocks;
  uint32_t peak_blocks;
  uint32_t pages;
  uint64_t page_bytes;
} carveout_block_usage;

/* SIZE_MAX for settings that are refused, or that nobody has storage for. */
size_t carveout_block_pool_storage_bytes(const carveout_block_pool_settings* settings);
/* create_block_pool(). `storage` may have any alignment, and outlives the block pool. */
carveout_error carveout_block_pool_create(const carveout_device* device,
                                          const carveout_block_pool_settings* settings,
                                          const carveout_options* options, void* storage,
                                          size_t size, carveout_block_pool** blocks,
                                          carveout_failure* why);
carveout_error carveout_block_pool_take(carveout_block_pool* blocks, bool must_not_wait,
                                        carveout_block* block, carveout_failure* why);
carveout_error carveout_block_pool_give_back(carveout_block_pool* blocks,
                                             const carveout_block* block, carveout_failure* why);
carveout_error carveout_block_pool_close(carveout_block_pool* blocks, carveout_failure* why);
carveout_block_usage carveout_block_pool_usage(const carveout_block_pool* blocks);

/* ---- streaming --------------------------------------------------------------------------------
 */

/* How the CPU uses bytes. */
enum carveout_view_values {
  CARVEOUT_VIEW_BY_ADDRESS, /* it is made out by the address */
  CARVEOUT_VIEW_UNCACHED,
  CARVEOUT_VIEW_CACHED,
};
typedef int32_t carveout_view;

/* Bytes of the CPU's that are lent to a device. */
typedef struct carveout_bytes {
  void* cpu;               /* as the CPU uses them */
  carveout_phys_addr phys; /* the same byte, by the address that the CPU emits for that pointer */
  uint64_t size_bytes;
  uint64_t padding_bytes; /* so many behind them are nobody else's */
  carveout_view view;
} carveout_bytes;

/* A block's first byte in such a view: Pool::pointer(). NULL where there is none, and for a number
 * that is no view. */
void* carveout_pointer(const carveout_block* block, carveout_view view);

/* Bytes that are the device's: a plain value, which ends once. */
typedef struct carveout_mapping {
  carveout_bytes bytes;
  carveout_dma_addr dma; /* what the device is told */
  carveout_direction direction;
  bool is_copied; /* the device has a copy, `copy` */
  carveout_block copy;
} carveout_mapping;

/* carveout_alloc_coherent() with CARVEOUT_ATTR_NON_COHERENT gives memory for it. */
carveout_bytes carveout_bytes_of_block(const carveout_block* block, uint64_t size_bytes);
/* By the pointer alone. Fails with: zero_size, unknown_memory. */
carveout_error carveout_bytes_at(const carveout_device* device, void* at, uint64_t size_bytes,
                                 carveout_bytes* bytes, carveout_failure* why);

/* map(), and what else carveout/ops/streaming.hpp has. They fail with bad_attributes, too. */
carveout_error carveout_map(const carveout_device* device, const carveout_bytes* bytes,
                            carveout_direction direction, uint32_t attributes, bool must_not_wait,
                            carveout_mapping* mapping, carveout_failure* why);
carveout_error carveout_unmap(const carveout_device* device, const carveout_mapping* mapping,
                              uint32_t attributes, carveout_failure* why);
carveout_error carveout_sync_for_cpu(const carveout_device* device, const carveout_mapping* mapping,
                                     uint64_t offset_bytes, uint64_t size_bytes,
                                     carveout_failure* why);
carveout_error carveout_sync_for_device(const carveout_device* device,
                                        const carveout_mapping* mapping, uint64_t offset_bytes,
                                        uint64_t size_bytes, carveout_failure* why);
/* A mapping that the device was never told of. */
carveout_error carveout_abandon(const carveout_device* device, const carveout_mapping* mapping,
                                carveout_failure* why);
/* Widens a part to whole cache lines, within the mapping: whole_lines(). */
void carveout_whole_lines(const carveout_device* device, const carveout_mapping* mapping,
                          uint64_t* offset_bytes, uint64_t* size_bytes);
/* Lists of `count`: map_each() and unmap_each(), with a barrier for each entry. All or nothing; of
 * a list that is refused nothing in `mappings` means anything. */
carveout_error carveout_map_each(const carveout_device* device, const carveout_bytes* bytes,
                                 size_t count, carveout_direction direction, uint32_t attributes,
                                 bool must_not_wait, carveout_mapping* mappings,
                                 carveout_failure* why);
/* Ends all of them. Of several failures the first is told. */
carveout_error carveout_unmap_each(const carveout_device* device, const carveout_mapping* mappings,
                                   size_t count, uint32_t attributes, carveout_failure* why);
/* Another device's registers, say: nothing to end. */
carveout_error carveout_map_resource(const carveout_device* device, carveout_phys_range range,
                                     carveout_dma_addr* dma, carveout_failure* why);
uint64_t carveout_largest_mapping_bytes(const carveout_device* device);

/* ---- statistics -------------------------------------------------------------------------------
 */

typedef struct carveout_usage {
  uint64_t total_bytes;
  uint64_t used_bytes;
  uint64_t peak_bytes;
  uint64_t largest_run_bytes;
  uint32_t blocks;
} carveout_usage;

carveout_usage carveout_pool_usage(const carveout_pool* pool);
/* `counts` has room for 32: entry i is how many free runs have 2^i granules or more, and less than
 * 2^(i+1). */
void carveout_pool_free_runs(const carveout_pool* pool, uint32_t* counts);
carveout_text carveout_pool_name(const carveout_pool* pool);
carveout_memory carveout_pool_memory(const carveout_pool* pool);
bool carveout_pool_closed(const carveout_pool* pool);
uint64_t carveout_pool_granule_bytes(const carveout_pool* pool);
/* Writes what is left of the chunks in whole granules, at most `room` of them. Returns how many
 * there are. */
size_t carveout_pool_chunks(const carveout_pool* pool, carveout_phys_range* chunks, size_t room);
/* Calls `see` with every live block and the device that holds it (NULL: it is no device's; of a
 * bitmap store, which keeps none, it means nothing), and the pool's lock held. */
typedef void (*carveout_held_fn)(void* context, carveout_phys_range range,
                                 const carveout_device* holder);
void carveout_visit(const carveout_system* system, const carveout_pool* pool, carveout_held_fn see,
                    void* context);
carveout_text carveout_device_name(const carveout_device* device);

#ifdef __cplusplus
}
#endif

#endif
