#include "range_sets.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace carveout::cli {

std::vector<PhysRange> joined(std::vector<PhysRange> ranges) {
  std::erase_if(ranges, [](const PhysRange& range) { return range.empty(); });
  std::ranges::sort(ranges, {}, &PhysRange::base);
  std::vector<PhysRange> result;
  for (const PhysRange& range : ranges) {
    const bool continues = !result.empty() && (range.base <= result.back().last() ||
                                               range.base.raw() - result.back().last().raw() == 1);
    if (!continues) {
      result.push_back(PhysRange::from_to(range.base, range.last()));
    } else if (range.last() > result.back().last()) {
      result.back() = PhysRange::from_to(result.back().base, range.last());
    }
  }
  return result;
}

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

}  // namespace carveout::cli
