#include "machine.h"

static size_t cache_line_bytes(void* context) {
  (void)context;
  return 32;
}

static void* cpu_view(void* context, carveout_phys_addr first, uint64_t size_bytes) {
  machine* of = context;
  const uint64_t bases[] = {RAM_CACHED, RAM_UNCACHED};
  for (int i = 0; i < 2; ++i) {
    const uint64_t offset = first.raw - bases[i];
    if (offset < RAM_BYTES && size_bytes <= RAM_BYTES - offset)
      return (i == 0 ? of->ram : of->uncached) + offset;
  }
  return NULL;
}

static void nothing(void* context, void* at, size_t size_bytes) {
  (void)context;
  (void)at;
  (void)size_bytes;
}
static void invalidate(void* context, void* at, size_t size_bytes) {
  machine* of = context;
  (void)at;
  (void)size_bytes;
  ++of->invalidates;
}
static void clean_invalidate(void* context, void* at, size_t size_bytes) {
  machine* of = context;
  (void)at;
  (void)size_bytes;
  ++of->clean_invalidates;
}

static void publish(void* context) { ++((machine*)context)->publish_barriers; }
static void observe(void* context) { ++((machine*)context)->observe_barriers; }
static void full(void* context) { (void)context; }

static uintptr_t lock(void* context, uintptr_t* word) {
  machine* of = context;
  ++of->locks;
  *word = 1;
  return 77;
}
static void unlock(void* context, uintptr_t* word, uintptr_t state) {
  machine* of = context;
  if (state == 77) --of->locks;
  *word = 0;
}
static bool may_lock(void* context) { return !((machine*)context)->in_interrupt; }

carveout_port machine_port(machine* of) {
  return (carveout_port){
      .context = of,
      .cache_line_bytes = cache_line_bytes,
      .cpu_view = cpu_view,
      .clean = nothing,
      .invalidate = invalidate,
      .clean_invalidate = clean_invalidate,
      .publish_barrier = publish,
      .observe_barrier = observe,
      .full_barrier = full,
      .lock = lock,
      .unlock = unlock,
      .may_lock = may_lock,
  };
}
