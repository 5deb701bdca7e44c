// What every port and every board must show of the library: one source, on every board.
#pragma once

#include <cstddef>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/map/alias.hpp"
#include "carveout/port/port.hpp"

namespace contract {

/// What a board lends the suite.
struct Board {
  carveout::PortRef port;
  std::span<const carveout::Alias> aliases;
  /// 64 KiB of RAM at a multiple of 64 KiB that nothing else uses, with a view past the cache.
  carveout::PhysRange pool;
  /// 4 KiB of memory that the CPU uses through its cache, on lines of its own.
  std::span<std::byte> buffer;
};

/// Prints one line for each check, as an image does.
void run(const Board& board);

}  // namespace contract
