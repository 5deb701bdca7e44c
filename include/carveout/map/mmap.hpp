// Whether a process may see a block, which physical pages that takes, and through which view: what
// an operating system asks before it maps them.
#pragma once

#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

/// What a process wants to see of a block, in its pages.
struct MmapRequest {
  std::uint64_t first_page;    ///< counted from the front of the block
  std::uint64_t pages;         ///< 1 or more
  std::uint64_t page_bytes;    ///< a power of two
  View view = View::uncached;  ///< as the process would see it
};

/// The pages to map, by the physical address that shows them in the view asked for. Pure: it maps
/// nothing, and reads nothing but its arguments.
///
/// The view is the one that the driver has, because two views of one byte disagree: of memory that
/// was handed out without a CPU pointer, the uncached one, or for a coherent device the cached one.
///
/// @param device  the one that the block was taken for.
/// @param block   lives.
/// Fails with exactly one of, and says how many bytes were asked for:
///   zero_size      no page
///   bad_alignment  page_bytes is not a power of two
///   outside_block  a page of it is not in the block; the block's last page counts, if part of it
///   shared_page    the block begins inside a page, in the view asked for too, or the last page
///                  asked for is not all the block's: the process would see other blocks
///   wrong_view     the other view is the right one
/// Cost: constant, and linear in the board's aliases. Context: any.
/// Source: Linux v6.6 kernel/dma/coherent.c, __dma_mmap_from_coherent(), for offset and length.
[[nodiscard]] Result<PhysRange> mmap_check(const Device& device, const Block& block,
                                           const MmapRequest& request);

}  // namespace carveout
