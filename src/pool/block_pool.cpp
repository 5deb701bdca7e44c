#include "carveout/pool/block_pool.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include "carveout/core/assert.hpp"

namespace carveout {

Result<BlockPool> BlockPool::create(const Settings& settings, Pool& pool,
                                    std::span<const Reach> reaches, View view,
                                    std::span<std::byte> storage) {
  const auto layout = BlockPool::layout(settings);
  if (!layout) {
    return std::unexpected{
        Failure{.code = layout.error(), .pool = pool.name(), .asked_bytes = settings.size_bytes}};
  }
  const std::size_t needed = storage_bytes(*layout, settings.most_pages);
  if (storage.size() < needed || needed == std::numeric_limits<std::size_t>::max()) {
    return std::unexpected{Failure{.code = Error::storage_too_small,
                                   .pool = pool.name(),
                                   .asked_bytes = needed,
                                   .free_bytes = storage.size()}};
  }
  CARVEOUT_ASSERT(std::bit_cast<std::uintptr_t>(storage.data()) % kStorageAlign == 0);

  auto* const pages = static_cast<Block*>(static_cast<void*>(storage.data()));
  auto* const entries = static_cast<Entry*>(static_cast<void*>(pages + settings.most_pages));
  const std::size_t count = std::size_t{layout->per_page} * settings.most_pages;
  for (std::size_t i = 0; i < count; ++i) ::new (static_cast<void*>(entries + i)) Entry{};
  return BlockPool{settings,        *layout, pool, reaches, view, {pages, settings.most_pages},
                   {entries, count}};
}

Result<Block> BlockPool::take(Context context) {
  if (!pool_->port().may_lock()) return refuse(Error::would_wait, pool_->name());
  for (;;) {
    {
      const LockGuard guard{pool_->port(), lock_};
      if (closed_) return refuse(Error::pool_gone, pool_->name());
      if (const std::uint32_t index = next_block(); index != kNone) {
        entries_[index].serial += kLive;
        peak_ = std::max(peak_, ++blocks_);
        return block_of(index);
      }
      if (page_count_ == pages_.size()) {
        return std::unexpected{Failure{
            .code = Error::table_full, .pool = pool_->name(), .asked_bytes = layout_.block_bytes}};
      }
    }
    // Without the lock, because the pool takes its own: a port may have one mutex for all.
    const auto page = take_page(context);
    if (!page) return std::unexpected{page.error()};
    if (settings_.prepare_page != nullptr) settings_.prepare_page(*page);
    if (!add_page(*page)) give_page_back(*page);  // others were faster
  }
}

Result<void> BlockPool::give_back(const Block& block) {
  const auto no = [&](Error code) {
    return std::unexpected{
        Failure{.code = code, .pool = pool_->name(), .asked_bytes = block.size_bytes}};
  };
  if (!pool_->port().may_lock()) return no(Error::would_wait);
  const LockGuard guard{pool_->port(), lock_};
  if (closed_) return no(Error::pool_gone);
  if (block.pool != pool_ || block.tag >= fresh_ || !has(block.phys)) {
    return no(Error::foreign_block);
  }
  Entry& entry = entries_[block.tag];
  if (!is_live(block.serial) || block.serial > entry.serial) return no(Error::foreign_block);
  // Blocks never change their place: an old serial is of these very bytes.
  if (block.serial != entry.serial) {
    return no(is_live(entry.serial) ? Error::stale_block : Error::double_free);
  }
  if (block.phys != block_of(block.tag).phys) return no(Error::wrong_address);
  if (block.size_bytes != layout_.block_bytes) return no(Error::wrong_size);
  entry.serial += kSerialStep - kLive;
  entry.next = free_;
  free_ = block.tag;
  --blocks_;
  return {};
}

Result<void> BlockPool::close() {
  if (!pool_->port().may_lock()) return refuse(Error::would_wait, pool_->name());
  {
    const LockGuard guard{pool_->port(), lock_};
    if (closed_) return refuse(Error::pool_gone, pool_->name());
    if (blocks_ != 0) return refuse(Error::in_use, pool_->name());
    closed_ = true;
  }
  // Nobody adds a page from here on.
  for (const Block& page : pages_.first(page_count_)) give_page_back(page);
  const LockGuard guard{pool_->port(), lock_};
  page_count_ = 0;
  return {};
}

BlockPool::Usage BlockPool::usage() const {
  const LockGuard guard{pool_->port(), lock_};
  return {.blocks = blocks_,
          .peak_blocks = peak_,
          .pages = page_count_,
          .page_bytes =
              align_up(layout_.page_bytes, pool_->granule_bytes()).value_or(layout_.page_bytes)};
}

/// As it is while it lives.
Block BlockPool::block_of(std::uint32_t index) const {
  const Block& page = pages_[index / layout_.per_page];
  const std::uint32_t offset = layout_.offset_of(index % layout_.per_page);
  return {.cpu = page.cpu == nullptr ? nullptr : page.cpu + offset,
          .dma = DmaAddr{page.dma.raw() + offset},
          .phys = PhysAddr{page.phys.raw() + offset},
          .size_bytes = layout_.block_bytes,
          .pool = pool_,
          .tag = index,
          .serial = entries_[index].serial};
}

/// A block that is free or was never given; kNone where another page is needed.
std::uint32_t BlockPool::next_block() {
  const std::uint32_t index = free_;
  if (index != kNone) {
    free_ = entries_[index].next;
    return index;
  }
  return fresh_ == page_count_ * layout_.per_page ? kNone : fresh_++;
}

bool BlockPool::has(PhysAddr at) const {
  return std::ranges::any_of(pages_.first(page_count_), [=](const Block& page) {
    return at.raw() - page.phys.raw() < page.size_bytes;
  });
}

Result<Block> BlockPool::take_page(Context context) const {
  // Where blocks are kept off boundaries inside a page, the page begins on one.
  const bool cut = layout_.boundary_bytes < layout_.page_bytes;
  const std::uint64_t align =
      cut ? std::max<std::uint64_t>(settings_.align_bytes, layout_.boundary_bytes)
          : settings_.align_bytes;
  return pool_->take({.size_bytes = layout_.page_bytes,
                      .align_bytes = align,
                      .boundary_bytes = cut ? 0 : settings_.boundary_bytes,
                      .holder = settings_.holder,
                      .context = context},
                     reaches_, view_);
}

/// Whether there was room, and the pool is not closed.
bool BlockPool::add_page(const Block& page) {
  const LockGuard guard{pool_->port(), lock_};
  if (closed_ || page_count_ == pages_.size()) return false;
  ::new (static_cast<void*>(&pages_[page_count_])) Block{page};
  ++page_count_;
  return true;
}

void BlockPool::give_page_back(const Block& page) {
  const auto done = pool_->give_back(page);
  CARVEOUT_ASSERT(done.has_value());
}

}  // namespace carveout
