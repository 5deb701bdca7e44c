// A received packet: the buffer is the device's, then a part of it the CPU's, then all of it; and
// who has it is what its type says.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <utility>

#include "carveout/carveout.hpp"
#include "carveout/setup/system.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "carveout_sim/machine.hpp"

namespace cv = carveout;
using cv::Direction;

int main() {
  cv::sim::Machine machine;
  const cv::sim::Checker checker{machine, {.then = cv::sim::OnReport::abort}};
  cv::sim::HostPort port{machine};
  alignas(8) static std::array<std::byte, 4096> storage;
  cv::System& system = **cv::System::create({.port = port, .aliases = machine.aliases()}, storage);

  constexpr std::array ram{cv::PhysRange{cv::PhysAddr{0x3'5a00'0000}, 0x1'0000}};
  constexpr std::array windows{cv::sim::kOddWindow};
  cv::Pool& pool =
      **system.declare({.name = "packets", .memory = cv::Memory::ordinary, .chunks = ram});
  if (!system.set_default(cv::Role::ordinary, pool)) return 1;
  const cv::Device& eth = **system.add_device({.name = "eth",
                                               .coherent_mask = cv::DmaAddr{0xffff'ffff},
                                               .translation = cv::Translation::through(windows),
                                               .quarantine_blocks = 4});
  cv::sim::DmaEngine wire{machine, eth.translation, eth.coherent_mask};

  auto buffer = cv::alloc_stream(eth, 1536);  // the CPU's
  if (!buffer) return 1;
  auto mapping = cv::map<Direction::from_device>(eth, std::move(*buffer));  // the device's
  if (!mapping) return 1;
  if (!wire.fill(mapping->dma(), 1536, std::byte{0x2a})) return 1;  // a packet comes in

  auto header = std::move(*mapping).sync_for_cpu({.offset_bytes = 0, .size_bytes = 14});
  if (!header) return 1;
  const std::byte first = machine.load(header->bytes().data());  // the CPU's, 14 bytes of it

  cv::StreamBuffer packet = std::move(*header).finish();  // the CPU's again, all of it
  const std::byte last = machine.load(packet.bytes().data() + 1535);

  std::printf("the packet begins with %02x and ends with %02x\n", std::to_integer<unsigned>(first),
              std::to_integer<unsigned>(last));
  return first == std::byte{0x2a} && last == first ? 0 : 1;
}
