// Malta, a big-endian MIPS 24Kf: coherent memory is seen through KSEG1, past the cache, and an
// Ethernet controller sends frames to itself by descriptor rings in it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "board.hpp"
#include "carveout/map/known_aliases.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_port/mips.hpp"
#include "contract/contract.hpp"
#include "copy_bench.hpp"
#include "e1000.hpp"
#include "mmio.hpp"

namespace malta {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;
using board::fail;

constexpr PhysRange kRam[]{{PhysAddr{0}, 0x800'0000}};
constexpr Alias kAliases[]{known_aliases::mips32};
constexpr PhysRange kPool{PhysAddr{0x0200'0000}, 0x1'0000};
constexpr PhysRange kContractPool{PhysAddr{0x0300'0000}, 0x1'0000};

/// PCI addresses of memory are physical ones.
constexpr Window kPci[]{{DmaAddr{0}, kRam[0].base, kRam[0].size_bytes}};
/// The negative twin's frames come from a table that is wrong by a megabyte. Its rings do not, so
/// that the controller works, and finds other memory.
constexpr Window kWrongPci[]{{DmaAddr{0x10'0000}, kRam[0].base, kRam[0].size_bytes}};
#ifdef MALTA_WRONG_WINDOW
constexpr std::size_t kFrames = 1;
#else
constexpr std::size_t kFrames = 0;
#endif

constexpr PoolSettings kPools[]{{.name = "default", .chunks = {&kPool, 1}, .granule_bytes = 128}};
constexpr DeviceSettings kDevices[]{{.name = "ethernet",
                                     .coherent_mask = DmaAddr{0xffff'ffff},
                                     .translation = Translation::through(kPci)},
                                    {.name = "wrong window",
                                     .coherent_mask = DmaAddr{0xffff'ffff},
                                     .translation = Translation::through(kWrongPci)}};
constexpr setup::DefaultRow kDefaults[]{{.role = Role::default_pool, .pool = 0}};
constexpr setup::Tables kTables{.pools = kPools, .devices = kDevices, .defaults = kDefaults};

alignas(8) std::array<std::byte, setup::measure(kTables)> storage;
alignas(4096) std::array<std::byte, 4096> buffer;
alignas(4096) std::array<std::byte, 1024 + 2 * board::kGuard> second_buffer;

/// A register of a PCI device's configuration, by the window that the bridge has for the chosen
/// one. As reset leaves the bridge, its own registers are little-endian, and what passes through
/// the window is in the processor's order. Source: Galileo GT-64120A datasheet, configuration
/// registers.
volatile std::uint32_t& configuration(std::uint32_t slot, std::uint32_t offset) {
  constexpr std::uintptr_t kAddress = 0xbbe0'0cf8;
  constexpr std::uintptr_t kData = 0xbbe0'0cfc;
  board::mmio(kAddress) = std::byteswap(1U << 31 | slot << 11 | offset);
  return board::mmio(kData);
}

/// Finds the controller, gives it an address, and lets it master the bus.
std::optional<std::uintptr_t> find_controller() {
  constexpr std::uint32_t kPciMemory = 0x1000'0000;
  for (std::uint32_t slot = 1; slot < 32; ++slot) {
    if (configuration(slot, 0) != E1000::kVendorAndDevice) continue;
    configuration(slot, 0x10) = kPciMemory;         // BAR 0
    configuration(slot, 0x04) = 1U << 1 | 1U << 2;  // memory, bus master
    return mips32::kKseg1 + kPciMemory;
  }
  return std::nullopt;
}

/// The link comes up a second after the loopback was chosen; the emulator's counter has 160 MHz.
void wait_for_link() {
  std::uint32_t first = 0;
  std::uint32_t now = 0;
  asm volatile("mfc0 %0, $9" : "=r"(first));
  do {
    asm volatile("mfc0 %0, $9" : "=r"(now));
  } while (now - first < 240'000'000);
}

void run(System& system, PortRef port) {
  const Device& device = *system.device(0);
  const Device& frames = *system.device(kFrames);
  Pool& pool = *system.find_pool("default");
  const auto block = alloc_coherent(device, 64);
  if (!block) return fail(block.error(), "a coherent block");
  check_equal(reinterpret_cast<std::uintptr_t>(block->cpu), 0xa200'0000, "the CPU has it in KSEG1");
  check_equal(block->dma.raw(), 0x0200'0000, "and the device by its physical address");
  check(free_coherent(*block).has_value(), "it is given back");

  const auto registers = find_controller();
  if (!check(registers.has_value(), "the controller is on the bus")) return;
  {
    auto ethernet = E1000::create(device, port, *registers);
    if (!ethernet) return fail(ethernet.error(), "its rings");
    wait_for_link();
    // More frames than the rings have descriptors, so that they come round.
    for (std::uint32_t frame = 0; frame < 20; ++frame) {
      const std::uint32_t length =
          E1000::kLeastBytes + frame * ((E1000::kMostBytes - E1000::kLeastBytes) / 19);
      board::check_copy(*ethernet, frames, length);
    }
    board::check_streaming_copy(*ethernet, frames, buffer, second_buffer);
    board::check_wrong_destination(*ethernet, frames, 0x10'0000);
  }
  check_equal(pool.usage().used_bytes, 0, "nothing of the pool is in use at the end");
}

}  // namespace
}  // namespace malta

int board::run() {
  using namespace malta;
  mips32::Port port{kRam, sync_tables::mips_not_speculating};
  check_equal(port.cache_line_bytes(), 16, "the line is what the emulator's Config1 says");
  const auto system = setup::build(kTables, {.port = port, .aliases = kAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
    return finish("malta");
  }
  malta::run(**system, port);
  contract::run({.port = port, .aliases = kAliases, .pool = kContractPool, .buffer = buffer});
  return finish("malta");
}
