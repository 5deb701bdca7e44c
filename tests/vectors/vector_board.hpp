// A board of the vectors: a tree from this folder, read by setup onto a modelled machine; or, so
// that a pool which was found and one which was declared can be compared, the same board declared
// by code.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "carveout_sim/host_port.hpp"
#include "carveout_sim/machine.hpp"
#include "tests/support/sim_board.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout::test {

/// RAM at one address, which an MPU or MMU makes uncached.
inline sim::Ram in_place(std::uint64_t base, std::uint64_t size_bytes) {
  return {.size_bytes = size_bytes, .cached = PhysAddr{base}, .uncached = PhysAddr{base}};
}

/// How a board came about, and which tables its pools have.
struct Origin {
  std::string_view name = "Found";
  bool declared = false;
  TagStore store = TagStore::sparse(kDefaultBlocksPerPool);
};

inline constexpr Origin kOrigins[] = {
    {"Found"},
    {"Declared", true},
    {"FoundDense", false, TagStore::dense()},
    {"DeclaredDense", true, TagStore::dense()},
    {"FoundShared", false, TagStore::sparse(kDefaultBlocksPerPool).for_processors(2)},
    {"DeclaredShared", true, TagStore::dense().for_processors(2)},
    {"FoundBitmap", false, TagStore::bitmap()},
    {"DeclaredBitmap", true, TagStore::bitmap()},
};

inline std::string origin_name(const testing::TestParamInfo<Origin>& origin) {
  return std::string{origin.param.name};
}

/// The only device of most boards.
struct Master {
  std::string_view node;
  DmaAddr mask = kAnyAddress;
};

/// A Finding whose texts live on.
struct KeptFinding {
  Rule rule;
  Severity severity;
  std::string node;
  std::string property;
  std::string other;
};

/// What a row says of a board besides its tree and the RAM that it touches.
struct Besides {
  bool no_cache = false;
  /// Where the board has memory for requests that need none of a pool.
  std::span<const PhysRange> ordinary = {};
};

class VectorBoard {
 public:
  /// @param tree  the name of a .dts of this folder, without its ending.
  /// @param ram   what of its memory the row touches.
  VectorBoard(const std::string& tree, std::vector<sim::Ram> ram,
              const std::vector<Master>& masters, const Origin& origin = {},
              const Besides& besides = {})
      : machine{besides.no_cache ? sim::MachineFacts{.ram = std::move(ram), .cache = std::nullopt}
                                 : sim::MachineFacts{.ram = std::move(ram)}},
        under_checker{machine},
        port{machine},
        tree_{read(tree)} {
    platform_.store = origin.store;
    platform_.ordinary_elsewhere = besides.ordinary;
    std::vector<setup::DeviceSpec> specs;
    for (const Master& master : masters) {
      specs.push_back({.node = master.node, .coherent_mask = master.mask});
    }
    storage_.resize(must(setup::measure(tree_.tree(), specs, platform_)));
    system =
        must(setup::build(tree_.tree(), specs, platform_, storage_, [this](const Finding& one) {
          findings.push_back({.rule = one.rule,
                              .severity = one.severity,
                              .node = std::string{one.node},
                              .property = std::string{one.property},
                              .other = std::string{one.other}});
        }));
    if (origin.declared) declare_again(*system);
  }
  VectorBoard(const VectorBoard&) = delete;
  VectorBoard& operator=(const VectorBoard&) = delete;

  [[nodiscard]] const Device& device(Holder index = 0) const { return *system->device(index); }
  [[nodiscard]] const Pool& pool(std::string_view name) const {
    const Pool* const found = system->find_pool(name);
    if (found == nullptr) throw std::logic_error{"no such pool: " + std::string{name}};
    return *found;
  }
  [[nodiscard]] Result<Block> alloc(std::uint64_t size_bytes, Holder index = 0) const {
    return alloc_coherent(device(index), size_bytes);
  }
  /// The role that serves; nothing where the request is refused. A block is given back.
  [[nodiscard]] std::optional<Role> served(std::uint64_t size_bytes,
                                           Attributes attributes = Attributes::none) const {
    const auto taken =
        take_by_route(device(), size_bytes, {.attributes = attributes}, [](const Candidate&) {});
    if (!taken) return std::nullopt;
    if (taken->block) must(free_coherent(*taken->block));
    return taken->role;
  }
  /// The device address of one byte of memory that is to be mapped.
  [[nodiscard]] std::optional<DmaAddr> map(std::uint64_t phys, Holder index = 0) const {
    const auto dma = streaming_address(device(index), {PhysAddr{phys}, 1});
    return dma ? std::optional{*dma} : std::nullopt;
  }
  /// The memory behind one device address.
  [[nodiscard]] std::optional<PhysAddr> unmap(std::uint64_t dma, Holder index = 0) const {
    return device(index).translation.to_phys({DmaAddr{dma}, 1});
  }

  sim::Machine machine;
  UnderChecker under_checker;
  sim::HostPort port;
  System* system = nullptr;
  std::vector<KeptFinding> findings;

 private:
  static std::vector<std::byte> read(const std::string& tree) {
    std::ifstream file{CARVEOUT_VECTOR_TREES "/" + tree + ".dtb", std::ios::binary};
    if (!file) throw std::runtime_error{"no such tree: " + tree};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
    const auto raw = std::as_bytes(std::span{bytes});
    return {raw.begin(), raw.end()};
  }

  /// Declares by code what `found` has: its pools, the roles that they play, its devices.
  void declare_again(const System& found) {
    twin_storage_.resize(storage_.size() + 4096);
    system = must(System::create(platform_, twin_storage_));
    for (std::size_t i = 0; i < kRoles; ++i) {
      const auto role = static_cast<Role>(i);
      if (const Pool* pool = found.roles().of(role)) must(system->set_default(role, again(*pool)));
    }
    for (Holder id = 0; const Device* device = found.device(id); ++id) {
      Device& twin = *must(system->add_device({.name = device->name,
                                               .coherent_mask = device->coherent_mask,
                                               .translation = device->translation,
                                               .coherent = device->coherent,
                                               .behind_iommu = device->behind_iommu,
                                               .numa_node = device->numa_node}));
      for (const Binding* own = device->bindings; own != nullptr; own = own->next) {
        const auto bound =
            system->bind(twin, again(*own->pool), {.index = own->index, .name = own->name});
        if (error_of(bound) != own->refused) throw std::logic_error{"bound unlike what was found"};
      }
    }
  }

  Pool& again(const Pool& found) {
    if (Pool* const declared = system->find_pool(found.name())) return *declared;
    std::vector<PhysRange> chunks;
    for (const Chunk& chunk : found.chunks()) chunks.push_back(chunk.range);
    return *must(system->declare({.name = found.name(),
                                  .memory = found.memory(),
                                  .chunks = chunks,
                                  .granule_bytes = found.granule_bytes()}));
  }

  OpenTree tree_;
  Platform platform_{.port = port, .aliases = machine.aliases(), .granule_bytes = 4096};
  std::vector<std::byte> storage_;
  std::vector<std::byte> twin_storage_;
};

/// What a row says of a board however it came about.
class Rows : public testing::TestWithParam<Origin> {};

}  // namespace carveout::test
