// dma_pool and gen_pool.
#include <algorithm>

#include "carveout/core/assert.hpp"
#include "carveout/ops/coherent.hpp"
#include "face.hpp"
#include "ops/prepare.hpp"

namespace carveout::linux_face {
namespace {

constexpr Reach kEverything = Reach::everything();

DmaPool* from_linux(struct dma_pool* pool) { return reinterpret_cast<DmaPool*>(pool); }
Pool* from_linux(struct gen_pool* pool) { return reinterpret_cast<Pool*>(pool); }

/// A dma_pool that nobody has, with so much room for its tables; nullptr where either is used up.
DmaPool* take_pool(std::size_t tables_bytes) {
  State& face = state();
  if (!face.port().may_lock()) return nullptr;
  const LockGuard guard{face.port(), face.dma_pools_lock};
  const auto pool =
      std::ranges::find_if(face.dma_pools, [](const DmaPool& each) { return !each.taken; });
  if (pool == face.dma_pools.end()) return nullptr;
  const auto tables = face.pool_tables_taken.take({.size_bytes = tables_bytes}, {&kEverything, 1});
  if (!tables) return nullptr;
  pool->taken = true;
  pool->tables = *tables;
  return &*pool;
}

/// In a context that took the lock just before.
void give_pool_back(DmaPool& pool) {
  State& face = state();
  const LockGuard guard{face.port(), face.dma_pools_lock};
  const auto back =
      face.pool_tables_taken.give_back(pool.tables.range, pool.tables.tag, pool.tables.serial);
  CARVEOUT_ASSERT(back.has_value());
  pool.taken = false;
}

void* take(DmaPool& pool, gfp_t flags, dma_addr_t* handle, const char* function) {
  if (!pool.blocks) {
    report(function, "the pool was destroyed before");
    return nullptr;
  }
  const auto block = pool.blocks->take(context_of(flags));
  if (!block) return nullptr;
  const Live* const live = state().table.add({.claim = {.kind = Kind::dma_pool,
                                                        .owner = &pool,
                                                        .key = block->dma.raw(),
                                                        .size_bytes = block->size_bytes,
                                                        .cpu = block->cpu},
                                              .block = *block});
  if (live == nullptr) {
    undo(pool.blocks->give_back(*block), function);
    return nullptr;
  }
  *handle = block->dma.raw();
  return block->cpu;
}

}  // namespace

extern "C" {

struct dma_pool* dma_pool_create(const char* /*name*/, struct device* dev, size_t size,
                                 size_t align, size_t boundary) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return nullptr;
  const State& face = state();
  const BlockPool::Settings settings{.size_bytes = size,
                                     .align_bytes = align == 0 ? 1 : align,
                                     .boundary_bytes = boundary,
                                     .page_bytes = PAGE_SIZE,
                                     .most_pages = face.dma_pool_pages};
  const auto layout = BlockPool::layout(settings);
  if (!layout) return nullptr;
  DmaPool* const pool = take_pool(BlockPool::storage_bytes(*layout, settings.most_pages));
  if (pool == nullptr) return nullptr;
  const PhysRange tables = pool->tables.range;
  auto blocks =
      create_block_pool(*device, settings,
                        face.pool_tables.subspan(static_cast<std::size_t>(tables.base.raw()),
                                                 static_cast<std::size_t>(tables.size_bytes)));
  if (!blocks) {
    give_pool_back(*pool);
    return nullptr;
  }
  pool->blocks.emplace(std::move(*blocks));
  return reinterpret_cast<struct dma_pool*>(pool);
}

void dma_pool_destroy(struct dma_pool* pool) {
  if (pool == nullptr) return;
  DmaPool& of = *from_linux(pool);
  if (!of.blocks) return report(__func__, "it was destroyed before");
  if (!of.blocks->close()) return report(__func__, "blocks of it are in use");
  of.blocks.reset();
  give_pool_back(of);
}

void* dma_pool_alloc(struct dma_pool* pool, gfp_t mem_flags, dma_addr_t* handle) {
  return take(*from_linux(pool), mem_flags, handle, __func__);
}

void* dma_pool_zalloc(struct dma_pool* pool, gfp_t mem_flags, dma_addr_t* handle) {
  DmaPool& of = *from_linux(pool);
  auto* const at = static_cast<volatile unsigned char*>(take(of, mem_flags, handle, __func__));
  if (at == nullptr) return nullptr;
  for (std::uint32_t i = 0; i < of.blocks->layout().block_bytes; ++i) at[i] = 0;
  return const_cast<unsigned char*>(at);
}

void dma_pool_free(struct dma_pool* pool, void* vaddr, dma_addr_t addr) {
  DmaPool& of = *from_linux(pool);
  if (!of.blocks) return report(__func__, "the pool was destroyed before");
  const auto live = take_back({.kind = Kind::dma_pool,
                               .owner = &of,
                               .key = addr,
                               .size_bytes = of.blocks->layout().block_bytes,
                               .cpu = vaddr},
                              __func__);
  if (live && !of.blocks->give_back(*live->block))
    report(__func__, "the pool does not take it back");
}

struct gen_pool* carveout_linux_gen_pool(const char* name) {
  return reinterpret_cast<struct gen_pool*>(state().system->find_pool(name_from(name)));
}

unsigned long gen_pool_alloc(struct gen_pool* pool, size_t size) {
  Pool& of = *from_linux(pool);
  const View view = of.has(View::uncached) ? View::uncached : View::cached;
  auto block = of.take({.size_bytes = size}, {&kEverything, 1}, view);
  if (!block) return 0;
  // A pool without a CPU view has no address to give.
  if (block->cpu != nullptr) {
    detail::prepare(*block, view, Attributes::none, false);
    const auto at = reinterpret_cast<std::uintptr_t>(block->cpu);
    const Live* const live = state().table.add({.claim = {.kind = Kind::gen_pool,
                                                          .owner = &of,
                                                          .key = at,
                                                          .size_bytes = size,
                                                          .cpu = block->cpu},
                                                .block = *block});
    if (live != nullptr) return at;
  }
  undo(of.give_back(*block), __func__);
  return 0;
}

void gen_pool_free(struct gen_pool* pool, unsigned long addr, size_t size) {
  Pool& of = *from_linux(pool);
  const auto live = take_back(
      {
          .kind = Kind::gen_pool,
          .owner = &of,
          .key = addr,
          .size_bytes = size,
          .cpu =
              reinterpret_cast<void*>(addr)  // NOLINT(performance-no-int-to-ptr): Linux has numbers
      },
      __func__);
  if (live && !of.give_back(*live->block)) report(__func__, "the pool does not take it back");
}

phys_addr_t gen_pool_virt_to_phys(struct gen_pool* pool, unsigned long addr) {
  for (const Chunk& chunk : from_linux(pool)->chunks()) {
    for (const std::byte* base : {chunk.uncached, chunk.cached}) {
      const std::uint64_t offset = addr - reinterpret_cast<std::uintptr_t>(base);
      if (base != nullptr && offset < chunk.range.size_bytes)
        return chunk.range.base.raw() + offset;
    }
  }
  return ~phys_addr_t{0};
}

size_t gen_pool_avail(struct gen_pool* pool) {
  return static_cast<std::size_t>(from_linux(pool)->usage().free_bytes());
}

size_t gen_pool_size(struct gen_pool* pool) {
  return static_cast<std::size_t>(from_linux(pool)->usage().total_bytes);
}

}  // extern "C"

}  // namespace carveout::linux_face
