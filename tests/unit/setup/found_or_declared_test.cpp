// "Once assigned, it makes no difference whether a pool was found or declared": each behaviour here
// runs on a board that was found in a tree, listed in tables, and declared by code. The table of
// whose pool it is, of what memory: eight_cells_test.cpp.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "tests/support/route_world.hpp"
#include "tests/unit/setup/three_ways.hpp"

namespace carveout {
namespace {

using test::BoardFacts;
using test::brief;
using test::BuiltBoard;
using test::error_of;
using test::kCachedRam;
using test::must;
using test::ram;
using test::Source;
using Names = std::vector<std::string>;

std::string source_name(const testing::TestParamInfo<Source>& source) {
  constexpr std::array kNames{"FoundInATree", "ListedInTables", "DeclaredByCode"};
  return kNames[static_cast<std::size_t>(source.param)];
}

class FoundOrDeclared : public testing::TestWithParam<Source> {
 protected:
  BuiltBoard& build(BoardFacts facts, bool ordinary_elsewhere = false) {
    board_ = std::make_unique<BuiltBoard>(std::move(facts), GetParam(), ordinary_elsewhere);
    return *board_;
  }

  /// The pool that serves a request, or the reason why none does.
  std::string served(std::size_t device, std::uint64_t size_bytes, const Options& options = {}) {
    const auto block = alloc_coherent(board_->device(device), size_bytes, options);
    return block ? BuiltBoard::short_name(block->pool->name())
                 : std::string{name_of(block.error().code)};
  }

  Names route_of(std::size_t device, const Options& options = {}) {
    Names names;
    route(board_->device(device), options, [&](Candidate candidate) {
      const std::string pool = BuiltBoard::short_name(candidate.pool_name);
      candidate.pool_name = pool;
      names.push_back(brief(candidate));
      return Step::next;
    });
    return names;
  }

