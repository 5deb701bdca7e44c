// What the checker says of one mistake.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout_sim/mistake.hpp"

namespace carveout::sim {

/// What happened to a buffer, told when a report is about it.
struct Happening {
  std::uint64_t number;  ///< of all that the checker saw, from 1
  std::string what;      ///< "CPU 0 stores", "map to_device at send.cpp:12 (send)"
  PhysRange range;
};

struct Report {
  Mistake mistake;
  std::string what;  ///< who did what to which bytes
  PhysRange range;
  std::string buffer;  ///< which, allocated and mapped where and by whom, its owner now; may be ""
  std::vector<Happening> history;  ///< of that buffer, the last ones
  std::string stacks;              ///< of a touch of a PlainMachine's memory

  /// All of it, with why() and cure().
  [[nodiscard]] std::string text() const;
};

}  // namespace carveout::sim
