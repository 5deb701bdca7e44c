/* The C face, used from C: a board in tables, a driver, and what is refused. Each function is a
 * test, and says what it shows. */
#include <carveout/c/carveout.h>
#include <string.h>

#include "check.h"
#include "machine.h"

static machine host;
static _Alignas(8) unsigned char storage[32768];

/* ---- the board: one default pool, one pool of a device's own, two devices */

static const carveout_alias aliases[] = {{{RAM_CACHED}, {RAM_UNCACHED}, RAM_BYTES}};
static const carveout_phys_range default_chunks[] = {{{RAM_CACHED}, 0x2000}};
static const carveout_phys_range own_chunks[] = {{{RAM_CACHED + 0x2000}, 0x800},
                                                 {{RAM_CACHED + 0x3000}, 0x800}};
static const carveout_window windows[] = {{{RAM_DMA}, {RAM_CACHED}, RAM_BYTES}};
static const carveout_pool_settings pools[] = {
    {.name = "default", .chunks = default_chunks, .chunk_count = 1},
    {.name = "own", .chunks = own_chunks, .chunk_count = 2},
};
static const carveout_device_settings devices[] = {
    {.name = "eth", .coherent_mask = {0xffffffff}, .windows = windows, .window_count = 1},
    {.name = "dsp", .coherent_mask = {0xffffffff}, .windows = windows, .window_count = 1},
};
static const carveout_binding_row bindings[] = {
    {.device = 1, .pool = 1, .settings = {.index = 3, .name = "tables"}}};
static const carveout_default_row defaults[] = {{.role = CARVEOUT_ROLE_DEFAULT_POOL, .pool = 0}};
static const carveout_tables tables = {
    .pools = pools,
    .pool_count = 2,
    .devices = devices,
    .device_count = 2,
    .bindings = bindings,
    .binding_count = 1,
    .defaults = defaults,
    .default_count = 1,
};

static carveout_platform platform(void) {
  memset(&host, 0, sizeof host);
  return (carveout_platform){.port = machine_port(&host), .aliases = aliases, .alias_count = 1};
}

typedef struct heard {
  int count;
  carveout_error last;
  carveout_text device;
} heard;
static void hear(void* context, const carveout_failure* failure) {
  heard* of = context;
  ++of->count;
  of->last = failure->code;
}

static void hear_log(void* context, const carveout_failure* failure, carveout_text device) {
  heard* of = context;
  hear(of, failure);
  of->device = device;
}

static carveout_system* board(void) {
  const carveout_platform of = platform();
  carveout_system* system = NULL;
  CHECK(carveout_build(&of, &tables, storage, sizeof storage, NULL, NULL, &system, NULL) ==
        CARVEOUT_OK);
  return system;
}

static bool is_text(carveout_text text, const char* expected) {
  return text.length == strlen(expected) && memcmp(text.at, expected, text.length) == 0;
}

typedef struct walk {
  int count;
  carveout_role last;
  char reason[80];
} walk;
static bool step(void* context, const carveout_candidate* candidate) {
  walk* of = context;
  ++of->count;
  of->last = candidate->role;
  if (candidate->verdict == CARVEOUT_VERDICT_OPEN) {
    carveout_describe_candidate(candidate, of->reason, sizeof of->reason);
    CHECK(is_text(candidate->pool, "default"));
    CHECK(candidate->error == CARVEOUT_OK);
  }
  return candidate->verdict != CARVEOUT_VERDICT_OPEN;
}

/* ---- errors */

static void every_error_has_a_name_and_a_meaning(void) {
  CHECK(strcmp(carveout_error_name(CARVEOUT_OK), "ok") == 0);
  CHECK(strcmp(carveout_error_name(CARVEOUT_ZERO_SIZE), "zero_size") == 0);
  CHECK(strcmp(carveout_error_name(CARVEOUT_NO_SUCH_NODE), "no_such_node") == 0);
  CHECK(strcmp(carveout_error_meaning(CARVEOUT_ZERO_SIZE), "the request is for 0 bytes") == 0);
  CHECK(strcmp(carveout_error_name(CARVEOUT_NO_SUCH_NODE + 1), "unknown") == 0);
}

static void a_refusal_is_described_and_cut_to_the_buffer(void) {
  const carveout_failure failure = {.code = CARVEOUT_EXHAUSTED,
                                    .pool = {"dma", 3},
                                    .asked_bytes = 64,
                                    .free_bytes = 32,
                                    .largest_run_bytes = 32};
  char all[200];
  CHECK(carveout_describe(&failure, all, sizeof all) == strlen(all));
  CHECK(strcmp(all,
               "dma: nothing of that length, alignment and boundary is free in the reachable "
               "part: 64 bytes asked, 32 bytes free, the longest free run 32 bytes") == 0);
  char few[8];
  CHECK(carveout_describe(&failure, few, sizeof few) == 7);
  CHECK(strcmp(few, "dma: no") == 0 || strlen(few) == 7);
  CHECK(carveout_describe(&failure, few, 0) == 0);
  const carveout_failure unknown = {.code = 999};
  CHECK(carveout_describe(&unknown, all, sizeof all) > 0);
}

/* ---- a board */

static void a_board_is_built_from_tables(void) {
  carveout_system* system = board();
  CHECK(is_text(carveout_pool_name(carveout_find_pool(system, "default")), "default"));
  CHECK(is_text(carveout_device_name(carveout_find_device(system, "dsp")), "dsp"));
  CHECK(carveout_find_pool(system, "none") == NULL);
  CHECK(carveout_find_device(system, "none") == NULL);
  CHECK(carveout_pool_memory(carveout_find_pool(system, "own")) == CARVEOUT_MEMORY_COHERENT);
  CHECK(carveout_pool_usage(carveout_find_pool(system, "own")).total_bytes == 0x1000);
}

static void the_storage_that_is_measured_is_enough_at_any_alignment_and_no_less_is(void) {
  const carveout_platform of = platform();
  const size_t needed = carveout_storage_bytes(&of, &tables);
  CHECK(needed < sizeof storage - 1);
  carveout_system* system = NULL;
  carveout_failure why = {.code = CARVEOUT_OK};
  CHECK(carveout_build(&of, &tables, storage + 1, needed, NULL, NULL, &system, NULL) ==
        CARVEOUT_OK);
  for (size_t size = 0; size + 16 < needed; size += 7) {
    CHECK(carveout_build(&of, &tables, storage + 1, size, NULL, NULL, &system, &why) ==
          CARVEOUT_STORAGE_TOO_SMALL);
    CHECK(why.asked_bytes > 0);
  }
}

