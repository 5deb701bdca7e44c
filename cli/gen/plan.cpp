#include "gen/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>
#include <utility>

#include "board_map.hpp"
#include "carveout/core/finding.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "carveout/port/no_machine.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "gen/mpu.hpp"
#include "gen/names.hpp"
#include "gen/world.hpp"
#include "node_name.hpp"
#include "offline.hpp"
#include "printable.hpp"
#include "range_sets.hpp"
#include "refusal.hpp"
#include "sentence.hpp"
#include "why_request.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

constexpr const char* kCbomBlockSize = "riscv,cbom-block-size";

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// The work of plan(): one member function for each kind of fact.
class Planner {
 public:
  /// @param secure_only  by index of the nodes.
  Planner(const Board& board, const GenRequest& request, const std::vector<bool>& secure_only)
      : board_{board},
        tree_{board.tree()},
        request_{request},
        secure_only_{secure_only},
        map_{tree_} {}

  GenPlan plan() {
    if (map_.error()) throw refusal(board_.source, *map_.error());
    plan_.model = tree_.strings(Tree::root(), "model").first().value_or("");
    choose_devices();
    build();
    if (!plan_.refused.empty()) return std::move(plan_);
    read_devices();
    read_pools();
    read_bindings();
    read_defaults();
    check_worlds();
    read_memory();
    if (request_.target == GenTarget::riscv) read_cache_block();
    if (has_mpu(request_.target)) plan_mpu(request_, plan_);
    return std::move(plan_);
  }

 private:
  void choose_devices() {
    for (const GenDeviceRequest& request : request_.devices) {
      const Node node = find_node(board_, "--device", request.node);
      plan_.devices.push_back({.id = ids_.make("device", last_part(request.node)),
                               .path = path_of(tree_, node),
                               .mask_bits = request.mask_bits.value_or(kAssumedMaskBits),
                               .mask_stated = request.mask_bits.has_value(),
                               .windows = std::nullopt,
                               .coherent = tree_.coherent(node),
                               .behind_iommu = false,
                               .numa_node = 0,
                               .secure = is_secure(node)});
      if (request_.world == GenWorld::non_secure) check_regions_of(node);
    }
  }

  [[nodiscard]] bool is_secure(Node node) const {
    return request_.world != GenWorld::one && secure_only_[node.index()];
  }

  /// A region of the other world is disabled in this one, which would only be a warning.
  void check_regions_of(Node device) {
    for (const device_tree::Binding& entry : device_tree::MemoryRegions{tree_, device}) {
      if (!entry.region || !is_secure(*entry.region)) continue;
      plan_.refused.push_back(fmt::format("{} is bound to {}, which is Secure",
                                          printable(plan_.devices.back().path),
                                          printable(path_of(tree_, *entry.region))));
    }
  }

  /// A transfer of a device that is not Secure to Secure memory is a fault.
  void check_worlds() {
    std::vector<bool> has_own(plan_.devices.size());
    const auto check = [&](std::size_t device, std::size_t pool) {
      if (plan_.devices[device].secure || !plan_.pools[pool].secure) return;
      plan_.refused.push_back(
          fmt::format("{} is not Secure, and {}, which it may be served from, is",
                      printable(plan_.devices[device].path), printable(plan_.pools[pool].path)));
    };
    for (const GenBinding& row : plan_.bindings) {
      has_own[row.device] = true;
      check(row.device, row.pool);
    }
    for (const GenDefault& row : plan_.defaults) {
      for (std::size_t i = 0; i < has_own.size(); ++i) {
        if (!has_own[i]) check(i, row.pool);
      }
    }
    std::size_t regions = 0;
    for (const GenPool& pool : plan_.pools) regions += pool.secure ? 0 : pool.chunks.size();
    if (request_.world == GenWorld::secure && regions > kMostNonSecureRegions) {
      plan_.refused.push_back(fmt::format("{} ranges are not Secure, and a unit has {} at most",
                                          regions, kMostNonSecureRegions));
    }
  }

  void build() {
    for (const GenDevice& device : plan_.devices) {
      const auto mask = ~std::uint64_t{0} >> (64 - device.mask_bits);
      specs_.push_back({.node = device.path, .coherent_mask = DmaAddr{mask}});
    }
    const Platform platform{.port = machine_,
                            // What an MPU can do, and the line of the cores that have one.
                            .granule_bytes = has_mpu(request_.target) ? std::uint64_t{32} : 1,
                            .described_only = true,
                            .assume_uncached_view = true};
    built_ = build_system(
        board_, specs_, platform, [&](const Finding& finding) { hear(finding); },
        "setup of the board");
  }

  /// A mistake disables what it names on a target, where there is nobody to tell. Here there is.
  void hear(const Finding& finding) {
    auto& lines = finding.severity == Severity::error ? plan_.refused : plan_.notes;
    lines.push_back(fmt::format("{} {} {}: {}", rule_id(finding.rule), printable(finding.node),
                                printable(finding.property), sentence(finding)));
  }

  void read_devices() {
    std::map<std::vector<std::uint64_t>, std::size_t> known;  // lists of windows
    for (std::size_t i = 0; i < plan_.devices.size(); ++i) {
      const Device& device = *built_.system->device(static_cast<Holder>(i));
      GenDevice& row = plan_.devices[i];
      row.behind_iommu = device.behind_iommu;
      row.numa_node = device.numa_node;
      if (device.translation.kind() == Translation::Kind::identity) continue;
      const auto windows = device.translation.windows();
      std::vector<std::uint64_t> key;
      for (const Window& window : windows) {
        key.insert(key.end(), {window.dma.raw(), window.cpu.raw(), window.size_bytes});
      }
      const auto [place, is_new] = known.try_emplace(std::move(key), plan_.windows.size());
      if (is_new) plan_.windows.emplace_back(windows.begin(), windows.end());
      row.windows = place->second;
    }
  }

