#include "gen/ranges.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "joined_ranges.hpp"

namespace carveout::cli {

std::vector<PhysRange> without(std::vector<PhysRange> all, std::vector<PhysRange> taken) {
  const std::vector<PhysRange> holes = joined(std::move(taken));
  std::vector<PhysRange> result;
  auto hole = holes.begin();
  for (const PhysRange& range : joined(std::move(all))) {
    std::uint64_t at = range.base.raw();
    const std::uint64_t last = range.last().raw();
    while (hole != holes.end() && hole->last().raw() < at) ++hole;
    // The hole that reaches beyond this range may begin in the next one.
    for (; hole != holes.end() && hole->base.raw() <= last; ++hole) {
      if (hole->base.raw() > at) {
        result.push_back(PhysRange::from_to(PhysAddr{at}, PhysAddr{hole->base.raw() - 1}));
      }
      if (hole->last().raw() >= last) break;
      at = hole->last().raw() + 1;
    }
    const bool rest = hole == holes.end() || hole->base.raw() > last;
    if (rest) result.push_back(PhysRange::from_to(PhysAddr{at}, PhysAddr{last}));
  }
  return result;
}

std::vector<GenRange> named_memory(const std::vector<PhysRange>& ranges) {
  std::vector<GenRange> named;
  named.reserve(ranges.size());
  for (const PhysRange& range : ranges) {
    named.push_back({.id = fmt::format("memory_{:x}", range.base.raw()), .range = range});
  }
  return named;
}

}  // namespace carveout::cli
