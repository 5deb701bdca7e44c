// A driver that uses nothing of Carveout, tested on its machine: a function that receives a packet
// with plain pointers and two cache calls, of which the second can be forgotten.
#include <carveout_sim/checker.hpp>
#include <carveout_sim/dma_engine.hpp>
#include <carveout_sim/plain_machine.hpp>
#include <cstdint>
#include <cstdio>

namespace {

namespace sim = carveout::sim;

sim::PlainMachine* machine;

// What the driver calls, as its board support package has it.
void dcache_invalidate(void* at, std::size_t size) {
  machine->invalidate(static_cast<std::byte*>(at), size);
}
void start_receive(void* into, std::size_t size);

enum class Forgets : std::uint8_t { nothing, invalidate_after };

std::uint8_t receive(std::uint8_t* packet, std::size_t size, Forgets forgets) {
  dcache_invalidate(packet, size);
  start_receive(packet, size);
  if (forgets == Forgets::nothing) dcache_invalidate(packet, size);
  return packet[0];
}

void start_receive(void* into, std::size_t size) {
  const auto phys = machine->phys_of(static_cast<std::byte*>(into), size);
  sim::DmaEngine device{*machine, carveout::Translation::identity(), carveout::DmaAddr{~0ULL}};
  static_cast<void>(device.fill(carveout::DmaAddr{phys->raw()}, size, std::byte{0x42}));
}

std::uint8_t run(Forgets forgets) {
  sim::PlainMachine made;
  machine = &made;
  auto* const packet = reinterpret_cast<std::uint8_t*>(made.cpu_view({made.alias().cached, 64}));
  return receive(packet, 64, forgets);
}

}  // namespace

int main() {
  const int right = run(Forgets::nothing);
  const int wrong = run(Forgets::invalidate_after);
  std::printf("%#x, and %#x without the second invalidate\n", right, wrong);
  return right == 0x42 && wrong == 0 ? 0 : 1;
}
