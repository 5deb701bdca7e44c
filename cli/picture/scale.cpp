#include "picture/scale.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

namespace carveout::cli::picture {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

/// How many ranges begin and do not end at each of the starts; added up, how many hold it.
class Cover {
 public:
  Cover(std::span<const std::uint64_t> starts, std::span<const PhysRange> ranges)
      : changes_(starts.size() + 1) {
    const auto at = [&](std::uint64_t address) {
      return static_cast<std::size_t>(std::ranges::lower_bound(starts, address) - starts.begin());
    };
    for (const PhysRange range : ranges) {
      ++changes_[at(range.base.raw())];
      const std::uint64_t last = range.last().raw();
      --changes_[last == kTop ? starts.size() : at(last + 1)];
    }
  }

  /// Whether the next start is held.
  bool next() {
    depth_ += changes_[index_++];
    return depth_ != 0;
  }

 private:
  std::vector<int> changes_;
  std::size_t index_ = 0;
  int depth_ = 0;
};

int least_of(Ground ground) { return ground == Ground::reserved ? Scale::kLeast : 2; }

}  // namespace

Scale::Scale(const ScaleFacts& facts, int wanted_height) {
  cut(facts);
  fit(wanted_height);
  if (!is_mostly_too_short()) return;
  collapses_memory_ = true;
  fit(wanted_height);
}

void Scale::fit(int wanted_height) {
  pixel_log2_ = 0;
  while (stretch_to(pixel_log2_) > wanted_height && pixel_log2_ < 63) ++pixel_log2_;
}

bool Scale::is_mostly_too_short() const {
  std::size_t reserved = 0;
  std::size_t too_short = 0;
  for (const Stretch& stretch : stretches_) {
    if (stretch.ground != Ground::reserved) continue;
    ++reserved;
    if ((stretch.last - stretch.first) >> pixel_log2_ < kLeast - 1) ++too_short;
  }
  return too_short * 2 > reserved;
}

int Scale::most_of(Ground ground) const {
  constexpr int kAny = std::numeric_limits<int>::max();
  if (ground == Ground::gap) return kGap;
  return ground == Ground::memory && collapses_memory_ ? kFree : kAny;
}

void Scale::cut(const ScaleFacts& facts) {
  std::vector<std::uint64_t> starts;
  for (const auto ranges : {facts.memory, facts.places, facts.edges}) {
    for (const PhysRange range : ranges) {
      starts.push_back(range.base.raw());
      if (range.last().raw() != kTop) starts.push_back(range.last().raw() + 1);
    }
  }
  std::ranges::sort(starts);
  starts.erase(std::ranges::unique(starts).begin(), starts.end());

  Cover memory{starts, facts.memory};
  Cover places{starts, facts.places};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const bool is_memory = memory.next();
    const bool is_reserved = places.next();
    const Ground ground = is_reserved ? Ground::reserved : is_memory ? Ground::memory : Ground::gap;
    const std::uint64_t last = i + 1 < starts.size() ? starts[i + 1] - 1 : kTop;
    // Edges in a gap are nobody's: there is nothing to be reached.
    if (ground == Ground::gap) {
      if (stretches_.empty()) continue;
      if (stretches_.back().ground == Ground::gap) {
        stretches_.back().last = last;
        continue;
      }
    }
    stretches_.push_back({.first = starts[i],
                          .last = last,
                          .ground = ground,
                          .top = 0,
                          .height = 0,
                          .collapsed = false});
  }
  if (!stretches_.empty() && stretches_.back().ground == Ground::gap) stretches_.pop_back();
}

int Scale::stretch_to(unsigned pixel_log2) {
  constexpr int kTooHigh = 1 << 24;  // so that sums stay numbers
  int top = 0;
  for (Stretch& stretch : stretches_) {
    const std::uint64_t pixels = ((stretch.last - stretch.first) >> pixel_log2) + 1;
    const int wanted = static_cast<int>(std::min<std::uint64_t>(pixels, kTooHigh));
    stretch.top = top;
    stretch.height = std::clamp(wanted, least_of(stretch.ground), most_of(stretch.ground));
    stretch.collapsed = stretch.height < wanted;
    top = std::min(top + stretch.height, kTooHigh);
  }
  return top;
}

int Scale::height() const {
  return stretches_.empty() ? 0 : stretches_.back().top + stretches_.back().height;
}

const Stretch& Scale::holding(std::uint64_t address) const {
  const auto behind = std::ranges::upper_bound(stretches_, address, {}, &Stretch::first);
  assert(behind != stretches_.begin());
  return *(behind - 1);
}

int Scale::top_of(std::uint64_t first) const {
  const Stretch& stretch = holding(first);
  assert(stretch.first == first);
  return stretch.top;
}

int Scale::bottom_of(std::uint64_t last) const {
  const Stretch& stretch = holding(last);
  assert(stretch.last == last);
  return stretch.top + stretch.height;
}

}  // namespace carveout::cli::picture
