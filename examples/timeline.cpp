// The picture of a failing run: a receive whose buffer is invalidated before the transfer only.
//
//   timeline [FILE]     writes it, as an image (.svg) or as a page; timeline.html unless told
#include <array>
#include <cstddef>
#include <cstdio>

#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"
#include "carveout_sim/timeline.hpp"

using carveout::Direction;
using carveout::DmaAddr;
using carveout::PhysAddr;
using carveout::PhysRange;
namespace sim = carveout::sim;

namespace {

constexpr std::size_t kPacket = 64;

/// The driver, and the test of it.
bool receives(sim::Adversary& hardware) {
  sim::Machine machine;
  machine.set_adversary(&hardware);
  sim::Checker checker{machine, {.callback = sim::Checker::silent}};
  const sim::Master eth = checker.attach("eth");
  constexpr std::array windows{sim::kOddWindow};
  sim::DmaEngine engine{machine, carveout::Translation::through(windows), DmaAddr{0xffff'ffff},
                        eth};

  const PhysRange packet{PhysAddr{0x3'5a00'0000}, kPacket};
  std::byte* const bytes = machine.cached_view(packet);

  machine.invalidate(bytes, kPacket);
  checker.map(eth, packet, Direction::from_device);
  const auto received = engine.fill(DmaAddr{0x4c80'0000}, kPacket, std::byte{0x2a});
  checker.unmap(eth, packet, Direction::from_device);
  // The line that is missing: machine.invalidate(bytes, kPacket);
  return received && machine.load(bytes) == std::byte{0x2a};
}

}  // namespace

int main(int argc, char** argv) {
  const char* const to = argc > 1 ? argv[1] : "timeline.html";
  if (const auto failing = sim::find_failure(receives, 1000)) {
    sim::write_timeline(to, receives, *failing);
    std::printf("%s: %s", to, to_text(*failing).c_str());
    return 0;
  }
  return 1;
}
