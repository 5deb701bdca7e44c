#include "carveout/hosted/memory_resource.hpp"

#include <algorithm>
#include <cstdint>

#include "carveout/core/assert.hpp"
#include "carveout/ops/coherent.hpp"

namespace carveout::hosted {
namespace {

void free_own(const Block& block) {
  const auto freed = free_coherent(block);
  CARVEOUT_ASSERT(freed.has_value());  // nobody else has it
}

}  // namespace

DeviceMemory::~DeviceMemory() {
  for (const auto& [first, block] : blocks_) free_own(block);
}

std::optional<DmaAddr> DeviceMemory::dma_of(const void* at) const {
  const auto* const byte = static_cast<const std::byte*>(at);
  const auto found = blocks_.lower_bound(byte);  // the last that begins at it or before
  if (found == blocks_.end()) return std::nullopt;
  const Block& block = found->second;
  const auto offset = static_cast<std::uint64_t>(byte - block.cpu);
  if (offset >= block.size_bytes) return std::nullopt;
  return DmaAddr{block.dma.raw() + offset};
}

void* DeviceMemory::do_allocate(std::size_t bytes, std::size_t alignment) {
  Options options = options_;
  options.align_bytes = std::max<std::uint64_t>(options.align_bytes, alignment);
  const auto block = alloc_coherent(*device_, std::max<std::size_t>(bytes, 1), options);
  if (!block) {
    why_ = block.error();
    throw std::bad_alloc{};
  }
  // Opaque memory has no place for a container; and the alignment holds for the device.
  if (block->cpu == nullptr || reinterpret_cast<std::uintptr_t>(block->cpu) % alignment != 0) {
    why_ = Failure{.code = block->cpu == nullptr ? Error::no_uncached_view : Error::bad_alignment,
                   .pool = block->pool->name(),
                   .asked_bytes = bytes,
                   .stated = alignment};
    free_own(*block);
    throw std::bad_alloc{};
  }
  try {
    blocks_.emplace(block->cpu, *block);
  } catch (...) {
    why_.reset();
    free_own(*block);
    throw;
  }
  return block->cpu;
}

void DeviceMemory::do_deallocate(void* at, std::size_t /*bytes*/, std::size_t /*alignment*/) {
  const auto found = blocks_.find(static_cast<const std::byte*>(at));
  CARVEOUT_ASSERT(found != blocks_.end());  // a container gives back what it was given
  free_own(found->second);
  blocks_.erase(found);
}

}  // namespace carveout::hosted
