// Random boards and random requests: whatever is granted lies where the rules allow it, and nobody
// else has it.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::kCachedRam;
using test::kUncachedRam;
using test::SimBoard;

/// A number from `low` on, below `high`; from the first test on as random as in the last.
std::uint64_t number(std::uint64_t low, std::uint64_t high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high));
}
bool coin() { return number(0, 2) == 1; }
template <class T>
T one_of(std::initializer_list<T> choices) {
  return *(choices.begin() + number(0, choices.size()));
}

constexpr std::uint64_t kSlot = 0x1'0000;  ///< each pool lies in one, so that pools never overlap
constexpr std::uint64_t kSlots = test::kRamBytes / kSlot;

/// An address of the RAM, on either side of its alias.
PhysAddr on_some_side(std::uint64_t offset) {
  return PhysAddr{(coin() ? kCachedRam : kUncachedRam).raw() + offset};
}

struct Live {
  Block block;
  const Device* device;
};

class RandomBoard {
 public:
  RandomBoard() {
    make_pools();
    make_devices();
  }

  void step() {
    if (!live_.empty() && number(0, 3) == 0) {
      free_one();
    } else {
      allocate();
    }
    check_usage();
  }

 private:
  void make_pools() {
    const auto count = number(1, 7);
    for (std::uint64_t i = 0; i < count; ++i) {
      names_.push_back("pool" + std::to_string(i));
      const std::uint64_t begin = number(0, kSlot / 2);
      const PhysRange range{on_some_side(i * kSlot + begin), number(0x1000, kSlot - begin + 1)};
      const auto memory = one_of({Memory::coherent, Memory::coherent, Memory::contiguous,
                                  Memory::ordinary, Memory::bounce});
      const std::uint64_t granule = one_of<std::uint64_t>({0, 32, 128, 1024});
      Pool& pool =
          board_.pool(names_.back(), range, memory, granule, TagStore::sparse(number(1, 20)));
      pools_.push_back(&pool);
      if (number(0, 4) == 0) continue;
      for (const Role role : {Role::atomic, Role::default_pool, Role::contiguous_default,
                              Role::contiguous_node, Role::ordinary}) {
        // A role that is taken, or not of this kind, is refused, and that is right.
        static_cast<void>(board_.system->set_default(role, pool, 1));
      }
    }
  }

  void make_devices() {
    const auto count = number(1, 4);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::vector<Window> windows;
      for (std::uint64_t k = number(1, 4); k > 0; --k) {
        // Most windows show one side whole, and most keep the alignment; the others are odd.
        const bool whole = number(0, 3) != 0;
        const std::uint64_t offset = whole ? 0 : number(0, kSlots) * kSlot + 32 * number(0, 3);
        const std::uint64_t size =
            std::min(whole ? test::kRamBytes : number(1, 8) * kSlot, test::kRamBytes - offset);
        const DmaAddr dma{k * 0x1000'0000 + (coin() ? 0 : 32 * number(0, 0x100))};
        windows.push_back({dma, on_some_side(offset), size});
      }
      const auto mask = one_of({~std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0xffff'ffff},
                                std::uint64_t{0x2000'0fff}, std::uint64_t{0x1001'0000}});
      names_.push_back("device" + std::to_string(i));
      Device& device =
          board_.device(names_.back(), {.windows = windows,
                                        .mask = DmaAddr{mask},
                                        .coherent = number(0, 4) == 0,
                                        .numa_node = static_cast<std::uint32_t>(number(0, 3))});
      devices_.push_back(&device);
      for (std::uint32_t index = 0; index < number(0, 2); ++index) {
        // A pool out of reach is refused; the device is then barred from others, which is checked.
        static_cast<void>(
            board_.system->bind(device, *pools_[number(0, pools_.size())], {.index = index}));
      }
    }
  }

  void allocate() {
    const Device& device = *devices_[number(0, devices_.size())];
    Options options{.align_bytes = std::uint64_t{1} << number(0, coin() ? 13 : 6),
                    .attributes = static_cast<Attributes>(coin() ? 0 : number(0, 16)),
                    .context = coin() ? Context::may_wait : Context::must_not_wait};
    if (number(0, 4) == 0) options.boundary_bytes = std::uint64_t{1} << number(4, 15);
    if (number(0, 8) == 0) options.pool.index = static_cast<std::uint32_t>(number(0, 3));
    const std::uint64_t size_bytes = number(1, number(0, 4) == 0 ? 0x8000 : 0x400);

    const auto block = alloc_coherent(device, size_bytes, options);
    if (!block) return;
    check_route(*block, device, options);
    check_place(*block, device, size_bytes, options);
    check_pointer(*block, device, options);
    check_nobody_else_has(*block);
    live_.push_back({*block, &device});
  }

