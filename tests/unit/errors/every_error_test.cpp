// Every error of the library, produced by a real call, and what is said about it: what is wrong,
// where, and how much. A new error does not compile here until it has its row.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/core/text.hpp"
#include "carveout/map/mmap.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "carveout/setup/from_tables.hpp"
#include "tests/support/sim_board.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout {
namespace {

using test::must;
using test::ram;
using test::SimBoard;

/// The refusal that a call is expected to be.
template <class T>
Failure refused(const Result<T>& result) {
  if (!result) return result.error();
  ADD_FAILURE() << "granted";
  return {.code = Error::zero_size};
}

/// A board with a default pool of 4 KiB and a device.
struct Board : SimBoard {
  explicit Board(
      const sim::MachineFacts& facts = {}, Adjust adjust = [](Platform&) {})
      : SimBoard{facts, adjust} {}

  Pool& main = default_pool("d", ram(0, 0x1000));
  Device& eth = device("/soc/eth");

  Failure alloc(std::uint64_t size_bytes, const Options& options = {}) {
    return refused(alloc_coherent(eth, size_bytes, options));
  }
  /// Of giving back a block that was allocated, and changed.
  template <class Change>
  Failure free(Change change) {
    Block block = must(alloc_coherent(eth, 0x200));
    change(block);
    return refused(free_coherent(block));
  }
  Failure map(PhysRange range, Attributes attributes = Attributes::none) {
    return refused(
        carveout::map(eth, cpu_bytes(range), Direction::from_device, {.attributes = attributes}));
  }
  /// Of so many pages of 4 KiB of a block.
  Failure show(std::uint64_t size_bytes, std::uint64_t pages) {
    const Block block = must(alloc_coherent(eth, size_bytes));
    return refused(mmap_check(eth, block, {.first_page = 0, .pages = pages, .page_bytes = 0x1000}));
  }
  Failure declare(PhysRange range, std::uint64_t granule_bytes = 0) {
    return refused(
        system->declare({.name = "rx", .chunks = {&range, 1}, .granule_bytes = granule_bytes}));
  }
};

/// A pool's lock that this context may not wait for.
struct Interrupted : sim::HostPort {
  using sim::HostPort::HostPort;
  [[nodiscard]] bool may_lock() const noexcept { return !in_interrupt; }
  bool in_interrupt = false;
};

Failure of_an_interrupt() {
  sim::Machine machine;
  Interrupted port{machine};
  std::vector<std::uint64_t> storage(1024);
  System& system = *must(System::create({.port = port, .aliases = machine.aliases()},
                                        std::as_writable_bytes(std::span{storage})));
  const PhysRange range = ram(0, 0x1000);
  must(system.set_default(Role::default_pool,
                          *must(system.declare({.name = "d", .chunks = {&range, 1}}))));
  const Device& eth = *must(system.add_device({.name = "eth", .coherent_mask = test::kAnyAddress}));
  port.in_interrupt = true;
  return refused(alloc_coherent(eth, 64));
}

/// The refusal of the only device, whose own region is written by `region`.
template <class Region>
Failure of_a_tree(Region region) {
  test::TreeMaker maker;
  maker.counts(2, 2);
  maker.begin("reserved-memory").counts(2, 2).empty("ranges");
  maker.begin("ring").phandle(1).string("compatible", "shared-dma-pool").empty("no-map");
  region(maker);
  maker.end().end();
  maker.begin("eth").cells("memory-region", {1}).end();
  const test::OpenTree tree{maker.finish()};
  const std::array specs{setup::DeviceSpec{.node = "/eth", .coherent_mask = test::kAnyAddress}};
  sim::Machine machine;
  sim::HostPort port{machine};
  std::vector<std::uint64_t> storage(4096);
  const System& system =
      *must(setup::build(tree.tree(), specs, {.port = port, .aliases = machine.aliases()},
                         std::as_writable_bytes(std::span{storage}), [](const Finding&) {}));
  Failure failure = refused(alloc_coherent(*system.device(0), 64));
  static std::string name;  // the tree and the System do not live as long
  name = failure.pool;
  failure.pool = name;
  return failure;
}

struct Row {
  Failure (*produce)();
  std::string_view says;
};

Row row_of(Error error) {
  // No default: a new error without a row does not compile.
  switch (error) {
    case Error::zero_size:
      return {[] { return Board{}.alloc(0); }, "the request is for 0 bytes"};
    case Error::bad_alignment:
      return {[] { return Board{}.alloc(64, {.align_bytes = 48}); },
              "the alignment is not a power of two: 64 bytes asked, 48 bytes stated"};
    case Error::bad_boundary:
      return {[] { return Board{}.alloc(64, {.boundary_bytes = 96}); },
              "the boundary is not a power of two: 64 bytes asked, 96 bytes stated"};
    case Error::crosses_boundary:
      return {[] { return Board{}.alloc(0x800, {.boundary_bytes = 0x400}); },
              "the request is larger than the boundary that it must not cross: 2 KiB asked, 1 KiB "
              "stated"};
    case Error::exhausted:
      return {[] { return Board{}.alloc(0x2000); },
              "d: nothing of that length, alignment and boundary is free in the reachable part: 8 "
              "KiB asked, 4 KiB free, the longest free run 4 KiB"};
    case Error::not_in_window:
      return {[] {
                Board board;
                Pool& own = board.pool("ring", {PhysAddr{0x100}, 0x1000});
                static_cast<void>(board.system->bind(board.eth, own));
                return board.alloc(64);
              },
              "ring: a chunk of it lies whole in none of the device's windows: 64 bytes asked"};
    case Error::unreachable:
      return {[] {
                Board board;
                Device& low = board.device("low", {.mask = DmaAddr{0xffff}});
                return refused(alloc_coherent(low, 64));
              },
              "d: the device does not reach it with its windows, mask and limit: 64 bytes asked"};
    case Error::no_pool:
      return {[] {
                SimBoard bare;
                return refused(alloc_coherent(bare.device("eth"), 64));
              },
              "no pool is there to serve the request: 64 bytes asked"};
    case Error::unknown_pool:
      return {[] { return Board{}.alloc(64, {.pool = {.index = 7}}); },
              "the device has no pool of that name or index: index 7: 64 bytes asked"};
    case Error::needs_iommu:
      return {[] {
                Board board;
                return refused(alloc_coherent(board.device("gpu", {.behind_iommu = true}), 64));
              },
              "d: the device's addresses are chosen by an IOMMU, and none is driven here: 64 bytes "
              "asked"};
    case Error::table_full:
      return {[] {
                Board board;
                Pool& own = board.pool("ring", ram(0x2000, 0x1000), Memory::coherent, 0,
                                       TagStore::sparse(1));
                must(board.system->bind(board.eth, own));
                must(alloc_coherent(board.eth, 64));
                return board.alloc(64);
              },
              "ring: the table that the board gave for this is full: 64 bytes asked, 4032 bytes "
              "free, the longest free run 4032 bytes"};
    case Error::would_wait:
      return {of_an_interrupt,
              "d: an interrupt would have to wait for the pool's lock: 64 bytes asked"};
    case Error::bad_attributes:
      return {[] {
                return Board{}.alloc(
                    64, {.attributes = Attributes::force_contiguous | Attributes::single_pages});
              },
              "the attributes contradict each other: force_contiguous and single_pages"};

    case Error::size_overflow:
      return {[] { return Board{}.alloc(~std::uint64_t{0}); },
              "d: the request's bytes, rounded up or multiplied, pass 2^64: 18446744073709551615 "
              "bytes asked"};

    case Error::partial_line:
      return {[] { return Board{}.map(ram(0x2010, 0x40)); },
              "the device would write part of a cache line that holds other bytes, too: 64 bytes "
              "asked"};
    case Error::too_long:
      return {
          [] {
            Board board;
            Device& disk = board.device("disk", {.streaming = {.max_segment_bytes = 0x100}});
            return refused(map(disk, board.cpu_bytes(ram(0x2000, 0x200)), Direction::to_device));
          },
          "it is longer than the largest mapping or segment: 512 bytes asked, 256 bytes "
          "stated"};
    case Error::wrong_view:
      return {[] { return Board{}.map(ram(0, 0x40)); },
              "it is not memory that the CPU uses through its cache: 64 bytes asked"};
    case Error::unknown_memory:
      return {[] {
                Board board;
                std::array<std::byte, 64> on_the_stack{};
                return refused(bytes_at(board.eth, on_the_stack.data(), 64));
              },
              "the port cannot say at which physical address the bytes lie: 64 bytes asked"};
    case Error::needs_copy:
      return {[] { return Board{}.map(ram(0x2000, 0x40), Attributes::require_coherent); },
              "coherent memory is required, and caches or a copy would have to help: 64 bytes "
              "asked"};
    case Error::outside_mapping:
      return {[] {
                Board board;
                const auto mapped =
                    must(map(board.eth, board.cpu_bytes(ram(0x2000, 0x40)), Direction::to_device));
                return refused(
                    sync_for_cpu(board.eth, mapped, {.offset_bytes = 0x20, .size_bytes = 0x40}));
              },
              "part of the range is not in the mapping: 64 bytes asked"};

    case Error::outside_block:
      return {[] { return Board{}.show(0x1000, 2); },
              "d: part of the range is not in the block: 8 KiB asked, 4 KiB stated"};
    case Error::shared_page:
      return {[] { return Board{}.show(0x800, 1); },
              "d: a page of it may hold bytes of other blocks, too: 4 KiB asked, 4 KiB stated"};

    case Error::double_free:
      return {[] { return Board{}.free([](const Block& block) { must(free_coherent(block)); }); },
              "d: the block is free already: 512 bytes given back"};
    case Error::stale_block:
      return {[] {
                Board board;
                return board.free([&](const Block& block) {
                  must(free_coherent(block));
                  must(alloc_coherent(board.eth, 0x200));
                });
              },
              "d: the block was given back before, and its range was handed out again: 512 bytes "
              "given back"};
    case Error::foreign_block:
      return {[] { return Board{}.free([](Block& block) { block.tag = 12345; }); },
              "d: the block was never given by this pool: 512 bytes given back"};
    case Error::wrong_address:
      return {
          [] {
            return Board{}.free([](Block& block) { block.phys = PhysAddr{block.phys.raw() + 64}; });
          },
          "d: the address is not the first of a block: 512 bytes given back"};
    case Error::wrong_size:
      return {[] { return Board{}.free([](Block& block) { block.size_bytes = 0x400; }); },
              "d: the size is not the one that was given: 1 KiB given back"};
    case Error::pool_gone:
      return {[] {
                Board board;
                return board.free([&](const Block& block) {
                  must(free_coherent(block));
                  must(board.system->release(board.main));
                });
              },
              "d: the pool was released: 512 bytes asked or given back"};

    case Error::already_declared:
      return {[] {
                Board board;
                Pool& other = board.pool("other", ram(0x2000, 0x1000));
                return refused(board.system->set_default(Role::default_pool, other));
              },
              "other: the name or role is taken, and the first to take it stays, which is d"};
    case Error::empty_range:
      return {[] { return Board{}.declare(ram(0x2000, 0)); }, "rx: the range has 0 bytes"};
    case Error::wraps:
      return {[] { return Board{}.declare({PhysAddr{~std::uint64_t{0}}, 0x1000}); },
              "rx: the range passes 2^64: 4 KiB asked"};
    case Error::overlaps:
      return {[] { return Board{}.declare(ram(0x800, 0x1000)); },
              "rx: the range shares bytes with another, which is d: 4 KiB asked"};
    case Error::below_granule:
      return {[] { return Board{}.declare(ram(0x2020, 0x1000), 0x1000); },
              "rx: nothing is left of it in whole granules: 4 KiB asked, 4 KiB stated"};
    case Error::bad_granule:
      return {[] { return Board{}.declare(ram(0x2000, 0x1000), 48); },
              "rx: the granule is not a power of two, or too small for so much memory: 4 KiB "
              "asked, 48 bytes stated"};
    case Error::bad_alias:
      return {[] {
                sim::Machine machine;
                sim::HostPort port{machine};
                constexpr std::array kAskew{Alias{PhysAddr{0x1000}, PhysAddr{0x9004}, 0x1000}};
                std::vector<std::uint64_t> storage(64);
                return refused(System::create({.port = port, .aliases = kAskew},
                                              std::as_writable_bytes(std::span{storage})));
              },
              "an alias is empty, passes 2^64, or its sides differ by part of a cache line: 4 KiB "
              "asked"};
    case Error::no_uncached_view:
      return {[] {
                SimBoard board{{}, [](Platform& platform) { platform.aliases = {}; }};
                Pool& pool = board.pool("d", ram(0, 0x1000));
                return refused(board.system->set_default(Role::default_pool, pool));
              },
              "d: the CPU has no uncached view of it, and no device is coherent there"};
    case Error::wrong_kind:
      return {[] {
                Board board;
                return refused(board.system->set_default(Role::ordinary, board.main));
              },
              "d: memory of this kind cannot serve in that role"};
    case Error::in_use:
      return {[] {
                Board board;
                must(alloc_coherent(board.eth, 0x200));
                return refused(board.system->release(board.main));
              },
              "d: blocks of it are in use, by /soc/eth: 512 bytes in use"};
    case Error::storage_too_small:
      return {[] {
                sim::Machine machine;
                sim::HostPort port{machine};
                std::vector<std::uint64_t> storage(System::base_storage_bytes() / 8 + 1);
                System& system = *must(
                    System::create({.port = port}, std::as_writable_bytes(std::span{storage})));
                Failure failure = refused(system.keep(std::string(512, 'x')));
                failure.free_bytes = 0;  // what is left depends on the machine
                return failure;
              },
              "the storage given is less than the tables need: 512 bytes needed, 0 bytes given"};
    case Error::malformed:
      return {
          [] { return of_a_tree([](test::TreeMaker& maker) { maker.cells("reg", {1, 2, 3}); }); },
          "/reserved-memory/ring: the tree states it in a way that cannot be read: 64 bytes "
          "asked"};
    case Error::not_placed:
      return {
          [] { return of_a_tree([](test::TreeMaker& maker) { maker.wide("size", {0x1000}); }); },
          "/reserved-memory/ring: there is no place for it in memory: 64 bytes asked"};
    case Error::no_such_node:
      return {[] {
                test::TreeMaker maker;
                const test::OpenTree tree{maker.finish()};
                const std::array specs{
                    setup::DeviceSpec{.node = "/eth0", .coherent_mask = test::kAnyAddress}};
                sim::Machine machine;
                sim::HostPort port{machine};
                return refused(setup::measure(tree.tree(), specs, {.port = port}));
              },
              "the tree has no node of that path, see /eth0"};
  }
  throw std::logic_error{"no such error"};
}

constexpr auto kLast = Error::no_such_node;

TEST(EveryError, IsProducedByACallAndSaysWhatWhereAndHowMuch) {
  for (unsigned code = 0; code <= static_cast<unsigned>(kLast); ++code) {
    const auto error = static_cast<Error>(code);
    const Row row = row_of(error);
    SCOPED_TRACE(name_of(error));
    const Failure failure = row.produce();
    EXPECT_EQ(failure.code, error);
    std::array<char, 512> buffer{};
    Text text{buffer};
    describe(failure, text);
    EXPECT_EQ(text.view(), row.says);
  }
}

}  // namespace
}  // namespace carveout
