// System::declare(): which memory becomes a pool, and what is left of it.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

#include "carveout/setup/system.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::kCachedRam;
using test::kUncachedRam;
using test::must;
using test::ram;
using test::SimBoard;

constexpr std::uint64_t kLine = sim::CacheGeometry{}.line_bytes;

class Declare : public testing::Test {
 protected:
  Result<Pool*> declare(std::string_view name, std::vector<PhysRange> chunks,
                        std::uint64_t granule_bytes = 0) {
    chunks_ = std::move(chunks);
    return board_.system->declare(
        {.name = name, .chunks = chunks_, .granule_bytes = granule_bytes});
  }
  /// Declares what is refused, and sees to it that the System is then as before.
  Failure refused(std::vector<PhysRange> chunks, std::uint64_t granule_bytes = 0) {
    const std::size_t used = board_.system->storage_used_bytes();
    const auto result = declare("refused", std::move(chunks), granule_bytes);
    EXPECT_FALSE(result);
    EXPECT_EQ(board_.system->storage_used_bytes(), used);
    EXPECT_EQ(board_.system->find_pool("refused"), nullptr);
    EXPECT_TRUE(declare("refused", {ram(0xf'0000, 0x1000)})) << "the name is spent";
    return result ? Failure{.code = Error::no_pool} : result.error();
  }

  SimBoard board_;
  std::vector<PhysRange> chunks_;
};

// ---- what becomes a pool
// -------------------------------------------------------------------------

TEST_F(Declare, MakesAPoolThatIsFoundByItsName) {
  const auto pool = declare("d", {ram(0, 0x1000)});
  ASSERT_TRUE(pool);
  EXPECT_EQ(board_.system->find_pool("d"), *pool);
}

TEST_F(Declare, TakesTheWholeRangeWhereItIsWholeGranules) {
  EXPECT_EQ(must(declare("d", {ram(0, 0x1000)}))->usage().total_bytes, 0x1000U);
}

TEST_F(Declare, KeepsTheKindOfMemory) {
  EXPECT_EQ(board_.pool("cma", ram(0, 0x1000), Memory::contiguous).memory(), Memory::contiguous);
}

TEST_F(Declare, KeepsSeveralChunksInTheirOrder) {
  const Pool* const pool = must(declare("d", {ram(0x8000, 0x1000), ram(0, 0x1000)}));
  ASSERT_EQ(pool->chunks().size(), 2U);
  EXPECT_EQ(pool->chunks()[0].range, ram(0x8000, 0x1000));
  EXPECT_EQ(pool->chunks()[1].range, ram(0, 0x1000));
}

TEST_F(Declare, DoesNotNeedTheListOfChunksAfterwards) {
  const Pool* const pool = must(declare("d", {ram(0x8000, 0x1000)}));
  chunks_.assign(1, ram(0x1000, 0x20));
  EXPECT_EQ(pool->chunks()[0].range, ram(0x8000, 0x1000));
}

TEST_F(Declare, FindsBothViewsOfAliasedMemory) {
  const Pool* const pool = must(declare("d", {ram(0x2000, 0x1000)}));
  EXPECT_EQ(pool->chunks()[0].cached, board_.machine.cached_view(ram(0x2000, 0x1000)));
  EXPECT_EQ(pool->chunks()[0].uncached,
            board_.machine.cpu_view({PhysAddr{kUncachedRam.raw() + 0x2000}, 0x1000}));
}

TEST_F(Declare, FindsTheSameViewsByTheUncachedAddress) {
  const Pool* const pool = must(declare("d", {{PhysAddr{kUncachedRam.raw() + 0x2000}, 0x1000}}));
  EXPECT_EQ(pool->chunks()[0].cached, board_.machine.cached_view(ram(0x2000, 0x1000)));
  EXPECT_TRUE(pool->has(View::uncached));
}

TEST_F(Declare, FindsNoUncachedViewWhereNobodyStatedAnAlias) {
  SimBoard board{{}, [](Platform& platform) { platform.aliases = {}; }};
  EXPECT_FALSE(board.pool("d", ram(0, 0x1000)).has(View::uncached));
}

TEST_F(Declare, AcceptsMemoryThatTheCpuCannotReach) {
  const auto pool = declare("d", {{PhysAddr{0x9'0000'0000}, 0x1000}});
  ASSERT_TRUE(pool);
  EXPECT_FALSE((*pool)->has(View::cached));
}

TEST_F(Declare, MakesNoPointersOnABoardThatIsOnlyDescribed) {
  SimBoard board{{}, [](Platform& platform) { platform.described_only = true; }};
  EXPECT_FALSE(board.pool("d", ram(0, 0x1000)).has(View::cached));
}

// ---- granules
// ------------------------------------------------------------------------------------

TEST_F(Declare, TheGranuleIsTheCacheLineWhereNobodyStatesOne) {
  EXPECT_EQ(must(declare("d", {ram(0, 0x1000)}))->granule_bytes(), kLine);
}

TEST_F(Declare, AStatedGranuleIsUsed) {
  EXPECT_EQ(must(declare("d", {ram(0, 0x1000)}, 256))->granule_bytes(), 256U);
}

TEST_F(Declare, TheCacheLineWinsOverASmallerGranule) {
  EXPECT_EQ(must(declare("d", {ram(0, 0x1000)}, 16))->granule_bytes(), kLine);
}

TEST_F(Declare, ThePlatformsGranuleIsUsedWhereThePoolStatesNone) {
  SimBoard board{{}, [](Platform& platform) { platform.granule_bytes = 4096; }};
  EXPECT_EQ(board.pool("d", ram(0, 0x1000)).granule_bytes(), 4096U);
}

TEST_F(Declare, ThePoolsOwnGranuleWinsOverThePlatforms) {
  SimBoard board{{}, [](Platform& platform) { platform.granule_bytes = 4096; }};
  EXPECT_EQ(board.pool("d", ram(0, 0x1000), Memory::coherent, 64).granule_bytes(), 64U);
}

TEST_F(Declare, ABaseThatIsNoMultipleOfTheGranuleIsRoundedUp) {
  const Pool* const pool = must(declare("d", {ram(0x801, 0x2000)}, 0x1000));
  EXPECT_EQ(pool->chunks()[0].range.base, ram(0x1000, 1).base);
}

TEST_F(Declare, AnEndThatIsNoMultipleOfTheGranuleIsRoundedDown) {
  const Pool* const pool = must(declare("d", {ram(0, 0x2fff)}, 0x1000));
  EXPECT_EQ(pool->chunks()[0].range, ram(0, 0x2000));
}

TEST_F(Declare, BothEndsAreLostWhereNeitherIsAMultiple) {
  EXPECT_EQ(must(declare("d", {ram(0x800, 0x2000)}, 0x1000))->chunks()[0].range,
            ram(0x1000, 0x1000));
}

TEST_F(Declare, APoolMayEndAt2To64) {
  const PhysRange top{PhysAddr{0 - std::uint64_t{0x2000}}, 0x2000};
  EXPECT_EQ(must(declare("top", {top}, 0x1000))->chunks()[0].range, top);
}

TEST_F(Declare, APoolThatEndsAt2To64LosesOnlyItsOddBase) {
  const PhysRange top{PhysAddr{0 - std::uint64_t{0x1801}}, 0x1801};
  EXPECT_EQ(must(declare("top", {top}, 0x1000))->chunks()[0].range,
            (PhysRange{PhysAddr{0 - std::uint64_t{0x1000}}, 0x1000}));
}

// ---- refusals
// ------------------------------------------------------------------------------------

TEST_F(Declare, ASecondPoolOfTheSameNameIsRefusedAndTheFirstStays) {
  Pool* const first = must(declare("d", {ram(0, 0x1000)}));
  const std::size_t used = board_.system->storage_used_bytes();
  EXPECT_EQ(error_of(declare("d", {ram(0x2000, 0x1000)})), Error::already_declared);
  EXPECT_EQ(board_.system->find_pool("d"), first);
  EXPECT_EQ(board_.system->storage_used_bytes(), used);
}

TEST_F(Declare, APoolWithoutChunksIsEmpty) { EXPECT_EQ(refused({}).code, Error::empty_range); }

TEST_F(Declare, AChunkOfNoBytesIsEmpty) {
  EXPECT_EQ(refused({ram(0, 0x1000), ram(0x2000, 0)}).code, Error::empty_range);
}

TEST_F(Declare, ARangeThatPasses2To64IsRefused) {
  EXPECT_EQ(refused({{PhysAddr{~std::uint64_t{0}}, 2}}).code, Error::wraps);
}

TEST_F(Declare, MemoryWithoutAWholeGranuleIsRefused) {
  EXPECT_EQ(refused({ram(0x800, 0x1000)}, 0x1000).code, Error::below_granule);
}

TEST_F(Declare, AWholeGranuleInBytesThatLiesAcrossTwoIsRefused) {
  EXPECT_EQ(refused({ram(0x10, 32)}).code, Error::below_granule);
}

TEST_F(Declare, TheLastBytesUnder2To64WithoutAWholeGranuleAreRefused) {
  EXPECT_EQ(refused({{PhysAddr{0 - std::uint64_t{0x10}}, 0x10}}).code, Error::below_granule);
}

TEST_F(Declare, AGranuleThatIsNoPowerOfTwoIsRefused) {
  EXPECT_EQ(refused({ram(0, 0x1000)}, 0x300).code, Error::bad_granule);
}

TEST_F(Declare, AGranuleThatIsNoPowerOfTwoIsRefusedAlsoUnderTheCacheLine) {
  EXPECT_EQ(refused({ram(0, 0x1000)}, 24).code, Error::bad_granule);
}

TEST_F(Declare, MoreGranulesThanCanBeCountedAreRefused) {
  EXPECT_EQ(refused({{PhysAddr{0x100'0000'0000}, 0x20'0000'0000}}).code, Error::bad_granule);
}

TEST_F(Declare, ARefusalNamesThePool) { EXPECT_EQ(refused({ram(0, 0)}).pool, "refused"); }

// ---- overlaps
// ------------------------------------------------------------------------------------

TEST_F(Declare, MemoryOfAnotherPoolIsRefused) {
  must(declare("d", {ram(0, 0x1000)}));
  EXPECT_EQ(refused({ram(0x800, 0x1000)}).code, Error::overlaps);
}

TEST_F(Declare, AnOverlapNamesTheOtherPool) {
  must(declare("d", {ram(0, 0x1000)}));
  EXPECT_EQ(refused({ram(0x800, 0x1000)}).other, "d");
}

TEST_F(Declare, PoolsThatTouchDoNotOverlap) {
  must(declare("d", {ram(0, 0x1000)}));
  EXPECT_TRUE(declare("e", {ram(0x1000, 0x1000)}));
}

TEST_F(Declare, MemoryOfAnotherPoolByItsAliasIsRefused) {
  must(declare("d", {ram(0, 0x1000)}));
  EXPECT_EQ(refused({{PhysAddr{kUncachedRam.raw() + 0x800}, 0x1000}}).code, Error::overlaps);
}

TEST_F(Declare, MemoryOfAnotherPoolByItsCachedAddressIsRefused) {
  must(declare("d", {{PhysAddr{kUncachedRam.raw() + 0x800}, 0x1000}}));
  EXPECT_EQ(refused({ram(0, 0x1000)}).code, Error::overlaps);
}

TEST_F(Declare, MemoryThatLeavesTheAliasIsStillMemoryOfThePoolInIt) {
  must(declare("d", {{kUncachedRam, 0x1000}}));
  EXPECT_EQ(refused({{PhysAddr{kCachedRam.raw() - 0x1000}, 0x2000}}).code, Error::overlaps);
}

TEST_F(Declare, APoolInsideTheAliasIsStillMemoryOfOneThatLeavesIt) {
  must(declare("d", {{PhysAddr{kCachedRam.raw() - 0x1000}, 0x2000}}));
  EXPECT_EQ(refused({{kUncachedRam, 0x1000}}).code, Error::overlaps);
}

TEST_F(Declare, TwoChunksOfOnePoolShareNoByte) {
  EXPECT_EQ(refused({ram(0, 0x1000), ram(0x800, 0x1000)}).code, Error::overlaps);
}

TEST_F(Declare, TwoChunksOfOnePoolShareNoByteByAnAliasEither) {
  EXPECT_EQ(refused({ram(0, 0x1000), {PhysAddr{kUncachedRam.raw() + 0x800}, 0x1000}}).code,
            Error::overlaps);
}

// As for regions of a tree: what was stated counts, not what the granule leaves of it.
TEST_F(Declare, BytesThatTheGranuleTakesAwayOverlapWhicheverPoolComesFirst) {
  must(declare("later", {ram(0x1000, 0x1000)}));
  EXPECT_EQ(refused({ram(0, 0x1010)}).code, Error::overlaps);
}

TEST_F(Declare, BytesThatTheGranuleTookAwayOverlapToo) {
  must(declare("earlier", {ram(0, 0x1010)}));
  EXPECT_EQ(refused({ram(0x1000, 0x1000)}).code, Error::overlaps);
}

}  // namespace
}  // namespace carveout
