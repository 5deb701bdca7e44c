// A picture in sentences, for those who do not see it.
#pragma once

#include <string>

#include "picture/scene.hpp"

namespace carveout::cli::picture {

/// Counts all, and names the first dozen of each: memory, what is reserved, who is not served; and
/// over time the pools, how full they were and what they refused.
[[nodiscard]] std::string about(const Scene& scene);

}  // namespace carveout::cli::picture