static void what_is_refused_is_heard_and_the_rest_works(void) {
  const carveout_default_row twice[] = {defaults[0],
                                        {.role = CARVEOUT_ROLE_DEFAULT_POOL, .pool = 1}};
  carveout_tables wrong = tables;
  wrong.defaults = twice;
  wrong.default_count = 2;
  const carveout_platform of = platform();
  carveout_system* system = NULL;
  heard refused = {0};
  CHECK(carveout_build(&of, &wrong, storage, sizeof storage, hear, &refused, &system, NULL) ==
        CARVEOUT_OK);
  CHECK(refused.count == 1);
  CHECK(refused.last == CARVEOUT_ALREADY_DECLARED);
  carveout_block block;
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "eth"), 64, NULL, &block, NULL) ==
        CARVEOUT_OK);
}

static carveout_error built(const carveout_platform* of, const carveout_pool_settings* pool,
                            const carveout_device_settings* device) {
  const carveout_tables wrong = {.pools = pool,
                                 .pool_count = pool != NULL ? 1 : 0,
                                 .devices = device,
                                 .device_count = device != NULL ? 1 : 0};
  carveout_system* system = NULL;
  return carveout_build(of, &wrong, storage, sizeof storage, NULL, NULL, &system, NULL);
}

static void a_number_of_a_board_that_means_nothing_is_refused(void) {
  static const carveout_role no_roles[] = {99};
  static const carveout_sync_table no_work = {.rows = {{0, 0}, {0, 77}, {0, 0}}};
  carveout_platform of = platform();
  carveout_pool_settings pool = pools[0];
  carveout_device_settings device = devices[0];
  CHECK(built(&of, &pool, &device) == CARVEOUT_OK);
  pool.store.kind = 9;
  CHECK(built(&of, &pool, NULL) == CARVEOUT_WRONG_KIND);
  device.coherent = -1;
  CHECK(built(&of, NULL, &device) == CARVEOUT_WRONG_KIND);
  device = devices[0];
  device.fallback = no_roles;
  device.fallback_count = 1;
  CHECK(built(&of, NULL, &device) == CARVEOUT_WRONG_KIND);
  of.store.kind = 9;
  CHECK(built(&of, NULL, NULL) == CARVEOUT_WRONG_KIND);
  of = platform();
  of.port.sync_table = &no_work;
  CHECK(built(&of, NULL, NULL) == CARVEOUT_WRONG_KIND);
  carveout_system* system = board();
  carveout_device* added = NULL;
  carveout_pool* atomic = NULL;
  const carveout_atomic_settings settings = {
      .name = "urgent", .size_bytes = 0x400, .store = {.kind = 9}};
  CHECK(carveout_add_device(system, &device, &added, NULL) == CARVEOUT_WRONG_KIND);
  CHECK(carveout_carve_atomic(system, &settings, &atomic, NULL) == CARVEOUT_WRONG_KIND);
  CHECK(strcmp(carveout_role_name(99), "unknown") == 0);
}

static void a_number_that_is_no_role_or_memory_is_refused(void) {
  carveout_pool_settings bad_pool = pools[0];
  bad_pool.memory = 9;
  carveout_default_row bad_default = {.role = 99, .pool = 0};
  carveout_tables wrong = tables;
  const carveout_platform of = platform();
  carveout_system* system = NULL;
  wrong.defaults = &bad_default;
  CHECK(carveout_build(&of, &wrong, storage, sizeof storage, NULL, NULL, &system, NULL) ==
        CARVEOUT_WRONG_KIND);
  wrong = (carveout_tables){.pools = &bad_pool, .pool_count = 1};
  CHECK(carveout_build(&of, &wrong, storage, sizeof storage, NULL, NULL, &system, NULL) ==
        CARVEOUT_WRONG_KIND);
  system = board();
  carveout_pool* pool = carveout_find_pool(system, "own");
  CHECK(carveout_declare(system, &bad_pool, &pool, NULL) == CARVEOUT_WRONG_KIND);
  CHECK(carveout_set_default(system, 99, pool, 0, NULL) == CARVEOUT_WRONG_KIND);
}

