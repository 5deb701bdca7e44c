#include "carveout/setup/from_tables.hpp"

#include <algorithm>

#include "carveout/map/alias.hpp"

namespace carveout::setup {
namespace {

bool rows_exist(const Tables& tables) {
  for (const BindingRow& row : tables.bindings) {
    if (row.device >= tables.devices.size() || row.pool >= tables.pools.size()) return false;
  }
  for (const DefaultRow& row : tables.defaults) {
    if (row.pool >= tables.pools.size()) return false;
  }
  return true;
}

/// Whether an earlier row has the name already, which is then that row's.
bool is_taken(std::span<const PoolSettings> pools, std::size_t index) {
  return std::ranges::any_of(pools.first(index), [&](const PoolSettings& earlier) {
    return earlier.name == pools[index].name;
  });
}

bool overlap(const PoolSettings& a, const PoolSettings& b, std::span<const Alias> aliases) {
  return std::ranges::any_of(a.chunks, [&](const PhysRange& of_a) {
    return std::ranges::any_of(
        b.chunks, [&](const PhysRange& of_b) { return share_bytes(aliases, of_a, of_b); });
  });
}

/// Declares one row's pool. Of rows that overlap none becomes a pool, whichever comes first.
Result<Pool*> declare(const Tables& tables, std::size_t index, System& system) {
  const std::span<const PoolSettings> pools = tables.pools;
  const PoolSettings& settings = pools[index];
  if (is_taken(pools, index)) return refuse(Error::already_declared, settings.name, settings.name);
  for (const PhysRange& chunk : settings.chunks) {
    if (chunk.empty()) return refuse(Error::empty_range, settings.name);
    if (chunk.wraps()) return refuse(Error::wraps, settings.name);
  }
  for (std::size_t i = 0; i < pools.size(); ++i) {
    if (i != index && !is_taken(pools, i) &&
        overlap(settings, pools[i], system.platform().aliases)) {
      return refuse(Error::overlaps, settings.name, pools[i].name);
    }
  }
  return system.declare(with_store(settings, tables));
}

/// The row that claims a role first. It keeps the role whatever becomes of its pool: a board whose
/// default is broken must not run on another one in silence.
const DefaultRow& first_claim(std::span<const DefaultRow> rows, const DefaultRow& row) {
  return *std::ranges::find_if(rows, [&](const DefaultRow& other) {
    return other.role == row.role &&
           (row.role != Role::contiguous_node || other.numa_node == row.numa_node);
  });
}

}  // namespace

Result<System*> build(const Tables& tables, const Platform& platform, std::span<std::byte> storage,
                      FunctionRef<void(const Failure&)> refused) {
  if (!rows_exist(tables)) return refuse(Error::no_such_node);
  const auto created = System::create(platform, storage);
  if (!created) return created;
  System& system = **created;

  // What was measured is what is needed: storage that runs out ends everything, and any other
  // refusal disables one thing.
  std::optional<Failure> out_of_storage;
  const auto hear = [&](const auto& result) {
    if (result) return;
    if (result.error().code == Error::storage_too_small) out_of_storage = result.error();
    refused(result.error());
  };

  for (const DeviceSettings& row : tables.devices) {
    const auto added = system.add_device(row);
    hear(added);
    if (!added) system.skip_device();
  }
  for (std::size_t i = 0; i < tables.pools.size(); ++i) {
    const PoolSettings& settings = tables.pools[i];
    const auto pool = declare(tables, i, system);
    hear(pool);
    for (const DefaultRow& row : tables.defaults) {
      if (row.pool != i) continue;
      const DefaultRow& first = first_claim(tables.defaults, row);
      if (&first != &row) {
        hear(Result<void>{
            refuse(Error::already_declared, settings.name, tables.pools[first.pool].name)});
      } else if (pool) {
        hear(system.set_default(row.role, **pool, row.numa_node));
      }
    }
    for (const BindingRow& row : tables.bindings) {
      Device* const device =
          row.pool == i ? system.device(static_cast<Holder>(row.device)) : nullptr;
      if (device == nullptr) continue;
      BindingSettings binding = row.settings;
      const auto bind = [&] {
        return pool ? system.bind(*device, **pool, binding)
                    : system.bind_refused(*device, settings.name, settings.memory,
                                          pool.error().code, binding);
      };
      const auto bound = bind();
      hear(bound);
      if (!bound && bound.error().code == Error::already_declared && !binding.name.empty()) {
        // As for a tree: the name means the first, and the second is there by its index.
        binding.name = {};
        hear(bind());
      }
    }
  }
  if (out_of_storage) return std::unexpected{*out_of_storage};
  return &system;
}

}  // namespace carveout::setup
