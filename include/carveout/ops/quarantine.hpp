// Memory that nobody uses any more, and that a device may still write: kept from the next owner
// until the device is quiet.
#pragma once

#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

/// Gives up a block that the device may still use. It stays taken, and its pool in use, until
/// quiesced() gives it back.
///
/// Fails with exactly one of; the block is then the caller's as before:
///   foreign_block  it is of a BlockPool, whose pages no quarantine keeps
///   table_full  as many wait as the device has room for (DeviceSettings::quarantine_blocks)
///   would_wait  the port does not let this context wait for the lock
/// Cost: constant. Context: any, as the port's lock lets it. Thread-safe.
Result<void> quarantine(const Device& device, const Block& block);

/// Says that the device uses none of them any more - it was reset, or its channels were stopped -
/// and gives all back to their pools that were there when it was called: what is given up meanwhile
/// is of a device that was started again, and waits for the next call. Not before it is quiet: the
/// next owner would be written over.
///
/// Fails with would_wait, and then nothing happened, or with what gave back the first block that
/// its pool refused (somebody gave back another copy of it); the rest is given back all the same.
/// Cost: linear in the blocks. Context: any, as the port's lock lets it.
Result<void> quiesced(const Device& device);

}  // namespace carveout
