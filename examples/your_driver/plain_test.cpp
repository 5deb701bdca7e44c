// The driver with its plain pointers, on a machine whose cache is at its worst.
#include <carveout_sim/checker.hpp>
#include <carveout_sim/dma_engine.hpp>
#include <carveout_sim/plain_machine.hpp>
#include <cstdio>
#include <optional>

#include "bsp.h"
#include "driver.h"

namespace sim = carveout::sim;

namespace {

std::optional<sim::PlainMachine> machine;
std::byte request;

carveout::DmaAddr dma_address(const void* at, std::size_t size) {
  const auto phys = machine->phys_of(static_cast<const std::byte*>(at), size);
  return carveout::DmaAddr{phys.value().raw()};  // this device's addresses are the CPU's
}

sim::DmaEngine device() {
  return {*machine, carveout::Translation::identity(), carveout::DmaAddr{~0ULL}};
}

}  // namespace

void dcache_clean(const void* at, std::size_t size) {
  machine->clean(static_cast<const std::byte*>(at), size);
}
void dcache_invalidate(const void* at, std::size_t size) {
  machine->invalidate(static_cast<const std::byte*>(at), size);
}

// The device answers a request with as many bytes of its value and one.
void dma_start_send(const void* from, std::size_t size) {
  device().read(dma_address(from, size), {&request, 1}).value();
}
void dma_start_receive(void* into, std::size_t size) {
  const auto answer = static_cast<std::byte>(std::to_integer<int>(request) + 1);
  device().fill(dma_address(into, size), size, answer).value();
}
void dma_wait() {}

int main() {
  machine.emplace();
  const sim::Checker checker{*machine};  // prints what it finds
  constexpr std::size_t kSize = 64;
  auto* const buffer =
      reinterpret_cast<std::uint8_t*>(machine->cpu_view({machine->alias().cached, kSize}));

  const int sum = ask(buffer, kSize, 1);

  std::printf("the sum is %d, and should be %d\n", sum, static_cast<int>(kSize) * 2);
  return sum == kSize * 2 && checker.count() == 0 ? 0 : 1;
}
