// Memory that changes hands between programs: a boot loader and what it starts, a sleep and what
// wakes, two processors that no hardware keeps coherent. docs/handover.md says when.
#pragma once

#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

/// Writes every byte of a pool once, by whole machine words and past the cache: for RAM with ECC,
/// whose check bits are noise after power-up, so that the first read of a byte that nobody wrote
/// faults. Once, before anything is handed out. The bytes are zero afterwards.
///
/// Hand-out itself never reads: it zeroes. But it writes only what was asked for, the allocations
/// that skip zeroing write nothing, and a cache reads a whole line for one byte.
///
/// Fails with exactly one of: pool_gone, in_use (blocks live), no_uncached_view (to write a word, a
/// cache reads the line that it is in).
/// Cost: linear in the pool. Context: any that may wait for the pool's lock. Not while another
/// context takes from the pool.
Result<void> write_before_read(Pool& pool);

/// Whatever the CPU wrote to the pool, through whichever view, is in memory when this returns, and
/// no line of it is left that could be written back later: before a jump to a next stage, before
/// caches are switched off or lose power, before another processor looks. Blocks stay as they are.
///
/// The CPU writes nothing through the cached view from here on, or does this again.
/// Cost: linear in the pool, for cache work. Context: any. Thread-safe.
void clean_for_handover(const Pool& pool);
/// The same for every pool of a board: of System::roles().
void clean_for_handover(const Roles& roles);

/// Forgets what the cache has of the pool: for a program that is handed memory which another one,
/// that no hardware keeps coherent with this processor, wrote meanwhile. What this CPU wrote
/// through the cached view and did not clean is lost.
///
/// Cost: linear in the pool, for cache work. Context: any. Thread-safe.
void take_over(const Pool& pool);

}  // namespace carveout
