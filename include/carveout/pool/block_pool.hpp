// Blocks of one size, cut from ranges of a pool: descriptors, buffers of a ring. What Linux calls a
// dma_pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <span>

#include "carveout/core/error.hpp"
#include "carveout/core/size.hpp"
#include "carveout/core/window.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/port/port.hpp"

namespace carveout {

/// How blocks lie in the pages of a BlockPool: from the front, each on a multiple of the alignment,
/// none over a boundary.
struct BlockLayout {
  std::uint32_t block_bytes;     ///< what was asked for, rounded up to the alignment
  std::uint32_t page_bytes;      ///< one page, or one block where that is longer
  std::uint32_t boundary_bytes;  ///< that no block crosses, counted from the front of the page
  std::uint32_t per_boundary;    ///< blocks between two boundaries
  std::uint32_t per_page;

  constexpr bool operator==(const BlockLayout&) const = default;

  /// @param index  less than per_page.
  [[nodiscard]] constexpr std::uint32_t offset_of(std::uint32_t index) const {
    return index / per_boundary * boundary_bytes + index % per_boundary * block_bytes;
  }
};

/// A pool of blocks of one size. It takes page after page from a Pool, as they are needed, and
/// keeps them until it is closed. All it knows is in storage of the caller: nothing is written into
/// the memory of the blocks.
///
/// It is moved only while nobody else uses it; what it was moved from is as if it were closed.
/// Thread-safe; takes its own lock, and inside that the pool's.
class BlockPool {
 public:
  struct Settings {
    std::uint64_t size_bytes;
    std::uint64_t align_bytes = 1;     ///< a power of two; of the device address
    std::uint64_t boundary_bytes = 0;  ///< a power of two that no block crosses; 0: none
    std::uint32_t page_bytes = 4096;   ///< what is taken from the pool at a time
    std::uint32_t most_pages = 1;
    Holder holder = 0;
    /// Called with every page that is taken, before a block is cut from it and with no lock held: a
    /// page is as its last owner left it, and so are the caches. nullptr: that is as it should be.
    void (*prepare_page)(const Block& page) = nullptr;
  };

  /// How many blocks there were and are.
  struct Usage {
    std::uint32_t blocks;  ///< that live
    std::uint32_t peak_blocks;
    std::uint32_t pages;
    std::uint64_t page_bytes;  ///< of one page, in whole granules of the pool

    constexpr bool operator==(const Usage&) const = default;
  };

  static constexpr std::size_t kStorageAlign = alignof(std::uint64_t);

  /// Where blocks will lie. Fails with exactly one of: zero_size, bad_alignment, bad_boundary (not
  /// a power of two), crosses_boundary (one block would), size_overflow (the size, in whole
  /// alignments, passes 2^64), exhausted (4 GiB or more).
  [[nodiscard]] static constexpr std::expected<BlockLayout, Error> layout(const Settings& settings);

  /// Bytes of storage. The largest std::size_t for tables that no machine can hold.
  [[nodiscard]] static constexpr std::size_t storage_bytes(const BlockLayout& layout,
                                                           std::uint32_t most_pages);

  /// @param pool, reaches  outlive the block pool; blocks are within one of the reaches.
  /// @param storage        aligned to kStorageAlign, and outlives it too.
  /// Fails with what layout() fails with, and storage_too_small.
  [[nodiscard]] static Result<BlockPool> create(const Settings& settings, Pool& pool,
                                                std::span<const Reach> reaches, View view,
                                                std::span<std::byte> storage);

