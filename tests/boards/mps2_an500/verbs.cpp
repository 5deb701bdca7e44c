// The verbs, call by call, between two addresses that whoever counts instructions looks for: in a
// pool that is full of holes too small for what is asked, in one that is churned, and for a device
// that sees the memory through six windows and has two such pools of its own before it.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "board.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_port/cortex_m.hpp"
#include "tables.hpp"

/// Empty functions, each at an address of its own.
extern "C" {
[[gnu::naked, gnu::noinline]] void counted_begin() { asm("bx lr"); }
[[gnu::naked, gnu::noinline]] void counted_alloc() { asm("bx lr"); }
[[gnu::naked, gnu::noinline]] void counted_free() { asm("bx lr\n\tnop"); }
[[gnu::naked, gnu::noinline]] void counted_map() { asm("bx lr\n\tnop\n\tnop"); }
[[gnu::naked, gnu::noinline]] void counted_unmap() { asm("bx lr\n\tnop\n\tnop\n\tnop"); }
}

namespace an500 {
namespace {

using namespace carveout;

constexpr std::size_t kBlocks = 64;
constexpr TagStore kStore = TagStore::sparse(2 * kBlocks);

constexpr Alias kCountedAliases[]{kAliases[0], kContractAlias};
constexpr PhysRange kFirst{kContractPool.base, kContractPool.size_bytes / 2};
constexpr PhysRange kSecond{PhysAddr{kFirst.base.raw() + kFirst.size_bytes}, kFirst.size_bytes};
constexpr PoolSettings kCountedPools[]{
    {.name = "default", .chunks = {&kPool, 1}, .granule_bytes = 32, .store = kStore},
    {.name = "first", .chunks = {&kFirst, 1}, .granule_bytes = 32, .store = kStore},
    {.name = "second", .chunks = {&kSecond, 1}, .granule_bytes = 32, .store = kStore}};

/// What is lent lies below the pools.
constexpr PhysRange kLent{kMemory[0].base, kPool.base.raw() - kMemory[0].base.raw()};

/// A quarter of the default pool each, in the opposite order and apart, so that no block can lie in
/// two; and the device's own pools.
constexpr std::uint64_t kQuarter = kPool.size_bytes / 4;
constexpr Window quarter(std::uint64_t index) {
  return {.dma = DmaAddr{0x6000'0000 + (3 - index) * 2 * kQuarter},
          .cpu = PhysAddr{kPool.base.raw() + index * kQuarter},
          .size_bytes = kQuarter};
}
constexpr Window kWindows[]{
    quarter(0),
    quarter(1),
    quarter(2),
    quarter(3),
    {.dma = DmaAddr{0x7000'0000},
     .cpu = kContractPool.base,
     .size_bytes = kContractPool.size_bytes},
    {.dma = DmaAddr{0x7800'0000}, .cpu = kLent.base, .size_bytes = kLent.size_bytes}};
constexpr Role kThenDefault[]{Role::default_pool};
constexpr DeviceSettings kCountedDevices[]{{.name = "plain", .coherent_mask = DmaAddr{0xffff'ffff}},
                                           {.name = "windows",
                                            .coherent_mask = DmaAddr{0xffff'ffff},
                                            .translation = Translation::through(kWindows),
                                            .fallback = kThenDefault}};
constexpr setup::BindingRow kBindings[]{{.device = 1, .pool = 1, .settings = {.index = 0}},
                                        {.device = 1, .pool = 2, .settings = {.index = 1}}};
constexpr setup::Tables kCounted{.pools = kCountedPools,
                                 .devices = kCountedDevices,
                                 .bindings = kBindings,
                                 .defaults = kDefaults};

alignas(8) std::array<std::byte, setup::measure(kCounted)> storage;
alignas(4096) std::array<std::byte, 4096> buffer;
using Blocks = std::array<std::optional<Block>, kBlocks>;
Blocks blocks;
std::uint32_t taken;
std::uint32_t refused;

/// Without zeroing, which is linear in the size and counted by nobody here.
void alloc(const Device& device, std::optional<Block>& slot, std::uint32_t size_bytes,
           Options options = {.context = Context::must_not_wait}) {
  options.attributes = Attributes::uninitialized;
  counted_begin();
  const auto block = alloc_coherent(device, size_bytes, options);
  counted_alloc();
  if (block) {
    slot = *block;
    ++taken;
  } else {
    ++refused;
  }
}

void free(std::optional<Block>& slot) {
  if (!slot) return;
  counted_begin();
  const auto freed = free_coherent(*slot);
  counted_free();
  if (!freed) board::fail(freed.error(), "a block");
  slot.reset();
}

void free_all(Blocks& all) {
  for (std::optional<Block>& slot : all) free(slot);
}

void churn(const Device& device) {
  std::uint32_t random = 0x0bad'5eed;
  for (std::uint32_t step = 0; step < 4000; ++step) {
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    std::optional<Block>& slot = blocks[random % kBlocks];
    if (slot) {
      free(slot);
    } else {
      // Short ones and long ones alike: 1 byte to 8 KiB, evenly by their logarithm.
      // Every fourth as Linux aligns it, to the power of two that holds it.
      const std::uint32_t size = 1 + ((random >> 8) & ((1U << (random >> 28) % 14) - 1));
      alloc(device, slot, size,
            {.align_bytes = random % 4 == 0 ? std::bit_ceil(size) : 1,
             .context = Context::must_not_wait});
    }
  }
  free_all(blocks);
}

void fill(const Device& device, Blocks& all, PhysRange pool) {
  const auto part = static_cast<std::uint32_t>(pool.size_bytes / kBlocks);
  for (std::optional<Block>& slot : all) alloc(device, slot, part, {});
}

/// Of the blocks that a pool is full of, every other is given back: no hole is as long as two.
void make_comb(Blocks& all, PhysRange pool) {
  const std::uint64_t part = pool.size_bytes / kBlocks;
  for (std::optional<Block>& slot : all) {
    if (slot && (slot->phys.raw() - pool.base.raw()) / part % 2 == 0) free(slot);
  }
}

/// Requests that no hole is long enough for, plain and aligned.
void ask_for_more(const Device& device, std::uint64_t hole_bytes) {
  std::optional<Block> none;
  for (unsigned i = 0; i < 8; ++i) {
    alloc(device, none, static_cast<std::uint32_t>(hole_bytes) + 1,
          {.align_bytes = i < 4 ? 1U : 4096U, .context = Context::must_not_wait});
  }
  board::check(!none, "no hole holds more than a hole");
}

/// The device's own pools are combs, and at last the default one is, which is asked after them.
void behind_combs(const Device& plain, const Device& device) {
  static Blocks first;
  static Blocks second;
  fill(device, first, kFirst);
  fill(device, second, kSecond);
  make_comb(first, kFirst);
  make_comb(second, kSecond);
  churn(device);
  fill(plain, blocks, kPool);
  make_comb(blocks, kPool);
  ask_for_more(device, 2 * kPool.size_bytes / kBlocks);
  free_all(blocks);
  free_all(second);
  free_all(first);
}

/// One cache line of memory, which is the least.
void lend(const Device& device, Direction direction) {
  const auto bytes = bytes_at(device, buffer.data(), 32);
  if (!bytes) return board::fail(bytes.error(), "bytes");
  counted_begin();
  const auto mapped = map(device, *bytes, direction);
  counted_map();
  if (!mapped) return board::fail(mapped.error(), "bytes are lent");
  counted_begin();
  const auto unmapped = unmap(device, *mapped);
  counted_unmap();
  board::check(unmapped.has_value(), "and taken back");
}

}  // namespace
}  // namespace an500

int board::run() {
  using namespace an500;
  cortex_m::Port port{kMemory};
  const auto system = setup::build(kCounted, {.port = port, .aliases = kCountedAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
    return finish("verbs");
  }
  const Device& plain = *(*system)->device(0);
  const Device& windows = *(*system)->device(1);
  fill(plain, blocks, kPool);
  make_comb(blocks, kPool);
  ask_for_more(plain, 2 * kPool.size_bytes / kBlocks);
  free_all(blocks);
  churn(plain);
  behind_combs(plain, windows);
  for (const Direction direction :
       {Direction::to_device, Direction::from_device, Direction::bidirectional}) {
    lend(plain, direction);
    lend(windows, direction);
  }
  count("blocks taken", taken);
  count("requests refused", refused);
  check(taken > 2000 && refused >= 16, "the pool was used, and was full");
  for (const PoolSettings& pool : kCountedPools) {
    check_equal((*system)->find_pool(pool.name)->usage().used_bytes, 0, "nothing is left in use");
  }
  return finish("verbs");
}
