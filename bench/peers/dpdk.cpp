// DPDK's heap over the memory of the pool, and its pool of one size with the processor's cache.
// Both come with their own lock, or need none.
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

#include <cstdio>

#include "bench/peer.hpp"

namespace carveout::bench {
namespace {

/// Without huge pages, devices and files, so that it starts in a container.
bool starts() {
  static const bool started = [] {
    cpu_set_t before;
    ::pthread_getaffinity_np(::pthread_self(), sizeof(before), &before);
    std::array<std::string, 10> words{"bench",
                                      "--no-huge",
                                      "--no-pci",
                                      "--no-shconf",
                                      "--no-telemetry",
                                      "--iova-mode=va",
                                      "-m",
                                      "512",
                                      "--log-level=lib.eal:error",
                                      "--no-hpet"};
    std::array<char*, 10> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
    const bool good = rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) >= 0;
    if (!good) std::fprintf(stderr, "dpdk: no start: %s\n", rte_strerror(rte_errno));
    // It pins this thread, and the others that it starts.
    ::pthread_setaffinity_np(::pthread_self(), sizeof(before), &before);
    return good;
  }();
  return started;
}

class RteMalloc {
 public:
  struct Handle {
    void* at;
    std::uint32_t size_bytes;
  };
  static Handle nothing() { return {}; }

  explicit RteMalloc(const Site& site) : memory_{pool_memory(site.pool)} {
    constexpr std::size_t kPage = 4096;
    if (rte_malloc_heap_create(kHeap) != 0 ||
        rte_malloc_heap_memory_add(kHeap, memory_.data(), memory_.size(), nullptr,
                                   static_cast<unsigned>(memory_.size() / kPage), kPage) != 0) {
      std::fprintf(stderr, "dpdk: no heap: %s\n", rte_strerror(rte_errno));
      std::abort();
    }
    socket_ = rte_malloc_heap_get_socket(kHeap);
  }
  RteMalloc(const RteMalloc&) = delete;
  RteMalloc& operator=(const RteMalloc&) = delete;
  ~RteMalloc() {
    if (rte_malloc_heap_memory_remove(kHeap, memory_.data(), memory_.size()) != 0 ||
        rte_malloc_heap_destroy(kHeap) != 0) {
      std::fprintf(stderr, "dpdk: the heap stays: %s\n", rte_strerror(rte_errno));
      std::abort();
    }
  }

  bool take(Handle& handle, std::uint32_t size_bytes) { return take(handle, size_bytes, 64); }
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t align_bytes) {
    const std::uint32_t rounded = (size_bytes + 63) & ~63U;
    handle = {rte_malloc_socket(nullptr, rounded, std::max(align_bytes, 64U), socket_), rounded};
    return handle.at != nullptr;
  }
  void give_back(const Handle& handle) { rte_free(handle.at); }
  /// An element has a header of two cache lines.
  static std::uint64_t taken_bytes(const Handle& handle) { return handle.size_bytes + 128; }

 private:
  static constexpr const char* kHeap = "carveout-bench";
  std::span<std::byte> memory_;
  int socket_ = 0;
};

class RteMempool {
 public:
  struct Handle {
    void* at;
  };
  static Handle nothing() { return {}; }

  explicit RteMempool(const Site& site)
      : size_bytes_{site.only_size_bytes},
        pool_{rte_mempool_create("carveout-bench", 1023, size_bytes_, 512, 0, nullptr, nullptr,
                                 nullptr, nullptr, SOCKET_ID_ANY, 0)} {
    if (pool_ == nullptr) {
      std::fprintf(stderr, "dpdk: no pool of %u bytes: %s\n", size_bytes_, rte_strerror(rte_errno));
      std::abort();
    }
  }
  RteMempool(const RteMempool&) = delete;
  RteMempool& operator=(const RteMempool&) = delete;
  ~RteMempool() { rte_mempool_free(pool_); }

  bool take(Handle& handle, std::uint32_t /*size_bytes*/) {
    return rte_mempool_get(pool_, &handle.at) == 0;
  }
  void give_back(const Handle& handle) { rte_mempool_put(pool_, handle.at); }
  [[nodiscard]] std::uint64_t taken_bytes(const Handle& /*handle*/) const {
    return pool_->header_size + pool_->elt_size + pool_->trailer_size;
  }

 private:
  std::uint32_t size_bytes_;
  rte_mempool* pool_;
};

[[maybe_unused]] const std::array kEntered{
    enrol<RteMalloc, true, true>(
        {.name = "rte_malloc", .column = 20, .zeroes = true, .opens = starts}),
    enrol<RteMempool>(
        {.name = "rte_mempool", .column = 21, .in_pool = false, .one_size = true, .opens = starts}),
};

}  // namespace
}  // namespace carveout::bench