static void a_board_is_declared_by_code(void) {
  const carveout_platform of = platform();
  carveout_system* system = NULL;
  carveout_pool* pool = NULL;
  carveout_device* device = NULL;
  carveout_failure why;
  CHECK(carveout_build(&of, NULL, storage, sizeof storage, NULL, NULL, &system, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_declare(system, &pools[1], &pool, NULL) == CARVEOUT_OK);
  CHECK(carveout_declare(system, &pools[1], &pool, &why) == CARVEOUT_ALREADY_DECLARED);
  CHECK(is_text(why.pool, "own"));
  CHECK(carveout_add_device(system, &devices[0], &device, NULL) == CARVEOUT_OK);
  CHECK(carveout_add_device(system, &devices[0], &device, NULL) == CARVEOUT_ALREADY_DECLARED);
  const carveout_window elsewhere = {{0x100}, {RAM_CACHED + 0x2000}, 0x1800};
  const carveout_binding_settings binding = {.window = &elsewhere};
  CHECK(carveout_bind(system, device, pool, &binding, NULL) == CARVEOUT_OK);
  CHECK(carveout_bind(system, device, pool, &binding, NULL) == CARVEOUT_ALREADY_DECLARED);
  CHECK(carveout_set_default(system, CARVEOUT_ROLE_DEFAULT_POOL, pool, 0, NULL) == CARVEOUT_OK);
  CHECK(carveout_set_default(system, CARVEOUT_ROLE_BOUNCE, pool, 0, NULL) == CARVEOUT_WRONG_KIND);
  carveout_block block;
  CHECK(carveout_alloc_coherent(device, 64, NULL, &block, NULL) == CARVEOUT_OK);
  CHECK(block.dma.raw == block.phys.raw - (RAM_CACHED + 0x2000) + 0x100);
}

static void the_storage_of_what_is_declared_adds_up(void) {
  const carveout_platform of = platform();
  const carveout_binding_settings binding = {.window = windows};
  const size_t needed =
      carveout_storage_bytes(&of, NULL) + carveout_pool_storage_bytes(&of, &pools[1]) +
      carveout_device_storage_bytes(&devices[0]) + carveout_binding_storage_bytes(&binding);
  carveout_system* system = NULL;
  carveout_pool* pool = NULL;
  carveout_device* device = NULL;
  CHECK(carveout_build(&of, NULL, storage, needed, NULL, NULL, &system, NULL) == CARVEOUT_OK);
  CHECK(carveout_declare(system, &pools[1], &pool, NULL) == CARVEOUT_OK);
  CHECK(carveout_add_device(system, &devices[0], &device, NULL) == CARVEOUT_OK);
  CHECK(carveout_bind(system, device, pool, &binding, NULL) == CARVEOUT_OK);
  CHECK(carveout_add_device(system, &devices[1], &device, NULL) == CARVEOUT_STORAGE_TOO_SMALL);
  CHECK(carveout_node_default_storage_bytes() > 0);
}

static void masks_are_stated_late_and_never_leave_a_block_out_of_reach(void) {
  carveout_system* system = board();
  carveout_device* eth = carveout_find_device(system, "eth");
  const carveout_masks narrow = {.coherent = {0xffffff}};
  const carveout_masks wide = {.coherent = {0xffffffff}};
  const carveout_masks apart = {
      .coherent = {0xffffffff}, .has_streaming = true, .streaming = {0xffffff}};
  const carveout_phys_range registers = {{RAM_CACHED + 0x2800}, 0x100};
  carveout_block block;
  carveout_dma_addr dma;
  CHECK(carveout_set_masks(system, eth, &narrow, NULL) == CARVEOUT_OK);
  CHECK(carveout_alloc_coherent(eth, 64, NULL, &block, NULL) == CARVEOUT_UNREACHABLE);
  CHECK(carveout_set_masks(system, eth, &apart, NULL) == CARVEOUT_OK);
  CHECK(carveout_map_resource(eth, registers, &dma, NULL) == CARVEOUT_UNREACHABLE);
  CHECK(carveout_set_masks(system, eth, &wide, NULL) == CARVEOUT_OK);
  CHECK(carveout_map_resource(eth, registers, &dma, NULL) == CARVEOUT_OK);
  CHECK(carveout_alloc_coherent(eth, 64, NULL, &block, NULL) == CARVEOUT_OK);
  CHECK(carveout_set_masks(system, eth, &narrow, NULL) == CARVEOUT_IN_USE);
}

static void a_fallback_serves_when_the_devices_own_pool_is_exhausted(void) {
  static const carveout_role to_default[] = {CARVEOUT_ROLE_DEFAULT_POOL};
  static const carveout_role to_own[] = {CARVEOUT_ROLE_DEVICE};
  carveout_system* system = board();
  carveout_device_settings settings = devices[1];
  carveout_device* device = NULL;
  carveout_block block;
  const carveout_device* dsp = carveout_find_device(system, "dsp");
  CHECK(carveout_alloc_coherent(dsp, 0x1000, NULL, &block, NULL) == CARVEOUT_EXHAUSTED);
  settings.name = "modem";
  settings.fallback = to_own;
  settings.fallback_count = 1;
  CHECK(carveout_add_device(system, &settings, &device, NULL) == CARVEOUT_WRONG_KIND);
  settings.fallback = to_default;
  const size_t before = carveout_storage_used_bytes(system);
  CHECK(carveout_add_device(system, &settings, &device, NULL) == CARVEOUT_OK);
  CHECK(carveout_storage_used_bytes(system) - before == carveout_device_storage_bytes(&settings));
  const carveout_binding_settings binding = {.index = 0};
  CHECK(carveout_bind(system, device, carveout_find_pool(system, "own"), &binding, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_alloc_coherent(device, 0x1000, NULL, &block, NULL) == CARVEOUT_OK);
  CHECK(block.pool == carveout_find_pool(system, "default"));
}

static void a_fallback_of_a_table_serves_too(void) {
  carveout_role to_default[] = {CARVEOUT_ROLE_DEFAULT_POOL};
  carveout_device_settings rows[] = {devices[0], devices[1]};
  rows[1].fallback = to_default;
  rows[1].fallback_count = 1;
  carveout_tables with_fallback = tables;
  with_fallback.devices = rows;
  const carveout_platform of = platform();
  carveout_system* system = NULL;
  carveout_block block;
  CHECK(carveout_build(&of, &with_fallback, storage, carveout_storage_bytes(&of, &with_fallback),
                       NULL, NULL, &system, NULL) == CARVEOUT_OK);
  to_default[0] = CARVEOUT_ROLE_ATOMIC; /* it was copied */
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "dsp"), 0x1000, NULL, &block, NULL) ==
        CARVEOUT_OK);
}

static void an_atomic_pool_is_cut_out_grows_and_says_how_large_it_would_have_had_to_be(void) {
  const carveout_atomic_settings settings = {
      .name = "urgent", .size_bytes = 0x400, .most_pieces = 2, .low_water_bytes = 0x100};
  const carveout_options urgent = {.must_not_wait = true};
  carveout_system* system = board();
  const carveout_device* eth = carveout_find_device(system, "eth");
  carveout_pool* pool = NULL;
  carveout_block block;
  carveout_failure why;
  uint64_t more_bytes = 1;
  CHECK(!carveout_atomic_is_low(system));
  const size_t before = carveout_storage_used_bytes(system);
  CHECK(carveout_carve_atomic(system, &settings, &pool, NULL) == CARVEOUT_OK);
  CHECK(carveout_carve_atomic(system, &settings, &pool, NULL) == CARVEOUT_ALREADY_DECLARED);
  CHECK(carveout_grow_atomic(system, &more_bytes, NULL) == CARVEOUT_OK);
  CHECK(more_bytes == 0);
  CHECK(carveout_alloc_coherent(eth, 0x400, &urgent, &block, NULL) == CARVEOUT_OK);
  CHECK(block.pool == pool);
  CHECK(carveout_alloc_coherent(eth, 0x400, &urgent, &block, &why) == CARVEOUT_EXHAUSTED);
  CHECK(why.needed_bytes == 0x800);
  char text[300];
  carveout_describe(&why, text, sizeof text);
  CHECK(strstr(text, "it would have had to have 2 KiB") != NULL);
  CHECK(carveout_atomic_is_low(system));
  host.in_interrupt = true;
  CHECK(carveout_grow_atomic(system, &more_bytes, NULL) != CARVEOUT_OK);
  host.in_interrupt = false;
  CHECK(carveout_grow_atomic(system, &more_bytes, NULL) == CARVEOUT_OK);
  CHECK(more_bytes == 0x400);
  CHECK(carveout_alloc_coherent(eth, 0x400, &urgent, &block, NULL) == CARVEOUT_OK);
  const carveout_platform of = platform();
  CHECK(carveout_storage_used_bytes(system) - before ==
        carveout_atomic_storage_bytes(&of, &settings));
}

static void the_log_hears_of_what_verbs_refuse(void) {
  carveout_platform of = platform();
  heard log = {0};
  of.log = hear_log;
  of.log_context = &log;
  carveout_system* system = NULL;
  carveout_block block;
  const carveout_options expected = {.align_bytes = 3, .attributes = CARVEOUT_ATTR_NO_WARN};
  const carveout_options no_choice = {.choice = 9};
  CHECK(carveout_build(&of, &tables, storage, sizeof storage, NULL, NULL, &system, NULL) ==
        CARVEOUT_OK);
  const carveout_device* eth = carveout_find_device(system, "eth");
  CHECK(carveout_alloc_coherent(eth, 64, NULL, &block, NULL) == CARVEOUT_OK);
  CHECK(carveout_alloc_coherent(eth, 64, &expected, &block, NULL) == CARVEOUT_BAD_ALIGNMENT);
  CHECK(log.count == 0);
  CHECK(carveout_alloc_coherent(eth, 0, NULL, &block, NULL) == CARVEOUT_ZERO_SIZE);
  CHECK(log.count == 1 && log.last == CARVEOUT_ZERO_SIZE);
  CHECK(is_text(log.device, "eth"));
  CHECK(carveout_alloc_coherent(eth, 64, &no_choice, &block, NULL) == CARVEOUT_BAD_ATTRIBUTES);
  CHECK(log.count == 2 && log.last == CARVEOUT_BAD_ATTRIBUTES);
  CHECK(carveout_free_coherent(&block, NULL) == CARVEOUT_OK);
  CHECK(carveout_free_coherent(&block, NULL) == CARVEOUT_DOUBLE_FREE);
  CHECK(log.count == 3 && log.device.length == 0);
}

