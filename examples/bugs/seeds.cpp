// Every bug under so many seeds, and every fix under so many more: bugs_seeds BUGS FIXES.
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "bug.hpp"

namespace {

using bugs::Outcome;

struct Counts {
  std::uint64_t named = 0;
  std::uint64_t wrong_data = 0;
  std::uint64_t silent = 0;  ///< and with the right data
};

Counts count(bugs::Driver driver, bugs::sim::Mistake mistake, std::uint64_t seeds) {
  bugs::sim::Machine machine{bugs::Board::facts()};
  Counts counts;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = bugs::run(machine, driver, mistake, bugs::sim::Adversary::seeded(seed));
    if (outcome.named) ++counts.named;
    if (!outcome.data_right) ++counts.wrong_data;
    if (outcome.data_right && outcome.mistakes == 0) ++counts.silent;
  }
  return counts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bugs_seeds SEEDS_OF_BUGS SEEDS_OF_FIXES\n", stderr);
    return 2;
  }
  const std::uint64_t bug_seeds = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t fix_seeds = std::strtoull(argv[2], nullptr, 10);
  std::size_t found = 0;
  std::size_t silent = 0;
  for (const bugs::Bug* bug : bugs::kBugs) {
    const Counts wrong = count(bug->wrong, bug->mistake, bug_seeds);
    const Counts right = count(bug->right, bug->mistake, fix_seeds);
    std::printf("%-32s named in %ju, data wrong in %ju of %ju; fix silent in %ju of %ju\n",
                bug->name, std::uintmax_t{wrong.named}, std::uintmax_t{wrong.wrong_data},
                std::uintmax_t{bug_seeds}, std::uintmax_t{right.silent}, std::uintmax_t{fix_seeds});
    std::fflush(stdout);
    if (wrong.named == bug_seeds) ++found;
    if (right.silent == fix_seeds) ++silent;
  }
  const std::size_t all = bugs::kBugs.size();
  std::printf("%zu of %zu found in every one of %ju seeds, %zu of %zu fixes silent in %ju seeds\n",
              found, all, std::uintmax_t{bug_seeds}, silent, all, std::uintmax_t{fix_seeds});
  return found == all && silent == all ? 0 : 1;
}
