#include "picture/spread.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace carveout::cli::picture {
namespace {

/// Labels that touch, and move as one.
struct Cluster {
  std::size_t count;
  std::int64_t wishes;  ///< the sum of the tops that would suit each of them for the whole
  int height;
  int top;
};

}  // namespace

void spread(std::span<Wish> wishes, int top, int bottom) {
  std::vector<Cluster> clusters;
  const auto place = [&](Cluster& cluster) {
    const auto mean = static_cast<int>(cluster.wishes / static_cast<std::int64_t>(cluster.count));
    cluster.top = std::max(top, std::min(mean, bottom - cluster.height));
  };
  for (const Wish& wish : wishes) {
    Cluster last{
        .count = 1, .wishes = wish.middle - wish.height / 2, .height = wish.height, .top = 0};
    place(last);
    while (!clusters.empty() && clusters.back().top + clusters.back().height > last.top) {
      Cluster& before = clusters.back();
      // The labels of `last` begin where those of `before` end.
      before.wishes += last.wishes - static_cast<std::int64_t>(last.count) * before.height;
      before.count += last.count;
      before.height += last.height;
      place(before);
      last = before;
      clusters.pop_back();
    }
    clusters.push_back(last);
  }
  std::size_t next = 0;
  for (const Cluster& cluster : clusters) {
    int at = cluster.top;
    for (std::size_t i = 0; i < cluster.count; ++i) {
      wishes[next].top = at;
      at += wishes[next++].height;
    }
  }
}

}  // namespace carveout::cli::picture
