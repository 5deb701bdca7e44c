// What becomes of memory that the CPU wants back while the device still writes it.
#pragma once

#include <cstddef>
#include <span>

#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"
#include "edu.hpp"

namespace virt {

/// @param edu     whose buffer holds board::source_byte(), from a copy of all of it.
/// @param device  finds its memory where the CPU does; has room for two blocks in its quarantine.
/// @param pool    the one that the device's memory comes from, with nothing in use.
/// @param buffer  ordinary memory, Edu::kMostBytes or more of it, that can be lent.
void check_busy(Edu& edu, const carveout::Device& device, carveout::Pool& pool,
                std::span<std::byte> buffer);

}  // namespace virt
