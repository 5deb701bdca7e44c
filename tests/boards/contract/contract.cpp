#include "contract.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "board.hpp"
#include "carveout/core/endian.hpp"
#include "carveout/ops/buffer.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/setup/system.hpp"
#include "interrupts.hpp"

namespace contract {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;
using board::check_refused;

/// What the bus of the suite's device adds: neither the CPU's address nor the physical one.
constexpr std::uint64_t kOffset = 0x20'0000;
constexpr std::uint64_t kGranule = 1024;

alignas(8) std::array<std::byte, 8192> storage;

bool all(std::span<const std::byte> bytes, std::byte value) {
  return std::ranges::all_of(bytes, [&](std::byte byte) { return byte == value; });
}

// ---- the port's own obligations -----------------------------------------------------------------

void check_port(const Board& board) {
  const PortRef port = board.port;
  const std::size_t line = port.cache_line_bytes();
  check(std::has_single_bit(line), "the cache line is a power of two");
  check_equal(port.cache_line_bytes(), line, "and stays what it is");

  const auto views = views_of(board.aliases, board.pool);
  if (!check(views.has_value(), "an alias holds the pool")) return;
  std::byte* const uncached = port.cpu_view(views->uncached);
  std::byte* const cached = port.cpu_view(views->cached);
  if (!check(uncached != nullptr && cached != nullptr, "the CPU has a view of each side")) return;

  constexpr std::size_t kBytes = 256;
  const std::span<std::byte> beside{uncached + kBytes, kBytes};
  std::ranges::fill(beside, std::byte{0x44});
  std::fill_n(cached, kBytes, std::byte{0x11});
  port.clean(cached, kBytes);
  check(all({uncached, kBytes}, std::byte{0x11}), "what was cleaned is there past the cache");
  std::fill_n(uncached, kBytes, std::byte{0x22});
  port.full_barrier();
  port.invalidate(cached, kBytes);
  check(all({cached, kBytes}, std::byte{0x22}), "after an invalidate the cache has what is there");
  std::fill_n(cached, kBytes, std::byte{0x33});
  port.clean_invalidate(cached, kBytes);
  check(all({uncached, kBytes}, std::byte{0x33}), "clean_invalidate loses nothing");
  check(all(beside, std::byte{0x44}), "and nothing beside the range has changed");
}

void check_lock(PortRef port) {
  LockWord outer{};
  LockWord inner{};
  const bool before = board::interrupts_masked();
  board::mask_interrupts(false);
  const LockState state = port.lock(outer);
  const bool while_locked = board::interrupts_masked();
  const LockState again = port.lock(inner);
  port.unlock(inner, again);
  const bool still_locked = board::interrupts_masked();
  port.unlock(outer, state);
  const bool unlocked = !board::interrupts_masked();
  board::mask_interrupts(true);
  port.unlock(outer, port.lock(outer));
  const bool left_alone = board::interrupts_masked();
  board::mask_interrupts(before);
  check(while_locked, "the lock holds interrupts off");
  check(still_locked, "and goes on to after an inner lock has ended");
  check(unlocked, "afterwards they come again");
  check(left_alone, "but not where they had been masked before");
}

void check_byte_order() {
  constexpr std::uint32_t kValue = 0x0102'0304;
  const auto little =
      std::bit_cast<std::array<std::uint8_t, 4>>(LittleEndian<std::uint32_t>{kValue});
  const auto big = std::bit_cast<std::array<std::uint8_t, 4>>(BigEndian<std::uint32_t>{kValue});
  check(little[0] == 4 && little[3] == 1, "a little-endian field has its low byte first");
  check(big[0] == 1 && big[3] == 4, "a big-endian field has its high byte first");
}

// ---- coherent memory ----------------------------------------------------------------------------

struct Setup {
  System* system;
  Pool* pool;
  const Device* device;
};

std::optional<Setup> set_up(const Board& board) {
  const auto system = System::create(
      {.port = board.port, .aliases = board.aliases, .granule_bytes = kGranule}, storage);
  if (!system) {
    board::fail(system.error(), "a System");
    return std::nullopt;
  }
  const auto pool = (*system)->declare({.name = "contract", .chunks = {&board.pool, 1}});
  const Window window{DmaAddr{board.pool.base.raw() + kOffset}, board.pool.base,
                      board.pool.size_bytes};
  const auto device = (*system)->add_device({.name = "device",
                                             .coherent_mask = DmaAddr{UINT64_MAX},
                                             .translation = Translation::through({&window, 1})});
  if (!check(pool && device, "a pool and a device")) return std::nullopt;
  const auto role = (*system)->set_default(Role::default_pool, **pool);
  if (!check(role.has_value(), "the pool is the default")) return std::nullopt;
  return Setup{*system, *pool, *device};
}

void check_blocks(const Setup& setup, const Board& board) {
  const auto block = alloc_coherent(*setup.device, 1000);
  if (!block) return board::fail(block.error(), "a block");
  check_equal(block->dma.raw(), block->phys.raw() + kOffset, "its device address is the window's");
  check(board.pool.contains({block->phys, block->size_bytes}), "it lies in the pool");
  check_equal(block->size_bytes, kGranule, "it is whole granules");
  check(all({block->cpu, kGranule}, std::byte{0}), "it is zeroed, whatever was there before");
  std::fill_n(block->cpu, kGranule, std::byte{0xaa});

  const auto second = alloc_coherent(*setup.device, 1);
  if (!second) return board::fail(second.error(), "a second block");
  check(second->phys != block->phys && all({second->cpu, kGranule}, std::byte{0}),
        "the next block is another one");
  check(all({block->cpu, kGranule}, std::byte{0xaa}), "and the first keeps its bytes");

  check(free_coherent(*block).has_value(), "a block is given back");
  check_refused(free_coherent(*block), Error::double_free, "twice is a double free");
  const auto again = alloc_coherent(*setup.device, 1000);
  check(again && all({again->cpu, kGranule}, std::byte{0}), "reused memory is zeroed");
  check_refused(free_coherent(*block), Error::stale_block, "the old block's copy is stale");
  Block foreign = *second;
  foreign.phys = PhysAddr{foreign.phys.raw() + 4 * kGranule};
  check(!free_coherent(foreign), "a block that nobody was given is refused");
  check(free_coherent(*again) && free_coherent(*second), "all go back");
  check_equal(setup.pool->usage().used_bytes, 0, "nothing is left in use");
}

void check_placement(const Setup& setup) {
  const auto first = alloc_coherent(*setup.device, 1);
  const auto aligned = alloc_coherent(*setup.device, 3000, {.align_bytes = 0x4000});
  if (!check(first && aligned, "an aligned block")) return;
  check_equal(aligned->dma.raw() & 0x3fff, 0, "is aligned on the device's bus");
  const auto bounded = alloc_coherent(*setup.device, 0x2000, {.boundary_bytes = 0x2000});
  if (!check(bounded.has_value(), "a block that crosses no boundary")) return;
  check_equal(bounded->dma.raw() & 0x1fff, 0, "fills the space between two");
  check(free_coherent(*bounded) && free_coherent(*aligned) && free_coherent(*first),
        "they are given back");
  check_equal(setup.pool->usage().largest_run_bytes, setup.pool->usage().total_bytes,
              "and the free memory is one run again");
}

void check_refusals(const Setup& setup, const Board& board) {
  const Device& device = *setup.device;
  check_refused(alloc_coherent(device, 0), Error::zero_size, "no bytes are refused");
  check_refused(alloc_coherent(device, board.pool.size_bytes + 1), Error::exhausted,
                "more than the pool is exhausted");
  check_refused(alloc_coherent(device, UINT64_MAX), Error::size_overflow,
                "a size that rounds past 2^64 is refused");
  check_refused(alloc_coherent(device, 1, {.align_bytes = 3}), Error::bad_alignment,
                "an alignment that is no power of two is refused");
  const auto whole = alloc_coherent(device, board.pool.size_bytes);
  check(whole.has_value(), "the whole pool is one block");
  check_refused(alloc_coherent(device, 1), Error::exhausted, "one byte more is exhausted");
  check(whole && free_coherent(*whole).has_value(), "it is given back");

  check_refused(setup.system->declare({.name = "twice", .chunks = {&board.pool, 1}}),
                Error::overlaps, "memory is one pool's");

  // A mask one bit too small, and a window that ends one byte early: refused when the pool is
  // bound, and for a device that has nothing else again when it asks.
  const auto narrow = setup.system->add_device(
      {.name = "narrow", .coherent_mask = DmaAddr{board.pool.last().raw() - 1}});
  if (!check(narrow.has_value(), "a device whose mask ends in the pool")) return;
  check_refused(setup.system->bind(**narrow, *setup.pool), Error::unreachable,
                "is refused the pool when it is bound");
  check_refused(alloc_coherent(**narrow, 1), Error::unreachable,
                "and gets no other memory instead");
  const Window short_window{DmaAddr{0}, board.pool.base, board.pool.size_bytes - 1};
  const auto outside =
      setup.system->add_device({.name = "outside",
                                .coherent_mask = DmaAddr{UINT64_MAX},
                                .translation = Translation::through({&short_window, 1})});
  if (!check(outside.has_value(), "a device whose window ends in the pool")) return;
  check_refused(setup.system->bind(**outside, *setup.pool), Error::not_in_window,
                "is refused the pool when it is bound");
}

// ---- lent memory --------------------------------------------------------------------------------

void check_streaming(const Setup& setup, const Board& board) {
  const auto device =
      setup.system->add_device({.name = "streaming", .coherent_mask = DmaAddr{UINT64_MAX}});
  if (!device) return board::fail(device.error(), "a device without an offset");
  const std::span<std::byte> buffer = board.buffer;
  const auto bytes = bytes_at(**device, buffer.data(), buffer.size());
  if (!bytes) return board::fail(bytes.error(), "the port says where the CPU's bytes lie");

  for (const Direction direction :
       {Direction::to_device, Direction::from_device, Direction::bidirectional}) {
    std::ranges::fill(buffer, std::byte{0x5a});
    const auto mapped = map(**device, *bytes, direction);
    if (!mapped) return board::fail(mapped.error(), "bytes are lent");
    check_equal(mapped->dma.raw(), bytes->phys.raw(), "the device has them at their own address");
    check(sync_for_cpu(**device, *mapped).has_value() &&
              sync_for_device(**device, *mapped, {.offset_bytes = 256, .size_bytes = 64}),
          "they go to the CPU and, in part, back");
    check(unmap(**device, *mapped).has_value(), "and are taken back");
    check(direction != Direction::to_device || all(buffer, std::byte{0x5a}),
          "what a device may only read is as it was");
  }
  check_refused(map(**device, {buffer.data(), bytes->phys, 0}, Direction::to_device),
                Error::zero_size, "no bytes are not lent");
  if (board.port.cache_line_bytes() > 1) {
    check_refused(map(**device, {buffer.data() + 1, PhysAddr{bytes->phys.raw() + 1}, 64},
                      Direction::from_device),
                  Error::partial_line, "nor are a device's to write that share a cache line");
  }
  const auto block = alloc_coherent(*setup.device, 64);
  if (!block) return board::fail(block.error(), "a coherent block");
  check_refused(map(**device, {block->cpu, block->phys, 64}, Direction::to_device),
                Error::wrong_view, "nor are coherent ones, which need no lending");
  check(free_coherent(*block).has_value(), "it is given back");
}

}  // namespace

void run(const Board& board) {
  const unsigned made = board::checks();
  const unsigned failed = board::failures();
  board::write("---- the contract that every board keeps");
  check_port(board);
  check_lock(board.port);
  check_byte_order();
  const auto setup = set_up(board);
  if (setup) {
    check_blocks(*setup, board);
    check_placement(*setup);
    check_refusals(*setup, board);
    check_streaming(*setup, board);
  }
  const bool kept = board::failures() == failed && board::checks() != made;
  board::write(kept ? "---- the contract is kept" : "---- the contract is broken");
}

}  // namespace contract