/* ---- contiguous memory */

static const carveout_phys_range other_chunks[] = {{{RAM_CACHED}, 0x1000}};
static const carveout_pool_settings cma = {
    .name = "cma", .memory = CARVEOUT_MEMORY_CONTIGUOUS, .chunks = other_chunks, .chunk_count = 1};

static void a_numa_node_has_a_default_of_its_own(void) {
  static const carveout_default_row of_node[] = {
      {.role = CARVEOUT_ROLE_CONTIGUOUS_NODE, .pool = 0, .numa_node = 1}};
  carveout_device_settings rows[] = {devices[0], devices[1]};
  rows[1].numa_node = 1;
  const carveout_tables nodes = {.pools = &cma,
                                 .pool_count = 1,
                                 .devices = rows,
                                 .device_count = 2,
                                 .defaults = of_node,
                                 .default_count = 1};
  const carveout_platform of = platform();
  carveout_system* system = NULL;
  carveout_block block;
  CHECK(carveout_build(&of, &nodes, storage, carveout_storage_bytes(&of, &nodes), NULL, NULL,
                       &system, NULL) == CARVEOUT_OK);
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "dsp"), 64, NULL, &block, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "eth"), 64, NULL, &block, NULL) ==
        CARVEOUT_NO_POOL);
  CHECK(carveout_set_default(system, CARVEOUT_ROLE_CONTIGUOUS_NODE,
                             carveout_find_pool(system, "cma"), 1,
                             NULL) == CARVEOUT_ALREADY_DECLARED);
}

typedef struct tenant {
  carveout_block block;
  uint32_t user;
  bool is_pinned;
} tenant;
static bool vacate(void* context, carveout_phys_range lent, uint32_t user,
                   carveout_phys_range wanted) {
  tenant* of = context;
  of->user = user;
  CHECK(lent.base.raw == of->block.phys.raw && lent.size_bytes == of->block.size_bytes);
  CHECK(wanted.size_bytes == 0x800);
  return !of->is_pinned && carveout_free_coherent(&of->block, NULL) == CARVEOUT_OK;
}

static void contiguous_memory_is_lent_until_a_device_wants_it(void) {
  carveout_system* system = NULL;
  carveout_pool* pool = NULL;
  carveout_device* eth = NULL;
  const carveout_platform of = platform();
  static tenant user;
  user = (tenant){.is_pinned = true};
  CHECK(carveout_build(&of, NULL, storage, sizeof storage, NULL, NULL, &system, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_declare(system, &cma, &pool, NULL) == CARVEOUT_OK);
  CHECK(carveout_set_default(system, CARVEOUT_ROLE_CONTIGUOUS_DEFAULT, pool, 0, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_add_device(system, &devices[0], &eth, NULL) == CARVEOUT_OK);
  CHECK(carveout_borrow(pool, 0x1000, 7, NULL, &user.block, NULL) == CARVEOUT_WRONG_KIND);
  const size_t before = carveout_storage_used_bytes(system);
  CHECK(carveout_lend(system, pool, vacate, &user, NULL) == CARVEOUT_OK);
  CHECK(carveout_storage_used_bytes(system) - before == carveout_lend_storage_bytes());
  CHECK(carveout_lend(system, pool, vacate, &user, NULL) == CARVEOUT_ALREADY_DECLARED);

  CHECK(carveout_borrow(pool, 64, 7, &other_chunks[0], &user.block, NULL) == CARVEOUT_EXHAUSTED);
  CHECK(carveout_borrow(pool, 0x1000, 7, NULL, &user.block, NULL) == CARVEOUT_OK);
  CHECK(user.block.cpu == host.ram);
  carveout_block block;
  CHECK(carveout_alloc_coherent(eth, 0x800, NULL, &block, NULL) == CARVEOUT_EXHAUSTED);
  CHECK(user.user == 7);
  user.is_pinned = false;
  CHECK(carveout_alloc_coherent(eth, 0x800, NULL, &block, NULL) == CARVEOUT_OK);
}

/* ---- coherent memory */

static void a_device_gets_memory_by_its_three_addresses(void) {
  carveout_system* system = board();
  memset(host.uncached, 0xa5, sizeof host.uncached);
  carveout_block block;
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "eth"), 100, NULL, &block, NULL) ==
        CARVEOUT_OK);
  CHECK(block.size_bytes == 128);
  CHECK(block.pool == carveout_find_pool(system, "default"));
  CHECK(block.dma.raw - RAM_DMA == block.phys.raw - RAM_CACHED);
  CHECK(block.cpu == host.uncached + (block.phys.raw - RAM_CACHED));
  CHECK(((unsigned char*)block.cpu)[99] == 0);
  CHECK(host.clean_invalidates == 1);
  CHECK(host.publish_barriers == 1);
  CHECK(host.locks == 0);
}

static void a_block_has_a_pointer_for_each_view(void) {
  carveout_system* system = board();
  carveout_block block;
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "eth"), 64, NULL, &block, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_pointer(&block, CARVEOUT_VIEW_UNCACHED) == block.cpu);
  CHECK(carveout_pointer(&block, CARVEOUT_VIEW_CACHED) ==
        host.ram + ((unsigned char*)block.cpu - host.uncached));
  CHECK(carveout_pointer(&block, CARVEOUT_VIEW_BY_ADDRESS) == NULL);
  CHECK(carveout_pointer(&block, 9) == NULL);
}

static void a_block_is_given_back_once(void) {
  carveout_system* system = board();
  carveout_block block;
  carveout_failure why;
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "eth"), 64, NULL, &block, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_free_coherent(&block, NULL) == CARVEOUT_OK);
  CHECK(carveout_free_coherent(&block, &why) == CARVEOUT_DOUBLE_FREE);
  CHECK(is_text(why.pool, "default"));
}

static void options_reach_the_library(void) {
  carveout_system* system = board();
  const carveout_device* dsp = carveout_find_device(system, "dsp");
  carveout_block block;
  carveout_failure why;
  carveout_options options = {.align_bytes = 0x400};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_OK);
  CHECK(block.dma.raw % 0x400 == 0);
  options = (carveout_options){.align_bytes = 3};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, &why) == CARVEOUT_BAD_ALIGNMENT);
  CHECK(why.has_stated && why.stated == 3);
  options = (carveout_options){.boundary_bytes = 16};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_CROSSES_BOUNDARY);
  options = (carveout_options){.choice = CARVEOUT_POOL_BY_INDEX, .pool_index = 3};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_OK);
  options.pool_index = 0;
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_UNKNOWN_POOL);
  options = (carveout_options){.choice = CARVEOUT_POOL_BY_NAME, .pool_name = "tables"};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_OK);
  options = (carveout_options){.attributes = CARVEOUT_ATTR_NON_COHERENT};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_OK);
  memset(host.uncached, 0xa5, sizeof host.uncached);
  options = (carveout_options){.attributes = CARVEOUT_ATTR_UNINITIALIZED};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_OK);
  CHECK(((unsigned char*)block.cpu)[0] == 0xa5);
}

