// Raspberry Pi 2 and 3: at boot, a System out of the device tree that the machine was given; then
// its DMA engine moves coherent and lent memory, by the device addresses that it came with.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "bcm2835_dma.hpp"
#include "board.hpp"
#include "carveout/device_tree/tree.hpp"
#include "carveout/ops/buffer.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "contract/contract.hpp"
#include "copy_bench.hpp"
#include "processor.hpp"

namespace raspi {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;
using board::fail;

// The RAM below the VideoCore's. With the MMU off the CPU has one view of it, past its caches: data
// accesses are strongly-ordered. Source: ARM ARM ARMv7-A (DDI 0406C), B3.2.1. The library is told
// so of all but the first 256 MiB: with these, the image's own, it does what it does where caches
// are used.
constexpr PhysRange kRam[]{{PhysAddr{0}, 0x3c00'0000}};
constexpr PhysRange kUncached{PhysAddr{0x1000'0000}, 0x2c00'0000};
constexpr Alias kAliases[]{{kUncached.base, kUncached.base, kUncached.size_bytes}};

/// For the contract: a pool, and memory of which it is told that caches are used for it.
constexpr PhysRange kContractPool{PhysAddr{0x1d00'0000}, 0x1'0000};
constexpr Alias kContractAliases[]{
    {kContractPool.base, kContractPool.base, kContractPool.size_bytes}};
alignas(4096) std::array<std::byte, 4096> contract_buffer;

/// Of the image's own memory, which no alias holds.
alignas(4096) std::array<std::byte, 4096> lent;
alignas(4096) std::array<std::byte, 4096 + 2 * board::kGuard> second_lent;

alignas(8) std::array<std::byte, 128 * 1024> blob;
std::array<std::byte, 32 * 1024> tree_scratch;
alignas(8) std::array<std::byte, 32 * 1024> storage;
std::array<char, 128> engine_path;

// ---- the tree -----------------------------------------------------------------------------------

/// The tree that the emulator left at address 0. A copy, because a pointer to 0 is no pointer.
std::span<const std::byte> fetch_tree() {
  constexpr std::uint32_t kMagic = 0xd00d'feed;
  if (!check_equal(std::byteswap(processor::load_word(0)), kMagic, "a device tree is at address 0"))
    return {};
  const std::uint32_t size = std::byteswap(processor::load_word(4));
  board::count("its bytes", size);
  if (!check(size <= blob.size(), "it fits into the image's buffer")) return {};
  for (std::uint32_t at = 0; at < size; at += sizeof(std::uint32_t)) {
    const std::uint32_t word = processor::load_word(at);
    std::memcpy(blob.data() + at, &word, sizeof word);
  }
  return std::span{blob}.first(size);
}

std::optional<device_tree::Tree> open_tree() {
  const auto bytes = fetch_tree();
  const auto needed = device_tree::Tree::measure(bytes);
  if (!check(needed.has_value(), "the tree can be measured")) return std::nullopt;
  board::count("bytes of scratch for the tree", *needed);
  if (!check(*needed <= tree_scratch.size(), "the image has them")) return std::nullopt;
  const auto tree = device_tree::Tree::open(bytes, std::span{tree_scratch}.first(*needed));
  if (!check(tree.has_value(), "the tree can be read")) return std::nullopt;
  return *tree;
}

/// Path of the node that this image drives; it differs from tree to tree, what it is does not.
std::string_view find_engine(const device_tree::Tree& tree) {
  for (const device_tree::Node node : tree.nodes()) {
    if (tree.strings(node, "compatible").contains("brcm,bcm2835-dma")) {
      return tree.path(node, engine_path);
    }
  }
  return {};
}

constexpr auto report = [](const Finding& finding) {
  std::array<char, 160> buffer;
  Text text{buffer};
  describe(finding, text);
  board::write(text.view());
};

Result<System*> build_system(const device_tree::Tree& tree, PortRef port) {
  const std::array devices{
      setup::DeviceSpec{.node = find_engine(tree), .coherent_mask = DmaAddr{0xffff'ffff}}};
  const Platform platform{.port = port, .aliases = kAliases, .granule_bytes = 4096};
  const auto needed = setup::measure(tree, devices, platform);
  if (!needed) return std::unexpected{needed.error()};
  board::count("bytes of storage for the System", *needed);
  // Not a byte more than was measured, and what a pool declared by code adds to it.
  const std::size_t given =
      *needed + System::pool_storage_bytes(1, TagStore::sparse(kDefaultBlocksPerPool));
  return setup::build(tree, devices, platform,
                      std::span{storage}.first(std::min(given, storage.size())), report);
}

/// A tree without a default pool, like the board's own, leaves that to code.
void declare_default(System& system) {
  static constexpr PhysRange kChunk[]{{PhysAddr{0x1e00'0000}, 0x10'0000}};
  board::write("     the tree states no default pool: declared by code");
  const auto pool = system.declare({.name = "the image's default", .chunks = kChunk});
  if (!pool) return fail(pool.error(), "a pool declared by code");
  const auto role = system.set_default(Role::default_pool, **pool);
  if (!role) fail(role.error(), "a default pool declared by code");
}

// ---- the engine ---------------------------------------------------------------------------------

/// The engine with a job of its own.
class Engine {
 public:
  static Result<Engine> create(const Device& device, PortRef port) {
    auto job = alloc_coherent<ControlBlock>(device);
    if (!job) return std::unexpected{job.error()};
    return Engine{DmaChannel{port}, std::move(*job)};
  }
  bool copy(DmaAddr to, DmaAddr from, std::uint32_t length_bytes) {
    job_.store(DmaChannel::copy_job(to, from, length_bytes));
    return channel_.run(job_.dma());
  }
  /// Runs the last job as if it lay elsewhere.
  bool run_from(DmaAddr job) { return channel_.run(job); }
  [[nodiscard]] DmaAddr job() const { return job_.dma(); }

 private:
  Engine(DmaChannel channel, Coherent<ControlBlock> job)
      : channel_{channel}, job_{std::move(job)} {}

  DmaChannel channel_;
  Coherent<ControlBlock> job_;
};

/// Where an address is off by what the bus adds to it, memory stays as it is. Not every wrong
/// offset shows: this bus has the RAM four times, at every multiple of 1 GiB.
void check_wrong_offset(Engine& engine, const Device& device) {
  constexpr std::uint32_t kLength = 4096;
  constexpr std::uint64_t kWrong = 0x1000'0000;
  board::check_wrong_destination(engine, device, kWrong);

  auto bench = board::CopyBench::create(device, kLength);
  if (!bench) return fail(bench.error(), "memory for a copy");
  engine.copy(bench->destination_dma(), bench->source_dma(), kLength);
  bench->prepare();
  check(engine.run_from(DmaAddr{engine.job().raw() + kWrong}),
        "the engine is also done where the job is not at the job's address");
  check(bench->outcome() == board::Outcome::nothing_moved, "nothing is moved");
  check(engine.run_from(engine.job()), "the same job at its own address");
  check(bench->outcome() == board::Outcome::all_moved, "moves everything");
}

void run(System& system, const Device& device, PortRef port) {
  Pool& pool = *system.roles().of(Role::default_pool);
  auto block = alloc_coherent(device, 4096);
  if (!block) return fail(block.error(), "a coherent block");
  check(block->pool == &pool, "a block for the engine comes from the default pool");
  board::note("physical address", block->phys.raw());
  board::note("device address", block->dma.raw());
  check_equal(block->dma.raw() - block->phys.raw(), 0xc000'0000, "the bus adds 0xc0000000");
  check_equal(reinterpret_cast<std::uintptr_t>(block->cpu), block->phys.raw(),
              "the CPU has it at its physical address");
  check(free_coherent(*block).has_value(), "it is given back");

  {
    auto engine = Engine::create(device, port);
    if (!engine) return fail(engine.error(), "a job");
    for (const std::uint32_t length : {4U, 4096U, 65536U}) {
      board::check_copy(*engine, device, length);
    }
    board::check_streaming_copy(*engine, device, lent, second_lent);
    check_wrong_offset(*engine, device);
  }
  check_equal(pool.usage().used_bytes, 0, "nothing of the pool is in use at the end");
}

}  // namespace
}  // namespace raspi

int board::run() {
  using namespace carveout;
  using namespace raspi;

  processor::Port port{kRam};
  count("bytes of a cache line", port.cache_line_bytes());
  const auto tree = open_tree();
  if (!tree) return finish(RASPI_NAME);
  const auto system = build_system(*tree, port);
  if (!system) {
    fail(system.error(), "the System");
    return finish(RASPI_NAME);
  }
  if ((*system)->roles().of(Role::default_pool) == nullptr) declare_default(**system);
  if (failures() == 0) raspi::run(**system, *(*system)->device(0), port);
  contract::run({.port = port,
                 .aliases = kContractAliases,
                 .pool = kContractPool,
                 .buffer = contract_buffer});
  return finish(RASPI_NAME);
}
