// A device that reaches one corner of memory only: what is mapped for it elsewhere is copied
// through a bounce pool in that corner, and nobody has to know.
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>

#include "carveout/carveout.hpp"
#include "carveout/setup/system.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "report.hpp"

namespace cv = carveout;

int main() {
  cv::sim::Machine machine;  // its RAM: 1 MiB from 0x3'5a00'0000, and past the cache
  const cv::sim::Checker checker{machine, {.then = cv::sim::OnReport::abort}};
  cv::sim::HostPort port{machine};
  alignas(8) std::array<std::byte, 8192> storage;
  auto system = cv::System::create({.port = port, .aliases = machine.aliases()}, storage);
  if (!system) return report(system.error());

  const cv::PhysRange corner{cv::PhysAddr{0x3'5a0f'0000}, 0x1000};
  const auto pool =
      (*system)->declare({.name = "bounce", .memory = cv::Memory::bounce, .chunks = {&corner, 1}});
  if (!pool) return report(pool.error());
  const cv::Window window{cv::DmaAddr{0x10'0000}, corner.base, corner.size_bytes};
  const auto sd = (*system)->add_device({.name = "sd",
                                         .coherent_mask = cv::DmaAddr{0x00ff'ffff},
                                         .translation = cv::Translation::through({&window, 1})});
  if (!sd || !(*system)->set_default(cv::Role::bounce, **pool)) return 1;

  // Memory of the program's, far from the corner, as the CPU wrote it through its cache.
  const cv::PhysRange far{cv::PhysAddr{0x3'5a00'0000}, 64};
  std::byte* const bytes = machine.cpu_view(far);
  const std::string block = "a block for the card";
  machine.write(bytes, std::as_bytes(std::span{block}));

  const auto mapped = cv::map(**sd, {.cpu = bytes, .phys = far.base, .size_bytes = block.size()},
                              cv::Direction::to_device);
  if (!mapped) return report(mapped.error());

  cv::sim::DmaEngine card{machine, (*sd)->translation, (*sd)->coherent_mask};
  std::string seen(block.size(), ' ');
  if (!card.read(mapped->dma, std::as_writable_bytes(std::span{seen}))) return 1;
  if (const auto ended = cv::unmap(**sd, *mapped); !ended) return report(ended.error());
  std::printf("%s, at 0x%llx\n", seen.c_str(), static_cast<unsigned long long>(mapped->dma.raw()));
  return seen == block && window.dma_range().contains(mapped->dma) ? 0 : 1;
}
