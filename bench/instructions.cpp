// Plays one workload on one peer, to be counted by callgrind: tools/instructions.sh.
//
//   carveout_instructions                                    prints the peers of the large pool
//   carveout_instructions POOL WORKLOAD PEER PAIRS [SEED]    plays what comes before, and PAIRS
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "bench/peer.hpp"

namespace carveout::bench {
namespace {

int list() {
  std::vector<const Contestant*> peers;
  for (const auto& one : contestants()) {
    // What starts threads of its own, or is opened at run time, is not for a simulated processor.
    // Behind the common lock a peer is what it is, and the lock.
    if (one->card().opens == nullptr && !one->card().name.ends_with("-locked")) {
      peers.push_back(one.get());
    }
  }
  std::ranges::stable_sort(peers, {}, [](const Contestant* one) { return one->card().column; });
  for (const Contestant* one : peers) {
    if (one->card().only_counted) continue;
    if (one->plays(kLarge, "W1")) std::printf("%s\n", one->card().name.data());
  }
  return 0;
}

int count(std::string_view pool_name, std::string_view name, std::string_view who,
          std::size_t pairs, std::uint64_t seed) {
  const PoolShape& pool = pool_name == kLarge.name ? kLarge : kSmall;
  std::optional<Trace> trace = workload(name, pool, pairs, seed);
  if (!trace) return 2;
  for (const auto& one : contestants()) {
    if (one->card().name != who || !one->plays(pool, name)) continue;
    // A cyclic trace is played as one that is as long as the number of pairs asked for.
    if (trace->cyclic) {
      const std::vector<Step> once = trace->steps;
      while (trace->pairs < pairs) {
        trace->steps.insert(trace->steps.end(), once.begin(), once.end());
        trace->pairs += once.size() / 2;
      }
      trace->cyclic = false;
    }
    std::printf("pairs %zu\n", one->time(pool, *trace, 0).pairs);
    return 0;
  }
  return 2;
}

}  // namespace
}  // namespace carveout::bench

int main(int argc, char** argv) {
  if (argc == 1) return carveout::bench::list();
  if (argc != 5 && argc != 6) return 2;
  const auto number = [&](int i) { return std::strtoul(argv[i], nullptr, 10); };
  return carveout::bench::count(argv[1], argv[2], argv[3], number(4), argc == 6 ? number(5) : 3);
}
