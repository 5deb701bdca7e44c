// Which part of a range a pool can use.
#pragma once

#include <cstdint>

#include "carveout/core/address.hpp"
#include "carveout/core/size.hpp"

namespace carveout {

/// The whole granules inside a range; empty where there are none.
inline PhysRange inward(PhysRange range, std::uint64_t granule_bytes) {
  const auto first = align_up(range.base.raw(), granule_bytes);
  const std::uint64_t last = range.last().raw();
  // The granule that holds the last byte is whole only if that is its last one, too.
  const bool whole_tail = (last & (granule_bytes - 1)) == granule_bytes - 1;
  const std::uint64_t end =
      align_down(last, granule_bytes);  // of the whole granules, if the tail is not
  if (!first || (whole_tail ? *first > last : *first >= end)) return {range.base, 0};
  return PhysRange::from_to(PhysAddr{*first}, PhysAddr{whole_tail ? last : end - 1});
}

}  // namespace carveout