  /// The pool is the first that applies; only own pools stand in for each other.
  static void check_route(const Block& block, const Device& device, const Options& options) {
    bool allowed = false;
    const auto error = route(device, options, [&](const Candidate& candidate) {
      if (candidate.verdict != Verdict::open) return Step::next;
      allowed = candidate.pool == block.pool;
      return allowed || candidate.role != Role::device ? Step::stop : Step::next;
    });
    RC_ASSERT(!error);
    RC_ASSERT(allowed);
  }

  void check_place(const Block& block, const Device& device, std::uint64_t size_bytes,
                   const Options& options) const {
    const PhysRange range{block.phys, block.size_bytes};
    const std::uint64_t granule = block.pool->granule_bytes();
    RC_ASSERT(block.size_bytes >= size_bytes);
    RC_ASSERT(block.size_bytes < size_bytes + granule);
    RC_ASSERT(block.phys.raw() % granule == 0U);
    RC_ASSERT(std::ranges::any_of(block.pool->chunks(),
                                  [&](const Chunk& chunk) { return chunk.range.contains(range); }));
    RC_ASSERT(block.dma.raw() % options.align_bytes == 0U);
    if (options.boundary_bytes != 0) {
      RC_ASSERT(block.dma.raw() / options.boundary_bytes ==
                (block.dma.raw() + size_bytes - 1) / options.boundary_bytes);
    }
    const DmaRange at_device{block.dma, block.size_bytes};
    RC_ASSERT(!at_device.wraps());
    RC_ASSERT(at_device.last() <= device.coherent_mask);
    RC_ASSERT(std::ranges::any_of(device.translation.windows(), [&](const Window& window) {
      return window.cpu_range().contains(range) && window.to_dma(block.phys) == block.dma;
    }));
  }

  /// Zeroed, unless that was not wanted; past the cache where the device does not see the cache.
  void check_pointer(const Block& block, const Device& device, const Options& options) {
    if (has(options.attributes, Attributes::no_cpu_mapping)) {
      RC_ASSERT(block.cpu == nullptr);
      return;
    }
    const bool cached = block.cpu == block.pool->pointer(block, View::cached);
    RC_ASSERT(cached != (block.cpu == block.pool->pointer(block, View::uncached)));
    const bool may_be_cached = device.coherent || has(options.attributes, Attributes::non_coherent);
    RC_ASSERT(!cached || (may_be_cached && block.pool->memory() != Memory::coherent));
    Bytes bytes(block.size_bytes);
    board_.machine.read(block.cpu, bytes);
    if (!has(options.attributes, Attributes::uninitialized)) {
      RC_ASSERT(bytes == Bytes(block.size_bytes));
    }
    // For the next owner to find, if somebody forgets to zero.
    std::ranges::fill(bytes, std::byte{0xd7});
    board_.machine.write(block.cpu, bytes);
  }

  void check_nobody_else_has(const Block& block) const {
    for (const Live& other : live_) {
      RC_ASSERT(!share_bytes(board_.machine.aliases(), {block.phys, block.size_bytes},
                             {other.block.phys, other.block.size_bytes}));
    }
  }

  void free_one() {
    const auto at = live_.begin() + static_cast<std::ptrdiff_t>(number(0, live_.size()));
    RC_ASSERT(free_coherent(at->block).has_value());
    RC_ASSERT(!free_coherent(at->block));
    live_.erase(at);
  }

  void check_usage() const {
    std::map<const Pool*, std::pair<std::uint64_t, std::uint32_t>> used;
    for (const Live& live : live_) {
      used[live.block.pool].first += live.block.size_bytes;
      ++used[live.block.pool].second;
    }
    for (const Pool* pool : pools_) {
      RC_ASSERT(pool->usage().used_bytes == used[pool].first);
      RC_ASSERT(pool->usage().blocks == used[pool].second);
    }
  }

  SimBoard board_;
  std::deque<std::string> names_;
  std::vector<Pool*> pools_;
  std::vector<Device*> devices_;
  std::vector<Live> live_;
};

RC_GTEST_PROP(AnyBoard, GrantsOnlyWhatTheRulesAllow, ()) {
  RandomBoard board;
  const auto steps = number(1, 60);
  for (std::uint64_t i = 0; i < steps; ++i) board.step();
}

}  // namespace
}  // namespace carveout
