// Cortex-M7 without an MMU, set up from tables: its default pool lies in an MPU region that is not
// cacheable, and a block is allocated and freed from an interrupt.
#include <array>
#include <cstddef>
#include <cstdint>

#include "board.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_port/cortex_m.hpp"
#include "checks.hpp"
#include "contract/contract.hpp"
#include "tables.hpp"

extern "C" const std::byte carveout_pool_default_20210000_start[];  // of generated/carveout.ld
extern "C" const std::byte carveout_pool_default_20210000_end[];

namespace an500 {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;
using board::check_refused;

alignas(4096) std::array<std::byte, 4096> contract_buffer;

// Exactly what the tables need, known when the image is compiled.
alignas(8) std::array<std::byte, kAllStorageBytes> storage;

// Negative twin: everything is the same, and nobody sets the region up.
#ifdef AN500_WITHOUT_REGION
constexpr bool kSetRegion = false;
#else
constexpr bool kSetRegion = true;
#endif

}  // namespace

void check_invariants(const Device& device, Pool& pool) {
  const Usage empty = pool.usage();
  check_equal(empty.used_bytes, 0, "nothing of the pool is in use");
  check_equal(empty.blocks, 0, "no block lives");
  check_equal(empty.largest_run_bytes, empty.total_bytes, "the free memory is one run again");
  check(empty.peak_bytes <= empty.total_bytes, "the peak is within the pool");

  auto whole = alloc_coherent(device, empty.total_bytes);
  if (!whole) return board::fail(whole.error(), "the whole pool in one block");
  check_equal(whole->phys.raw(), kPool.base.raw(), "the whole pool is one block");
  check_equal(whole->dma.raw(), 0x6021'0000, "at the address that its device's bus has for it");
  check_equal(reinterpret_cast<std::uintptr_t>(whole->cpu), 0x2021'0000, "and the CPU at its own");

  check_refused(alloc_coherent(device, 1), Error::exhausted, "one byte more is exhausted");
  check(free_coherent(*whole).has_value(), "the block is given back");
  check_refused(free_coherent(*whole), Error::double_free, "a second time is a double free");
  const auto next = alloc_coherent(device, empty.total_bytes);
  check_refused(free_coherent(*whole), Error::stale_block,
                "and after the memory was handed out again it is stale");
  check(next && free_coherent(*next).has_value(), "its new owner is not concerned");
  check_equal(pool.usage().used_bytes, 0, "nothing is left in use");
}

}  // namespace an500

int board::run() {
  using namespace carveout;
  using namespace an500;

  cortex_m::Mpu mpu;
  check_equal(mpu.regions(), kPoolRegionNumber + 1, "the pool's region is the last, which wins");
  if (kSetRegion) mpu.set(kPoolRegionNumber, *kPoolRegion);
  mpu.enable();

  cortex_m::OwningPort port{cortex_m::Port{kMemory}, mpu, kFirstLentRegion, kLentRegions};
  check_equal(port.cache_line_bytes(), 32, "the line is the fallback: the emulator's CTR reads 0");
  const auto system = setup::build(kTables, {.port = port, .aliases = kAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
    return finish("mps2-an500");
  }
  Pool* const pool = (*system)->find_pool(kPools[pool_default_20210000].name);
  if (!check(pool != nullptr, "the System has the default pool")) return finish("mps2-an500");
  check(pool->chunks()[0].uncached == carveout_pool_default_20210000_start &&
            pool->chunks()[0].uncached + kPool.size_bytes == carveout_pool_default_20210000_end,
        "the pool lies where the linker has it");
  count("bytes of storage of the System", storage.size());

  check_region(mpu, *pool);
  if (failures() == 0) check_enforcement(mpu, *(*system)->device(kEthernet));
  check_ownership(mpu, port, *(*system)->device(kEthernet));
  check_contention(**system, *pool);
  check_atomic(**system, *pool);
  check_book(*(*system)->device(kEthernet));
  check_invariants(*(*system)->device(kEthernet), *pool);
  contract::run({.port = port,
                 .aliases = {&kContractAlias, 1},
                 .pool = kContractPool,
                 .buffer = contract_buffer});
  return finish("mps2-an500");
}
