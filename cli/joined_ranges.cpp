#include "joined_ranges.hpp"

#include <algorithm>

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

}  // namespace carveout::cli
