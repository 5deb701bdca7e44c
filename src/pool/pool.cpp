#include "carveout/pool/pool.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "carveout/core/assert.hpp"
#include "carveout/core/size.hpp"

namespace carveout {

namespace {

std::byte* base_of(const Chunk& chunk, View view) {
  return view == View::cached ? chunk.cached : chunk.uncached;
}

/// Of an address inside the chunk.
std::byte* pointer_into(const Chunk& chunk, PhysAddr inside, View view) {
  std::byte* const base = base_of(chunk, view);
  if (base == nullptr) return nullptr;
  return base + (inside.raw() - chunk.range.base.raw());
}

}  // namespace

Pool::Pool(const Settings& settings, PortRef port, RangeAllocator allocator)
    : settings_{settings}, port_{port}, allocator_{std::move(allocator)} {
  CARVEOUT_ASSERT(settings_.granule_bytes == allocator_.granule_bytes());
  CARVEOUT_ASSERT(settings_.chunks.size() == allocator_.chunk_count());
  for (std::size_t i = 0; i < settings_.chunks.size(); ++i) {
    CARVEOUT_ASSERT(settings_.chunks[i].range == allocator_.chunk(i));
  }
}

Result<Block> Pool::take(const Need& need, std::span<const Reach> reaches, View view) {
  if (allocator_.has_slots()) {
    // A pool that is closed has nothing parked.
    Grant grant{.range = {PhysAddr{0}, 0}, .dma = DmaAddr{0}, .tag = 0, .chunk = 0, .serial = 0};
    if (allocator_.take_parked(need, reaches, port_.processor(), grant))
      return block_of(grant, view);
  }
  if (!port_.may_lock()) return refuse(Error::would_wait, settings_.name);
  const LockGuard guard{port_, lock_};
  Error error = Error::pool_gone;
  if (!closed_) {
    const std::expected<Grant, Error> grant = allocator_.take(need, reaches);
    if (grant) return block_of(*grant, view);
    error = grant.error();
  }
  const bool full = error == Error::exhausted || error == Error::table_full;
  const Usage usage = full ? allocator_.usage(need.context) : Usage{};
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  return Result<Block>{std::unexpect,
                       error,
                       settings_.name,
                       std::string_view{},
                       align_up(need.size_bytes, settings_.granule_bytes).value_or(kMost),
                       usage.free_bytes(),
                       usage.largest_run_bytes};
}

Result<void> Pool::refusal(Error code, const Block& block) const {
  return Result<void>{std::unexpect, code, settings_.name, std::string_view{}, block.size_bytes};
}

Result<void> Pool::give_back_locked(const Block& block) {
  if (!port_.may_lock()) return refusal(Error::would_wait, block);
  const LockGuard guard{port_, lock_};
  const PhysRange range{block.phys, block.size_bytes};
  std::optional<Error> error = Error::pool_gone;
  if (!closed_ && block.pool != this) error = Error::foreign_block;
  if (!closed_ && block.pool == this) {
    // What could be given back, the slots took.
    error = allocator_.has_slots() ? allocator_.why_refused(range, block.tag, block.serial)
                                   : allocator_.give_back_compactly(range, block.tag, block.serial);
  }
  if (!error) return {};
  return refusal(*error, block);
}

Result<void> Pool::close() {
  const LockGuard guard{port_, lock_};
  if (closed_) return refuse(Error::pool_gone, settings_.name);
  if (allocator_.usage().blocks != 0) return refuse(Error::in_use, settings_.name);
  closed_ = true;
  return {};
}

Usage Pool::usage() const {
  const LockGuard guard{port_, lock_};
  return allocator_.usage();
}

void Pool::visit(FunctionRef<void(const Held&)> see) const {
  const LockGuard guard{port_, lock_};
  allocator_.visit(see);
}

FreeRuns Pool::free_runs() const {
  const LockGuard guard{port_, lock_};
  // Merges what is parked, which is free for a caller.
  static_cast<void>(allocator_.usage(Context::must_not_wait));
  return allocator_.free_runs();
}

std::optional<Holder> Pool::any_holder() const {
  const LockGuard guard{port_, lock_};
  return allocator_.any_holder();
}

bool Pool::closed() const {
  const LockGuard guard{port_, lock_};
  return closed_;
}

std::byte* Pool::pointer(const Block& block, View view) const {
  for (const Chunk& chunk : settings_.chunks) {
    if (chunk.range.contains(block.phys)) return pointer_into(chunk, block.phys, view);
  }
  return nullptr;
}

bool Pool::has(View view) const {
  return std::ranges::all_of(settings_.chunks,
                             [=](const Chunk& chunk) { return base_of(chunk, view) != nullptr; });
}

}  // namespace carveout
