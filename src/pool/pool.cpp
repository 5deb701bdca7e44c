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
    if (allocator_.take_parked(need, reaches, port_.processor(), grant)) {
      return block_of(grant, view);
    }
  }
  if (!port_.may_lock()) return refuse(Error::would_wait, settings_.name);
  const LockGuard guard{port_, lock_};
  const std::expected<Grant, Error> grant =
      closed_ ? std::unexpected{Error::pool_gone} : allocator_.take(need, reaches);
  if (!grant) {
    const Usage usage = allocator_.usage();
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    return std::unexpected{
        Failure{.code = grant.error(),
                .pool = settings_.name,
                .asked_bytes = align_up(need.size_bytes, settings_.granule_bytes).value_or(kMost),
                .free_bytes = usage.free_bytes(),
                .largest_run_bytes = usage.largest_run_bytes}};
  }
  return block_of(*grant, view);
}

Block Pool::block_of(const Grant& grant, View view) {
  return {.cpu = pointer_into(settings_.chunks[grant.chunk], grant.range.base, view),
          .dma = grant.dma,
          .phys = grant.range.base,
          .size_bytes = grant.range.size_bytes,
          .pool = this,
          .tag = grant.tag,
          .serial = grant.serial};
}

std::unexpected<Failure> Pool::refusal(Error code, const Block& block) const {
  return std::unexpected{
      Failure{.code = code, .pool = settings_.name, .asked_bytes = block.size_bytes}};
}

Result<void> Pool::give_back(const Block& block) {
  using tables::Given;
  const PhysRange range{block.phys, block.size_bytes};
  if (allocator_.has_slots() && block.pool == this) {
    // A pool that is closed has no live block, so every block is refused here.
    const Given given = allocator_.give_back_shared(port_, lock_, range, block.tag, block.serial);
    if (given == Given::done) return {};
    if (given == Given::would_wait) return refusal(Error::would_wait, block);
  }
  if (!port_.may_lock()) return refusal(Error::would_wait, block);
  const LockGuard guard{port_, lock_};
  Error error = Error::pool_gone;
  if (block.pool != this) {
    if (!closed_) error = Error::foreign_block;
  } else if (!closed_ && allocator_.has_slots()) {
    error = allocator_.why_refused(range, block.tag, block.serial);
  } else if (!closed_) {
    const auto done = allocator_.give_back(range, block.tag, block.serial);
    if (done) return {};
    error = done.error();
  }
  return refusal(error, block);
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
