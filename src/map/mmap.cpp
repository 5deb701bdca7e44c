#include "carveout/map/mmap.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "carveout/core/size.hpp"
#include "carveout/map/alias.hpp"

namespace carveout {
namespace {

/// Whether `view` is how the block is seen already.
bool is_view_of(const Device& device, const Block& block, View view) {
  if (block.cpu != nullptr) return block.cpu == block.pool->pointer(block, view);
  return (view == View::cached) == device.coherent;
}

}  // namespace

Result<PhysRange> mmap_check(const Device& device, const Block& block, const MmapRequest& request) {
  const std::uint64_t page = request.page_bytes;
  const auto asked = checked_multiply(request.pages, page);
  const auto refused = [&](Error code) {
    return std::unexpected{
        Failure{.code = code,
                .pool = block.pool->name(),
                .asked_bytes = asked.value_or(std::numeric_limits<std::uint64_t>::max()),
                .stated = page}};
  };
  if (request.pages == 0) return refused(Error::zero_size);
  if (!is_power_of_two(page)) return refused(Error::bad_alignment);
  const std::uint64_t whole = block.size_bytes / page;
  const std::uint64_t pages = whole + (whole * page != block.size_bytes ? 1 : 0);
  if (request.first_page >= pages || request.pages > pages - request.first_page)
    return refused(Error::outside_block);
  if (align_down(block.phys.raw(), page) != block.phys.raw() ||
      request.first_page + request.pages > whole)
    return refused(Error::shared_page);
  if (!is_view_of(device, block, request.view)) return refused(Error::wrong_view);

  const PhysRange range{PhysAddr{block.phys.raw() + request.first_page * page}, *asked};
  const auto views = views_of(device.roles->aliases, range);
  if (!views) return range;
  const PhysRange seen = request.view == View::cached ? views->cached : views->uncached;
  if (align_down(seen.base.raw(), page) != seen.base.raw()) return refused(Error::shared_page);
  return seen;
}

}  // namespace carveout
