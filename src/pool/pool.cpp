#include "carveout/pool/pool.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "carveout/core/assert.hpp"
#include "carveout/core/size.hpp"

namespace carveout {

Pool::Pool(const Settings& settings, PortRef port, RangeAllocator allocator)
    : settings_{settings}, port_{port}, allocator_{std::move(allocator)} {
  CARVEOUT_ASSERT(settings_.granule_bytes == allocator_.granule_bytes());
  CARVEOUT_ASSERT(settings_.chunks.size() == allocator_.chunk_count());
  for (std::size_t i = 0; i < settings_.chunks.size(); ++i) {
    CARVEOUT_ASSERT(settings_.chunks[i].range == allocator_.chunk(i));
  }
}

Result<Block> Pool::take_locked(const Need& need, std::span<const Reach> reaches, View view) {
  Error error = Error::would_wait;
  Room room{};
  if (port_.may_lock()) {
    const LockGuard guard{port_, lock_};
    error = Error::pool_gone;
    if (!closed_) {
      const std::expected<Grant, Error> grant = allocator_.take(need, reaches);
      if (grant) return block_of(*grant, view);
      error = grant.error();
      if (error == Error::exhausted || error == Error::table_full)
        room = allocator_.room(need.context);
    }
  }
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  return Result<Block>{std::unexpect,
                       error,
                       settings_.name,
                       std::string_view{},
                       align_up(need.size_bytes, settings_.granule_bytes).value_or(kMost),
                       room.free_bytes,
                       room.largest_run_bytes};
}

Result<void> Pool::give_back_locked(const Block& block) {
  Error error = Error::would_wait;
  if (port_.may_lock()) {
    const LockGuard guard{port_, lock_};
    const PhysRange range{block.phys, block.size_bytes};
    if (closed_) {
      error = Error::pool_gone;
    } else if (block.pool != this) {
      error = Error::foreign_block;
    } else if (allocator_.has_slots()) {
      // What could be given back, the slots took.
      error = allocator_.why_refused(range, block.tag, block.serial);
    } else {
      const auto done = allocator_.give_back(range, block.tag, block.serial);
      if (done) return {};
      error = done.error();
    }
  }
  return Result<void>{std::unexpect, error, settings_.name, std::string_view{}, block.size_bytes};
}

Result<void> Pool::close() {
  const LockGuard guard{port_, lock_};
  if (closed_) return refuse(Error::pool_gone, settings_.name);
  if (const Usage usage = allocator_.usage(); usage.blocks != 0) {
    return Result<void>{std::unexpect, Error::in_use, settings_.name, std::string_view{},
                        usage.used_bytes};
  }
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
  static_cast<void>(allocator_.room(Context::must_not_wait));
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
    if (chunk.range.contains(block.phys)) return chunk.at(block.phys, view);
  }
  return nullptr;
}

bool Pool::has(View view) const {
  return std::ranges::all_of(settings_.chunks,
                             [=](const Chunk& chunk) { return chunk.base(view) != nullptr; });
}

}  // namespace carveout
