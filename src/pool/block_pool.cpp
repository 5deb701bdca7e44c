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
  const LockGuard guard{pool_->port(), lock_};
  if (closed_) return refuse(Error::pool_gone, pool_->name());
  std::uint32_t index = free_;
  if (index != kNone) {
    free_ = entries_[index].next;
  } else {
    if (fresh_ == page_count_ * layout_.per_page) {
      if (const auto grown = grow(context); !grown) return std::unexpected{grown.error()};
    }
    index = fresh_++;
  }
  ++entries_[index].serial;
  peak_ = std::max(peak_, ++blocks_);
  return block_of(index);
}

Result<void> BlockPool::give_back(const Block& block) {
  const LockGuard guard{pool_->port(), lock_};
  const auto no = [&](Error code) {
    return std::unexpected{
        Failure{.code = code, .pool = pool_->name(), .asked_bytes = block.size_bytes}};
  };
  if (closed_) return no(Error::pool_gone);
  if (block.pool != pool_ || block.tag >= fresh_) return no(Error::foreign_block);
  Entry& entry = entries_[block.tag];
  if ((block.serial & 1) == 0 || block.serial > entry.serial) return no(Error::foreign_block);
  // Blocks never change their place: an old serial is of these very bytes.
  if (block.serial != entry.serial) {
    return no((entry.serial & 1) != 0 ? Error::stale_block : Error::double_free);
  }
  if (block.phys != block_of(block.tag).phys) return no(Error::wrong_address);
  if (block.size_bytes != layout_.block_bytes) return no(Error::wrong_size);
  ++entry.serial;
  entry.next = free_;
  free_ = block.tag;
  --blocks_;
  return {};
}

Result<void> BlockPool::close() {
  const LockGuard guard{pool_->port(), lock_};
  if (closed_) return refuse(Error::pool_gone, pool_->name());
  if (blocks_ != 0) return refuse(Error::in_use, pool_->name());
  closed_ = true;
  for (const Block& page : pages_.first(page_count_)) {
    const auto done = pool_->give_back(page);
    CARVEOUT_ASSERT(done.has_value());
  }
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

Result<void> BlockPool::grow(Context context) {
  if (page_count_ == pages_.size()) {
    return std::unexpected{Failure{
        .code = Error::table_full, .pool = pool_->name(), .asked_bytes = layout_.block_bytes}};
  }
  // Where blocks are kept off boundaries inside a page, the page begins on one.
  const bool cut = layout_.boundary_bytes < layout_.page_bytes;
  const std::uint64_t align =
      cut ? std::max<std::uint64_t>(settings_.align_bytes, layout_.boundary_bytes)
          : settings_.align_bytes;
  const auto page = pool_->take({.size_bytes = layout_.page_bytes,
                                 .align_bytes = align,
                                 .boundary_bytes = cut ? 0 : settings_.boundary_bytes,
                                 .holder = settings_.holder,
                                 .context = context},
                                reaches_, view_);
  if (!page) return std::unexpected{page.error()};
  ::new (static_cast<void*>(&pages_[page_count_])) Block{*page};
  ++page_count_;
  return {};
}

}  // namespace carveout