static void a_request_that_means_nothing_is_refused(void) {
  carveout_system* system = board();
  const carveout_device* dsp = carveout_find_device(system, "dsp");
  carveout_block block;
  walk of = {0};
  carveout_options options = {.choice = 3};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_BAD_ATTRIBUTES);
  CHECK(carveout_route(dsp, &options, step, &of) == CARVEOUT_BAD_ATTRIBUTES);
  options = (carveout_options){.attributes = CARVEOUT_ATTR_REQUIRE_COHERENT << 1};
  CHECK(carveout_alloc_from_default_pool(dsp, 32, &options, &block, NULL) ==
        CARVEOUT_BAD_ATTRIBUTES);
  options = (carveout_options){.choice = CARVEOUT_POOL_BY_NAME};
  CHECK(carveout_alloc_coherent(dsp, 32, &options, &block, NULL) == CARVEOUT_UNKNOWN_POOL);
  CHECK(of.count == 0);
}

static void single_roles_have_verbs_of_their_own(void) {
  carveout_system* system = board();
  const carveout_device* dsp = carveout_find_device(system, "dsp");
  const carveout_device* eth = carveout_find_device(system, "eth");
  carveout_block block;
  CHECK(carveout_alloc_from_default_pool(dsp, 64, NULL, &block, NULL) == CARVEOUT_OK);
  CHECK(block.pool == carveout_find_pool(system, "default"));
  CHECK(carveout_alloc_from_device_pool(dsp, 64, NULL, &block, NULL) == CARVEOUT_OK);
  CHECK(block.pool == carveout_find_pool(system, "own"));
  CHECK(carveout_alloc_from_device_pool(eth, 64, NULL, &block, NULL) == CARVEOUT_NO_POOL);
  CHECK(carveout_alloc_from_default_contiguous(eth, 64, NULL, &block, NULL) == CARVEOUT_NO_POOL);
}

static void an_interrupt_is_refused_what_it_would_have_to_wait_for(void) {
  carveout_system* system = board();
  carveout_block block;
  host.in_interrupt = true;
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "eth"), 64, NULL, &block, NULL) ==
        CARVEOUT_WOULD_WAIT);
}

static void what_a_device_may_still_write_waits_until_it_is_quiet(void) {
  carveout_system* system = board();
  carveout_device_settings settings = devices[0];
  carveout_device* device = NULL;
  carveout_block one;
  carveout_block two;
  settings.name = "late";
  settings.quarantine_blocks = 1;
  CHECK(carveout_add_device(system, &settings, &device, NULL) == CARVEOUT_OK);
  const carveout_pool* pool = carveout_find_pool(system, "default");
  CHECK(carveout_alloc_coherent(device, 64, NULL, &one, NULL) == CARVEOUT_OK);
  CHECK(carveout_alloc_coherent(device, 64, NULL, &two, NULL) == CARVEOUT_OK);
  CHECK(carveout_quarantine(device, &one, NULL) == CARVEOUT_OK);
  CHECK(carveout_quarantine(device, &two, NULL) == CARVEOUT_TABLE_FULL);
  CHECK(carveout_pool_usage(pool).blocks == 2);
  host.in_interrupt = true;
  CHECK(carveout_quiesced(device, NULL) == CARVEOUT_WOULD_WAIT);
  host.in_interrupt = false;
  CHECK(carveout_quiesced(device, NULL) == CARVEOUT_OK);
  CHECK(carveout_pool_usage(pool).blocks == 1);
}

static void a_pool_is_handed_on_and_taken_over(void) {
  carveout_system* system = board();
  carveout_pool* pool = carveout_find_pool(system, "default");
  memset(host.uncached, 0xa5, sizeof host.uncached);
  CHECK(carveout_write_before_read(pool, NULL) == CARVEOUT_OK);
  CHECK(host.uncached[0] == 0 && host.uncached[0x1fff] == 0 && host.uncached[0x2000] == 0xa5);
  host.clean_invalidates = 0;
  host.invalidates = 0;
  carveout_clean_for_handover(pool);
  CHECK(host.clean_invalidates == 1);
  carveout_clean_all_for_handover(system);
  CHECK(host.clean_invalidates == 1 + 1 + 2);
  carveout_take_over(pool);
  CHECK(host.invalidates == 1);
  carveout_block block;
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "eth"), 64, NULL, &block, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_write_before_read(pool, NULL) == CARVEOUT_IN_USE);
}

static void barriers_are_the_ports(void) {
  carveout_system* system = board();
  carveout_publish_barrier(system);
  carveout_observe_barrier(system);
  CHECK(host.publish_barriers == 1);
  CHECK(host.observe_barriers == 1);
}

static void pages_of_a_block_may_be_shown_to_a_process(void) {
  carveout_system* system = board();
  const carveout_device* eth = carveout_find_device(system, "eth");
  const carveout_options pages = {.align_bytes = 0x800};
  carveout_block block;
  carveout_phys_range range;
  CHECK(carveout_alloc_coherent(eth, 0x1000, &pages, &block, NULL) == CARVEOUT_OK);
  carveout_mmap_request request = {.first_page = 1, .pages = 1, .page_bytes = 0x800};
  CHECK(carveout_mmap_check(eth, &block, &request, &range, NULL) == CARVEOUT_OK);
  CHECK(range.base.raw == block.phys.raw - RAM_CACHED + RAM_UNCACHED + 0x800);
  CHECK(range.size_bytes == 0x800);
  request.pages = 2;
  CHECK(carveout_mmap_check(eth, &block, &request, &range, NULL) == CARVEOUT_OUTSIDE_BLOCK);
}

/* ---- the route */

/* Counts those that are open. */
static bool step_to_open(void* context, const carveout_candidate* candidate) {
  walk* of = context;
  if (candidate->verdict == CARVEOUT_VERDICT_OPEN) ++of->count;
  return true;
}

static void a_route_is_told_step_by_step(void) {
  carveout_system* system = board();
  walk of = {0};
  CHECK(carveout_route(carveout_find_device(system, "eth"), NULL, step, &of) == CARVEOUT_OK);
  CHECK(of.count == 3);
  CHECK(strcmp(carveout_role_name(of.last), "default") == 0);
  CHECK(strcmp(of.reason, "serves every device without a pool of its own") == 0);
  const carveout_options none = {.choice = CARVEOUT_POOL_BY_NAME, .pool_name = "none"};
  CHECK(carveout_route(carveout_find_device(system, "eth"), &none, step, &of) ==
        CARVEOUT_UNKNOWN_POOL);
}

