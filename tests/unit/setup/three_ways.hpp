// One board, stated once and built in three ways: found in a device tree, listed in tables, and
// declared by code. Once built, nothing may tell which it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carveout/setup/from_device_tree.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout/setup/system.hpp"
#include "tests/support/sim_board.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout::test {

enum class Source : std::uint8_t { tree, tables, code };

struct PoolFacts {
  std::string name;
  std::vector<PhysRange> chunks;
  Memory memory = Memory::coherent;
  bool is_default = false;  ///< of its kind, for the board
  std::optional<std::uint32_t> numa_node = std::nullopt;
  bool disabled = false;   ///< code and tables then do not mention it
  bool kept_free = false;  ///< no pool at all, and tables and code do not mention it either

  [[nodiscard]] bool mentioned() const { return !disabled && !kept_free; }
};

struct OwnPool {
  std::size_t pool;  ///< place in the list of pools
  std::string name = {};
};

struct BusMaster {
  std::string name;
  std::vector<Window> windows = {sim::kOddWindow};
  std::uint64_t mask = 0xffff'ffff;
  std::vector<OwnPool> own = {};
  bool coherent = false;
  bool behind_iommu = false;
  std::uint32_t numa_node = 0;
};

struct BoardFacts {
  std::vector<PoolFacts> pools;
  std::vector<BusMaster> devices;
};

inline constexpr PhysRange kAllMemory[] = {{PhysAddr{0}, std::uint64_t{1} << 40}};

/// A board that was built in one of the ways.
class BuiltBoard {
 public:
  BuiltBoard(BoardFacts facts, Source source, bool ordinary_elsewhere = false)
      : machine{},
        under_checker{machine},
        port{machine},
        facts_{std::move(facts)},
        storage_(16 * 1024) {
    platform_.aliases = machine.aliases();
    if (ordinary_elsewhere) platform_.ordinary_elsewhere = kAllMemory;
    for (const PoolFacts& pool : facts_.pools) names_.push_back("/reserved-memory/" + pool.name);
    for (std::size_t i = 0; i < facts_.devices.size(); ++i) {
      paths_.push_back("/bus" + std::to_string(i) + "/" + facts_.devices[i].name);
    }
    switch (source) {
      case Source::tree:
        build_from_tree();
        break;
      case Source::tables:
        build_from_tables();
        break;
      case Source::code:
        build_by_code();
        break;
    }
  }
  BuiltBoard(const BuiltBoard&) = delete;
  BuiltBoard& operator=(const BuiltBoard&) = delete;

  [[nodiscard]] const Device& device(std::size_t index) const {
    return *system->find_device(paths_.at(index));
  }
  [[nodiscard]] Pool* pool(std::size_t index) const { return system->find_pool(names_.at(index)); }
  /// What was refused, in the order of happening.
  [[nodiscard]] const std::vector<Error>& refused() const { return refused_; }

  /// The last part of the name of a block's pool.
  [[nodiscard]] static std::string short_name(std::string_view name) {
    return std::string{name.substr(name.rfind('/') + 1)};
  }

  sim::Machine machine;
  UnderChecker under_checker;
  sim::HostPort port;
  System* system = nullptr;

 private:
  [[nodiscard]] std::span<std::byte> storage() {
    return std::as_writable_bytes(std::span{storage_});
  }
  void hear(const Failure& failure) { refused_.push_back(failure.code); }

  static std::optional<Role> default_role(const PoolFacts& pool) {
    if (!pool.is_default) return std::nullopt;
    if (pool.memory == Memory::coherent) return Role::default_pool;
    return pool.numa_node ? Role::contiguous_node : Role::contiguous_default;
  }

  // ---- found in a tree

