// The verbs, call by call, between two addresses that whoever counts instructions looks for: in a
// pool that is full of holes too small for what is asked, and in one that is churned.
#include <array>
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
constexpr PoolSettings kCountedPools[]{{.name = "default",
                                        .chunks = {&kPool, 1},
                                        .granule_bytes = 32,
                                        .store = TagStore::sparse(2 * kBlocks)}};
constexpr DeviceSettings kCountedDevices[]{
    {.name = "device", .coherent_mask = DmaAddr{0xffff'ffff}}};
constexpr setup::Tables kCounted{
    .pools = kCountedPools, .devices = kCountedDevices, .defaults = kDefaults};

alignas(8) std::array<std::byte, setup::measure(kCounted)> storage;
alignas(4096) std::array<std::byte, 4096> buffer;
std::array<std::optional<Block>, kBlocks> blocks;
std::uint32_t taken;
std::uint32_t refused;

/// Without zeroing, which is linear in the size and counted by nobody here.
void alloc(const Device& device, std::optional<Block>& slot, std::uint32_t size_bytes) {
  constexpr Options kOptions{.attributes = Attributes::uninitialized};
  counted_begin();
  const auto block = alloc_coherent(device, size_bytes, kOptions);
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
      alloc(device, slot, 1 + ((random >> 8) & ((1U << (random >> 28) % 14) - 1)));
    }
  }
  for (std::optional<Block>& slot : blocks) free(slot);
}

/// Of a pool that nobody has used yet: every other of the blocks that it is full of is a hole, and
/// none of these is long enough.
void holes(const Device& device) {
  constexpr std::uint32_t kPart = kPool.size_bytes / kBlocks;
  for (std::optional<Block>& slot : blocks) alloc(device, slot, kPart);
  for (std::size_t i = 0; i < kBlocks; i += 2) free(blocks[i]);
  std::optional<Block> none;
  for (unsigned i = 0; i < 8; ++i) alloc(device, none, kPart + 1);
  board::check(!none, "no hole holds more than a hole");
  for (std::optional<Block>& slot : blocks) free(slot);
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
  const auto system = setup::build(kCounted, {.port = port, .aliases = kAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
    return finish("verbs");
  }
  const Device& device = *(*system)->device(0);
  holes(device);
  churn(device);
  for (const Direction direction :
       {Direction::to_device, Direction::from_device, Direction::bidirectional}) {
    lend(device, direction);
  }
  count("blocks taken", taken);
  count("requests refused", refused);
  check(taken > 1000 && refused >= 8, "the pool was used, and was full");
  check_equal((*system)->find_pool("default")->usage().used_bytes, 0, "nothing is left in use");
  return finish("verbs");
}
