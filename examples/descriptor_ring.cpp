// A ring of descriptors that CPU and device hand each other: each copied once, ownership first on
// the way in and last on the way out, byte order stated, and the device's length not believed.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdio>

#include "carveout/carveout.hpp"
#include "carveout/setup/system.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "report.hpp"

namespace cv = carveout;

constexpr std::uint32_t kDevices = 0x8000'0000;
constexpr std::uint32_t kBufferBytes = 1536;
struct Descriptor {
  cv::LittleEndian<std::uint32_t> address;
  cv::LittleEndian<std::uint32_t> status;  // ownership, and a length
};

int main() {
  constexpr std::array kWindows{cv::sim::kOddWindow};
  cv::sim::Machine machine;
  const cv::sim::Checker checker{machine, {.then = cv::sim::OnReport::abort}};
  cv::sim::HostPort port{machine};
  alignas(8) std::array<std::byte, 8192> storage;
  auto system = cv::System::create({.port = port, .aliases = machine.aliases()}, storage);
  if (!system) return report(system.error());
  const cv::PhysRange range{cv::PhysAddr{0x3'5a00'0000}, 0x1'0000};
  const auto pool = (*system)->declare({.name = "dma", .chunks = {&range, 1}});
  const auto eth = (*system)->add_device({.name = "eth",
                                          .coherent_mask = cv::DmaAddr{0xffff'ffff},
                                          .translation = cv::Translation::through(kWindows)});
  if (!pool || !eth || !(*system)->set_default(cv::Role::default_pool, **pool)) return 1;
  cv::sim::DmaEngine card{machine, (*eth)->translation, (*eth)->coherent_mask};

  auto memory = cv::alloc_coherent<Descriptor[]>(**eth, 16, {.align_bytes = 4096});
  if (!memory) return report(memory.error());
  cv::DescriptorRing<&Descriptor::status> ring{std::move(*memory)};
  bool rung = false;
  const cv::DmaAddr buffer{0x4c80'8000};
  ring.write(0, {cv::narrow<std::uint32_t>(buffer), kDevices | kBufferBytes});
  ring.publish([&] { rung = true; });  // a store to the card's register

  const Descriptor hostile{0, 0x7fff'ffff};  // handed back, with a length that cannot be
  if (!card.write(ring.dma(), std::as_bytes(std::span{&hostile, 1}))) return 1;

  const auto taken = ring.take([](auto status) { return (status.value() & kDevices) == 0; });
  if (!taken || !rung) return 1;
  const std::size_t length = cv::clamp(taken->descriptor.status.value(), kBufferBytes);
  std::printf("descriptor %zu: %zu bytes\n", taken->index, length);
  return length == kBufferBytes ? 0 : 1;
}