  void build_from_tree() {
    TreeMaker maker;
    maker.counts(2, 2);
    maker.begin("memory@35a000000").string("device_type", "memory");
    maker.wide("reg", {kCachedRam.raw(), kRamBytes}).end();
    maker.begin("reserved-memory").counts(2, 2).empty("ranges");
    for (std::size_t i = 0; i < facts_.pools.size(); ++i) write_region(maker, i);
    maker.end();
    for (std::size_t i = 0; i < facts_.devices.size(); ++i) write_device(maker, i);
    const OpenTree tree{maker.finish()};

    std::vector<setup::DeviceSpec> specs;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      specs.push_back({.node = paths_[i], .coherent_mask = DmaAddr{facts_.devices[i].mask}});
    }
    system = must(setup::build(tree.tree(), specs, platform_, storage(), [this](const Finding& f) {
      if (f.severity == Severity::error) refused_.push_back(f.error.value_or(Error::malformed));
    }));
  }

  void write_region(TreeMaker& maker, std::size_t index) {
    const PoolFacts& pool = facts_.pools[index];
    maker.begin(pool.name).phandle(handle_of(index));
    if (!pool.kept_free) {
      maker.string("compatible",
                   pool.memory == Memory::bounce ? "restricted-dma-pool" : "shared-dma-pool");
    }
    if (pool.memory == Memory::coherent) maker.empty("no-map");
    if (pool.memory == Memory::contiguous) maker.empty("reusable");
    std::vector<std::uint32_t> reg;
    for (const PhysRange& chunk : pool.chunks) {
      append(reg, chunk.base.raw());
      append(reg, chunk.size_bytes);
    }
    maker.cells("reg", reg);
    if (pool.is_default) {
      maker.empty(pool.memory == Memory::coherent ? "linux,dma-default" : "linux,cma-default");
    }
    if (pool.numa_node) maker.cells("numa-node-id", {*pool.numa_node});
    if (pool.disabled) maker.string("status", "disabled");
    maker.end();
  }

  void write_device(TreeMaker& maker, std::size_t index) {
    const BusMaster& device = facts_.devices[index];
    maker.begin("bus" + std::to_string(index)).counts(2, 2);
    std::vector<std::uint32_t> ranges;
    for (const Window& window : device.windows) {
      append(ranges, window.dma.raw());
      append(ranges, window.cpu.raw());
      append(ranges, window.size_bytes);
    }
    maker.cells("dma-ranges", ranges);
    maker.begin(device.name);
    std::vector<std::uint32_t> phandles;
    std::string names;
    for (const OwnPool& own : device.own) {
      phandles.push_back(handle_of(own.pool));
      names += own.name + '\0';
    }
    if (!phandles.empty())
      maker.cells("memory-region", phandles).bytes("memory-region-names", names);
    if (device.coherent) maker.empty("dma-coherent");
    if (device.behind_iommu) maker.cells("iommus", {99});
    maker.cells("numa-node-id", {device.numa_node});
    maker.end().end();
  }

  static Translation translation_of(const BusMaster& device) {
    return device.windows.empty() ? Translation::identity() : Translation::through(device.windows);
  }

  static std::uint32_t handle_of(std::size_t pool) { return static_cast<std::uint32_t>(pool + 1); }
  static void append(std::vector<std::uint32_t>& cells, std::uint64_t value) {
    cells.push_back(static_cast<std::uint32_t>(value >> 32));
    cells.push_back(static_cast<std::uint32_t>(value));
  }

  // ---- listed in tables

  void build_from_tables() {
    std::vector<PoolSettings> pools;
    std::vector<DeviceSettings> devices;
    std::vector<setup::BindingRow> bindings;
    std::vector<setup::DefaultRow> defaults;
    std::vector<std::optional<std::size_t>> row_of_pool;
    for (std::size_t i = 0; i < facts_.pools.size(); ++i) {
      const PoolFacts& pool = facts_.pools[i];
      row_of_pool.push_back(pool.mentioned() ? std::optional{pools.size()} : std::nullopt);
      if (!pool.mentioned()) continue;
      if (const auto role = default_role(pool)) {
        defaults.push_back(
            {.role = *role, .pool = pools.size(), .numa_node = pool.numa_node.value_or(0)});
      }
      pools.push_back({.name = names_[i], .memory = pool.memory, .chunks = pool.chunks});
    }
    for (std::size_t i = 0; i < facts_.devices.size(); ++i) {
      const BusMaster& device = facts_.devices[i];
      devices.push_back({.name = paths_[i],
                         .coherent_mask = DmaAddr{device.mask},
                         .translation = translation_of(device),
                         .coherent = device.coherent,
                         .behind_iommu = device.behind_iommu,
                         .numa_node = device.numa_node});
      for (std::uint32_t entry = 0; entry < device.own.size(); ++entry) {
        const auto row = row_of_pool[device.own[entry].pool];
        if (!row) continue;
        bindings.push_back({.device = i,
                            .pool = *row,
                            .settings = {.index = entry, .name = device.own[entry].name}});
      }
    }
    system = must(setup::build(
        {.pools = pools, .devices = devices, .bindings = bindings, .defaults = defaults}, platform_,
        storage(), [this](const Failure& failure) { hear(failure); }));
  }

  // ---- declared by code

  void build_by_code() {
    system = must(System::create(platform_, storage()));
    const auto heard = [this](const auto& result) {
      if (!result) hear(result.error());
      return result.has_value();
    };
    std::vector<std::optional<Error>> errors(facts_.pools.size());
    for (std::size_t i = 0; i < facts_.pools.size(); ++i) {
      const PoolFacts& pool = facts_.pools[i];
      if (!pool.mentioned()) continue;
      const auto made =
          system->declare({.name = names_[i], .memory = pool.memory, .chunks = pool.chunks});
      errors[i] = error_of(made);
      if (!heard(made)) continue;
      if (const auto role = default_role(pool)) {
        heard(system->set_default(*role, **made, pool.numa_node.value_or(0)));
      }
    }
    for (std::size_t i = 0; i < facts_.devices.size(); ++i) {
      const BusMaster& facts = facts_.devices[i];
      Device& device = *must(system->add_device({.name = paths_[i],
                                                 .coherent_mask = DmaAddr{facts.mask},
                                                 .translation = translation_of(facts),
                                                 .coherent = facts.coherent,
                                                 .behind_iommu = facts.behind_iommu,
                                                 .numa_node = facts.numa_node}));
      for (std::uint32_t entry = 0; entry < facts.own.size(); ++entry) {
        const std::size_t pool = facts.own[entry].pool;
        if (!facts_.pools[pool].mentioned()) continue;
        const BindingSettings settings{.index = entry, .name = facts.own[entry].name};
        if (errors[pool]) {
          heard(system->bind_refused(device, names_[pool], facts_.pools[pool].memory, *errors[pool],
                                     settings));
        } else {
          heard(system->bind(device, *system->find_pool(names_[pool]), settings));
        }
      }
    }
  }

  BoardFacts facts_;
  std::deque<std::string> names_;
  std::deque<std::string> paths_;
  Platform platform_{.port = port};
  std::vector<std::uint64_t> storage_;
  std::vector<Error> refused_;
};

}  // namespace carveout::test
