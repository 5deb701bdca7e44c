// What Linux's own allocator of coherent pools would have done, beside ours.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace carveout::cli {

/// The decisions of Linux's allocator for `shared-dma-pool` regions: every request takes a power of
/// two of pages, at the lowest multiple of that power, counted from the pool's first page, where
/// all of them are free. It knows no alignment but this one.
///
/// Written from the rule, not from the code; a tree over words of pages finds the place in the
/// logarithm of their number, where Linux walks a bitmap.
/// Source: Linux v6.6, and the same in 2026, kernel/dma/coherent.c, __dma_alloc_from_coherent() and
/// __dma_release_from_coherent(); v6.6 lib/bitmap.c, bitmap_find_free_region().
class LinuxPool {
 public:
  static constexpr std::uint64_t kPageBytes = 4096;
  /// The largest pool that is modelled, 64 GiB: its tables have 2.5 MiB.
  static constexpr std::uint64_t kMaxPages = std::uint64_t{1} << 24;

  /// @param size_bytes  kMaxPages at most; whole pages of it are used, as by Linux.
  explicit LinuxPool(std::uint64_t size_bytes);

  /// What a request takes; nothing for one that is larger than every pool, and for one of 0 bytes,
  /// which Linux takes for one as large.
  [[nodiscard]] static std::optional<std::uint64_t> rounded(std::uint64_t size_bytes) {
    const auto order = order_of(size_bytes);
    return order ? std::optional{kPageBytes << *order} : std::nullopt;
  }

  /// @return the offset of the first byte in the pool; nothing where Linux answers NULL.
  [[nodiscard]] std::optional<std::uint64_t> take(std::uint64_t size_bytes);
  /// @param offset, size_bytes  as taken.
  void give_back(std::uint64_t offset, std::uint64_t size_bytes);

  [[nodiscard]] std::uint64_t total_bytes() const { return pages_ * kPageBytes; }
  [[nodiscard]] std::uint64_t used_bytes() const { return used_ * kPageBytes; }
  /// The largest request that would be granted now; 0 where nothing would.
  [[nodiscard]] std::uint64_t largest_grant_bytes() const;

 private:
  /// Order of a request: it takes 2^order pages.
  [[nodiscard]] static std::optional<unsigned> order_of(std::uint64_t size_bytes) {
    if (size_bytes == 0 || size_bytes > kMaxPages * kPageBytes) return std::nullopt;
    return static_cast<unsigned>(std::bit_width((size_bytes - 1) / kPageBytes));
  }
  static constexpr unsigned kWordOrder = 6;  ///< a word says of 2^6 pages which are free
  static constexpr std::uint64_t kWordPages = std::uint64_t{1} << kWordOrder;

  /// What a node of 2^order pages is by its children.
  [[nodiscard]] std::uint8_t settled(std::size_t node, unsigned order) const;
  /// Says what a node of 2^order pages is, to all above it too.
  void set(std::size_t node, unsigned order, std::uint8_t value);
  /// Likewise of a word, by its bits.
  void settle(std::size_t word);
  /// The node of 2^order pages, kWordOrder or more, that begins at a page.
  [[nodiscard]] std::size_t node_at(std::uint64_t page, unsigned order) const {
    return static_cast<std::size_t>((words_.size() + page / kWordPages) >> (order - kWordOrder));
  }

  std::uint64_t pages_;
  std::uint64_t used_ = 0;
  /// A bit for each page, set where it is free; a power of two of words. Where 2^6 pages or more
  /// were taken at once, only the tree knows.
  std::vector<std::uint64_t> words_;
  /// By node, the root at 1, the children of n at 2n and 2n + 1, the leaves are the words: one more
  /// than the largest order that is free in whole under it, or 0.
  std::vector<std::uint8_t> free_;
};

}  // namespace carveout::cli
