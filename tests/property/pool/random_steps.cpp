// So many random steps on random pools, each judged against the naive pool: tools/prove-allocator.
//
//   random_steps STEPS [each-step|when-told] [FIRST-SEED]
//
// The whole of the tables is walked after each step, or only at times and at the end.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/support/random_play.hpp"

int main(int argc, char** argv) {
  using namespace carveout;
  using namespace carveout::testing;

  if (argc < 2 || argc > 4) return 2;
  const std::uint64_t steps = std::strtoull(argv[1], nullptr, 10);
  const Walk walk =
      argc > 2 && std::string_view{argv[2]} == "when-told" ? Walk::when_told : Walk::each_step;
  std::uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;

  const auto start = std::chrono::steady_clock::now();
  Tally tally;
  for (; tally.steps < steps; ++seed) {
    Seeded stream{seed, 2500};
    const std::string fault = play(stream, tally, walk);
    if (fault.empty()) continue;
    std::printf("seed %llu, %s\n", static_cast<unsigned long long>(seed), fault.c_str());
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%llu steps in %llu pools, walked %s: %llu requests with a place, %.0f s\n",
              static_cast<unsigned long long>(tally.steps),
              static_cast<unsigned long long>(tally.pools),
              walk == Walk::each_step ? "after each step" : "at times",
              static_cast<unsigned long long>(tally.granted), took.count());
  return 0;
}
