// Raspberry Pi 2: at boot, a System out of the device tree that the machine was given; then its DMA
// engine moves coherent blocks, by the device addresses that the blocks came with.
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
#include "carveout_port/cortex_a.hpp"

namespace raspi2b {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;
using board::fail;

// The RAM below the VideoCore's. With the MMU off the CPU has one view of it, past its caches: data
// accesses are strongly-ordered. Source: ARM ARM ARMv7-A (DDI 0406C), B3.2.1.
constexpr PhysRange kRam[]{{PhysAddr{0}, 0x3c00'0000}};
constexpr Alias kAliases[]{{kRam[0].base, kRam[0].base, kRam[0].size_bytes}};

alignas(8) std::array<std::byte, 128 * 1024> blob;
std::array<std::byte, 32 * 1024> tree_scratch;
alignas(8) std::array<std::byte, 32 * 1024> storage;
std::array<char, 128> engine_path;

// ---- the tree -----------------------------------------------------------------------------------

/// Loads from an address that C++ has no object at, and least of all at 0.
std::uint32_t load_word(std::uintptr_t address) {
  std::uint32_t word = 0;
  asm volatile("ldr %0, [%1]" : "=r"(word) : "r"(address) : "memory");
  return word;
}

/// The tree that the emulator left at address 0. A copy, because a pointer to 0 is no pointer.
std::span<const std::byte> fetch_tree() {
  constexpr std::uint32_t kMagic = 0xd00d'feed;
  if (!check_equal(std::byteswap(load_word(0)), kMagic, "a device tree is at address 0")) return {};
  const std::uint32_t size = std::byteswap(load_word(4));
  board::count("its bytes", size);
  if (!check(size <= blob.size(), "it fits into the image's buffer")) return {};
  for (std::uint32_t at = 0; at < size; at += sizeof(std::uint32_t)) {
    const std::uint32_t word = load_word(at);
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

/// Bytes around a copy's destination that have to stay as they are.
constexpr std::size_t kGuard = 64;

std::byte source_byte(std::size_t i) { return static_cast<std::byte>(i * 7 + (i >> 8) + 1); }
constexpr std::byte kUntouched{0xa5};

/// What became of a destination.
enum class Outcome : std::uint8_t { all_moved, nothing_moved, other };

/// Coherent memory for jobs of one size, and what was found in it after a job.
class Bench {
 public:
  static Result<Bench> create(const Device& device, std::uint32_t length_bytes) {
    auto job = alloc_coherent<ControlBlock>(device);
    if (!job) return std::unexpected{job.error()};
    auto source = alloc_coherent<std::byte[]>(device, length_bytes);
    if (!source) return std::unexpected{source.error()};
    auto destination = alloc_coherent<std::byte[]>(device, length_bytes + 2 * kGuard);
    if (!destination) return std::unexpected{destination.error()};
    return Bench{std::move(*job), std::move(*source), std::move(*destination)};
  }

  void prepare() {
    for (std::size_t i = 0; i < source_.size(); ++i) source_.plain()[i] = source_byte(i);
    std::ranges::fill(destination_.plain(), kUntouched);
  }

  [[nodiscard]] Outcome outcome() const {
    bool moved = true;
    bool untouched = true;
    for (std::size_t i = 0; i < destination_.size(); ++i) {
      const bool inside = i >= kGuard && i - kGuard < source_.size();
      const std::byte want = inside ? source_byte(i - kGuard) : kUntouched;
      const std::byte got = destination_.plain()[i];
      moved = moved && got == want;
      untouched = untouched && got == kUntouched;
    }
    return moved ? Outcome::all_moved : untouched ? Outcome::nothing_moved : Outcome::other;
  }

  [[nodiscard]] const Coherent<ControlBlock>& job() const { return job_; }
  [[nodiscard]] DmaAddr job_dma() const { return job_.dma(); }
  [[nodiscard]] DmaAddr source_dma() const { return source_.dma(); }
  [[nodiscard]] DmaAddr destination_dma() const {
    return DmaAddr{destination_.dma().raw() + kGuard};
  }

 private:
  Bench(Coherent<ControlBlock> job, Coherent<std::byte[]> source, Coherent<std::byte[]> destination)
      : job_{std::move(job)}, source_{std::move(source)}, destination_{std::move(destination)} {}

  Coherent<ControlBlock> job_;
  Coherent<std::byte[]> source_;
  Coherent<std::byte[]> destination_;
};

/// The engine moves memory by the addresses that the blocks came with.
void check_copy(DmaChannel& channel, const Device& device, std::uint32_t length_bytes) {
  board::count("a copy of bytes:", length_bytes);
  auto bench = Bench::create(device, length_bytes);
  if (!bench) return fail(bench.error(), "memory for a copy");
  bench->prepare();
  bench->job().store(
      DmaChannel::copy_job(bench->destination_dma(), bench->source_dma(), length_bytes));
  check(channel.run(bench->job_dma()), "the engine says that it is done");
  switch (bench->outcome()) {
    case Outcome::all_moved:
      check(true, "every byte arrived, and none beside them");
      break;
    case Outcome::nothing_moved:
      check(false, "nothing was moved: memory is as before");
      break;
    case Outcome::other:
      check(false, "bytes are wrong, or beside the destination");
      break;
  }
}

/// And by no others: where an address is off by what the bus adds to it, memory stays as it is. Not
/// every wrong offset shows: this bus has the RAM four times, at every multiple of 1 GiB.
void check_wrong_offset(DmaChannel& channel, const Device& device) {
  constexpr std::uint32_t kLength = 4096;
  constexpr std::uint64_t kWrong = 0x1000'0000;
  const auto wrong = [](DmaAddr address) { return DmaAddr{address.raw() + kWrong}; };
  auto bench = Bench::create(device, kLength);
  if (!bench) return fail(bench.error(), "memory for a copy");

  bench->prepare();
  bench->job().store(
      DmaChannel::copy_job(wrong(bench->destination_dma()), bench->source_dma(), kLength));
  check(channel.run(bench->job_dma()), "the engine is also done where the offset is wrong");
  check(bench->outcome() == Outcome::nothing_moved, "a wrong destination gets none of it");

  bench->job().store(DmaChannel::copy_job(bench->destination_dma(), bench->source_dma(), kLength));
  check(channel.run(wrong(bench->job_dma())), "and where the job is not at the job's address");
  check(bench->outcome() == Outcome::nothing_moved, "nothing is moved");

  check(channel.run(bench->job_dma()), "the same job at its own address");
  check(bench->outcome() == Outcome::all_moved, "moves everything");
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

  DmaChannel channel{port};
  for (const std::uint32_t length : {4U, 4096U, 65536U}) check_copy(channel, device, length);
  check_wrong_offset(channel, device);
  check_equal(pool.usage().used_bytes, 0, "nothing of the pool is in use at the end");
}

}  // namespace
}  // namespace raspi2b

int board::run() {
  using namespace carveout;
  using namespace raspi2b;

  cortex_a::Port port{kRam};
  count("bytes of a cache line", port.cache_line_bytes());
  const auto tree = open_tree();
  if (!tree) return finish("raspi2b");
  const auto system = build_system(*tree, port);
  if (!system) {
    fail(system.error(), "the System");
    return finish("raspi2b");
  }
  if ((*system)->roles().of(Role::default_pool) == nullptr) declare_default(**system);
  if (failures() == 0) raspi2b::run(**system, *(*system)->device(0), port);
  return finish("raspi2b");
}