static bool find_ordinary(void* context, const carveout_candidate* candidate) {
  if (candidate->role == CARVEOUT_ROLE_ORDINARY) *(carveout_verdict*)context = candidate->verdict;
  return true;
}

static void ordinary_memory_elsewhere_ends_a_route(void) {
  const carveout_phys_range ordinary[] = {{{RAM_CACHED + 0x3800}, 0x800}};
  const carveout_phys_range out_of_reach[] = {{{0x1000}, 0x800}};
  const carveout_options options = {.attributes = CARVEOUT_ATTR_NON_COHERENT};
  carveout_platform of = platform();
  carveout_system* system = NULL;
  of.ordinary_elsewhere_count = 1;
  for (int reached = 0; reached < 2; ++reached) {
    carveout_verdict verdict = CARVEOUT_VERDICT_SKIPPED;
    of.ordinary_elsewhere = reached ? ordinary : out_of_reach;
    CHECK(carveout_build(&of, &tables, storage, carveout_storage_bytes(&of, &tables), NULL, NULL,
                         &system, NULL) == CARVEOUT_OK);
    CHECK(carveout_route(carveout_find_device(system, "eth"), &options, find_ordinary, &verdict) ==
          CARVEOUT_OK);
    CHECK(verdict == (reached ? CARVEOUT_VERDICT_OPEN : CARVEOUT_VERDICT_REFUSED));
  }
}

static void a_board_that_is_only_described_has_routes_and_no_memory(void) {
  const carveout_default_row row = {.role = CARVEOUT_ROLE_CONTIGUOUS_DEFAULT, .pool = 0};
  const carveout_tables only = {.pools = &cma,
                                .pool_count = 1,
                                .devices = devices,
                                .device_count = 1,
                                .defaults = &row,
                                .default_count = 1};
  carveout_platform of = platform();
  carveout_block block;
  of.described_only = true;
  for (int assumed = 0; assumed < 2; ++assumed) {
    carveout_system* system = NULL;
    walk to = {0};
    of.assume_uncached_view = assumed != 0;
    CHECK(carveout_build(&of, &only, storage, sizeof storage, NULL, NULL, &system, NULL) ==
          CARVEOUT_OK);
    const carveout_device* eth = carveout_find_device(system, "eth");
    CHECK(carveout_route(eth, NULL, step_to_open, &to) == CARVEOUT_OK);
    CHECK((to.count == 1) == (assumed != 0));
    CHECK(carveout_alloc_coherent(eth, 64, NULL, &block, NULL) == CARVEOUT_NO_POOL);
  }
}

/* ---- blocks of one size */

static void blocks_of_one_size_come_from_pages_of_a_pool(void) {
  carveout_system* system = board();
  const carveout_device* eth = carveout_find_device(system, "eth");
  const carveout_block_pool_settings settings = {
      .size_bytes = 48, .align_bytes = 64, .page_bytes = 1024, .most_pages = 2};
  static _Alignas(8) unsigned char tables_of_blocks[4096];
  const size_t needed = carveout_block_pool_storage_bytes(&settings);
  carveout_block_pool* blocks = NULL;
  carveout_block one;
  carveout_block two;
  CHECK(needed < sizeof tables_of_blocks);
  CHECK(carveout_block_pool_create(eth, &settings, NULL, tables_of_blocks + 1, 8, &blocks, NULL) ==
        CARVEOUT_STORAGE_TOO_SMALL);
  CHECK(carveout_block_pool_create(eth, &settings, NULL, tables_of_blocks + 1, needed, &blocks,
                                   NULL) == CARVEOUT_OK);
  CHECK(carveout_block_pool_take(blocks, false, &one, NULL) == CARVEOUT_OK);
  CHECK(carveout_block_pool_take(blocks, true, &two, NULL) == CARVEOUT_OK);
  CHECK(two.dma.raw == one.dma.raw + 64);
  CHECK(carveout_block_pool_usage(blocks).blocks == 2);
  CHECK(carveout_block_pool_usage(blocks).page_bytes == 1024);
  CHECK(carveout_block_pool_close(blocks, NULL) == CARVEOUT_IN_USE);
  CHECK(carveout_block_pool_give_back(blocks, &one, NULL) == CARVEOUT_OK);
  CHECK(carveout_block_pool_give_back(blocks, &one, NULL) == CARVEOUT_DOUBLE_FREE);
  CHECK(carveout_block_pool_give_back(blocks, &two, NULL) == CARVEOUT_OK);
  CHECK(carveout_block_pool_close(blocks, NULL) == CARVEOUT_OK);
  const carveout_block_pool_settings wrong = {.size_bytes = 0};
  CHECK(carveout_block_pool_storage_bytes(&wrong) == SIZE_MAX);
}

/* ---- streaming */

static const carveout_tables* streaming_tables(void) {
  static const carveout_phys_range chunks[] = {{{RAM_CACHED + 0x2000}, 0x800}};
  static const carveout_phys_range bounce_chunks[] = {{{RAM_CACHED + 0x3000}, 0x800}};
  static const carveout_pool_settings stream_pools[] = {
      {.name = "ram", .memory = CARVEOUT_MEMORY_ORDINARY, .chunks = chunks, .chunk_count = 1},
      {.name = "bounce",
       .memory = CARVEOUT_MEMORY_BOUNCE,
       .chunks = bounce_chunks,
       .chunk_count = 1},
  };
  static const carveout_default_row roles[] = {{.role = CARVEOUT_ROLE_ORDINARY, .pool = 0},
                                               {.role = CARVEOUT_ROLE_BOUNCE, .pool = 1}};
  static carveout_tables made;
  made = (carveout_tables){.pools = stream_pools,
                           .pool_count = 2,
                           .devices = devices,
                           .device_count = 1,
                           .defaults = roles,
                           .default_count = 2};
  return &made;
}

static const carveout_device* streaming_device(const carveout_sync_table* table) {
  carveout_platform of = platform();
  of.port.sync_table = table;
  carveout_system* system = NULL;
  CHECK(carveout_build(&of, streaming_tables(), storage, sizeof storage, NULL, NULL, &system,
                       NULL) == CARVEOUT_OK);
  return carveout_find_device(system, "eth");
}

