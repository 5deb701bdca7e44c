// Drivers with one mistake each, and hardware that finds it: at its worst, and by seed.
#include "carveout_sim/adversary.hpp"

#include <gtest/gtest.h>

#include <array>

#include "bytes.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kCached{0x3'5a00'0000};
constexpr PhysAddr kUncached{0x7'1b40'0000};
constexpr Window kWindows[] = {kOddWindow};
constexpr DmaAddr kDma = kOddWindow.dma;
constexpr std::size_t kBuffer = 128;
constexpr MachineFacts small(MachineFacts facts = {}) {
  facts.ram = {{.size_bytes = 0x1000, .cached = kCached, .uncached = kUncached}};
  return facts;
}

/// A machine with a device, under an adversary.
struct Bench {
  explicit Bench(Adversary& adversary, const MachineFacts& facts = small()) : machine{facts} {
    machine.set_adversary(&adversary);
  }
  Machine machine;
  DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* cached = machine.cached_view({kCached, 0x1000});
  std::byte* uncached = machine.cpu_view({kUncached, 0x1000});
};

enum class Sync : std::uint8_t { before_only, before_and_after };

/// Receives into a buffer whose old bytes the CPU wrote.
Program receive(Sync sync) {
  return [sync](Adversary& adversary) {
    Bench bench{adversary};
    bench.machine.write(bench.cached, pattern(kBuffer, 1));
    bench.machine.clean_invalidate(bench.cached, kBuffer);
    static_cast<void>(bench.device.write(kDma, pattern(kBuffer, 2)));
    if (sync == Sync::before_and_after) bench.machine.invalidate(bench.cached, kBuffer);
    return read(bench.machine, bench.cached, kBuffer) == pattern(kBuffer, 2);
  };
}

/// The CPU counts in a variable while the device writes in front of it.
Program count_beside_a_buffer(std::size_t counter_at) {
  return [counter_at](Adversary& adversary) {
    Bench bench{adversary};
    bench.machine.invalidate(bench.cached, 96);
    const std::array list{DmaRange{kDma, 96}};
    auto flight = bench.device.begin_write(
        list, [](std::span<std::byte> burst) { std::ranges::fill(burst, std::byte{7}); });
    flight->step(64);
    bench.machine.store(bench.cached + counter_at, std::byte{1});
    flight->finish();
    bench.machine.invalidate(bench.cached, 96);
    return read(bench.machine, bench.cached, 96) == Bytes(96, std::byte{7});
  };
}

enum class Order : std::uint8_t { none, publish };

/// Data, then a flag that says so; the device looks at the flag by itself.
Program hand_over(Order order) {
  return [order](Adversary& adversary) {
    Bench bench{adversary, small({.write_buffer_stores = 4})};
    bench.machine.store(bench.uncached, std::byte{5});
    if (order == Order::publish) bench.machine.cpu(0).publish_barrier();
    bench.machine.store(bench.uncached + 64, std::byte{1});
    Bytes flag(1);
    Bytes data(1);
    static_cast<void>(bench.device.read(DmaAddr{kDma.raw() + 64}, flag));
    static_cast<void>(bench.device.read(kDma, data));
    return flag[0] == std::byte{0} || data[0] == std::byte{5};
  };
}

/// The other way round: the device wrote data and then the flag.
Program take_over(Order order) {
  return [order](Adversary& adversary) {
    Bench bench{adversary, small({.early_loads = 8})};
    static_cast<void>(bench.device.fill(kDma, 1, std::byte{5}));
    static_cast<void>(bench.device.fill(DmaAddr{kDma.raw() + 64}, 1, std::byte{1}));
    if (bench.machine.load(bench.uncached + 64) == std::byte{0}) return true;
    if (order != Order::none) bench.machine.cpu(0).observe_barrier();
    return bench.machine.load(bench.uncached) == std::byte{5};
  };
}

bool passes_at_worst(const Program& run) {
  Adversary worst = Adversary::worst();
  return run(worst);
}

std::uint64_t failing_seeds(const Program& run, std::uint64_t seeds) {
  std::uint64_t failing = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Adversary adversary = Adversary::seeded(seed);
    if (!run(adversary)) ++failing;
  }
  return failing;
}

struct Mistake {
  const char* what;
  Program wrong;
  Program right;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.what; }

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, FailAtTheWorst) {
  EXPECT_FALSE(passes_at_worst(GetParam().wrong));
  EXPECT_TRUE(passes_at_worst(GetParam().right));
}

TEST_P(Mistakes, PassOnHardwareThatDoesNothing) {
  Adversary nothing = Adversary::replaying({});
  EXPECT_TRUE(GetParam().wrong(nothing)) << "then it takes no adversary to see it";
}

TEST_P(Mistakes, AreFoundBySeedsAndTheirCuresPassThemAll) {
  EXPECT_GT(failing_seeds(GetParam().wrong, 300), 0U);
  EXPECT_EQ(failing_seeds(GetParam().right, 300), 0U);
}

