#include "carveout/setup/from_tables.hpp"

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

  for (const DeviceRow& row : tables.devices) {
    hear(system.add_device({.name = row.name,
                            .coherent_mask = DmaAddr{row.coherent_mask},
                            .translation = row.windows.empty() ? Translation::identity()
                                                               : Translation::through(row.windows),
                            .coherent = row.coherent,
                            .behind_iommu = row.behind_iommu,
                            .numa_node = row.numa_node}));
  }
  for (std::size_t i = 0; i < tables.pools.size(); ++i) {
    const PoolSettings& settings = tables.pools[i];
    const auto pool = system.declare(settings);
    hear(pool);
    for (const DefaultRow& row : tables.defaults) {
      if (row.pool == i && pool) hear(system.set_default(row.role, **pool, row.numa_node));
    }
    for (const BindingRow& row : tables.bindings) {
      Device* const device =
          row.pool == i ? system.find_device(tables.devices[row.device].name) : nullptr;
      if (device == nullptr) continue;
      hear(pool ? system.bind(*device, **pool, row.settings)
                : system.bind_refused(*device, settings.name, settings.memory, pool.error().code,
                                      row.settings));
    }
  }
  if (out_of_storage) return std::unexpected{*out_of_storage};
  return &system;
}

}  // namespace carveout::setup
