// The verb of ordinary users of contiguous memory, who have it until a device wants it.
#pragma once

#include <cstdint>
#include <optional>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/pool/lent.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

/// Borrows ordinary, zeroed memory, used through the cache, from a pool whose board can have it
/// vacated (System::lend()). The borrower's data is moved when a device wants the place: see
/// Reclaim. Given back by free_coherent(), like any block.
///
/// @param user   less than kLent; what Reclaim::vacate hears of it.
/// @param avoid  nothing of the block lies there: where a board moves data to, for a place to be
///               vacated.
/// Fails with exactly what take_lent() fails with, and wrong_view (the CPU reaches the pool past
/// its cache only).
/// Cost: linear in blocks, and in size for cache work and zeroing. Context: any that may wait for
/// the pool's lock.
[[nodiscard]] Result<Block> borrow(Pool& pool, std::uint64_t size_bytes, Holder user,
                                   std::optional<PhysRange> avoid = std::nullopt);

}  // namespace carveout
