#include "carveout/ops/quarantine.hpp"

#include <new>
#include <optional>

#include "carveout/core/assert.hpp"
#include "carveout/port/port.hpp"

namespace carveout {
namespace {

/// The block that was given up last; nothing where there is none.
std::optional<Block> take_one(PortRef port, Quarantine& list) {
  const LockGuard guard{port, list.lock};
  if (list.count == 0) return std::nullopt;
  return list.blocks[--list.count];
}

}  // namespace

Result<void> quarantine(const Device& device, const Block& block) {
  Quarantine* const list = device.quarantine;
  if (list == nullptr) return refuse(Error::table_full, block.pool->name(), device.name);
  const PortRef port = block.pool->port();
  if (!port.may_lock()) return refuse(Error::would_wait, block.pool->name(), device.name);
  const LockGuard guard{port, list->lock};
  if (list->count == list->capacity)
    return refuse(Error::table_full, block.pool->name(), device.name);
  new (list->blocks + list->count++) Block{block};
  return {};
}

Result<void> quiesced(const Device& device) {
  Quarantine* const list = device.quarantine;
  if (list == nullptr) return {};
  CARVEOUT_ASSERT(device.roles->port.has_value());
  const PortRef port = *device.roles->port;
  if (!port.may_lock()) return refuse(Error::would_wait, {}, device.name);
  Result<void> first;
  // One by one: a pool's lock is never taken inside of this one.
  while (const auto block = take_one(port, *list)) {
    const auto given_back = block->pool->give_back(*block);
    if (!given_back && first) first = given_back;
  }
  return first;
}

}  // namespace carveout
