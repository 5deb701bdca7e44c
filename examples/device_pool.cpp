// A pool of one device's own, declared by its driver: SRAM that nobody else uses, and that the
// device sees from address 0 on.
#include <array>
#include <cstddef>
#include <cstdio>
#include <string_view>

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

  const auto dsp =
      (*system)->add_device({.name = "dsp", .coherent_mask = cv::DmaAddr{0xffff'ffff}});
  if (!dsp) return report(dsp.error());
  const cv::PhysRange sram{cv::PhysAddr{0x3'5a08'0000}, 0x1'0000};
  const auto pool = (*system)->declare({.name = "dsp-sram", .chunks = {&sram, 1}});
  if (!pool) return report(pool.error());
  const cv::Window window{cv::DmaAddr{0}, sram.base, sram.size_bytes};
  const auto bound = (*system)->bind(**dsp, **pool, {.window = window});
  if (!bound) return report(bound.error());

  auto message = cv::alloc_coherent<char[]>(**dsp, 32);
  if (!message) return report(message.error());

  cv::sim::DmaEngine engine{machine, cv::Translation::through({&window, 1}),
                            cv::DmaAddr{0xffff'ffff}};
  constexpr std::string_view kWords = "written at device address 0";
  if (!engine.write(message->dma(), std::as_bytes(std::span{kWords}))) return 1;
  message->observe();
  const std::string_view read{message->plain().data(), kWords.size()};
  std::printf("%.*s: %.*s\n", static_cast<int>(read.size()), read.data(),
              static_cast<int>(message->block().pool->name().size()),
              message->block().pool->name().data());
  return message->dma() == cv::DmaAddr{0} && read == kWords ? 0 : 1;
}
