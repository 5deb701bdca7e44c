// A pool put together by hand, for tests of floors that know nothing of a System.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/pool/pool.hpp"
#include "carveout/pool/range_allocator.hpp"
#include "carveout/port/no_machine.hpp"

namespace carveout::test {

/// The views that the CPU has of a made pool. The pointers are good for comparing only.
enum class Views : std::uint8_t { both, uncached_only, cached_only, none };

class MadePool {
 public:
  MadePool(std::string name, Memory memory, PhysRange range, Views views = Views::both)
      : name_{std::move(name)},
        chunks_{
            Chunk{.range = range,
                  .uncached = views == Views::both || views == Views::uncached_only ? bytes_.data()
                                                                                    : nullptr,
                  .cached = views == Views::both || views == Views::cached_only ? bytes_.data() + 1
                                                                                : nullptr}},
        storage_(RangeAllocator::storage_bytes(1, kBlocks) / sizeof(std::uint64_t) + 1),
        pool_{Pool::Settings{
                  .name = name_, .memory = memory, .granule_bytes = kGranule, .chunks = chunks_},
              port(), allocator(range)} {}
  MadePool(const MadePool&) = delete;
  MadePool& operator=(const MadePool&) = delete;

  [[nodiscard]] Pool* get() { return &pool_; }
  [[nodiscard]] std::string_view name() const { return name_; }

  static constexpr std::uint64_t kGranule = 64;

 private:
  static constexpr std::size_t kBlocks = 4;

  static PortRef port() {
    static NoMachine the_port;
    return the_port;
  }

  RangeAllocator allocator(PhysRange range) {
    auto made = RangeAllocator::create(std::span{&range, 1}, kGranule, kBlocks,
                                       std::as_writable_bytes(std::span{storage_}));
    if (!made) throw std::invalid_argument{"a test's pool is malformed"};
    return std::move(*made);
  }

  std::string name_;
  std::array<std::byte, 2> bytes_{};
  std::array<Chunk, 1> chunks_;
  std::vector<std::uint64_t> storage_;
  Pool pool_;
};

}  // namespace carveout::test
