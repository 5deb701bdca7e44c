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
} heard;
static void hear(void* context, const carveout_failure* failure) {
  heard* of = context;
  ++of->count;
  of->last = failure->code;
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
                                             {77, CARVEOUT_CACHE_NOTHING}}};
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
  CHECK(carveout_release(system, pool, NULL) == CARVEOUT_OK);
  CHECK(carveout_find_pool(system, "default") == NULL);
}

int main(void) {
  every_error_has_a_name_and_a_meaning();
  a_refusal_is_described_and_cut_to_the_buffer();
  a_board_is_built_from_tables();
  the_storage_that_is_measured_is_enough_at_any_alignment_and_no_less_is();
  what_is_refused_is_heard_and_the_rest_works();
  a_number_that_is_no_role_or_memory_is_refused();
  a_board_is_declared_by_code();
  the_storage_of_what_is_declared_adds_up();
  a_device_gets_memory_by_its_three_addresses();
  a_block_is_given_back_once();
  options_reach_the_library();
  single_roles_have_verbs_of_their_own();
  an_interrupt_is_refused_what_it_would_have_to_wait_for();
  barriers_are_the_ports();
  pages_of_a_block_may_be_shown_to_a_process();
  a_route_is_told_step_by_step();
  blocks_of_one_size_come_from_pages_of_a_pool();
  memory_is_lent_synchronised_and_taken_back();
  the_work_is_that_of_the_ports_table();
  bytes_that_share_a_line_are_copied();
  what_is_no_direction_is_refused();
  registers_are_mapped_by_address_alone();
  a_pool_says_who_holds_what_and_is_released_when_nobody_does();
  return failed_checks == 0 ? 0 : 1;
}
