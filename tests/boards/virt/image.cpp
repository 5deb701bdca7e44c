// QEMU's virt with the PCI device edu, for AArch64 and RISC-V: the device moves coherent and lent
// memory, and takes its time, so that memory can be wanted back while it still writes.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "board.hpp"
#include "busy.hpp"
#include "checks.hpp"
#include "contract/contract.hpp"
#include "copy_bench.hpp"
#include "edu.hpp"
#include "machine.hpp"
#include "mmio.hpp"
#include "tables.hpp"

namespace virt {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;
using board::check_refused;
using board::fail;

/// Behind the pool. Neither is cached here: with the MMU off on AArch64, and in this table's words
/// on RISC-V.
constexpr PhysRange kContractPool{PhysAddr{kPool.base.raw() + 0x10'0000}, 0x1'0000};
constexpr Alias kAliases[]{{kPool.base, kPool.base, kPool.size_bytes},
                           {kContractPool.base, kContractPool.base, kContractPool.size_bytes}};
constexpr std::size_t kBinding = System::binding_storage_bytes(false);

alignas(8) std::array<std::byte, setup::measure(kTables) + kBinding> storage;
alignas(4096) std::array<std::byte, 4096> buffer;
alignas(4096) std::array<std::byte, 4096> second_buffer;

/// The tree that the emulator states is where it says that it is, whole. Without it nobody knows
/// that the tables are this machine's, and the image goes no further.
bool check_tree() {
  const std::uintptr_t tree = machine::tree_address();
  board::note("the device tree is at", tree);
  // Nothing is read where there may be no memory.
  if (!check(machine::kRam[0].contains({PhysAddr{tree}, 8}), "there is a device tree in RAM")) {
    return false;
  }
  const std::uint32_t size = std::byteswap(board::mmio(tree + 4));
  const PhysRange whole{PhysAddr{tree}, size};
  return check_equal(std::byteswap(board::mmio(tree)), 0xd00d'feed, "the device tree's magic") &&
         check_equal(size, machine::kTreeBytes, "the device tree's size is the stated tree's") &&
         check(machine::kRam[0].contains(whole), "it ends in RAM") &&
         check(!whole.overlaps(kPool) && !whole.overlaps(kContractPool), "no pool lies over it");
}

/// Finds edu on PCI bus 0, gives it an address, and lets it master the bus.
std::optional<std::uintptr_t> find_edu() {
  for (std::uintptr_t slot = 0; slot < 32; ++slot) {
    const std::uintptr_t registers = machine::kPciConfiguration + (slot << 15);
    if (board::mmio(registers) != Edu::kVendorAndDevice) continue;
    board::mmio(registers + 0x10) = machine::kPciMemory;  // BAR 0
    board::mmio(registers + 0x04) = 1U << 1 | 1U << 2;    // memory, bus master
    return machine::kPciMemory;
  }
  return std::nullopt;
}

/// Memory that lies over the mask is refused when it is bound, and no request finds another way.
void check_mask(System& system, Pool& pool) {
  Device& narrow = *system.device(1);
  check_refused(system.bind(narrow, pool), Error::unreachable,
                "28 address bits: the pool is refused when it is bound");
  check_refused(alloc_coherent(narrow, 64), Error::unreachable, "and so is every request after it");
}

void run(System& system, PortRef port) {
  Pool& pool = *system.find_pool(kTables.pools[0].name);
  const Device& device = *system.device(0);
  check_mask(system, pool);

  const auto registers = find_edu();
  if (!check(registers.has_value(), "edu is on the bus")) return;
  Edu edu{port, *registers};
  for (const std::uint32_t length : {8U, Edu::kMostBytes}) board::check_copy(edu, device, length);
  // Of a device that copies nothing the rest says no more.
  if (board::failures() != 0) return;
  board::check_streaming_copy(edu, device, buffer, std::span{second_buffer}.first(Edu::kMostBytes));
  board::check_wrong_destination(edu, device, 0x10'0000);
  {
    auto bench = board::CopyBench::create(device, Edu::kMostBytes);  // fills the device's buffer
    if (!bench) return fail(bench.error(), "memory for a copy");
    bench->prepare();
    edu.copy(bench->destination_dma(), bench->source_dma(), Edu::kMostBytes);
  }
  check_busy(edu, device, pool, buffer);
  check_equal(pool.usage().used_bytes, 0, "nothing of the pool is in use at the end");
}

}  // namespace
}  // namespace virt

int board::run() {
  using namespace virt;
  if (!check_tree()) return finish(machine::kName);
  machine::Port port = machine::make_port();
  count("bytes of a cache line", port.cache_line_bytes());
  check_processor();
  const auto system = setup::build(kTables, {.port = port, .aliases = kAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
    return finish(machine::kName);
  }
  virt::run(**system, port);
  contract::run({.port = port, .aliases = kAliases, .pool = kContractPool, .buffer = buffer});
  return finish(machine::kName);
}
