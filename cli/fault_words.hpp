// What is wrong with a region or a bus, in the words of `map`, its table and its pictures.
#pragma once

#include <string_view>

#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/placement.hpp"
#include "carveout/device_tree/reserved_memory.hpp"

namespace carveout::cli {

/// Half a sentence; empty for none.
[[nodiscard]] std::string_view meaning_of(device_tree::ReservedMemoryFault fault);
[[nodiscard]] std::string_view meaning_of(device_tree::RegionFault fault);
[[nodiscard]] std::string_view meaning_of(device_tree::PlacementFault fault);
[[nodiscard]] std::string_view meaning_of(device_tree::DmaFault fault);

}  // namespace carveout::cli