  void read_pools() {
    std::unordered_map<std::string_view, const Pool*> pools;
    for (const auto* member = built_.system->roles().members; member != nullptr;
         member = member->next) {
      pools.emplace(member->pool->name(), member->pool);
    }
    for (const MapRegion& region : map_.regions()) {
      const std::string path = path_of(tree_, region.facts.node);
      const auto found = pools.find(path);
      if (found == pools.end()) continue;
      const Pool* const pool = found->second;
      numbers_.emplace(pool, plan_.pools.size());
      GenPool row{.id = ids_.make("pool", last_part(path)),
                  .path = path,
                  .memory = pool->memory(),
                  .chunks = {},
                  .secure = is_secure(region.facts.node)};
      const bool single = pool->chunks().size() == 1;
      for (std::size_t i = 0; i < pool->chunks().size(); ++i) {
        row.chunks.push_back({.id = single ? row.id : ids_.make(row.id, std::to_string(i)),
                              .range = pool->chunks()[i].range});
      }
      plan_.pools.push_back(std::move(row));
    }
  }

  void read_bindings() {
    for (std::size_t i = 0; i < plan_.devices.size(); ++i) {
      const Device& device = *built_.system->device(static_cast<Holder>(i));
      for (const Binding* own = device.bindings; own != nullptr; own = own->next) {
        plan_.bindings.push_back({.device = i,
                                  .pool = numbers_.at(own->pool),
                                  .index = own->index,
                                  .name = std::string{own->name}});
      }
    }
  }

  void read_defaults() {
    const Roles& roles = built_.system->roles();
    for (const Role role : {Role::default_pool, Role::contiguous_default}) {
      const Pool* const pool = roles.of(role);
      if (pool != nullptr)
        plan_.defaults.push_back({.role = role, .pool = numbers_.at(pool), .numa_node = 0});
    }
    for (const auto* node = roles.contiguous_nodes; node != nullptr; node = node->next) {
      plan_.defaults.push_back({.role = Role::contiguous_node,
                                .pool = numbers_.at(node->pool),
                                .numa_node = node->numa_node});
    }
  }

  /// What of the memory nobody has: regions that are no pool of ours are somebody else's.
  void read_memory() {
    std::vector<PhysRange> all;
    std::vector<PhysRange> taken;
    device_tree::for_each_memory(tree_, [&](Node, PhysRange range) { all.push_back(range); });
    for (const PhysRange range : tree_.reservations()) taken.push_back(range);
    for (const MapRegion& region : map_.regions()) {
      // The other world's memory is taken, though its regions are disabled here.
      if (!region.facts.enabled && !is_secure(region.facts.node)) continue;
      for (const MapRegion::Place& place : region.places) taken.push_back(place.range);
    }
    plan_.memory = named_memory(without(std::move(all), std::move(taken)));
  }

  /// A driver would divide by it, and step through memory by it.
  void read_cache_block() {
    std::optional<std::uint32_t> bytes;
    bool agree = true;
    for (const Node node : tree_.nodes()) {
      const device_tree::CellList cells{
          tree_.property(node, kCbomBlockSize).value_or(device_tree::Bytes{})};
      if (cells.size() != 1) continue;
      const std::uint32_t stated = cells[0];
      if (!std::has_single_bit(stated)) {
        plan_.refused.push_back(fmt::format("{} {}: {} bytes are no power of two",
                                            printable(path_of(tree_, node)), kCbomBlockSize,
                                            stated));
      }
      agree = agree && bytes.value_or(stated) == stated;
      bytes = stated;
    }
    if (agree) plan_.cbom_block_bytes = bytes;
  }

  const Board& board_;
  const Tree& tree_;
  const GenRequest& request_;
  const std::vector<bool>& secure_only_;
  BoardMap map_;
  Identifiers ids_;
  GenPlan plan_;
  std::vector<setup::DeviceSpec> specs_;
  NoMachine machine_;
  BuiltSystem built_{.storage = {}, .system = nullptr};
  std::map<const Pool*, std::size_t> numbers_;  // rows of the pools
};

/// Those that `map` lists as having memory of their own.
std::vector<GenDeviceRequest> devices_with_regions(const Board& board) {
  std::vector<GenDeviceRequest> devices;
  for (const Node node : board.tree().nodes()) {
    if (!board.tree().has_memory_region(node) || !board.tree().enabled(node)) continue;
    devices.push_back({.node = path_of(board.tree(), node), .mask_bits = std::nullopt});
  }
  return devices;
}

}  // namespace

std::vector<GenRange> named_memory(const std::vector<PhysRange>& ranges) {
  std::vector<GenRange> named;
  named.reserve(ranges.size());
  for (const PhysRange& range : ranges) {
    named.push_back({.id = fmt::format("memory_{:x}", range.base.raw()), .range = range});
  }
  return named;
}

GenPlan plan(const Board& board, const GenRequest& request) {
  const std::vector<bool> only = secure_only(board.tree());
  std::optional<Board> secure;
  if (request.world == GenWorld::secure) secure = seen_by_secure_world(board);
  const Board& seen = secure ? *secure : board;
  GenRequest whole = request;
  if (whole.devices.empty()) whole.devices = devices_with_regions(seen);
  if (whole.devices.size() > kMaxGenDevices) {
    throw Refusal{board.source, fmt::format("more than {} devices to be driven", kMaxGenDevices),
                  "--device"};
  }
  return Planner{seen, whole, only}.plan();
}

}  // namespace carveout::cli
