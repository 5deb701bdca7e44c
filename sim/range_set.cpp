#include "carveout_sim/range_set.hpp"

#include <algorithm>
#include <iterator>

namespace carveout::sim {

void RangeSet::add(PhysRange range) {
  if (range.empty()) return;
  std::uint64_t first = range.base.raw();
  std::uint64_t last = range.last().raw();
  auto next = stretches_.upper_bound(first);
  if (next != stretches_.begin()) {
    const auto before = std::prev(next);
    if (before->second >= first || before->second + 1 == first) {
      first = before->first;
      last = std::max(last, before->second);
      stretches_.erase(before);
    }
  }
  while (next != stretches_.end() && (next->first <= last || next->first - 1 == last)) {
    last = std::max(last, next->second);
    next = stretches_.erase(next);
  }
  stretches_.emplace(first, last);
}

void RangeSet::add(const RangeSet& other) {
  for (const auto& [first, last] : other.stretches_) {
    add(PhysRange::from_to(PhysAddr{first}, PhysAddr{last}));
  }
}

void RangeSet::remove(PhysRange range) {
  while (const auto found = find(range)) {
    const auto stretch = std::prev(stretches_.upper_bound(found->base.raw()));
    const auto [first, last] = *stretch;
    stretches_.erase(stretch);
    if (first < found->base.raw()) stretches_.emplace(first, found->base.raw() - 1);
    if (found->last().raw() < last) stretches_.emplace(found->last().raw() + 1, last);
  }
}

void RangeSet::remove(const RangeSet& other) {
  for (const auto& [first, last] : other.stretches_) {
    remove(PhysRange::from_to(PhysAddr{first}, PhysAddr{last}));
  }
}

std::optional<PhysRange> RangeSet::find(PhysRange range) const {
  if (range.empty()) return std::nullopt;
  auto each = stretches_.upper_bound(range.base.raw());
  if (each != stretches_.begin() && std::prev(each)->second >= range.base.raw()) --each;
  if (each == stretches_.end() || each->first > range.last().raw()) return std::nullopt;
  return range.intersection(PhysRange::from_to(PhysAddr{each->first}, PhysAddr{each->second}));
}

std::vector<PhysRange> RangeSet::pieces() const {
  std::vector<PhysRange> all;
  all.reserve(stretches_.size());
  for (const auto& [first, last] : stretches_) {
    all.push_back(PhysRange::from_to(PhysAddr{first}, PhysAddr{last}));
  }
  return all;
}

}  // namespace carveout::sim
