// Firmware on tables that were made of board.dts while it was built. Nothing of a device tree is
// linked. On a host there is no memory at these addresses: who gets what is asked, not used.
#include <carveout_tables.hpp>

#include <array>
#include <carveout/ops/coherent.hpp>
#include <carveout/port/no_machine.hpp>
#include <cstddef>
#include <cstdio>

namespace {

alignas(8) std::array<std::byte, board::kStorageBytes> storage;

}  // namespace

int main() {
  carveout::NoMachine port;
  const auto system = carveout::setup::build(
      board::kTables, {.port = port, .described_only = true, .assume_uncached_view = true}, storage,
      [](const carveout::Failure&) { std::puts("a row was refused"); });
  if (!system) return 1;
  const carveout::Device& ethernet = *(*system)->device(board::device_ethernet0);
  const auto taken = carveout::take_by_route(ethernet, 1536, {}, [](const carveout::Candidate&) {});
  if (!taken || !taken->block) return 1;
  std::printf("1536 bytes of %s, at 0x%llx for the device\n",
              board::kPools[board::pool_buffers_20080000].name.data(),
              static_cast<unsigned long long>(taken->block->dma.raw()));
  return taken->block->dma == carveout::DmaAddr{0x8'0000} ? 0 : 1;
}
