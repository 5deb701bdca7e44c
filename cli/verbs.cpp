#include <array>

#include "verb.hpp"

namespace carveout::cli {

std::span<const Verb* const> verbs() {
  static constexpr std::array kVerbs{&kMap, &kWhy,      &kLint, &kExplain,
                                     &kGen, &kSimulate, &kDiff, &kCompletion};
  return kVerbs;
}

}  // namespace carveout::cli
