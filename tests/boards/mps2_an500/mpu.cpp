// The MPU governs the pool: its registers say so, and the memory obeys them.
#include <array>
#include <cstdint>
#include <expected>

#include "board.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "checks.hpp"
#include "exceptions.hpp"
#include "registers.hpp"
#include "tables.hpp"

namespace an500 {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;
using cortex_m::MpuAccess;

/// What the MemManage handler saw.
struct Fault {
  std::uint32_t count;
  std::uint32_t address;
  std::uint32_t status;
  std::uint32_t pc;
};
volatile Fault fault;
/// What opens the memory that a fault is about; nullptr where no fault is expected.
void (*cure)(cortex_m::Mpu&);
cortex_m::Mpu* curing;

void open_pool(cortex_m::Mpu& mpu) { mpu.set(kPoolRegionNumber, *kPoolRegion); }
void open_lent(cortex_m::Mpu& mpu) {
  for (unsigned i = 0; i < kLentRegions; ++i) mpu.set(kFirstLentRegion + i, {.rbar = 0, .rasr = 0});
}

/// From now on a fault is expected: without MEMFAULTENA it would be a HardFault.
void cure_faults_by(void (*opens)(cortex_m::Mpu&), cortex_m::Mpu& mpu) {
  armv7m::at(armv7m::kShcsr) = armv7m::at(armv7m::kShcsr) | 1U << 16;  // MEMFAULTENA
  curing = &mpu;
  cure = opens;
}

/// Single accesses whose own address is known, to be found again as the faulting one.
[[gnu::naked]] std::uint32_t load(const std::byte*) { asm("ldr r0, [r0]\n\tbx lr"); }
[[gnu::naked]] void store(std::byte*, std::uint32_t) { asm("str r1, [r0]\n\tbx lr"); }

template <class Function>
std::uint32_t instruction_of(Function* function) {
  return reinterpret_cast<std::uintptr_t>(function) & ~1U;  // without the Thumb bit
}

}  // namespace

void check_region(cortex_m::Mpu& mpu, const Pool& pool) {
  check(mpu.enabled(), "the MPU is on");
  const auto region = mpu.get(kPoolRegionNumber);
  check(region.enabled(), "the pool's region is on");
  const PhysRange covered{PhysAddr{region.rbar}, region.size_bytes()};
  for (const Chunk& chunk : pool.chunks()) {
    check(covered.contains(chunk.range), "it covers the pool");
  }
  check_equal(region.subregions_off(), 0, "no part of it is switched off");
  check_equal(region.tex(), 1, "TEX is 1");
  check_equal(region.c(), 0, "C is 0: the pool is not cached");
  check_equal(region.b(), 0, "B is 0");
  check(region.execute_never(), "nothing is executed out of it");
}

void check_enforcement(cortex_m::Mpu& mpu, const Device& device) {
  const auto block = alloc_coherent(device, 64);
  if (!block) return board::fail(block.error(), "a block to touch");
  const auto* const first = reinterpret_cast<const std::byte*>(kPoolRegion->rbar);
  store(block->cpu, 0x600d'0001);

  const auto shut = cortex_m::non_cacheable_region(kPool, MpuAccess::nobody);
  cure_faults_by(open_pool, mpu);

  mpu.set(kPoolRegionNumber, *shut);
  load(first - 4);
  load(first + kPool.size_bytes);
  check_equal(fault.count, 0, "with the pool shut, memory on both sides of it is open");

  check_equal(load(block->cpu), 0x600d'0001, "a load from the shut pool reads what is there");
  check_equal(fault.count, 1, "once it was resumed after a MemManage fault");
  check_equal(fault.address, reinterpret_cast<std::uintptr_t>(block->cpu), "at that address");
  check_equal(fault.pc, instruction_of(load), "and at that instruction");
  constexpr std::uint32_t kDataAccess = 1U << 1;    // CFSR.DACCVIOL
  constexpr std::uint32_t kAddressValid = 1U << 7;  // CFSR.MMARVALID
  check_equal(fault.status, kDataAccess | kAddressValid, "a data access, precise");

  mpu.set(kPoolRegionNumber, *shut);
  store(block->cpu, 0x600d'0002);
  check_equal(fault.count, 2, "a store into the shut pool faults as well");
  check_equal(fault.pc, instruction_of(store), "at that instruction");
  check_equal(load(block->cpu), 0x600d'0002, "and is done when it is resumed");
  curing = nullptr;

  if (const auto freed = free_coherent(*block); !freed) board::fail(freed.error(), "the block");
}

void check_ownership(cortex_m::Mpu& mpu, const cortex_m::OwningPort& port, const Device& device) {
  alignas(1024) static std::array<std::byte, 2048> memory;
  std::byte* const packet = memory.data();
  store(packet, 0x600d'0003);
  const auto bytes = bytes_at(device, packet, 1024);
  const auto mapped =
      bytes ? map(device, *bytes, Direction::from_device) : std::unexpected{bytes.error()};
  if (!mapped) return board::fail(mapped.error(), "a buffer to lend");
  cure_faults_by(open_lent, mpu);
  const std::uint32_t before = fault.count;

  load(packet + 1024);
  check_equal(fault.count, before, "what lies behind a lent buffer is open");
  check_equal(load(packet + 512), 0, "a load from a buffer that the device has goes on");
  check_equal(fault.count, before + 1, "after a MemManage fault");
  check_equal(fault.address, reinterpret_cast<std::uintptr_t>(packet + 512), "at that address");
  check_equal(fault.pc, instruction_of(load), "and at that instruction");

  check(sync_for_cpu(device, *mapped).has_value(), "the buffer is the CPU's for a while");
  check_equal(load(packet), 0x600d'0003, "who reads what is in it");
  check(sync_for_device(device, *mapped).has_value(), "and the device's again");
  load(packet);
  check_equal(fault.count, before + 2, "to read it now is a fault");
  check(unmap(device, *mapped).has_value(), "the loan ends");
  store(packet, 0x600d'0004);
  check_equal(load(packet), 0x600d'0004, "the buffer is the CPU's");
  check_equal(fault.count, before + 2, "without a fault");

  const auto read_only = map(device, *bytes, Direction::to_device);
  load(packet);
  check_equal(fault.count, before + 2, "what a device only reads may be read");
  store(packet + 512, 0x600d'0005);
  check_equal(fault.count, before + 3, "and to write it is a fault");
  check_equal(fault.address, reinterpret_cast<std::uintptr_t>(packet + 512), "at that address");
  check_equal(fault.pc, instruction_of(store), "and at that instruction");
  check(read_only && unmap(device, *read_only).has_value(), "it is given back");
  check_equal(port.not_enforced(), 0, "no loan went without its region");
  curing = nullptr;
}

}  // namespace an500

/// Opens the region, so that the access, which returning repeats, goes on.
extern "C" [[gnu::used]] void memory_fault(const std::uint32_t* frame) {
  using namespace an500;
  fault.count = fault.count + 1;
  fault.address = armv7m::at(armv7m::kMmfar);
  fault.status = armv7m::at(armv7m::kCfsr);
  fault.pc = frame[6];  // the exception frame: r0 to r3, r12, lr, pc
  armv7m::at(armv7m::kCfsr) = fault.status;
  if (curing == nullptr || fault.count > 8) board::die("MemManage fault at", fault.address);
  cure(*curing);
}

[[gnu::naked]] void on_memory_fault() { asm("mov r0, sp\n\tb memory_fault"); }