  // NOLINTNEXTLINE(performance-move-constructor-init): a copy is as cheap, and leave() is the move.
  BlockPool(BlockPool&& from) noexcept : BlockPool{from} { from.leave(); }
  BlockPool& operator=(BlockPool&&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// Hands out a block; the one that was given back last, as a rule. Its bytes are as the last
  /// owner left them. The block names the Pool, and is given back here and not there.
  ///
  /// Fails with exactly one of: table_full (most_pages are in use, whole), pool_gone (closed), and
  /// would_wait, and what Pool::take() fails with where another page is needed.
  /// Cost: constant; a page more is Pool::take(). Context: as for Pool::take().
  [[nodiscard]] Result<Block> take(Context context = Context::may_wait);

  /// Fails with exactly one of: pool_gone (closed), foreign_block (of another pool, or never
  /// given), double_free (given back before, and free now), stale_block (given back before, and
  /// somebody's now), wrong_address, wrong_size, would_wait. A refused call changes nothing. A
  /// block's serials come round after 2^30 allocations of it.
  /// Cost: linear in pages.
  Result<void> give_back(const Block& block);

  /// Gives all pages back. Fails with: in_use (blocks live), pool_gone (closed before), would_wait.
  /// Cost: linear in pages.
  Result<void> close();

  /// Whether a block is of some block pool, and not of the Pool that it names.
  [[nodiscard]] static constexpr bool made(const Block& block) { return is_live(block.serial); }

  [[nodiscard]] Usage usage() const;
  [[nodiscard]] const BlockLayout& layout() const { return layout_; }

 private:
  BlockPool(const BlockPool&) = default;
  /// Blocks and pages are another's from here on.
  void leave() {
    blocks_ = 0;
    page_count_ = 0;
    closed_ = true;
  }

  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  /// Serials of live blocks, modulo kSerialStep. A Pool gives no such serial, and a block of one is
  /// refused by the other.
  static constexpr std::uint32_t kSerialStep = 4;
  static constexpr std::uint32_t kLive = 3;
  [[nodiscard]] static constexpr bool is_live(std::uint32_t serial) {
    return serial % kSerialStep == kLive;
  }

  /// One block, by its number through all pages.
  struct Entry {
    std::uint32_t serial = 0;    ///< says by is_live() whether the block lives; only counted up
    std::uint32_t next = kNone;  ///< of a free one: the next free one
  };

  BlockPool(const Settings& settings, const BlockLayout& layout, Pool& pool,
            std::span<const Reach> reaches, View view, std::span<Block> pages,
            std::span<Entry> entries)
      : settings_{settings},
        layout_{layout},
        pool_{&pool},
        reaches_{reaches},
        view_{view},
        pages_{pages},
        entries_{entries} {}

  [[nodiscard]] Block block_of(std::uint32_t index) const;
  [[nodiscard]] std::uint32_t next_block();
  [[nodiscard]] bool has(PhysAddr at) const;
  [[nodiscard]] Result<Block> take_page(Context context) const;
  [[nodiscard]] bool add_page(const Block& page);
  void give_page_back(const Block& page);

  Settings settings_;
  BlockLayout layout_;
  Pool* pool_;
  std::span<const Reach> reaches_;
  View view_;
  std::span<Block> pages_;
  std::span<Entry> entries_;
  mutable LockWord lock_{};
  std::uint32_t page_count_ = 0;
  std::uint32_t fresh_ = 0;     ///< blocks from here on were never given
  std::uint32_t free_ = kNone;  ///< the free block that was given back last
  std::uint32_t blocks_ = 0;
  std::uint32_t peak_ = 0;
  bool closed_ = false;
};

constexpr std::expected<BlockLayout, Error> BlockPool::layout(const Settings& settings) {
  if (settings.size_bytes == 0) return std::unexpected{Error::zero_size};
  if (!is_power_of_two(settings.align_bytes)) return std::unexpected{Error::bad_alignment};
  const auto block = align_up(settings.size_bytes, settings.align_bytes);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (!block) return std::unexpected{Error::size_overflow};
  if (*block > kMost) return std::unexpected{Error::exhausted};
  const std::uint64_t page = *block > settings.page_bytes ? *block : settings.page_bytes;
  std::uint64_t boundary = page;
  if (settings.boundary_bytes != 0) {
    if (!is_power_of_two(settings.boundary_bytes)) return std::unexpected{Error::bad_boundary};
    if (settings.boundary_bytes < *block) return std::unexpected{Error::crosses_boundary};
    if (settings.boundary_bytes < page) boundary = settings.boundary_bytes;
  }
  // All fit in 32 bits: no long division on a small processor.
  const auto block_bytes = static_cast<std::uint32_t>(*block);
  const auto page_bytes = static_cast<std::uint32_t>(page);
  const auto boundary_bytes = static_cast<std::uint32_t>(boundary);
  const std::uint32_t per_boundary = boundary_bytes / block_bytes;
  const std::uint32_t per_page =
      page_bytes / boundary_bytes * per_boundary + page_bytes % boundary_bytes / block_bytes;
  return BlockLayout{block_bytes, page_bytes, boundary_bytes, per_boundary, per_page};
}

constexpr std::size_t BlockPool::storage_bytes(const BlockLayout& layout,
                                               std::uint32_t most_pages) {
  constexpr auto kNever = std::numeric_limits<std::size_t>::max();
  const auto entries = checked_multiply(layout.per_page, most_pages);
  if (!entries || *entries >= kNone) return kNever;
  const std::uint64_t bytes = *entries * sizeof(Entry) + std::uint64_t{most_pages} * sizeof(Block);
  return bytes < kNever ? static_cast<std::size_t>(bytes) : kNever;
}

}  // namespace carveout
