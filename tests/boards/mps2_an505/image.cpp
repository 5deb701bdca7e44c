// Cortex-M33 with a PL081: the default pool lies in an MPU region that is not cached, and the
// engine moves it by lists of jobs.
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
#include "pl081.hpp"

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
#ifdef MPS2_AN505_WRONG_WINDOW
constexpr std::uint64_t kBusAdds = 0x4'0000;
#else
constexpr std::uint64_t kBusAdds = 0;
#endif

/// SSRAM 2 by its secure address, and SSRAM 1 with the image. Source: AN505, memory map.
constexpr PhysRange kMemory[]{{PhysAddr{0x3800'0000}, 0x20'0000},
                              {PhysAddr{0x1000'0000}, 0x40'0000}};
/// No power of two, and at no multiple of one: PMSAv8 takes it as it is.
constexpr PhysRange kPool{PhysAddr{0x3800'0420}, 0x1'4c60};
constexpr PhysRange kContractPool{PhysAddr{0x3810'0000}, 0x1'0000};
constexpr Alias kAliases[]{{kPool.base, kPool.base, kPool.size_bytes},
                           {kContractPool.base, kContractPool.base, kContractPool.size_bytes}};

constexpr unsigned kAttribute = 3;
constexpr unsigned kRegionNumber = 2;
constexpr auto kRegion = pmsa_v8::region(kPool, kAttribute);
static_assert(kRegion.has_value(), "it begins and ends where the pool does");

constexpr Window kWindows[]{
    {DmaAddr{kMemory[0].base.raw() + kBusAdds}, kMemory[0].base, 0x20'0000}};
constexpr PoolSettings kPools[]{{.name = "default", .chunks = {&kPool, 1}, .granule_bytes = 32}};
constexpr DeviceSettings kDevices[]{{.name = "pl081",
                                     .coherent_mask = DmaAddr{0xffff'ffff},
                                     .translation = Translation::through(kWindows)}};
constexpr setup::DefaultRow kDefaults[]{{.role = Role::default_pool, .pool = 0}};
constexpr setup::Tables kTables{.pools = kPools, .devices = kDevices, .defaults = kDefaults};

alignas(8) std::array<std::byte, setup::measure(kTables)> storage;
alignas(4096) std::array<std::byte, 4096> buffer;

/// The registers, read back, say what the table says.
void check_region(cortex_m::MpuV8& mpu) {
  check(mpu.enabled(), "the MPU is on");
  const auto region = mpu.get(kRegionNumber);
  check(region.enabled(), "the pool's region is on");
  check(region.covered() == kPool, "it covers the pool and nothing beside it");
  check(region.execute_never(), "nothing is executed out of it");
  check_equal(mpu.attribute(region.attribute()), 0x44, "and what it holds is not cached");
}

void run(System& system) {
  const Device& device = *system.device(0);
  Pool& pool = *system.find_pool("default");
  {
    auto engine = Pl081::create(device);
    if (!engine) return fail(engine.error(), "a list of jobs");
    for (const std::uint32_t length : {16U, 4096U, 32768U}) {
      board::check_copy(*engine, device, length);
    }
    board::check_wrong_destination(*engine, device, 0x8'0000);
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
    mpu.set_attribute(kAttribute, pmsa_v8::kNonCacheable);
    mpu.set(kRegionNumber, *kRegion);
  }
  mpu.enable();
  check_region(mpu);

  cortex_m::Port port{kMemory, ports::kNoDataCache.granule_bytes};
  check_equal(port.cache_line_bytes(), 1, "a Cortex-M33 has no data cache");
  const auto system = setup::build(kTables, {.port = port, .aliases = kAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
    return finish("mps2-an505");
  }
  an505::run(**system);
  contract::run({.port = port, .aliases = kAliases, .pool = kContractPool, .buffer = buffer});
  return finish("mps2-an505");
}
