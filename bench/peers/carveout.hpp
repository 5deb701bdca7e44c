// Carveout's own allocator, without a lock; and Carveout's pool, which two processors share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "bench/player.hpp"
#include "carveout/pool/range_allocator.hpp"

namespace carveout::bench {

enum class Tags : std::uint8_t { dense, sparse };

template <Tags kTags>
class Carveout {
 public:
  struct Handle {
    std::uint64_t base;
    std::uint32_t tag;
    std::uint32_t serial;
    std::uint64_t size_bytes;
  };
  static Handle nothing() { return {}; }

  explicit Carveout(const Site& site)
      : chunk_{PhysRange{PhysAddr{0x8000'0000}, site.pool.bytes}},
        storage_(store(site).storage_bytes(1, site.pool.bytes / site.pool.granule_bytes)),
        allocator_{
            *RangeAllocator::create(chunk_, site.pool.granule_bytes, store(site), storage_)} {}

  [[gnu::always_inline]] bool take(Handle& handle, std::uint32_t size_bytes) {
    const auto grant = allocator_.take({.size_bytes = size_bytes}, {&kEverything, 1});
    if (!grant) return false;
    handle = {grant->range.base.raw(), grant->tag, grant->serial, grant->range.size_bytes};
    return true;
  }

  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t align_bytes) {
    const auto grant =
        allocator_.take({.size_bytes = size_bytes, .align_bytes = align_bytes}, {&kEverything, 1});
    if (!grant) return false;
    handle = {grant->range.base.raw(), grant->tag, grant->serial, grant->range.size_bytes};
    return true;
  }

  [[gnu::always_inline]] void give_back(const Handle& handle) {
    if (!allocator_.give_back({PhysAddr{handle.base}, handle.size_bytes}, handle.tag,
                              handle.serial)) {
      std::abort();
    }
  }

  static std::uint64_t taken_bytes(const Handle& handle) { return handle.size_bytes; }
  [[nodiscard]] const RangeAllocator& allocator() const { return allocator_; }
  [[nodiscard]] std::size_t metadata_bytes() const { return storage_.size() + sizeof(allocator_); }

 private:
  static constexpr Reach kEverything{PhysAddr{0}, PhysAddr{~std::uint64_t{0}}, DmaAddr{0}};

  static TagStore store(const Site& site) {
    return kTags == Tags::dense ? TagStore::dense() : TagStore::sparse(site.blocks);
  }

  std::array<PhysRange, 1> chunk_;
  std::vector<std::byte> storage_;
  RangeAllocator allocator_;
};

}  // namespace carveout::bench
