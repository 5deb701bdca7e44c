#include "first_pools.hpp"

#include <algorithm>
#include <tuple>

#include "carveout/map/route.hpp"

namespace carveout::cli {
namespace {

/// By the first of its reaches that has a byte of the pool, as if it went on to both sides.
DmaAddr address_of(const Candidate& candidate) {
  const PhysRange range = candidate.pool->chunks().front().range;
  const auto touches = [&](const Reach& reach) {
    return reach.first <= range.last() && range.base <= reach.last;
  };
  const auto reach = std::ranges::find_if(candidate.reaches, touches);
  return reach == candidate.reaches.end() ? DmaAddr{range.base.raw()} : reach->to_dma(range.base);
}

}  // namespace

std::uint32_t FirstPools::number_of(const Pool& pool) {
  const auto known = std::ranges::find(pools_, &pool);
  const auto number = static_cast<std::uint32_t>(known - pools_.begin());
  if (known == pools_.end()) pools_.push_back(&pool);
  return number;
}

void FirstPools::ask(const TraceRequest& request, Known& known) {
  known.asked = true;
  const Options options{.attributes = request.attributes, .context = request.context};
  const Device& device = offline_.device(devices_.asker_of[request.device]);
  std::ignore = route(device, options, [&](const Candidate& candidate) {
    if (candidate.verdict != Verdict::open) return Step::next;
    if (candidate.pool != nullptr) {
      known.first = First{.number = number_of(*candidate.pool),
                          .pool = candidate.pool,
                          .reaches = candidate.reaches,
                          .view = candidate.view,
                          .role = candidate.role,
                          .dma = address_of(candidate)};
    }
    return Step::stop;
  });
}

}  // namespace carveout::cli
