// clang-format off
// Made by `carveout gen`: a change is lost when it is made again.
//
// The regions of the memory protection unit that make the pools of carveout_tables.hpp uncached.
#pragma once

#include <carveout/map/alias.hpp>
#include <carveout/port/pmsa_v8.hpp>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "carveout_tables.hpp"

namespace an505 {

static_assert(kLayout == 0x1c50e32a7039a5e3, "carveout_tables.hpp is of another run");

/// The field of MPU_MAIR1 (bits 31 to 24) that the regions name, and what it is to say.
inline constexpr unsigned kMairIndex = 7;
inline constexpr std::uint32_t kMairValue = carveout::pmsa_v8::kNonCacheable;

// No other region may have an address of theirs: that is a fault.
inline constexpr carveout::pmsa_v8::Region kMpuRegions[]{
    // pool_default_38000420: 0x38000420 to 0x3801507f
    {.rbar = 0x38000423, .rlar = 0x3801506f},
};
static_assert(std::size(kMpuRegions) <= 8, "more than `--mpu-regions`");
static_assert(carveout::pmsa_v8::cover({&kMpuRegions[0], 1}, kChunks0[0]),
              "pool_default_38000420 is cached");

/// With the regions in force the pools are at one address, and not cached: for Platform::aliases.
inline constexpr carveout::Alias kAliases[]{
    {kChunks0[0].base, kChunks0[0].base, kChunks0[0].size_bytes},
};

}  // namespace an505