static void memory_is_lent_synchronised_and_taken_back(void) {
  const carveout_device* eth = streaming_device(NULL);
  const carveout_options streaming = {.attributes = CARVEOUT_ATTR_NON_COHERENT};
  carveout_block block;
  carveout_mapping mapping;
  CHECK(carveout_alloc_coherent(eth, 100, &streaming, &block, NULL) == CARVEOUT_OK);
  const carveout_bytes bytes = carveout_bytes_of_block(&block, 100);
  host.clean_invalidates = 0;
  host.invalidates = 0;
  CHECK(carveout_map(eth, &bytes, CARVEOUT_FROM_DEVICE, 0, false, &mapping, NULL) == CARVEOUT_OK);
  CHECK(mapping.dma.raw == block.dma.raw);
  CHECK(!mapping.is_copied);
  CHECK(host.clean_invalidates == 1 && host.invalidates == 0);
  CHECK(carveout_sync_for_cpu(eth, &mapping, 0, 100, NULL) == CARVEOUT_OK);
  CHECK(host.invalidates == 1);
  CHECK(carveout_sync_for_device(eth, &mapping, 0, 100, NULL) == CARVEOUT_OK);
  CHECK(carveout_sync_for_cpu(eth, &mapping, 90, 20, NULL) == CARVEOUT_OUTSIDE_MAPPING);
  CHECK(carveout_unmap(eth, &mapping, 0, NULL) == CARVEOUT_OK);
  CHECK(host.invalidates == 2);
  CHECK(carveout_free_coherent(&block, NULL) == CARVEOUT_OK);
}

static void the_work_is_that_of_the_ports_table(void) {
  static const carveout_sync_table table = {{{CARVEOUT_CACHE_NOTHING, CARVEOUT_CACHE_NOTHING},
                                             {CARVEOUT_CACHE_INVALIDATE, CARVEOUT_CACHE_NOTHING},
                                             {CARVEOUT_CACHE_CLEAN_INVALIDATE, 0}}};
  const carveout_device* eth = streaming_device(&table);
  const carveout_bytes bytes = {
      .cpu = host.ram + 0x1000, .phys = {RAM_CACHED + 0x1000}, .size_bytes = 64};
  carveout_mapping mapping;
  CHECK(carveout_map(eth, &bytes, CARVEOUT_FROM_DEVICE, 0, false, &mapping, NULL) == CARVEOUT_OK);
  CHECK(host.invalidates == 1 && host.clean_invalidates == 0);
  CHECK(carveout_unmap(eth, &mapping, 0, NULL) == CARVEOUT_OK);
  CHECK(host.invalidates == 1);
  CHECK(carveout_map(eth, &bytes, CARVEOUT_BIDIRECTIONAL, 0, false, &mapping, NULL) == CARVEOUT_OK);
  CHECK(host.clean_invalidates == 1);
}

static void bytes_that_share_a_line_are_copied(void) {
  const carveout_device* eth = streaming_device(NULL);
  carveout_bytes bytes;
  carveout_mapping mapping;
  CHECK(carveout_bytes_at(eth, host.ram + 0x1010, 40, &bytes, NULL) == CARVEOUT_UNKNOWN_MEMORY);
  bytes =
      (carveout_bytes){.cpu = host.ram + 0x1010, .phys = {RAM_CACHED + 0x1010}, .size_bytes = 40};
  memset(host.ram + 0x1000, 1, 0x100);
  CHECK(carveout_map(eth, &bytes, CARVEOUT_FROM_DEVICE, 0, false, &mapping, NULL) == CARVEOUT_OK);
  CHECK(mapping.is_copied);
  memset(host.ram + (mapping.dma.raw - RAM_DMA), 7, 40); /* as the device does */
  CHECK(carveout_unmap(eth, &mapping, 0, NULL) == CARVEOUT_OK);
  CHECK(host.ram[0x100f] == 1 && host.ram[0x1010] == 7 && host.ram[0x1038] == 1);
  CHECK(carveout_unmap(eth, &mapping, 0, NULL) == CARVEOUT_DOUBLE_FREE);
}

static carveout_bytes unaligned(uint64_t offset) {
  return (carveout_bytes){
      .cpu = host.ram + offset, .phys = {RAM_CACHED + offset}, .size_bytes = 40};
}

static void a_list_is_mapped_whole_or_not_at_all(void) {
  const carveout_device* eth = streaming_device(NULL);
  carveout_bytes list[] = {unaligned(0x1010), unaligned(0x1110)};
  carveout_mapping mappings[2];
  CHECK(carveout_map_each(eth, list, 2, CARVEOUT_FROM_DEVICE, 0, false, mappings, NULL) ==
        CARVEOUT_OK);
  const carveout_pool* copies = mappings[0].copy.pool;
  CHECK(carveout_pool_usage(copies).blocks == 2);
  CHECK(carveout_unmap_each(eth, mappings, 2, 0, NULL) == CARVEOUT_OK);
  CHECK(carveout_pool_usage(copies).blocks == 0);
  carveout_failure why = {.code = CARVEOUT_OK};
  CHECK(carveout_unmap_each(eth, mappings, 2, 0, &why) == CARVEOUT_DOUBLE_FREE);
  CHECK(why.code == CARVEOUT_DOUBLE_FREE);
  list[1].size_bytes = 0;
  CHECK(carveout_map_each(eth, list, 2, CARVEOUT_FROM_DEVICE, 0, false, mappings, &why) ==
        CARVEOUT_ZERO_SIZE);
  CHECK(why.code == CARVEOUT_ZERO_SIZE);
  CHECK(carveout_pool_usage(copies).blocks == 0);
}

static void a_mapping_that_nobody_was_told_of_is_abandoned_without_a_copy_back(void) {
  const carveout_device* eth = streaming_device(NULL);
  const carveout_bytes bytes = unaligned(0x1010);
  carveout_mapping mapping;
  CHECK(carveout_map(eth, &bytes, CARVEOUT_FROM_DEVICE, 0, false, &mapping, NULL) == CARVEOUT_OK);
  memset(host.ram + (mapping.dma.raw - RAM_DMA), 7, 40);
  CHECK(carveout_abandon(eth, &mapping, NULL) == CARVEOUT_OK);
  CHECK(host.ram[0x1010] == 0);
  CHECK(carveout_abandon(eth, &mapping, NULL) == CARVEOUT_DOUBLE_FREE);
}

static void a_part_is_widened_to_whole_lines(void) {
  const carveout_device* eth = streaming_device(NULL);
  const carveout_bytes bytes = {
      .cpu = host.ram + 0x1000, .phys = {RAM_CACHED + 0x1000}, .size_bytes = 0x100};
  carveout_mapping mapping;
  uint64_t offset = 40;
  uint64_t size = 8;
  CHECK(carveout_map(eth, &bytes, CARVEOUT_FROM_DEVICE, 0, false, &mapping, NULL) == CARVEOUT_OK);
  carveout_whole_lines(eth, &mapping, &offset, &size);
  CHECK(offset == 32 && size == 32);
  offset = 0x200; /* outside: as it was */
  carveout_whole_lines(eth, &mapping, &offset, &size);
  CHECK(offset == 0x200 && size == 32);
}

