// jemalloc and mimalloc, aligned to a cache line. Each has the whole machine's memory and not a
// pool, so it refuses nothing here. jemalloc is linked under other names (bench/CMakeLists.txt) and
// mimalloc is opened on its own: neither replaces malloc() for anybody else.
#include <dlfcn.h>

#include "bench/peer.hpp"

#if defined(CARVEOUT_BENCH_JEMALLOC)
extern "C" {
void* peer_aligned_alloc(std::size_t align, std::size_t size);
void peer_sdallocx(void* at, std::size_t size, int flags);
std::size_t peer_malloc_usable_size(void* at);
}
#endif

namespace carveout::bench {
namespace {

std::uint32_t rounded(std::uint32_t size_bytes) { return (size_bytes + 63) & ~63U; }

#if defined(CARVEOUT_BENCH_JEMALLOC)

class Jemalloc {
 public:
  struct Handle {
    void* at;
    std::uint32_t size_bytes;
  };
  static Handle nothing() { return {}; }
  explicit Jemalloc(const Site& /*site*/) {}

  bool take(Handle& handle, std::uint32_t size_bytes) {
    handle = {peer_aligned_alloc(64, rounded(size_bytes)), rounded(size_bytes)};
    return handle.at != nullptr;
  }
  void give_back(const Handle& handle) { peer_sdallocx(handle.at, handle.size_bytes, kAlign64); }
  static std::uint64_t taken_bytes(const Handle& handle) {
    return peer_malloc_usable_size(handle.at);
  }

 private:
  static constexpr int kAlign64 = 6;  // MALLOCX_LG_ALIGN(6)
};

[[maybe_unused]] const int kJemalloc =
    enrol<Jemalloc, false, true>({.name = "jemalloc", .column = 22, .in_pool = false});

#endif

class Mimalloc {
 public:
  struct Handle {
    void* at;
  };
  static Handle nothing() { return {}; }
  explicit Mimalloc(const Site& /*site*/) {}

  bool take(Handle& handle, std::uint32_t size_bytes) {
    handle.at = malloc_aligned(rounded(size_bytes), 64);
    return handle.at != nullptr;
  }
  void give_back(const Handle& handle) { free(handle.at); }
  static std::uint64_t taken_bytes(const Handle& handle) { return usable_size(handle.at); }

  static bool opens() {
    void* const library = ::dlopen("libmimalloc.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    malloc_aligned = reinterpret_cast<MallocAligned>(::dlsym(library, "mi_malloc_aligned"));
    free = reinterpret_cast<Free>(::dlsym(library, "mi_free"));
    usable_size = reinterpret_cast<UsableSize>(::dlsym(library, "mi_usable_size"));
    return malloc_aligned != nullptr && free != nullptr && usable_size != nullptr;
  }

 private:
  using MallocAligned = void* (*)(std::size_t, std::size_t);
  using Free = void (*)(void*);
  using UsableSize = std::size_t (*)(const void*);
  static inline MallocAligned malloc_aligned = nullptr;
  static inline Free free = nullptr;
  static inline UsableSize usable_size = nullptr;
};

[[maybe_unused]] const int kMimalloc = enrol<Mimalloc, false, true>(
    {.name = "mimalloc", .column = 23, .in_pool = false, .opens = Mimalloc::opens});

}  // namespace
}  // namespace carveout::bench
