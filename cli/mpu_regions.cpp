#include "mpu_regions.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "carveout/core/size.hpp"
#include "carveout/port/pmsa_v7.hpp"
#include "range_sets.hpp"

namespace carveout::cli {
namespace {

/// Bytes of pools that touch, and what of memory the regions over them may take.
struct Stretch {
  PhysRange pools;
  PhysRange room;
};

/// Of ranges of pools that touch, one. No region reaches from one stretch into the next: what lies
/// between them would be lost without a bound.
std::vector<Stretch> stretches_of(const std::vector<PhysRange>& pools,
                                  std::vector<PhysRange> free) {
  free.insert(free.end(), pools.begin(), pools.end());
  const std::vector<PhysRange> usable = joined(std::move(free));
  std::vector<Stretch> stretches;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const auto around = std::ranges::find_if(
        usable, [&](const PhysRange& range) { return range.contains(pools[i]); });
    std::uint64_t first = around->base.raw();
    std::uint64_t last = around->last().raw();
    if (i > 0) first = std::max(first, pools[i - 1].last().raw() + 1);
    if (i + 1 < pools.size()) last = std::min(last, pools[i + 1].base.raw() - 1);
    stretches.push_back({pools[i], PhysRange::from_to(PhysAddr{first}, PhysAddr{last})});
  }
  return stretches;
}

/// A region, after others that hold all pools below it.
struct Step {
  std::size_t stretch;  ///< with the first byte that is in no region yet; their number: none is
  std::uint64_t at;     ///< that byte
  std::uint64_t swallowed_bytes;  ///< by all of the regions
  std::size_t before;             ///< the step of the region before
  PhysRange region;
};

/// Sets of regions that hold all pools, one region more in each layer. A layer keeps a step only if
/// none that reaches as far swallows as little.
class Search {
 public:
  Search(Pmsa pmsa, std::vector<Stretch> stretches)
      : pmsa_{pmsa}, stretches_{std::move(stretches)} {
    if (!stretches_.empty()) {
      steps_.push_back({.stretch = 0,
                        .at = stretches_[0].pools.base.raw(),
                        .swallowed_bytes = 0,
                        .before = 0,
                        .region = {PhysAddr{0}, 0}});
    }
  }

  /// Of at most `most` regions, those that swallow least, and of such sets one of the fewest; where
  /// none is enough, one of the fewest there can be.
  std::vector<PhysRange> best(std::size_t most) {
    std::optional<std::size_t> chosen;
    std::size_t begin = 0;
    for (std::size_t count = 1; begin != steps_.size(); ++count) {
      if (count > most && chosen) break;
      std::vector<Step> layer;
      const std::size_t end = steps_.size();
      for (std::size_t step = begin; step != end; ++step) extend(step, layer);
      // How few there can be, the one that reaches furthest shows.
      keep_best(std::move(layer), count > most);
      begin = end;
      if (steps_[begin].stretch != stretches_.size()) continue;
      if (!chosen || steps_[begin].swallowed_bytes < steps_[*chosen].swallowed_bytes) {
        chosen = begin;
      }
      ++begin;
    }
    std::vector<PhysRange> regions;
    for (std::size_t step = chosen.value_or(0); step != 0; step = steps_[step].before) {
      regions.push_back(steps_[step].region);
    }
    std::ranges::reverse(regions);
    return regions;
  }

 private:
  void extend(std::size_t step, std::vector<Step>& layer) const {
    const Stretch& stretch = stretches_[steps_[step].stretch];
    const std::uint64_t at = steps_[step].at;
    if (pmsa_ == Pmsa::v8) {
      add(step, stretch.pools, layer);
      return;
    }
    // Runs of the eighths of each block that holds the byte, from the eighth that does on.
    for (std::uint64_t eighth = pmsa_v7::kShortestBytes; eighth <= pmsa_v7::kLongestBytes / 8;
         eighth *= 2) {
      const std::uint64_t first = align_down(at, eighth);
      const std::uint64_t block_end = align_down(at, eighth * 8) + eighth * 8;
      if (first < stretch.room.base.raw()) break;
      for (std::uint64_t end = first + eighth; end <= block_end; end += eighth) {
        if (end - 1 > stretch.room.last().raw()) break;
        add(step, {PhysAddr{first}, end - first}, layer);
        if (end > stretch.pools.last().raw()) break;
      }
    }
  }

  void add(std::size_t step, PhysRange region, std::vector<Step>& layer) const {
    const std::size_t here = steps_[step].stretch;
    const PhysRange pools = stretches_[here].pools;
    const bool whole = region.last() >= pools.last();
    const auto next = whole ? here + 1 : here;
    std::uint64_t at = region.last().raw() + 1;
    if (whole) at = next == stretches_.size() ? 0 : stretches_[next].pools.base.raw();
    layer.push_back({.stretch = next,
                     .at = at,
                     .swallowed_bytes = steps_[step].swallowed_bytes + region.size_bytes -
                                        region.intersection(pools).size_bytes,
                     .before = step,
                     .region = region});
  }

  void keep_best(std::vector<Step> layer, bool furthest_only) {
    // Ties are the same region: another sort makes no other file.
    std::ranges::sort(layer, {}, [](const Step& step) {
      return std::tuple{~step.stretch, ~step.at, step.swallowed_bytes, step.region.size_bytes,
                        step.region.base};
    });
    const std::size_t first = steps_.size();
    for (const Step& step : layer) {
      if (steps_.size() > first &&
          (furthest_only || step.swallowed_bytes >= steps_.back().swallowed_bytes)) {
        continue;
      }
      steps_.push_back(step);
    }
  }

  Pmsa pmsa_;
  std::vector<Stretch> stretches_;
  std::vector<Step> steps_;  // the first is none: nothing is held yet
};

}  // namespace

std::vector<PhysRange> mpu_regions(Pmsa pmsa, std::vector<PhysRange> pools,
                                   std::vector<PhysRange> free, std::size_t most) {
  return Search{pmsa, stretches_of(joined(std::move(pools)), std::move(free))}.best(most);
}

}  // namespace carveout::cli