  std::unique_ptr<BuiltBoard> board_;
};

INSTANTIATE_TEST_SUITE_P(Board, FoundOrDeclared,
                         testing::Values(Source::tree, Source::tables, Source::code), source_name);

// ---- routes
// --------------------------------------------------------------------------------------

TEST_P(FoundOrDeclared, TheWholeRouteOfABoardWithEverything) {
  build({.pools = {{.name = "d", .chunks = {ram(0, 0x1000)}, .is_default = true},
                   {.name = "cma",
                    .chunks = {ram(0x1000, 0x1000)},
                    .memory = Memory::contiguous,
                    .is_default = true},
                   {.name = "node2",
                    .chunks = {ram(0x2000, 0x1000)},
                    .memory = Memory::contiguous,
                    .is_default = true,
                    .numa_node = 2},
                   {.name = "mine", .chunks = {ram(0x3000, 0x1000)}, .memory = Memory::contiguous}},
         .devices = {{.name = "eth", .own = {{3}}, .numa_node = 2}}});
  EXPECT_EQ(route_of(0), (Names{"-device", "-bounce", "default:d", "contiguous_device:mine",
                                "contiguous_node:node2", "contiguous_default:cma"}));
}

TEST_P(FoundOrDeclared, ARestrictedPoolBarsEverythingBelow) {
  build({.pools = {{.name = "only", .chunks = {ram(0, 0x1000)}, .memory = Memory::bounce},
                   {.name = "d", .chunks = {ram(0x1000, 0x1000)}, .is_default = true}},
         .devices = {{.name = "eth", .own = {{0}}}}});
  EXPECT_EQ(route_of(0), (Names{"-device", "bounce:only"}));
}

TEST_P(FoundOrDeclared, ACoherentDeviceGetsOrdinaryMemory) {
  build({.pools = {{.name = "d", .chunks = {ram(0, 0x1000)}, .is_default = true}},
         .devices = {{.name = "eth", .coherent = true}}},
        true);
  EXPECT_EQ(route_of(0), (Names{"-device", "-bounce", "ordinary"}));
}

TEST_P(FoundOrDeclared, ARequestThatNeedsNoCoherentMemorySpendsNone) {
  build({.pools = {{.name = "d", .chunks = {ram(0, 0x1000)}, .is_default = true}},
         .devices = {{.name = "eth"}}},
        true);
  EXPECT_EQ(route_of(0, {.attributes = Attributes::non_coherent}), (Names{"-bounce", "ordinary"}));
}

TEST_P(FoundOrDeclared, ADeviceBehindAnIommuHasItsOwnPoolAndNoOther) {
  build({.pools = {{.name = "own", .chunks = {ram(0, 0x1000)}},
                   {.name = "d", .chunks = {ram(0x1000, 0x1000)}, .is_default = true}},
         .devices = {{.name = "eth", .own = {{0}}, .behind_iommu = true},
                     {.name = "usb", .behind_iommu = true}}});
  EXPECT_EQ(served(0, 32), "own");
  EXPECT_EQ(served(1, 32), "needs_iommu");
}

// ---- addresses
// -----------------------------------------------------------------------------------

TEST_P(FoundOrDeclared, TheDeviceAddressComesOutOfTheDevicesWindow) {
  build({.pools = {{.name = "own", .chunks = {ram(0x2000, 0x1000)}}},
         .devices = {{.name = "eth", .own = {{0}}}}});
  const Block block = must(alloc_coherent(board_->device(0), 0x1000));
  EXPECT_EQ(block.phys, ram(0x2000, 1).base);
  EXPECT_EQ(block.dma, DmaAddr{sim::kOddWindow.dma.raw() + 0x2000});
}

TEST_P(FoundOrDeclared, OnePoolHasAnAddressForEachDevice) {
  build({.pools = {{.name = "d", .chunks = {ram(0, 0x1000)}, .is_default = true}},
         .devices = {{.name = "a"}, {.name = "b", .windows = {{DmaAddr{0}, kCachedRam, 0x1000}}}}});
  const Block first = must(alloc_coherent(board_->device(0), 0x1000));
  must(free_coherent(first));
  const Block second = must(alloc_coherent(board_->device(1), 0x1000));
  EXPECT_EQ(first.dma, sim::kOddWindow.dma);
  EXPECT_EQ(second.dma, DmaAddr{0});
}

TEST_P(FoundOrDeclared, AddressesAreThoseOfTheMachine) {
  BuiltBoard& board =
      build({.pools = {{.name = "d", .chunks = {ram(0, 0x1000)}, .is_default = true}},
             .devices = {{.name = "eth"}}});
  const Block block = must(alloc_coherent(board.device(0), 64));
  sim::DmaEngine engine{board.machine, board.device(0).translation, board.device(0).coherent_mask};
  ASSERT_TRUE(engine.write(block.dma, test::pattern(64)));
  EXPECT_EQ((test::Bytes{block.cpu, block.cpu + 64}), test::pattern(64));
}

TEST_P(FoundOrDeclared, APoolOfSeveralChunksServesFromAllOfThem) {
  build({.pools = {{.name = "own", .chunks = {ram(0x4000, 0x1000), ram(0, 0x1000)}}},
         .devices = {{.name = "eth", .own = {{0}}}}});
  const Block first = must(alloc_coherent(board_->device(0), 0x1000));
  const Block second = must(alloc_coherent(board_->device(0), 0x1000));
  EXPECT_NE(first.phys, second.phys);
  EXPECT_EQ(served(0, 32), "exhausted");
}

TEST_P(FoundOrDeclared, APoolIsUsedInwardInWholeGranules) {
  BuiltBoard& board = build({.pools = {{.name = "own", .chunks = {ram(0x10, 0x1000)}}},
                             .devices = {{.name = "eth", .own = {{0}}}}});
  EXPECT_EQ(board.pool(0)->chunks()[0].range, ram(0x20, 0xfe0));
}

// ---- own pools
// -----------------------------------------------------------------------------------

TEST_P(FoundOrDeclared, AnExhaustedOwnPoolIsFinal) {
  build({.pools = {{.name = "own", .chunks = {ram(0, 0x1000)}},
                   {.name = "d", .chunks = {ram(0x1000, 0x4000)}, .is_default = true}},
         .devices = {{.name = "eth", .own = {{0}}}}});
  EXPECT_EQ(served(0, 0x2000), "exhausted");
}

TEST_P(FoundOrDeclared, SeveralOwnPoolsServeInTheirOrder) {
  build({.pools = {{.name = "a", .chunks = {ram(0, 0x1000)}},
                   {.name = "b", .chunks = {ram(0x1000, 0x1000)}}},
         .devices = {{.name = "eth", .own = {{1}, {0}}}}});
  EXPECT_EQ(served(0, 0x1000), "b");
  EXPECT_EQ(served(0, 0x1000), "a");
  EXPECT_EQ(served(0, 0x1000), "exhausted");
}

TEST_P(FoundOrDeclared, AnOwnPoolIsFoundByIndexAndByName) {
  build({.pools = {{.name = "a", .chunks = {ram(0, 0x1000)}},
                   {.name = "b", .chunks = {ram(0x1000, 0x1000)}}},
         .devices = {{.name = "eth", .own = {{0, "tx"}, {1, "rx"}}}}});
  EXPECT_EQ(served(0, 32, {.pool = {.name = "rx"}}), "b");
  EXPECT_EQ(served(0, 32, {.pool = {.index = 1}}), "b");
  EXPECT_EQ(served(0, 32, {.pool = {.name = "nobody"}}), "unknown_pool");
}

TEST_P(FoundOrDeclared, APoolAcrossTwoWindowsThatContinueEachOtherIsReached) {
  const std::vector<Window> windows{{DmaAddr{0x10'0000}, ram(0, 1).base, 0x1000},
                                    {DmaAddr{0x10'1000}, ram(0x1000, 1).base, 0x1000}};
  build({.pools = {{.name = "own", .chunks = {ram(0, 0x2000)}}},
         .devices = {{.name = "eth", .windows = windows, .own = {{0}}}}});
  EXPECT_EQ(served(0, 0x2000), "own");
}

TEST_P(FoundOrDeclared, AnEmptyWindowDoesNotMatter) {
  const std::vector<Window> windows{{DmaAddr{0}, ram(0, 1).base, 0}, sim::kOddWindow};
  build({.pools = {{.name = "own", .chunks = {ram(0, 0x1000)}}},
         .devices = {{.name = "eth", .windows = windows, .own = {{0}}}}});
  EXPECT_EQ(served(0, 0x1000), "own");
}

TEST_P(FoundOrDeclared, DevicesShareAPool) {
  build({.pools = {{.name = "own", .chunks = {ram(0, 0x1000)}}},
         .devices = {{.name = "a", .own = {{0}}}, {.name = "b", .own = {{0}}}}});
  EXPECT_EQ(served(0, 0x800), "own");
  EXPECT_EQ(served(1, 0x800), "own");
  EXPECT_EQ(served(0, 32), "exhausted");
}

TEST_P(FoundOrDeclared, APoolInNoWindowIsRefusedAndBarsTheDefault) {
  BuiltBoard& board = build(
      {.pools = {{.name = "own", .chunks = {ram(0, 0x1000)}},
                 {.name = "d", .chunks = {ram(0x1000, 0x1000)}, .is_default = true}},
       .devices = {
           {.name = "eth", .windows = {{DmaAddr{0}, ram(0x1000, 1).base, 0x1000}}, .own = {{0}}}}});
  EXPECT_EQ(board.refused(), std::vector{Error::not_in_window});
  EXPECT_EQ(served(0, 32), "not_in_window");
}

TEST_P(FoundOrDeclared, APoolOverTheMaskIsRefused) {
  BuiltBoard& board = build({.pools = {{.name = "own", .chunks = {ram(0, 0x1000)}}},
                             .devices = {{.name = "eth", .mask = 0x4c80'0ffe, .own = {{0}}}}});
  EXPECT_EQ(board.refused(), std::vector{Error::unreachable});
  EXPECT_EQ(served(0, 32), "unreachable");
}

TEST_P(FoundOrDeclared, APoolAcrossTwoWindowsIsRefused) {
  build({.pools = {{.name = "own", .chunks = {ram(0, 0x2000)}}},
         .devices = {{.name = "eth",
                      .windows = {{DmaAddr{0x10'0000}, kCachedRam, 0x1000},
                                  {DmaAddr{0x20'0000}, ram(0x1000, 1).base, 0x1000}},
                      .own = {{0}}}}});
  EXPECT_EQ(served(0, 32), "not_in_window");
}

TEST_P(FoundOrDeclared, APoolThatDoesNotExistBarsTheDefault) {
  BuiltBoard& board =
      build({.pools = {{.name = "tiny", .chunks = {ram(0, 0x10)}},
                       {.name = "d", .chunks = {ram(0x1000, 0x1000)}, .is_default = true}},
             .devices = {{.name = "eth", .own = {{0}}}, {.name = "usb"}}});
  EXPECT_EQ(board.refused(), std::vector{Error::below_granule});
  EXPECT_EQ(served(0, 32), "below_granule");
  EXPECT_EQ(served(1, 32), "d");
}

TEST_P(FoundOrDeclared, AnEmptyPoolIsRefusedAndBarsTheDefault) {
  build({.pools = {{.name = "empty", .chunks = {ram(0, 0)}},
                   {.name = "d", .chunks = {ram(0x1000, 0x1000)}, .is_default = true}},
         .devices = {{.name = "eth", .own = {{0}}}}});
  EXPECT_EQ(served(0, 32), "empty_range");
}

TEST_P(FoundOrDeclared, ADisabledPoolBindsNothing) {
  BuiltBoard& board =
      build({.pools = {{.name = "off", .chunks = {ram(0, 0x1000)}, .disabled = true},
                       {.name = "d", .chunks = {ram(0x1000, 0x1000)}, .is_default = true}},
             .devices = {{.name = "eth", .own = {{0, "ring"}}}}});
  EXPECT_TRUE(board.refused().empty());
  EXPECT_EQ(served(0, 32), "d");
  EXPECT_EQ(served(0, 32, {.pool = {.name = "ring"}}), "unknown_pool");
}

TEST_P(FoundOrDeclared, TheNextPoolServesWhereTheFirstIsDisabled) {
  build({.pools = {{.name = "off", .chunks = {ram(0, 0x1000)}, .disabled = true},
                   {.name = "on", .chunks = {ram(0x1000, 0x1000)}}},
         .devices = {{.name = "eth", .own = {{0}, {1}}}}});
  EXPECT_EQ(served(0, 32), "on");
  EXPECT_EQ(served(0, 32, {.pool = {.index = 1}}), "on");
}

// ---- defaults
// ------------------------------------------------------------------------------------

TEST_P(FoundOrDeclared, OfTwoDefaultsTheFirstStays) {
  BuiltBoard& board =
      build({.pools = {{.name = "d1", .chunks = {ram(0x1000, 0x1000)}, .is_default = true},
                       {.name = "d2", .chunks = {ram(0, 0x1000)}, .is_default = true}},
             .devices = {{.name = "eth"}}});
  EXPECT_EQ(board.refused(), std::vector{Error::already_declared});
  EXPECT_EQ(served(0, 32), "d1");
}

TEST_P(FoundOrDeclared, ASecondDefaultServesTheDeviceWhoseOwnItIs) {
  build({.pools = {{.name = "d1", .chunks = {ram(0x1000, 0x1000)}, .is_default = true},
                   {.name = "d2", .chunks = {ram(0, 0x1000)}, .is_default = true}},
         .devices = {{.name = "eth", .own = {{1}}}}});
  EXPECT_EQ(served(0, 32), "d2");
}

TEST_P(FoundOrDeclared, TheDefaultPoolMayBeADevicesOwnToo) {
  build({.pools = {{.name = "d", .chunks = {ram(0, 0x1000)}, .is_default = true}},
         .devices = {{.name = "eth", .own = {{0}}}, {.name = "usb"}}});
  EXPECT_EQ(served(0, 32), "d");
  EXPECT_EQ(served(1, 32), "d");
}

TEST_P(FoundOrDeclared, EachNodeHasItsOwnContiguousDefault) {
  build({.pools = {{.name = "n1",
                    .chunks = {ram(0, 0x1000)},
                    .memory = Memory::contiguous,
                    .is_default = true,
                    .numa_node = 1},
                   {.name = "n2",
                    .chunks = {ram(0x1000, 0x1000)},
                    .memory = Memory::contiguous,
                    .is_default = true,
                    .numa_node = 2}},
         .devices = {{.name = "a", .numa_node = 2}, {.name = "b", .numa_node = 3}}});
  EXPECT_EQ(served(0, 32), "n2");
  EXPECT_EQ(served(1, 32), "no_pool");
}

TEST_P(FoundOrDeclared, ADefaultPoolServesThePartThatIsReached) {
  build({.pools = {{.name = "d", .chunks = {ram(0, 0x4000)}, .is_default = true}},
         .devices = {{.name = "eth", .mask = 0x4c80'0fff}}});
  EXPECT_EQ(served(0, 0x1000), "d");
  EXPECT_EQ(served(0, 32), "exhausted");
}

TEST_P(FoundOrDeclared, ADefaultPoolOutOfReachIsUnreachable) {
  build({.pools = {{.name = "d", .chunks = {ram(0, 0x4000)}, .is_default = true}},
         .devices = {{.name = "eth", .windows = {{DmaAddr{0}, ram(0x8000, 1).base, 0x1000}}}}});
  EXPECT_EQ(served(0, 32), "unreachable");
}

TEST_P(FoundOrDeclared, WithoutAnyPoolThereIsNoPool) {
  build({.pools = {}, .devices = {{.name = "eth"}}});
  EXPECT_EQ(served(0, 32), "no_pool");
}

// ---- blocks
// --------------------------------------------------------------------------------------

TEST_P(FoundOrDeclared, APoolWithALiveBlockIsNotReleased) {
  BuiltBoard& board =
      build({.pools = {{.name = "d", .chunks = {ram(0, 0x1000)}, .is_default = true}},
             .devices = {{.name = "eth"}}});
  const Block block = must(alloc_coherent(board.device(0), 32));
  const auto refused = board.system->release(*board.pool(0));
  ASSERT_EQ(error_of(refused), Error::in_use);
  EXPECT_EQ(refused.error().other, "/bus0/eth");
  must(free_coherent(block));
  EXPECT_TRUE(board.system->release(*board.pool(0)));
}

TEST_P(FoundOrDeclared, ADoubleFreeIsDetected) {
  build({.pools = {{.name = "own", .chunks = {ram(0, 0x1000)}}},
         .devices = {{.name = "eth", .own = {{0}}}}});
  const Block block = must(alloc_coherent(board_->device(0), 32));
  must(free_coherent(block));
  EXPECT_EQ(error_of(free_coherent(block)), Error::double_free);
}

// ---- what code cannot do: it has the first pool before it states the second
// ----------------------

class FoundOrListed : public FoundOrDeclared {};

INSTANTIATE_TEST_SUITE_P(Board, FoundOrListed, testing::Values(Source::tree, Source::tables),
                         source_name);

TEST_P(FoundOrListed, ANameThatTwoOwnPoolsHaveMeansTheFirstAndTheSecondIsThereByItsIndex) {
  build({.pools = {{.name = "a", .chunks = {ram(0, 0x1000)}},
                   {.name = "b", .chunks = {ram(0x1000, 0x1000)}}},
         .devices = {{.name = "eth", .own = {{0, "x"}, {1, "x"}}}}});
  EXPECT_EQ(served(0, 32, {.pool = {.name = "x"}}), "a");
  EXPECT_EQ(served(0, 32, {.pool = {.index = 1}}), "b");
}

TEST_P(FoundOrListed, PoolsThatOverlapAreBothRefused) {
  BuiltBoard& board =
      build({.pools = {{.name = "a", .chunks = {ram(0, 0x2000)}},
                       {.name = "b", .chunks = {ram(0x1000, 0x2000)}}},
             .devices = {{.name = "eth", .own = {{0}}}, {.name = "usb", .own = {{1}}}}});
  EXPECT_EQ(board.refused(), (std::vector{Error::overlaps, Error::overlaps}));
  EXPECT_EQ(served(0, 32), "overlaps");
  EXPECT_EQ(served(1, 32), "overlaps");
}

TEST_P(FoundOrListed, PoolsThatOverlapByAnAliasAreBothRefused) {
  const PhysRange twin{PhysAddr{test::kUncachedRam.raw() + 0x1000}, 0x1000};
  build({.pools = {{.name = "a", .chunks = {ram(0, 0x2000)}}, {.name = "b", .chunks = {twin}}},
         .devices = {{.name = "eth", .own = {{0}}},
                     {.name = "usb", .windows = {{DmaAddr{0}, twin.base, 0x1000}}, .own = {{1}}}}});
  EXPECT_EQ(served(0, 32), "overlaps");
  EXPECT_EQ(served(1, 32), "overlaps");
}

TEST_P(FoundOrListed, ARegionThatIsNobodysPoolOverlapsNothingByAnAlias) {
  const PhysRange high{PhysAddr{test::kUncachedRam.raw() + 0x1000}, 0x1000};
  BuiltBoard& board =
      build({.pools = {{.name = "pool", .chunks = {high}, .is_default = true},
                       {.name = "its-twin", .chunks = {ram(0x1000, 0x1000)}, .kept_free = true}},
             .devices = {{.name = "eth", .windows = {{DmaAddr{0}, high.base, 0x1000}}}}});
  EXPECT_TRUE(board.refused().empty());
  EXPECT_EQ(served(0, 32), "pool");
}

TEST_P(FoundOrListed, ABrokenFirstDefaultIsNotReplacedByTheSecond) {
  build({.pools = {{.name = "d1", .chunks = {ram(0, 0x10)}, .is_default = true},
                   {.name = "d2", .chunks = {ram(0x1000, 0x1000)}, .is_default = true}},
         .devices = {{.name = "eth"}}});
  EXPECT_EQ(served(0, 32), "no_pool");
}

}  // namespace
}  // namespace carveout
