#include "bug.hpp"

namespace bugs {

Outcome run(sim::Machine& machine, Driver driver, sim::Mistake mistake, sim::Adversary adversary) {
  Board board{machine, adversary, sim::Checker::silent};
  const bool right = driver(board);
  return {right, board.checker().count(), board.checker().count(mistake) != 0};
}

}  // namespace bugs
