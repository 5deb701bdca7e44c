// The program that tools/code-size.sh measures: it makes a pool, allocates, frees, asks for the
// route and translates an address, and nothing else. It is linked and never run.
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
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
alignas(Pool) std::array<std::byte, sizeof(Pool)> place;

/// What the program asks about comes from here, so that nothing is known in advance.
const Device* volatile device;
volatile std::uint64_t size_bytes;
volatile std::uint64_t result;

/// Apart, so that what makes a pool is not counted with what uses it, however much is inlined.
[[gnu::noipa]] Pool* make_pool() {
  // No std::array: GCC 12 puts one of class type into .data.
  static constexpr Chunk chunks[]{{PhysRange{PhysAddr{kBase}, kBytes}, nullptr, nullptr}};
  const std::array ranges{chunks[0].range};
  auto allocator = RangeAllocator::create(ranges, kGranule, kStore, storage);
  if (!allocator) return nullptr;
  return ::new (static_cast<void*>(place.data())) Pool{
      {.name = "pool", .memory = Memory::coherent, .granule_bytes = kGranule, .chunks = chunks},
      port,
      std::move(*allocator)};
}

// The verbs, as a caller has them of whom nothing is known, each with whatever is inlined into it.
[[gnu::noipa]] std::optional<Error> verb_route(const Device& asker, const Options& options,
                                               CandidateSink each) {
  return route(asker, options, each);
}
[[gnu::noipa]] Result<Block> verb_alloc(Pool& pool, const Need& need, const Candidate& candidate) {
  return pool.take(need, candidate.reaches, candidate.view);
}
[[gnu::noipa]] std::optional<DmaAddr> verb_translate(const Device& asker, PhysRange range) {
  return asker.to_dma(range);
}
[[gnu::noipa]] Result<void> verb_free(Pool& pool, const Block& block) {
  return pool.give_back(block);
}

}  // namespace

extern "C" void run() {
  Pool* const pool = make_pool();
  if (pool == nullptr) return;
  const Device& asked = *device;
  verb_route(asked, Options{}, [&](const Candidate& candidate) {
    const auto block =
        verb_alloc(*pool, {.size_bytes = size_bytes, .align_bytes = size_bytes}, candidate);
    if (!block) return Step::next;
    if (const auto dma = verb_translate(asked, {block->phys, block->size_bytes})) {
      result = dma->raw();
    }
    return verb_free(*pool, *block) ? Step::stop : Step::next;
  });
}

}  // namespace carveout::bench
