#include "timeline.hpp"

#include <algorithm>

namespace carveout::cli {

Timeline::Timeline(std::uint64_t begin_ns, std::uint64_t end_ns)
    : begin_ns_{begin_ns},
      width_ns_{std::max(begin_ns, end_ns) / kMost - begin_ns / kMost + 1},
      due_ns_{begin_ns + width_ns_},
      periods_{Period{.begin_ns = begin_ns, .pools = {}}} {}

void Timeline::close(const Period& now) {
  Period& last = periods_.back();
  last.pools.resize(now.pools.size());
  for (std::size_t i = 0; i < now.pools.size(); ++i) {
    last.pools[i].longest_run_bytes = now.pools[i].longest_run_bytes;
  }
}

void Timeline::join_pairs() {
  width_ns_ *= 2;
  for (std::size_t i = 0; i < periods_.size(); i += 2) {
    Period& joined = periods_[i / 2];
    if (i != 0) joined = periods_[i];
    if (i + 1 == periods_.size()) continue;
    const Period& second = periods_[i + 1];
    joined.pools.resize(second.pools.size());
    for (std::size_t pool = 0; pool < second.pools.size(); ++pool) {
      Period::Pool& first = joined.pools[pool];
      const Period::Pool& then = second.pools[pool];
      first.most_used_bytes = std::max(first.most_used_bytes, then.most_used_bytes);
      first.most_used_in_linux_bytes =
          std::max(first.most_used_in_linux_bytes, then.most_used_in_linux_bytes);
      first.longest_run_bytes = then.longest_run_bytes;
    }
  }
  periods_.resize((periods_.size() + 1) / 2);
}

void Timeline::reach(std::uint64_t time_ns, Look look) {
  Period now;
  look(now);
  close(now);
  while ((time_ns - begin_ns_) / width_ns_ >= kMost) join_pairs();
  const std::uint64_t index = (time_ns - begin_ns_) / width_ns_;
  while (periods_.size() <= index) {
    now.begin_ns = begin_ns_ + periods_.size() * width_ns_;
    periods_.push_back(now);
  }
  due_ns_ = begin_ns_ + periods_.size() * width_ns_;
}

void Timeline::note(std::size_t pool, std::uint64_t used_bytes, std::uint64_t used_in_linux_bytes) {
  std::vector<Period::Pool>& pools = periods_.back().pools;
  if (pools.size() <= pool) pools.resize(pool + 1);
  pools[pool].most_used_bytes = std::max(pools[pool].most_used_bytes, used_bytes);
  pools[pool].most_used_in_linux_bytes =
      std::max(pools[pool].most_used_in_linux_bytes, used_in_linux_bytes);
}

std::vector<Period> Timeline::finish(Look look) {
  Period now;
  look(now);
  close(now);
  return std::move(periods_);
}

}  // namespace carveout::cli
