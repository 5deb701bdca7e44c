// Carveout's pool as two processors share it: a lock, and a slot for each processor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "bench/peer.hpp"
#include "bench/peers/carveout.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/port/locks.hpp"
#include "carveout/port/no_machine.hpp"
#include "carveout/port/port.hpp"

namespace carveout::bench {

/// A processor without caches between it and the memory, and without interrupts.
class BarePort : public NoMachine {
 public:
  LockState lock(LockWord& word) noexcept { return lock_.lock(word); }
  void unlock(LockWord& word, LockState state) noexcept { lock_.unlock(word, state); }
  static std::uint32_t processor() noexcept { return this_processor; }

 private:
  NoInterrupts interrupts_;
  carveout::SpinLock<NoInterrupts> lock_{interrupts_};
};

template <Tags kTags>
class CarveoutPool {
 public:
  using Handle = Block;
  static Handle nothing() {
    return {.cpu = nullptr,
            .dma = DmaAddr{0},
            .phys = PhysAddr{0},
            .size_bytes = 0,
            .pool = nullptr,
            .tag = 0,
            .serial = 0};
  }

  explicit CarveoutPool(const Site& site)
      : chunk_{PhysRange{PhysAddr{0x8000'0000}, site.pool.bytes}},
        chunks_{Chunk{.range = chunk_.front(), .uncached = nullptr, .cached = nullptr}},
        storage_((store(site).storage_bytes(1, site.pool.bytes / site.pool.granule_bytes) + 7) / 8),
        pool_{{.name = "bench",
               .memory = Memory::coherent,
               .granule_bytes = site.pool.granule_bytes,
               .chunks = chunks_},
              port_,
              *RangeAllocator::create(chunk_, site.pool.granule_bytes, store(site),
                                      std::as_writable_bytes(std::span{storage_}))} {}

  bool take(Handle& handle, std::uint32_t size_bytes) {
    const auto block = pool_.take({.size_bytes = size_bytes}, {&kEverything, 1}, View::uncached);
    if (!block) return false;
    handle = *block;
    return true;
  }
  void give_back(const Handle& handle) {
    if (!pool_.give_back(handle)) std::abort();
  }
  static std::uint64_t taken_bytes(const Handle& handle) { return handle.size_bytes; }

 private:
  static constexpr Reach kEverything{PhysAddr{0}, PhysAddr{~std::uint64_t{0}}, DmaAddr{0}};

  static TagStore store(const Site& site) {
    // A slot for each processor may hold a block besides those that live.
    const StoreWithSerials one =
        kTags == Tags::dense ? TagStore::dense() : TagStore::sparse(site.blocks + 2);
    return one.for_processors(2);
  }

  BarePort port_;
  std::array<PhysRange, 1> chunk_;
  std::array<Chunk, 1> chunks_;
  std::vector<std::uint64_t> storage_;
  Pool pool_;
};

}  // namespace carveout::bench
