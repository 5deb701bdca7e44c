// The two forms of a difference.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "diff/difference.hpp"

namespace carveout::cli {

/// What was compared, as the user typed it.
struct Compared {
  std::string_view before;
  std::string_view after;
  std::span<const std::string> overlays;  ///< what makes `after` of `before`
};

[[nodiscard]] std::string diff_text(const Compared& compared, const Difference& difference,
                                    bool colour);

/// Schema carveout.diff/1, one line.
[[nodiscard]] std::string diff_json(const Compared& compared, const Difference& difference);

}  // namespace carveout::cli
