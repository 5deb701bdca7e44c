// What every example does with a refusal: says why, and ends.
#pragma once

#include <array>
#include <cstdio>

#include "carveout/core/error.hpp"
#include "carveout/core/text.hpp"

inline int report(const carveout::Failure& failure) {
  std::array<char, 256> buffer;
  carveout::Text text{buffer};
  carveout::describe(failure, text);
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.view().size()), text.view().data());
  return 1;
}
