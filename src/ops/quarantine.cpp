#include "carveout/ops/quarantine.hpp"

#include <new>
#include <optional>

#include "carveout/core/assert.hpp"
#include "carveout/ops/refusal.hpp"
#include "carveout/pool/block_pool.hpp"
#include "carveout/port/port.hpp"

namespace carveout {
namespace {

std::unexpected<Failure> refused_block(const Device& device, Error code, const Block& block) {
  return refused(device, Attributes::none,
                 {.code = code, .pool = block.pool->name(), .other = device.name});
}

/// One of the blocks that the device uses no more; nothing where there is none.
std::optional<Block> take_quiet(PortRef port, Quarantine& list) {
  const LockGuard guard{port, list.lock};
  if (list.quiet == 0) return std::nullopt;
  Block& place = list.blocks[--list.quiet];
  const Block taken = place;
  place = list.blocks[--list.count];  // so the quiet ones stay in front
  return taken;
}

}  // namespace

Result<void> quarantine(const Device& device, const Block& block) {
  // A page of a block pool is the pool's own to give back.
  if (BlockPool::made(block)) return refused_block(device, Error::foreign_block, block);
  Quarantine* const list = device.quarantine;
  if (list == nullptr) return refused_block(device, Error::table_full, block);
  const PortRef port = block.pool->port();
  if (!port.may_lock()) return refused_block(device, Error::would_wait, block);
  {
    const LockGuard guard{port, list->lock};
    if (list->count != list->capacity) {
      new (list->blocks + list->count++) Block{block};
      return {};
    }
  }
  return refused_block(device, Error::table_full, block);  // the log hears with no lock held
}

Result<void> quiesced(const Device& device) {
  Quarantine* const list = device.quarantine;
  if (list == nullptr) return {};
  CARVEOUT_ASSERT(device.roles->port.has_value());
  const PortRef port = *device.roles->port;
  if (!port.may_lock())
    return refused(device, Attributes::none, {.code = Error::would_wait, .other = device.name});
  {
    // What is given up from here on is of a device that was started again.
    const LockGuard guard{port, list->lock};
    list->quiet = list->count;
  }
  Result<void> first;
  // One by one: a pool's lock is never taken inside of this one.
  while (const auto block = take_quiet(port, *list)) {
    // Whoever has it next is not to find it taken away.
    port.cpu_owns({block->phys, block->size_bytes});
    const auto given_back = block->pool->give_back(*block);
    if (given_back) continue;
    const auto told = refused(device, Attributes::none, given_back.error());
    if (first) first = told;
  }
  return first;
}

}  // namespace carveout
