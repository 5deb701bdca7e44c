#include "mpu.hpp"

#include <cstddef>
#include <cstdint>

#include "board.hpp"
#include "exceptions.hpp"
#include "generated/carveout_mpu.hpp"
#include "registers.hpp"

namespace an505 {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;

volatile std::uint32_t faults;
volatile std::uint32_t fault_address;
cortex_m::MpuV8* curing;

void store(std::uint64_t address) {
  asm volatile("str %0, [%0]" ::"r"(static_cast<std::uintptr_t>(address)) : "memory");
}

}  // namespace

void check_region(cortex_m::MpuV8& mpu, PhysRange pool) {
  check(mpu.enabled(), "the MPU is on");
  const auto region = mpu.get(kRegionNumber);
  check(region.enabled(), "the pool's region is on");
  check(region.covered() == pool, "it covers the pool and nothing beside it");
  check(region.execute_never(), "nothing is executed out of it");
  check_equal(region.attribute(), kMairIndex, "its attribute is the one that the table names");
  check_equal(mpu.attribute(region.attribute()), 0x44, "and what it holds is not cached");
}

void check_limits(cortex_m::MpuV8& mpu, PhysRange pool) {
  constexpr std::uint32_t kReadOnly = 2U << 1;  // RBAR.AP
  const pmsa_v8::Region shut{.rbar = kMpuRegions[0].rbar | kReadOnly, .rlar = kMpuRegions[0].rlar};
  armv7m::at(armv7m::kShcsr) = armv7m::at(armv7m::kShcsr) | 1U << 16;  // MEMFAULTENA
  curing = &mpu;
  const std::uint64_t base = pool.base.raw();
  const std::uint64_t last = base + pool.size_bytes - 4;

  mpu.set(kRegionNumber, shut);
  store(base - 4);
  store(last + 4);
  check_equal(faults, 0, "with the pool read-only, memory on both sides of it is open");
  std::uint32_t due = 0;
  for (const std::uint64_t address : {base, last}) {
    mpu.set(kRegionNumber, shut);
    store(address);
    check_equal(faults, ++due, "a store to an end of the pool is a MemManage fault");
    check_equal(fault_address, address, "at that address");
  }
  curing = nullptr;
}

}  // namespace an505

/// Opens the region, so that the access, which returning repeats, goes on.
void on_memory_fault() {
  using namespace an505;
  faults = faults + 1;
  fault_address = armv7m::at(armv7m::kMmfar);
  armv7m::at(armv7m::kCfsr) = armv7m::at(armv7m::kCfsr);
  if (curing == nullptr || faults > 2) board::die("MemManage fault at", fault_address);
  curing->set(kRegionNumber, kMpuRegions[0]);
}
