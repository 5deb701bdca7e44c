// The image: a driver on a Cortex-M7 (examples/cortex_m7), with the port of that core and
// everything above it. What it prints and its exit status are its own judgement of the bytes that
// it got.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "board.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_port/cortex_m.hpp"
#include "carveout_port/pmsa_v7.hpp"
#include "contract.hpp"
#include "device_side.hpp"
#include "examples/cortex_m7/copier.hpp"
#include "tables.hpp"

namespace unicorn_board {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;

// C arrays: GCC 12 puts a constexpr std::array of classes into RAM instead of read-only memory.
constexpr PhysRange kMemory[]{{PhysAddr{0x2000'0000}, 0x40'0000}};
constexpr Window kWindows[]{kWindow};
constexpr Alias kAliases[]{{kCoherent.base, kCoherent.base, kCoherent.size_bytes}};
constexpr PoolSettings kPools[]{
    {.name = "default", .chunks = {&kCoherent, 1}},
    {.name = "buffers", .memory = Memory::ordinary, .chunks = {&kBuffers, 1}}};
constexpr DeviceSettings kDevices[]{{.name = "copier",
                                     .coherent_mask = DmaAddr{0xffff'ffff},
                                     .translation = Translation::through(kWindows),
                                     .quarantine_blocks = 2 * copier::Engine::kCopies}};
constexpr setup::DefaultRow kDefaults[]{{.role = Role::default_pool, .pool = 0},
                                        {.role = Role::ordinary, .pool = 1}};
constexpr setup::Tables kTables{.pools = kPools, .devices = kDevices, .defaults = kDefaults};
constexpr auto kRegion = cortex_m::non_cacheable_region(kCoherent);
constexpr auto kLateRegion = cortex_m::non_cacheable_region(kLate);
static_assert(kRegion.has_value() && kLateRegion.has_value());

alignas(8) std::array<std::byte, setup::measure(kTables)> storage;

/// Once in machine code: each of its instructions is then the only one of its kind.
[[gnu::noinline]] void set_region(cortex_m::Mpu& mpu, unsigned number,
                                  const cortex_m::MpuRegion& region) {
  mpu.set(number, region);
}

/// One copy's source, and rubbish in its target: lines that are dirty when they are lent.
void fill(StreamBuffer& from, StreamBuffer& to, std::uint32_t copy) {
  for (std::uint32_t i = 0; i < kCopyBytes; ++i) {
    from.bytes()[i] = std::byte{source_byte(copy, i)};
    to.bytes()[i] = std::byte{0xee};
  }
}

void verify(copier::Engine::Done& done, std::uint32_t copy) {
  std::uint32_t sum = 0;
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < kCopyBytes; ++i) {
    const std::uint8_t byte = source_byte(copy, i);
    sum += byte;
    if (done.to.bytes()[i] != std::byte{copied(byte)}) ++wrong;
  }
  check_equal(wrong, 0, "bytes that are not what the engine wrote");
  check_equal(done.sum, sum, "the engine's sum is that of the bytes that were stored");
}

/// The engine works while the doorbell rings; its word may come to the CPU a little later.
std::optional<copier::Engine::Done> wait_for(copier::Engine& engine) {
  for (int tries = 0; tries < 100; ++tries) {
    if (auto done = engine.finish()) return done;
  }
  return std::nullopt;
}

/// Two copies at a time, each buffer of them used again and again.
Result<void> copy_all(const Device& device) {
  auto engine = copier::Engine::open(device, *reinterpret_cast<copier::Registers*>(kEngine));
  if (!engine) return std::unexpected{engine.error()};
  constexpr std::uint32_t kAtOnce = 2;
  for (std::uint32_t copy = 0; copy < kCopies; copy += kAtOnce) {
    for (std::uint32_t i = 0; i < kAtOnce; ++i) {
      auto from = alloc_stream(device, kCopyBytes);
      if (!from) return std::unexpected{from.error()};
      auto to = alloc_stream(device, kCopyBytes);
      if (!to) return std::unexpected{to.error()};
      fill(*from, *to, copy + i);
      if (const auto started = engine->start(std::move(*from), std::move(*to)); !started)
        return std::unexpected{started.error()};
    }
    for (std::uint32_t i = 0; i < kAtOnce; ++i) {
      auto done = wait_for(*engine);
      if (!check(done.has_value(), "the engine is done")) return {};
      verify(*done, copy + i);
    }
  }
  return {};
}

/// A block is zero for its device as soon as it is handed out.
Result<void> check_fresh_block(const Device& device) {
  constexpr std::size_t kBytes = 32;
  for (std::size_t at = 0; at < kCoherent.size_bytes; at += kBytes) {
    device_writes(kCoherent.base, at, 0xdead);
  }
  const auto block = alloc_coherent(device, kBytes);
  if (!block) return std::unexpected{block.error()};
  check_equal(device_reads(block->phys, 0), 0, "a new block is zero in memory");
  return free_coherent(*block);
}

/// What is behind an ownership word that changed hands is as new as the word.
Result<void> check_take(const Device& device) {
  auto memory = alloc_coherent<copier::Descriptor[]>(device, 1);
  if (!memory) return std::unexpected{memory.error()};
  const PhysAddr base = memory->block().phys;
  DescriptorRing<&copier::Descriptor::status> ring{std::move(*memory)};
  ring.write(0, {.from = 1, .to = 2, .size_bytes = 3, .sum = 4, .status = copier::kDevices});
  ring.publish([] {});
  device_writes(base, offsetof(copier::Descriptor, from), 11);
  device_writes(base, offsetof(copier::Descriptor, sum), 14);
  device_writes(base, offsetof(copier::Descriptor, status), 15);
  const auto taken = ring.take([](auto status) { return status.value() != copier::kDevices; });
  if (!check(taken.has_value(), "the descriptor is the CPU's")) return {};
  check_equal(taken->descriptor.from.value(), 11, "what was taken is as new as its ownership word");
  check_equal(taken->descriptor.sum.value(), 14, "all of it");
  return {};
}

/// What the library loads and stores itself.
Result<void> check_library(const Device& device) {
  if (const auto done = check_fresh_block(device); !done) return done;
  if (const auto done = check_take(device); !done) return done;
  return copy_all(device);
}

}  // namespace
}  // namespace unicorn_board

int board::run() {
  using namespace carveout;
  using namespace unicorn_board;

  cortex_m::Mpu mpu;
  cortex_m::Port port{kMemory};
  note("line, from the Cache Type Register", port.cache_line_bytes());
  set_region(mpu, mpu.regions() - 1, *kRegion);
  mpu.enable();
  check_uncached(port, kCoherent);
  set_region(mpu, 0, *kLateRegion);
  check_uncached(port, kLate);
  check_contract(port);
  const auto system = setup::build(kTables, {.port = port, .aliases = kAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
  } else if (const auto done = check_library(*(*system)->device(0)); !done) {
    fail(done.error(), "memory or a mapping");
  }
  return finish("unicorn");
}
