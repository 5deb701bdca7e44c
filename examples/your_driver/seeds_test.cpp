// The same driver with its loads and stores seen one by one, on hardware at its worst and by seed.
#include <carveout_sim/adversary.hpp>
#include <carveout_sim/checker.hpp>
#include <carveout_sim/dma_engine.hpp>
#include <carveout_sim/machine.hpp>
#include <cstdio>
#include <optional>

#include "bsp.h"
#include "driver.h"

namespace sim = carveout::sim;

namespace {

constexpr carveout::PhysAddr kRam{0x3000'0000};
constexpr std::size_t kRamBytes = 4096;
sim::Machine machine{{.ram = {{kRamBytes, kRam, std::nullopt}}}};
std::optional<sim::InFlight> receiving;
std::byte request;

carveout::DmaAddr dma_address(const void* at, std::size_t size) {
  const auto phys = machine.phys_of(static_cast<const std::byte*>(at), size);
  return carveout::DmaAddr{phys.value().raw()};
}

sim::DmaEngine device() {
  return {machine, carveout::Translation::identity(), carveout::DmaAddr{~0ULL}};
}

}  // namespace

std::uint8_t load8(const std::uint8_t* from) { return machine.load(from); }
void store8(std::uint8_t* to, std::uint8_t value) { machine.store(to, value); }
void dcache_clean(const void* at, std::size_t size) {
  machine.clean(static_cast<const std::byte*>(at), size);
}
void dcache_invalidate(const void* at, std::size_t size) {
  machine.invalidate(static_cast<const std::byte*>(at), size);
}
void dma_start_send(const void* from, std::size_t size) {
  machine.cpu(0).publish_barrier();  // which the write to the engine's register is
  device().read(dma_address(from, size), {&request, 1}).value();
}
// It begins here and moves in dma_wait(): what the CPU does in between happens during the transfer.
void dma_start_receive(void* into, std::size_t size) {
  const carveout::DmaRange piece{dma_address(into, size), size};
  receiving = device()
                  .begin_write({&piece, 1},
                               [](std::span<std::byte> burst) {
                                 for (std::byte& each : burst)
                                   each = static_cast<std::byte>(std::to_integer<int>(request) + 1);
                               })
                  .value();
}
void dma_wait() {
  if (receiving) receiving->finish();
}

int main() {
  constexpr std::size_t kSize = 64;
  auto* const buffer = reinterpret_cast<std::uint8_t*>(machine.cached_view({kRam, kSize}));

  const auto found = sim::find_failure(
      [&](sim::Adversary& adversary) {
        machine.reset();
        machine.set_adversary(&adversary);
        return ask(buffer, kSize, 1) == kSize * 2;
      },
      1000);
  if (found) std::fputs(to_text(*found).c_str(), stdout);

  // It follows what a cache may hold, so that it needs no adversary.
  machine.reset();
  const sim::Checker checker{machine};
  ask(buffer, kSize, 1);
  return !found && checker.count() == 0 ? 0 : 1;
}
