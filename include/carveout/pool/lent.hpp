// Contiguous memory that ordinary users hold until a device wants it: who may take it, and how it
// is taken back. All of it over Pool, whose tables say what is lent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/window.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/pool/range_allocator.hpp"

namespace carveout {

/// What a board answers when a device wants lent memory.
enum class Vacated : std::uint8_t {
  yes,     ///< the data was moved away, and the block given back
  pinned,  ///< it cannot be moved now
};

/// How a board gets ordinary users out of lent memory.
struct Reclaim {
  /// Asks for one block, `lent`, whose holder is the number that its user gave. A board that says
  /// yes has moved the data and given the block back itself: it has the Block, and the library has
  /// no second one. To move the data inside the pool, it borrows with `wanted` as what to avoid.
  ///
  /// Called without a lock, by a request that may wait, from whatever context it came. Users may
  /// come and go meanwhile, and so may this very block: then the answer is yes.
  Vacated (*vacate)(void* context, const Held& lent, PhysRange wanted);
  void* context = nullptr;  ///< handed to `vacate`
};

/// Set in the holder of a lent block; the rest is the user's own number. No device has such a
/// number.
inline constexpr Holder kLent = Holder{1} << 31;

/// Hands out memory for an ordinary user, from the top of the pool downwards: devices are served
/// from the bottom as a rule, and so long runs stay between. Given back like any block.
///
/// The block's device address is its physical one, because no device asked for it. Its bytes are as
/// the last owner left them: what a program calls is borrow() (ops/lent.hpp).
///
/// @param user   less than kLent; what Reclaim::vacate hears of it.
/// @param avoid  nothing of the block lies there.
/// Fails with exactly one of: zero_size; wrong_kind (the pool has no Reclaim: what is lent could
/// never be had back); exhausted, table_full, pool_gone, would_wait as Pool::take().
/// Cost: linear in blocks; one lock at a time. Context: any that may wait for the lock.
[[nodiscard]] Result<Block> take_lent(Pool& pool, std::uint64_t size_bytes, Holder user, View view,
                                      std::optional<PhysRange> avoid = std::nullopt);

/// Pool::take(), and where nothing free would do, lent memory. The lowest place is cleared at which
/// only lent blocks are in the way; where one of them is pinned, the next place behind it. Blocks
/// that were vacated for a place that was not got in the end are free, and nothing is lost.
///
/// Somebody else may take a cleared place first. It is then tried again, kReclaimTries times in
/// all.
///
/// Fails like Pool::take(). Nobody is asked for a request that must not wait, or that a table_full
/// refuses.
/// Cost: linear in blocks for each block that is in the way; one lock at a time, and none while the
/// board is asked.
[[nodiscard]] Result<Block> take_reclaiming(Pool& pool, const Need& need,
                                            std::span<const Reach> reaches, View view);
inline constexpr unsigned kReclaimTries = 8;

}  // namespace carveout
