#include "carveout_sim/past_writes.hpp"

#include <cstring>
#include <ranges>

#include "lines.hpp"

namespace carveout::sim {

void PastWrites::note(PhysAddr at, std::span<const std::byte> before) {
  if (!kept()) return;
  if (writes_.size() == depth_) writes_.pop_front();
  writes_.push_back({++now_, at, {before.begin(), before.end()}});
}

void PastWrites::reset() {
  now_ = 0;
  writes_.clear();
}

bool PastWrites::undo(PhysAddr at, std::span<std::byte> bytes, std::uint64_t since,
                      std::uint64_t until) const {
  const PhysRange wanted{at, bytes.size()};
  bool any = false;
  for (const Write& write : writes_) {
    if (write.time <= since || !wanted.overlaps({write.at, write.before.size()})) continue;
    // Part of the bytes from then and part from now is what no single load returns.
    if (write.time > until) return false;
    any = true;
  }
  if (!any) return false;
  for (const Write& write : std::views::reverse(writes_)) {
    if (write.time <= since) break;
    const PhysRange common = wanted.intersection({write.at, write.before.size()});
    if (common.empty()) continue;
    std::memcpy(bytes.data() + bytes_between(at, common.base),
                write.before.data() + bytes_between(write.at, common.base), size_of(common));
  }
  return true;
}

}  // namespace carveout::sim
