// What the checker finds, in words.
#pragma once

#include <string_view>

#include "carveout/check/mistake.hpp"

namespace carveout::sim {

using carveout::kMistakes;
using carveout::Mistake;
using carveout::name_of;

/// Why it is wrong, and the line that is missing or to be changed.
[[nodiscard]] std::string_view why(Mistake mistake);
[[nodiscard]] std::string_view cure(Mistake mistake);

}  // namespace carveout::sim