static void a_mapping_that_means_nothing_is_refused(void) {
  const carveout_device* eth = streaming_device(NULL);
  carveout_bytes bytes = unaligned(0x1010);
  carveout_mapping mapping;
  CHECK(carveout_map(eth, &bytes, CARVEOUT_TO_DEVICE, 1U << 20, false, &mapping, NULL) ==
        CARVEOUT_BAD_ATTRIBUTES);
  bytes.view = 9;
  CHECK(carveout_map(eth, &bytes, CARVEOUT_TO_DEVICE, 0, false, &mapping, NULL) ==
        CARVEOUT_BAD_ATTRIBUTES);
  bytes.view = CARVEOUT_VIEW_CACHED;
  CHECK(carveout_map(eth, &bytes, CARVEOUT_TO_DEVICE, 0, false, &mapping, NULL) == CARVEOUT_OK);
  mapping.direction = 9;
  CHECK(carveout_sync_for_cpu(eth, &mapping, 0, 40, NULL) == CARVEOUT_BAD_ATTRIBUTES);
  CHECK(carveout_sync_for_device(eth, &mapping, 0, 40, NULL) == CARVEOUT_BAD_ATTRIBUTES);
  CHECK(carveout_unmap(eth, &mapping, 0, NULL) == CARVEOUT_BAD_ATTRIBUTES);
  CHECK(carveout_abandon(eth, &mapping, NULL) == CARVEOUT_BAD_ATTRIBUTES);
}

static void what_is_no_direction_is_refused(void) {
  const carveout_device* eth = streaming_device(NULL);
  const carveout_bytes bytes = {
      .cpu = host.ram + 0x1000, .phys = {RAM_CACHED + 0x1000}, .size_bytes = 64};
  carveout_mapping mapping;
  CHECK(carveout_map(eth, &bytes, 3, 0, false, &mapping, NULL) == CARVEOUT_BAD_ATTRIBUTES);
}

static void registers_are_mapped_by_address_alone(void) {
  const carveout_device* eth = streaming_device(NULL);
  const carveout_phys_range registers = {{RAM_CACHED + 0x1000}, 0x100};
  const carveout_phys_range nowhere = {{0x100}, 0x100};
  carveout_dma_addr dma;
  CHECK(carveout_map_resource(eth, registers, &dma, NULL) == CARVEOUT_OK);
  CHECK(dma.raw == RAM_DMA + 0x1000);
  CHECK(carveout_map_resource(eth, nowhere, &dma, NULL) == CARVEOUT_NOT_IN_WINDOW);
  CHECK(carveout_largest_mapping_bytes(eth) > 0);
}

/* ---- statistics */

static void see(void* context, carveout_phys_range range, const carveout_device* holder) {
  walk* of = context;
  ++of->count;
  CHECK(range.size_bytes == 64);
  CHECK(is_text(carveout_device_name(holder), "eth"));
}

static void a_pool_says_how_it_is_cut_up(void) {
  carveout_system* system = board();
  uint32_t counts[32];
  carveout_phys_range chunks[2] = {{{0}, 0}, {{0}, 0}};
  carveout_pool* own = carveout_find_pool(system, "own");
  CHECK(carveout_pool_granule_bytes(own) == 32);
  CHECK(carveout_pool_chunks(own, chunks, 1) == 2);
  CHECK(chunks[0].base.raw == RAM_CACHED + 0x2000 && chunks[1].size_bytes == 0);
  CHECK(carveout_pool_chunks(own, chunks, 2) == 2);
  CHECK(chunks[1].base.raw == RAM_CACHED + 0x3000 && chunks[1].size_bytes == 0x800);
  carveout_pool_free_runs(carveout_find_pool(system, "own"), counts);
  CHECK(counts[6] == 2); /* two chunks of 64 granules */
  CHECK(counts[5] == 0 && counts[7] == 0 && counts[31] == 0);
}

static void a_pool_says_who_holds_what_and_is_released_when_nobody_does(void) {
  carveout_system* system = board();
  carveout_pool* pool = carveout_find_pool(system, "default");
  carveout_block block;
  carveout_failure why;
  walk of = {0};
  CHECK(carveout_alloc_coherent(carveout_find_device(system, "eth"), 64, NULL, &block, NULL) ==
        CARVEOUT_OK);
  CHECK(carveout_pool_usage(pool).used_bytes == 64);
  CHECK(carveout_pool_usage(pool).blocks == 1);
  carveout_visit(system, pool, see, &of);
  CHECK(of.count == 1);
  CHECK(carveout_release(system, pool, &why) == CARVEOUT_IN_USE);
  CHECK(is_text(why.other, "eth"));
  CHECK(carveout_free_coherent(&block, NULL) == CARVEOUT_OK);
  CHECK(!carveout_pool_closed(pool));
  CHECK(carveout_release(system, pool, NULL) == CARVEOUT_OK);
  CHECK(carveout_pool_closed(pool));
  CHECK(carveout_find_pool(system, "default") == NULL);
}

int main(void) {
  every_error_has_a_name_and_a_meaning();
  a_refusal_is_described_and_cut_to_the_buffer();
  a_board_is_built_from_tables();
  the_storage_that_is_measured_is_enough_at_any_alignment_and_no_less_is();
  what_is_refused_is_heard_and_the_rest_works();
  a_number_that_is_no_role_or_memory_is_refused();
  a_number_of_a_board_that_means_nothing_is_refused();
  a_board_is_declared_by_code();
  the_storage_of_what_is_declared_adds_up();
  masks_are_stated_late_and_never_leave_a_block_out_of_reach();
  a_fallback_serves_when_the_devices_own_pool_is_exhausted();
  a_fallback_of_a_table_serves_too();
  an_atomic_pool_is_cut_out_grows_and_says_how_large_it_would_have_had_to_be();
  the_log_hears_of_what_verbs_refuse();
  a_numa_node_has_a_default_of_its_own();
  contiguous_memory_is_lent_until_a_device_wants_it();
  a_device_gets_memory_by_its_three_addresses();
  a_block_has_a_pointer_for_each_view();
  a_block_is_given_back_once();
  options_reach_the_library();
  a_request_that_means_nothing_is_refused();
  single_roles_have_verbs_of_their_own();
  an_interrupt_is_refused_what_it_would_have_to_wait_for();
  what_a_device_may_still_write_waits_until_it_is_quiet();
  a_pool_is_handed_on_and_taken_over();
  barriers_are_the_ports();
  pages_of_a_block_may_be_shown_to_a_process();
  a_route_is_told_step_by_step();
  ordinary_memory_elsewhere_ends_a_route();
  a_board_that_is_only_described_has_routes_and_no_memory();
  blocks_of_one_size_come_from_pages_of_a_pool();
  memory_is_lent_synchronised_and_taken_back();
  the_work_is_that_of_the_ports_table();
  bytes_that_share_a_line_are_copied();
  a_list_is_mapped_whole_or_not_at_all();
  a_mapping_that_nobody_was_told_of_is_abandoned_without_a_copy_back();
  a_part_is_widened_to_whole_lines();
  a_mapping_that_means_nothing_is_refused();
  what_is_no_direction_is_refused();
  registers_are_mapped_by_address_alone();
  a_pool_says_how_it_is_cut_up();
  a_pool_says_who_holds_what_and_is_released_when_nobody_does();
  return failed_checks == 0 ? 0 : 1;
}
