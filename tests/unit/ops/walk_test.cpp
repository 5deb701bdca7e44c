// take_by_route(): the route with what became of each candidate.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::must;
using test::ram;
using test::SimBoard;

class Walk : public testing::Test {
 protected:
  Result<Taken> take(const Device& device, std::uint64_t size_bytes, const Options& options = {}) {
    log_.clear();
    return take_by_route(device, size_bytes, options,
                         [this](const Candidate& candidate) { log_.push_back(candidate); });
  }

  SimBoard board_;
  std::vector<Candidate> log_;
};

TEST_F(Walk, EndsWithTheCandidateThatServed) {
  board_.default_pool("d", ram(0, 0x1000));
  ASSERT_TRUE(take(board_.device("eth"), 32));
  ASSERT_EQ(log_.size(), 3U);
  EXPECT_EQ(log_[0].verdict, Verdict::skipped);
  EXPECT_EQ(log_[1].verdict, Verdict::skipped);
  EXPECT_EQ(log_[2].verdict, Verdict::taken);
  EXPECT_EQ(log_[2].role, Role::default_pool);
}

TEST_F(Walk, SaysWhichRoleServed) {
  board_.default_pool("d", ram(0, 0x1000));
  EXPECT_EQ(must(take(board_.device("eth"), 32)).role, Role::default_pool);
}

TEST_F(Walk, GivesTheBlock) {
  Pool& pool = board_.default_pool("d", ram(0, 0x1000));
  const auto taken = must(take(board_.device("eth"), 32));
  ASSERT_TRUE(taken.block);
  EXPECT_EQ(taken.block->pool, &pool);
}

TEST_F(Walk, TouchesNeitherCacheNorMemory) {
  board_.default_pool("d", ram(0, 0x1000));
  board_.put_in_ram(ram(0, 1).base, test::pattern(0x1000));
  Device& device = board_.device("eth");
  board_.port.record();
  ASSERT_TRUE(take(device, 0x1000));
  for (const sim::PortCall& call : board_.port.recorded()) EXPECT_EQ(call.at, nullptr);
  EXPECT_EQ(board_.in_ram(ram(0, 0x1000)), test::pattern(0x1000));
}

TEST_F(Walk, ExhaustionIsFinalAndTheLogEndsThere) {
  board_.default_pool("d", ram(0, 0x1000));
  board_.default_pool("cma", ram(0x1000, 0x1000), Role::contiguous_default);
  Device& device = board_.device("eth");
  ASSERT_TRUE(take(device, 0x1000));
  ASSERT_EQ(error_of(take(device, 32)), Error::exhausted);
  EXPECT_EQ(log_.back().role, Role::default_pool);
  EXPECT_EQ(log_.back().verdict, Verdict::refused);
  EXPECT_EQ(log_.back().error, Error::exhausted);
}

constexpr std::array kChain{Role::contiguous_default, Role::ordinary};

TEST_F(Walk, ADeclaredFallbackServesWhereTheFinalCandidateIsExhausted) {
  board_.default_pool("d", ram(0, 0x1000));
  Pool& cma = board_.default_pool("cma", ram(0x1000, 0x1000), Role::contiguous_default);
  Device& device = board_.device("eth", {.fallback = kChain});
  must(alloc_coherent(device, 0x1000));
  const Block block = must(alloc_coherent(device, 32));
  EXPECT_EQ(block.pool, &cma);
  EXPECT_EQ(block.cpu, cma.pointer(block, View::uncached));
}

TEST_F(Walk, ADeclaredFallbackThatIsExhaustedTooIsFollowedByTheNext) {
  board_.default_pool("d", ram(0, 0x1000));
  board_.default_pool("cma", ram(0x1000, 0x1000), Role::contiguous_default);
  board_.default_pool("ram", ram(0x2000, 0x2000), Role::ordinary);
  Device& device = board_.device("eth", {.fallback = kChain});
  const auto taken = must(take(device, 0x1800));
  EXPECT_EQ(taken.role, Role::ordinary);
  ASSERT_EQ(log_.size(), 5U);
  EXPECT_EQ(log_[2].error, Error::exhausted);
  EXPECT_EQ(log_[3].error, Error::exhausted);
  EXPECT_EQ(log_[4].verdict, Verdict::taken);
}

