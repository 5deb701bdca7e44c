// Plays one workload on one peer, to be counted by callgrind: tools/instructions.sh.
//
//   instructions POOL WORKLOAD PEER PAIRS [SEED]    plays it, and prints how many were refused
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "bench/peers/carveout.hpp"
#include "bench/peers/reference.hpp"
#include "bench/player.hpp"
#include "bench/workloads.hpp"

namespace carveout::bench {
namespace {

template <class Peer>
int count(const PoolShape& pool, const Trace& trace, bool aligned) {
  Peer peer{pool};
  std::vector<Seat<Peer>> seats(trace.slots);
  const auto plays = [&](const std::vector<Step>& steps) {
    return aligned ? play<Peer, true>(peer, steps, seats) : play<Peer>(peer, steps, seats);
  };
  const std::size_t refused_before = plays(trace.before);
  const std::size_t refused = plays(trace.steps);
  std::printf("pairs %zu refused %zu before %zu\n", trace.pairs, refused, refused_before);
  return 0;
}

int run(std::string_view pool_name, std::string_view workload, std::string_view peer,
        std::size_t pairs, std::uint64_t seed) {
  const PoolShape& pool = pool_name == kLarge.name ? kLarge : kSmall;
  Trace trace;
  if (workload == "W1") trace = ring(pool, pairs);
  if (workload == "W2") trace = frames(pool, pairs, seed);
  if (workload == "W3-50") trace = mixed(pool, 50, pairs, false, seed);
  if (workload == "W3-85") trace = mixed(pool, 85, pairs, false, seed);
  if (workload == "W3-85-natural") trace = mixed(pool, 85, pairs, true, seed);
  if (workload == "W4-64") trace = hot(64, pairs);
  if (workload == "W4-4096") trace = hot(4096, pairs);
  if (workload == "W4-65536") trace = hot(65536, pairs);
  if (workload == "W5") trace = adversary(pool, pairs);
  const bool aligned = workload.ends_with("natural");
  if (peer == "nobody") return count<Nobody>(pool, trace, aligned);
  if (peer == "carveout-sparse") return count<Carveout<Tags::sparse>>(pool, trace, aligned);
  if (peer == "dma-coherent") return count<DmaCoherent>(pool, trace, aligned);
  if (peer == "genalloc-first-fit") return count<GenallocFirstFit>(pool, trace, aligned);
  if (peer == "genalloc-best-fit") return count<GenallocBestFit>(pool, trace, aligned);
  if (peer == "cma") return count<Cma>(pool, trace, aligned);
  if (peer == "carveout") return count<Carveout<Tags::dense>>(pool, trace, aligned);
  return 2;
}

}  // namespace
}  // namespace carveout::bench

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) return 2;
  const auto number = [&](int i) { return std::strtoul(argv[i], nullptr, 10); };
  return carveout::bench::run(argv[1], argv[2], argv[3], number(4), argc == 6 ? number(5) : 3);
}
