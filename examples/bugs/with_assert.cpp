// The drivers tested with nothing but assert: bugs_with_assert tests all that are fixed, and
// bugs_with_assert BUG the one that is not, which ends the program.
#include <cassert>
#include <cstring>

#include "bug.hpp"

namespace {

void test(bugs::Driver driver) {
  bugs::sim::Machine machine{bugs::Board::facts()};
  bugs::sim::Adversary worst = bugs::sim::Adversary::worst();
  bugs::Board board{machine, worst, bugs::sim::Checker::print};
  const bool data_is_right = driver(board);
  assert(board.checker().count() == 0);
  assert(data_is_right);
}

}  // namespace

int main(int argc, char** argv) {
  int tested = 0;
  for (const bugs::Bug* bug : bugs::kBugs) {
    if (argc == 2 && std::strcmp(argv[1], bug->name) != 0) continue;
    test(argc == 2 ? bug->wrong : bug->right);
    ++tested;
  }
  return tested != 0 ? 0 : 2;
}