TEST_F(Walk, ADeclaredFallbackNeverEndsInCacheableMemory) {
  static constexpr PhysRange kElsewhere[] = {{PhysAddr{0}, 0x1000'0000}};
  SimBoard other{{}, [](Platform& platform) { platform.ordinary_elsewhere = kElsewhere; }};
  other.default_pool("d", ram(0, 0x1000));
  Device& device = other.device("eth", {.fallback = kChain});
  EXPECT_EQ(error_of(take(device, 0x2000)), Error::exhausted);
  EXPECT_EQ(log_.back().role, Role::default_pool);
}

TEST_F(Walk, OwnPoolsThatAreExhaustedAreAllLogged) {
  Device& device = board_.device("eth");
  must(board_.system->bind(device, board_.pool("a", ram(0, 0x100)), {.index = 0}));
  must(board_.system->bind(device, board_.pool("b", ram(0x1000, 0x100)), {.index = 1}));
  board_.default_pool("d", ram(0x2000, 0x1000));
  ASSERT_EQ(error_of(take(device, 0x200)), Error::exhausted);
  ASSERT_EQ(log_.size(), 2U);
  EXPECT_EQ(log_[0].error, Error::exhausted);
  EXPECT_EQ(log_[1].error, Error::exhausted);
}

TEST_F(Walk, ARefusedOwnPoolIsPassedForTheNextOwnPool) {
  Device& device = board_.device("eth", {.windows = {{DmaAddr{0}, ram(0x1000, 1).base, 0x1000}}});
  ASSERT_FALSE(board_.system->bind(device, board_.pool("a", ram(0, 0x100)), {.index = 0}));
  must(board_.system->bind(device, board_.pool("b", ram(0x1000, 0x100)), {.index = 1}));
  ASSERT_TRUE(take(device, 32));
  EXPECT_EQ(log_[0].error, Error::not_in_window);
  EXPECT_EQ(log_[1].verdict, Verdict::taken);
}

TEST_F(Walk, OutOfReachGoesOnWithTheReason) {
  board_.default_pool("d", ram(0, 0x1000));
  board_.default_pool("cma", ram(0x1000, 0x1000), Role::contiguous_default);
  Device& device = board_.device("eth", {.windows = {{DmaAddr{0}, ram(0x1000, 1).base, 0x1000}}});
  ASSERT_TRUE(take(device, 32));
  EXPECT_EQ(log_[2].error, Error::unreachable);
  EXPECT_EQ(log_.back().role, Role::contiguous_default);
}

TEST_F(Walk, NoPoolIsForWhoeverSkippedEverything) {
  EXPECT_EQ(error_of(take(board_.device("eth"), 32)), Error::no_pool);
  for (const Candidate& candidate : log_) EXPECT_EQ(candidate.verdict, Verdict::skipped);
}

TEST_F(Walk, AMalformedRequestLooksAtNoCandidate) {
  board_.default_pool("d", ram(0, 0x1000));
  EXPECT_EQ(error_of(take(board_.device("eth"), 0)), Error::zero_size);
  EXPECT_TRUE(log_.empty());
}

TEST_F(Walk, AnUnknownPoolLooksAtNoCandidate) {
  board_.default_pool("d", ram(0, 0x1000));
  EXPECT_EQ(error_of(take(board_.device("eth"), 32, {.pool = {.index = 0}})), Error::unknown_pool);
  EXPECT_TRUE(log_.empty());
}

TEST_F(Walk, BehindAnIommuTheMemoryIsTakenWhereverItLies) {
  board_.default_pool("d", ram(0, 0x1000));
  Device& device = board_.device(
      "eth", {.windows = {{DmaAddr{0}, PhysAddr{0x1000}, 0x1000}}, .behind_iommu = true});
  EXPECT_TRUE(take(device, 32));
}

constexpr PhysRange kAllMemory[] = {{PhysAddr{0}, std::uint64_t{1} << 40}};

TEST_F(Walk, OrdinaryMemoryElsewhereIsNoBlock) {
  SimBoard board{{}, [](Platform& platform) { platform.ordinary_elsewhere = kAllMemory; }};
  const auto taken = must(take(board.device("eth", {.coherent = true}), 32));
  EXPECT_EQ(taken.role, Role::ordinary);
  EXPECT_FALSE(taken.block);
}

TEST_F(Walk, OrdinaryMemoryElsewhereCannotBeAllocated) {
  SimBoard board{{}, [](Platform& platform) { platform.ordinary_elsewhere = kAllMemory; }};
  EXPECT_EQ(error_of(alloc_coherent(board.device("eth", {.coherent = true}), 32)), Error::no_pool);
}

TEST_F(Walk, ABoardThatIsOnlyDescribedIsWalkedLikeARealOne) {
  SimBoard board{{}, [](Platform& platform) { platform.described_only = true; }};
  Pool& pool = board.default_pool("d", {PhysAddr{0x8000'0000}, 0x1000});
  const auto taken = must(take(board.device("eth", {.windows = {}}), 0x1000));
  ASSERT_TRUE(taken.block);
  EXPECT_EQ(taken.block->phys, PhysAddr{0x8000'0000});
  EXPECT_EQ(pool.usage().used_bytes, 0x1000U);
}

TEST_F(Walk, ABoardThatIsOnlyDescribedHasNothingToAllocate) {
  SimBoard board{{}, [](Platform& platform) { platform.described_only = true; }};
  board.default_pool("d", {PhysAddr{0x8000'0000}, 0x1000});
  EXPECT_EQ(error_of(alloc_coherent(board.device("eth", {.windows = {}}), 32)), Error::no_pool);
}

TEST_F(Walk, AFallbackIsForWhatIsFullAndForNothingElse) {
  board_.default_pool("d", ram(0, 0x1000));
  board_.default_pool("cma", ram(0x1000, 0x1000), Role::contiguous_default);
  Device& device = board_.device("eth", {.fallback = kChain});
  EXPECT_EQ(error_of(take(device, ~std::uint64_t{0})), Error::size_overflow);
  EXPECT_EQ(log_.back().role, Role::default_pool);
}

}  // namespace
}  // namespace carveout
