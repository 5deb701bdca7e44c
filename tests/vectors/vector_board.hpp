// A board of the vectors: a tree from this folder, read by setup onto a modelled machine.
#pragma once

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

class VectorBoard {
 public:
  /// @param tree  the name of a .dts of this folder, without its ending.
  /// @param ram   what of its memory the row touches.
  VectorBoard(const std::string& tree, std::vector<sim::Ram> ram,
              const std::vector<Master>& masters)
      : machine{{.ram = std::move(ram)}}, port{machine}, tree_{read(tree)} {
    std::vector<setup::DeviceSpec> specs;
    for (const Master& master : masters) {
      specs.push_back({.node = master.node, .coherent_mask = master.mask});
    }
    const Platform platform{.port = port, .aliases = machine.aliases(), .granule_bytes = 4096};
    storage_.resize(must(setup::measure(tree_.tree(), specs, platform)));
    system = must(setup::build(tree_.tree(), specs, platform, storage_, [this](const Finding& one) {
      findings.push_back({.rule = one.rule,
                          .severity = one.severity,
                          .node = std::string{one.node},
                          .property = std::string{one.property},
                          .other = std::string{one.other}});
    }));
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
  /// The device address of one byte of memory.
  [[nodiscard]] std::optional<DmaAddr> map(std::uint64_t phys, Holder index = 0) const {
    return device(index).to_dma({PhysAddr{phys}, 1});
  }
  /// The memory behind one device address.
  [[nodiscard]] std::optional<PhysAddr> unmap(std::uint64_t dma, Holder index = 0) const {
    return device(index).translation.to_phys({DmaAddr{dma}, 1});
  }

  sim::Machine machine;
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

  OpenTree tree_;
  std::vector<std::byte> storage_;
};

}  // namespace carveout::test