TEST_P(Mistakes, ShrinkToDecisionsOfWhichEachIsNeeded) {
  const auto found = find_failure(GetParam().wrong, 0);
  ASSERT_TRUE(found);
  const Schedule& shortest = found->shortest;
  ASSERT_FALSE(shortest.empty());
  Adversary same = Adversary::replaying(shortest);
  EXPECT_FALSE(GetParam().wrong(same));
  for (std::size_t without = 0; without < shortest.size(); ++without) {
    Schedule rest = shortest;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(without));
    Adversary less = Adversary::replaying(rest);
    EXPECT_TRUE(GetParam().wrong(less)) << to_text(shortest);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Mistakes,
    testing::Values(
        Mistake{"invalidated before the transfer only", receive(Sync::before_only),
                receive(Sync::before_and_after)},
        Mistake{"a line shared with a neighbour", count_beside_a_buffer(95),
                count_beside_a_buffer(96)},
        Mistake{"no barrier before the flag", hand_over(Order::none), hand_over(Order::publish)},
        Mistake{"no barrier behind the flag", take_over(Order::none), take_over(Order::publish)}));

TEST(AdversaryTest, OneSeedIsOneRun) {
  const auto run = [](std::uint64_t seed) {
    Adversary adversary = Adversary::seeded(seed);
    static_cast<void>(receive(Sync::before_only)(adversary));
    return adversary.done();
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(AdversaryTest, WhatItDidCanBeDoneAgain) {
  Adversary first = Adversary::seeded(11);
  static_cast<void>(receive(Sync::before_and_after)(first));
  ASSERT_FALSE(first.done().empty());
  Adversary again = Adversary::replaying(first.done());
  static_cast<void>(receive(Sync::before_and_after)(again));
  EXPECT_EQ(again.done(), first.done());
}

TEST(AdversaryTest, LeavesOutWhatIsNotPossible) {
  Adversary script = Adversary::replaying({{0, {Act::write_back, 0, kCached}},
                                           {0, {Act::speculate, 7, kCached}},
                                           {0, {Act::speculate, 0, PhysAddr{0}}},
                                           {0, {Act::speculate, 0, kUncached}}});
  Bench bench{script};
  static_cast<void>(bench.machine.load(bench.uncached));
  EXPECT_TRUE(script.done().empty());
}

TEST(AdversaryTest, EvictsADirtyLineToRam) {
  Adversary script = Adversary::replaying({{1, {Act::evict, 0, kCached}}});
  Bench bench{script};
  bench.machine.store(bench.cached, std::byte{3});
  static_cast<void>(bench.machine.load(bench.uncached));
  EXPECT_FALSE(bench.machine.line(bench.cached).valid);
  EXPECT_EQ(ram(bench.machine, kCached, 1), Bytes{std::byte{3}});
}

TEST(AdversaryTest, SpeculationNeverPushesADirtyLineOut) {
  const std::size_t stride = CacheGeometry{}.set_stride_bytes();
  Adversary script =
      Adversary::replaying({{2, {Act::speculate, 0, PhysAddr{kCached.raw() + 2 * stride}}}});
  Bench bench{script};
  bench.machine.store(bench.cached, std::byte{3});
  bench.machine.store(bench.cached + stride, std::byte{3});
  static_cast<void>(bench.machine.load(bench.uncached));
  EXPECT_TRUE(script.done().empty());
  EXPECT_TRUE(bench.machine.line(bench.cached).dirty);
}

TEST(AdversaryTest, TellsTheShortestFailingScheduleInWords) {
  const auto found = find_failure(receive(Sync::before_only), 0);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->shortest.size(), 1U);
  const std::string text = to_text(*found);
  EXPECT_NE(text.find("with the worst schedule"), std::string::npos) << text;
  EXPECT_NE(text.find("CPU 0 brings in, by speculation, the line 0x35a0000"), std::string::npos)
      << text;
}

TEST(AdversaryTest, SaysSoWhereADriverFailsWithoutAnyHelp) {
  const auto found = find_failure([](Adversary&) { return false; }, 0);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_text(*found), "fails whatever the hardware does\n");
}

TEST(AdversaryTest, FindsTheSeedWhereTheWorstScheduleDoesNotFail) {
  // Only an eviction at the right time fails, which the worst schedule does not do.
  const Program run = [](Adversary& adversary) {
    Bench bench{adversary};
    bench.machine.store(bench.cached, std::byte{3});
    static_cast<void>(bench.machine.load(bench.uncached));
    return bench.machine.line(bench.cached).dirty;
  };
  const auto found = find_failure(run, 1000);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->seed);
  EXPECT_EQ(found->shortest.size(), 1U);
}

TEST(AdversaryTest, FindsNothingInARightDriver) {
  EXPECT_FALSE(find_failure(receive(Sync::before_and_after), 100));
}

}  // namespace
}  // namespace carveout::sim
