// Cortex-M33 with a PL081, set up from what `carveout gen` made of mps2_an505.dts: the default pool
// lies in an MPU region that is not cached, and the engine moves it, and memory that is lent to it,
// by lists of jobs.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "board.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_port/cortex_m.hpp"
#include "carveout_port/pmsa_v8.hpp"
#include "contract/contract.hpp"
#include "copy_bench.hpp"
#include "generated/carveout_mpu.hpp"
#include "generated/carveout_tables.hpp"
#include "mpu.hpp"
#include "pl081.hpp"

extern "C" const std::byte carveout_pool_default_38000420_start[];  // of generated/carveout.ld
extern "C" const std::byte carveout_pool_default_38000420_end[];

namespace an505 {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;
using board::fail;

// Negative twins: everything is the same, but for one.
#ifdef MPS2_AN505_WITHOUT_REGION
constexpr bool kSetRegion = false;
#else
constexpr bool kSetRegion = true;
#endif

/// SSRAM 2 by its secure address, and SSRAM 1 with the image. Source: AN505, memory map.
constexpr PhysRange kMemory[]{{PhysAddr{0x3800'0000}, 0x20'0000},
                              {PhysAddr{0x1000'0000}, 0x40'0000}};
constexpr PhysRange kPool = kPools[pool_default_38000420].chunks[0];
/// For the contract, in memory that the linker script gives to nothing.
constexpr PhysRange kContractPool{PhysAddr{0x3810'0000}, 0x1'0000};
constexpr Alias kContractAlias{kContractPool.base, kContractPool.base, kContractPool.size_bytes};

// The device that memory to be copied comes from. The jobs come from the engine's own, so that the
// engine of the negative twin works, and finds other memory.
#ifdef MPS2_AN505_WRONG_WINDOW
constexpr Window kWrongWindows[]{
    {DmaAddr{kWindows0[0].dma.raw() + 0x4'0000}, kWindows0[0].cpu, kWindows0[0].size_bytes}};
constexpr DeviceSettings kBoardDevices[]{kDevices[device_dma],
                                         {.name = "wrong window",
                                          .coherent_mask = kDevices[device_dma].coherent_mask,
                                          .translation = Translation::through(kWrongWindows)}};
constexpr setup::Tables kBoard{.pools = kPools, .devices = kBoardDevices, .defaults = kDefaults};
constexpr std::size_t kCopied = 1;
#else
constexpr const setup::Tables& kBoard = kTables;
constexpr std::size_t kCopied = device_dma;
#endif

alignas(8) std::array<std::byte, setup::measure(kBoard)> storage;
alignas(4096) std::array<std::byte, 4096> buffer;
// What is lent lies where the engine sees it: image.ld.
[[gnu::section(".lent")]] std::array<std::byte, 4096> lent;
[[gnu::section(".lent")]] std::array<std::byte, 4096 + 2 * board::kGuard> second_lent;

void run(System& system) {
  const Device& copied = *system.device(kCopied);
  Pool& pool = *system.find_pool(kPools[pool_default_38000420].name);
  check(pool.chunks()[0].uncached == carveout_pool_default_38000420_start &&
            pool.chunks()[0].uncached + kPool.size_bytes == carveout_pool_default_38000420_end,
        "the pool lies where the linker has it");
  {
    auto engine = Pl081::create(*system.device(device_dma));
    if (!engine) return fail(engine.error(), "a list of jobs");
    for (const std::uint32_t length : {16U, 4096U, 32768U}) {
      board::check_copy(*engine, copied, length);
    }
    board::check_streaming_copy(*engine, copied, lent, second_lent);
    board::check_wrong_destination(*engine, copied, 0x8'0000);
  }
  check_equal(pool.usage().used_bytes, 0, "nothing of the pool is in use at the end");
}

}  // namespace
}  // namespace an505

int board::run() {
  using namespace an505;
  cortex_m::MpuV8 mpu;
  check(mpu.regions() >= 8, "the core has an MPU");
  if (kSetRegion) {
    mpu.set_attribute(kMairIndex, kMairValue);
    mpu.set(kRegionNumber, kMpuRegions[0]);
  }
  mpu.enable();
  check_region(mpu, kPool);
  if (kSetRegion) check_limits(mpu, kPool);

  cortex_m::Port port{kMemory, ports::kNoDataCache.granule_bytes};
  check_equal(port.cache_line_bytes(), 1, "a Cortex-M33 has no data cache");
  const auto system = setup::build(kBoard, {.port = port, .aliases = kAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
    return finish("mps2-an505");
  }
  an505::run(**system);
  contract::run(
      {.port = port, .aliases = {&kContractAlias, 1}, .pool = kContractPool, .buffer = buffer});
  return finish("mps2-an505");
}
