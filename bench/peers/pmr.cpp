// The pools of the C++ library over the memory of the pool. What goes back to the buffer is not
// used again: blocks over the largest pooled size are lost, and so is what one size leaves to
// another.
#include <cstddef>
#include <memory_resource>
#include <new>

#include "bench/peer.hpp"

namespace carveout::bench {
namespace {

class Pmr {
 public:
  struct Handle {
    void* at;
    std::uint32_t size_bytes;
  };
  static Handle nothing() { return {}; }

  explicit Pmr(const Site& site)
      : buffer_{pool_memory(site.pool).data(), pool_memory(site.pool).size(),
                std::pmr::null_memory_resource()},
        pools_{{.max_blocks_per_chunk = 0, .largest_required_pool_block = 256 << 10}, &buffer_} {}

  bool take(Handle& handle, std::uint32_t size_bytes) {
    const std::uint32_t rounded = (size_bytes + 63) & ~63U;
    try {
      handle = {pools_.allocate(rounded, 64), rounded};
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }
  void give_back(const Handle& handle) { pools_.deallocate(handle.at, handle.size_bytes, 64); }
  /// A pool has blocks of a power of two each.
  static std::uint64_t taken_bytes(const Handle& handle) {
    return std::bit_ceil(handle.size_bytes);
  }

 private:
  std::pmr::monotonic_buffer_resource buffer_;
  std::pmr::unsynchronized_pool_resource pools_;
};

[[maybe_unused]] const int kEntered = enrol<Pmr>({.name = "std-pmr", .column = 24});

}  // namespace
}  // namespace carveout::bench
