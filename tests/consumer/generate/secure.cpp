// Tables for the secure world. Without WORLD there is no list of regions for the other one.
#include <carveout_mpu.hpp>
#include <iterator>

static_assert(std::size(secure_world::kNonSecureRegions) == 1);
