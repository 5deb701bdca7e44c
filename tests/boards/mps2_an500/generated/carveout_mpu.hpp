// clang-format off
// Made by `carveout gen`: a change is lost when it is made again.
//
// The regions of the memory protection unit that make the pools of carveout_tables.hpp uncached.
#pragma once

#include <carveout/map/alias.hpp>
#include <carveout/port/pmsa_v7.hpp>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "carveout_tables.hpp"

namespace an500 {

static_assert(kLayout == 0xcbb2b5e0e17aebb3, "carveout_tables.hpp is of another run");

// Give them the highest numbers of the unit: of two regions over one address the higher
// number wins.
inline constexpr carveout::pmsa_v7::Region kMpuRegions[]{
    // pool_default_20210000: 0x20210000 to 0x2021ffff
    {.rbar = 0x20210000, .rasr = 0x1308001f},
};
static_assert(std::size(kMpuRegions) <= 8, "more than `--mpu-regions`");
static_assert(carveout::pmsa_v7::cover({&kMpuRegions[0], 1}, kChunks0[0]),
              "pool_default_20210000 is cached");

/// With the regions in force the pools are at one address, and not cached: for Platform::aliases.
inline constexpr carveout::Alias kAliases[]{
    {kChunks0[0].base, kChunks0[0].base, kChunks0[0].size_bytes},
};

}  // namespace an500
