// The default pool of a board without an MMU, stated in tables, and a driver's first coherent
// memory. On a laptop the machine model stands in for the board; on the board, its port does.
#include <array>
#include <cstdint>
#include <cstdio>

#include "carveout/carveout.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_sim/host_port.hpp"
#include "carveout_sim/machine.hpp"
#include "report.hpp"

namespace cv = carveout;

namespace board {

// The facts of the board; `measure` adds up the storage at compile time. C arrays, because GCC 12
// puts a constexpr std::array of objects like these into RAM.
constexpr cv::PhysRange kDmaMemory[]{{cv::PhysAddr{0xc1f0'0000}, 0x10'0000}};
constexpr cv::PoolSettings kPools[]{{.name = "dma", .chunks = kDmaMemory}};
constexpr cv::DeviceSettings kDevices[]{
    {.name = "ethernet", .coherent_mask = cv::DmaAddr{0xffff'ffff}}};
constexpr cv::setup::DefaultRow kDefaults[]{{.role = cv::Role::default_pool, .pool = 0}};
constexpr cv::setup::Tables kTables{.pools = kPools, .devices = kDevices, .defaults = kDefaults};

// An MPU region makes the pool uncached at its one address.
constexpr cv::Alias kAliases[]{{.cached = cv::PhysAddr{0xc1f0'0000},
                                .uncached = cv::PhysAddr{0xc1f0'0000},
                                .size_bytes = 0x10'0000}};

alignas(8) std::array<std::byte, cv::setup::measure(kTables)> storage;

}  // namespace board

struct Descriptor {
  std::uint32_t buffer;
  std::uint32_t length_bytes;
};

int main() {
  const cv::sim::Ram sdram{.size_bytes = 0x200'0000,
                           .cached = cv::PhysAddr{0xc000'0000},
                           .uncached = cv::PhysAddr{0xc000'0000}};
  cv::sim::Machine machine{{.ram = {sdram}}};
  cv::sim::HostPort port{machine};

  auto system =
      cv::setup::build(board::kTables, {.port = port, .aliases = board::kAliases}, board::storage,
                       [](const cv::Failure& refused) { report(refused); });
  if (!system) return report(system.error());
  const cv::Device& ethernet = *(*system)->find_device("ethernet");

  auto ring = cv::alloc_coherent<Descriptor[]>(ethernet, 16, {.align_bytes = 4096});
  if (!ring) return report(ring.error());
  ring->store(0, {.buffer = 0, .length_bytes = 1536});

  std::printf("a ring of %zu descriptors at device address 0x%llx\n", ring->size(),
              static_cast<unsigned long long>(ring->dma().raw()));
}
