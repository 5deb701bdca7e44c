// What `simulate` saw over time, as a picture shows it.
#pragma once

#include "picture/scene.hpp"
#include "simulate/moments.hpp"
#include "simulate/simulation.hpp"

namespace carveout::cli::picture {

/// Shown first is the first failure, else the first peak. The kMaxHolders - 1 who ever held the
/// most have colours of their own.
[[nodiscard]] Timeline timeline_of(const Simulation& simulation, const Moments& moments);

}  // namespace carveout::cli::picture
