// The program that tools/code-size.sh measures: it makes a pool, allocates, frees, asks for the
// route and translates an address, and nothing else. It is linked and never run.
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "carveout/map/route.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/port/no_machine.hpp"

namespace carveout::bench {
namespace {

constexpr std::uint64_t kBase = 0x3000'0000;
constexpr std::uint64_t kBytes = 0x1'0000;
constexpr std::uint64_t kGranule = 32;
constexpr std::size_t kBlocks = 64;
constexpr TagStore kStore = TagStore::CARVEOUT_STORE;

NoMachine port;
alignas(RangeAllocator::kStorageAlign)
    std::array<std::byte, kStore.storage_bytes(1, kBytes / kGranule)> storage;

/// What the program asks about comes from here, so that nothing is known in advance.
const Device* volatile device;
volatile std::uint64_t size_bytes;
volatile std::uint64_t result;

}  // namespace

extern "C" void run() {
  const std::array ranges{PhysRange{PhysAddr{kBase}, kBytes}};
  const std::array chunks{Chunk{ranges[0], nullptr, nullptr}};
  auto allocator = RangeAllocator::create(ranges, kGranule, kStore, storage);
  if (!allocator) return;
  Pool pool{
      {.name = "pool", .memory = Memory::coherent, .granule_bytes = kGranule, .chunks = chunks},
      port,
      std::move(*allocator)};
  const Device& asked = *device;
  route(asked, Options{}, [&](const Candidate& candidate) {
    const auto block = pool.take({.size_bytes = size_bytes, .align_bytes = size_bytes},
                                 candidate.reaches, candidate.view);
    if (!block) return Step::next;
    if (const auto dma = asked.to_dma({block->phys, block->size_bytes})) result = dma->raw();
    return pool.give_back(*block) ? Step::stop : Step::next;
  });
}

}  // namespace carveout::bench
