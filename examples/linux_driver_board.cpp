// The board under linux_driver.c: a modelled machine, and a network card that writes packets.
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "carveout/setup/system.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "linux_driver.h"
namespace cv = carveout;
namespace {
cv::sim::Machine machine;  // its RAM: 1 MiB from 0x3'5a00'0000, and past the cache
const cv::sim::Checker checker{machine, {.then = cv::sim::OnReport::abort}};
cv::sim::HostPort cpu{machine};
constexpr std::array kWindows{cv::sim::kOddWindow};
cv::sim::DmaEngine card{machine, cv::Translation::through(kWindows), cv::DmaAddr{0xffff'ffff}};
cv::DmaAddr ring{0};
std::string received;
}  // namespace
int main() {
  std::vector<std::byte> storage(16384);
  auto system = cv::System::create({.port = cpu, .aliases = machine.aliases()}, storage);
  const cv::PhysRange range{cv::PhysAddr{0x3'5a00'0000}, 0x1000};
  auto pool = (*system)->declare({.name = "dma", .chunks = {&range, 1}});
  const auto eth = (*system)->add_device({.name = "eth",
                                          .coherent_mask = cv::DmaAddr{0xffff'ffff},
                                          .translation = cv::Translation::through(kWindows)});
  if (!eth || !(*system)->set_default(cv::Role::default_pool, **pool)) return 1;
  carveout_linux_limits limits{};
  limits.live = 8;
  std::vector<std::byte> face(carveout_linux_storage_bytes(&limits));
  struct device dev{};
  struct nic nic{};
  if (carveout_linux_init(**system, limits, face.data(), face.size()) != 0 ||
      carveout_linux_device(&dev, "eth") != 0)
    return 1;
  nic.dev = &dev;
  nic.tell_ring = [](struct nic*, dma_addr_t dma) { ring = cv::DmaAddr{dma}; };
  nic.receive = [](struct nic*, const void* data, unsigned len) {
    received.resize(len);  // what the CPU reads, through the model's cache
    machine.read(static_cast<const std::byte*>(data), std::as_writable_bytes(std::span{received}));
  };
  constexpr std::size_t kBytes = NIC_BUF;
  auto* const memory = machine.cpu_view({cv::PhysAddr{0x3'5a00'8000}, NIC_RING * kBytes});
  for (std::size_t i = 0; i < NIC_RING; ++i)
    nic.bufs[i] = reinterpret_cast<unsigned char*>(memory + i * kBytes);
  if (nic_probe(&nic) != 0) return 1;
  nic_desc first{};  // the card fetches a descriptor, writes a packet and hands back
  const std::string_view packet = "received by a driver for Linux";
  if (!card.read(ring, std::as_writable_bytes(std::span{&first, 1}))) return 1;
  if (!card.write(cv::DmaAddr{first.addr}, std::as_bytes(std::span{packet}))) return 1;
  first.status = static_cast<std::uint32_t>(packet.size());
  if (!card.write(ring, std::as_bytes(std::span{&first, 1}))) return 1;
  nic_interrupt(&nic);
  nic_remove(&nic);
  std::printf("%s\n", received.c_str());
  return received == packet && carveout_linux_exit() == 0 ? 0 : 1;
}
