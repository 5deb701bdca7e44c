#include "carveout/ops/handover.hpp"

#include "prepare.hpp"

namespace carveout {
namespace {

/// Calls `work` with the cached view of every chunk that has one.
template <class Work>
void each_cached(const Pool& pool, Work work) {
  for (const Chunk& chunk : pool.chunks()) {
    if (chunk.cached == nullptr) continue;
    work(chunk.cached, static_cast<std::size_t>(chunk.range.size_bytes));  // a view, so it fits
  }
}

}  // namespace

Result<void> write_before_read(Pool& pool) {
  if (pool.closed()) return refuse(Error::pool_gone, pool.name());
  if (pool.usage().blocks != 0) return refuse(Error::in_use, pool.name());
  if (!pool.has(View::uncached)) return refuse(Error::no_uncached_view, pool.name());
  for (const Chunk& chunk : pool.chunks()) {
    // As if all of it were handed out.
    Block all{.cpu = chunk.uncached,
              .dma = DmaAddr{0},
              .phys = chunk.range.base,
              .size_bytes = chunk.range.size_bytes,
              .pool = &pool,
              .tag = 0,
              .serial = 0};
    detail::prepare(all, View::uncached, Attributes::none, false);
  }
  return {};
}

void clean_for_handover(const Pool& pool) {
  const PortRef port = pool.port();
  // What is done past the cache is done before what is in it is written back, and that before
  // whatever tells the others.
  port.full_barrier();
  each_cached(pool, [&](std::byte* at, std::size_t size) { port.clean_invalidate(at, size); });
  port.full_barrier();
}

void clean_for_handover(const Roles& roles) {
  for (const Roles::Member* each = roles.members; each != nullptr; each = each->next) {
    clean_for_handover(*each->pool);
  }
}

void take_over(const Pool& pool) {
  const PortRef port = pool.port();
  each_cached(pool, [&](std::byte* at, std::size_t size) { port.invalidate(at, size); });
  port.observe_barrier();
}

}  // namespace carveout
