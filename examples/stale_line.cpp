// A cache that tells the CPU what was, until somebody invalidates the line: the machine model
// alone, without the library's pools.
#include <array>
#include <cstddef>
#include <cstdio>

#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "carveout_sim/machine.hpp"

using carveout::DmaAddr;
using carveout::PhysAddr;
using carveout::Translation;
namespace sim = carveout::sim;

int main() {
  constexpr std::array windows{sim::kOddWindow};

  sim::Machine machine;
  sim::HostPort port{machine};
  sim::DmaEngine device{machine, Translation::through(windows), DmaAddr{0xffff'ffff}};

  std::byte* cached = port.cpu_view({PhysAddr{0x3'5a00'0000}, 64});
  const std::byte first = machine.load(cached);                              // a line comes in
  const auto written = device.fill(DmaAddr{0x4c80'0000}, 64, std::byte{7});  // past the cache
  const std::byte stale = machine.load(cached);                              // still 0
  port.invalidate(cached, 64);
  const std::byte fresh = machine.load(cached);  // 7

  std::printf("%d, then %d, then %d\n", std::to_integer<int>(first), std::to_integer<int>(stale),
              std::to_integer<int>(fresh));
  return written && stale == std::byte{0} && fresh == std::byte{7} ? 0 : 1;
}
