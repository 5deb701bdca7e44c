// Boards for the tests of `gen`, and Systems of them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "carveout/port/no_machine.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "carveout/setup/from_tables.hpp"
#include "gen/plan.hpp"
#include "input.hpp"

namespace carveout::test {

inline cli::Board board_of(std::vector<std::byte> blob) {
  cli::Index index{"board", blob};
  return {"board", std::move(blob), std::move(index), {}};
}

inline std::string source_path(const std::string& name) {
  return std::string{CARVEOUT_SOURCE} + '/' + name;
}

/// The tables of a plan, in memory: what carveout_tables.hpp says in words.
class TablesOf {
 public:
  explicit TablesOf(const cli::GenPlan& plan) {
    for (const auto& pool : plan.pools) {
      auto& chunks = chunks_.emplace_back();
      for (const auto& chunk : pool.chunks) chunks.push_back(chunk.range);
    }
    for (std::size_t i = 0; i < plan.pools.size(); ++i) {
      pools_.push_back(
          {.name = plan.pools[i].path, .memory = plan.pools[i].memory, .chunks = chunks_[i]});
    }
    for (const auto& device : plan.devices) {
      devices_.push_back({.name = device.path,
                          .coherent_mask = DmaAddr{~std::uint64_t{0} >> (64 - device.mask_bits)},
                          .translation = device.windows
                                             ? Translation::through(plan.windows[*device.windows])
                                             : Translation::identity(),
                          .coherent = device.coherent,
                          .behind_iommu = device.behind_iommu,
                          .numa_node = device.numa_node});
    }
    for (const auto& row : plan.bindings) {
      bindings_.push_back({.device = row.device,
                           .pool = row.pool,
                           .settings = {.index = row.index, .name = row.name}});
    }
    for (const auto& row : plan.defaults) {
      defaults_.push_back({.role = row.role, .pool = row.pool, .numa_node = row.numa_node});
    }
  }

  [[nodiscard]] setup::Tables tables() const {
    return {.pools = pools_, .devices = devices_, .bindings = bindings_, .defaults = defaults_};
  }

 private:
  std::vector<std::vector<PhysRange>> chunks_;
  std::vector<PoolSettings> pools_;
  std::vector<DeviceSettings> devices_;
  std::vector<setup::BindingRow> bindings_;
  std::vector<setup::DefaultRow> defaults_;
};

/// A System that nothing runs on, and its memory.
struct Described {
  NoMachine machine;
  std::unique_ptr<std::byte[]> storage;
  System* system = nullptr;
  std::size_t refused = 0;  ///< rows, or findings of the severity error
};

/// What differs between boards of which the tree says nothing.
struct World {
  std::uint64_t granule_bytes;
  bool devices_coherent;
};

inline Platform platform_of(Described& described, const World& world) {
  static constexpr PhysRange kOrdinary[] = {{PhysAddr{0}, std::uint64_t{1} << 40}};
  return {.port = described.machine,
          .granule_bytes = world.granule_bytes,
          .devices_coherent = world.devices_coherent,
          .ordinary_elsewhere = kOrdinary,
          .described_only = true,
          .assume_uncached_view = true};
}

inline std::unique_ptr<Described> from_tables(const setup::Tables& tables, const World& world) {
  auto described = std::make_unique<Described>();
  const std::size_t bytes = setup::measure(tables);
  described->storage = std::make_unique<std::byte[]>(bytes);
  const auto built =
      setup::build(tables, platform_of(*described, world), {described->storage.get(), bytes},
                   [&](const Failure&) { ++described->refused; });
  if (built) described->system = *built;
  return described;
}

/// With the devices of a plan.
inline std::unique_ptr<Described> from_tree(const device_tree::Tree& tree, const cli::GenPlan& plan,
                                            const World& world) {
  auto described = std::make_unique<Described>();
  std::vector<setup::DeviceSpec> specs;
  for (const auto& device : plan.devices) {
    specs.push_back({.node = device.path,
                     .coherent_mask = DmaAddr{~std::uint64_t{0} >> (64 - device.mask_bits)}});
  }
  const Platform platform = platform_of(*described, world);
  const auto bytes = setup::measure(tree, specs, platform);
  if (!bytes) return described;
  described->storage = std::make_unique<std::byte[]>(*bytes);
  const auto built = setup::build(tree, specs, platform, {described->storage.get(), *bytes},
                                  [&](const Finding& finding) {
                                    if (finding.severity == Severity::error) ++described->refused;
                                  });
  if (built) described->system = *built;
  return described;
}

/// The first way in which two Systems answer a driver differently; empty where there is none.
/// Routes and verbs, for every device, by every wish that a driver can have.
[[nodiscard]] std::string difference(const Described& a, const Described& b, std::size_t devices);

}  // namespace carveout::test
