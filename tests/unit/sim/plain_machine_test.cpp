// Code with plain pointers on a machine whose caches are not coherent: drivers as they are, and
// Carveout's own verbs.
#include "carveout_sim/plain_machine.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <thread>

#include "bytes.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/setup/system.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"

/// With a name that a stack can show.
extern "C" {
[[gnu::noinline]] std::uint8_t carveout_test_reads_too_early(const std::byte* at) {
  return static_cast<std::uint8_t>(*static_cast<const volatile std::byte*>(at));
}
[[gnu::noinline]] void carveout_test_writes_too_early(std::byte* at) {
  *static_cast<volatile std::byte*>(at) = std::byte{0x77};
}
[[gnu::noinline]] void carveout_test_gives_away(carveout::sim::PlainMachine& machine,
                                                carveout::PhysRange range,
                                                carveout::Direction direction) {
  machine.device_owns(range, direction);
  asm volatile("");  // no tail call
}
}

namespace carveout::sim {
namespace {

constexpr PhysAddr kCached{0x3'5a00'0000};
constexpr PhysAddr kUncached{0x7'1b40'0000};
constexpr Window kWindows[] = {kOddWindow};
constexpr DmaAddr kDma = kOddWindow.dma;
constexpr std::size_t kPage = 4096;

class Plain : public testing::Test {
 protected:
  explicit Plain(const PlainFacts& facts = {}) : machine_{facts} {}

  [[nodiscard]] Bytes in_ram(std::size_t offset, std::size_t count) {
    return {uncached_ + offset, uncached_ + offset + count};
  }
  [[nodiscard]] Bytes seen(std::size_t offset, std::size_t count) {
    return {cached_ + offset, cached_ + offset + count};
  }
  void device_writes(std::size_t offset, std::size_t count, std::uint8_t seed) {
    ASSERT_TRUE(device_.write(DmaAddr{kDma.raw() + offset}, pattern(count, seed)));
  }
  [[nodiscard]] Bytes device_reads(std::size_t offset, std::size_t count) {
    Bytes bytes(count);
    EXPECT_TRUE(device_.read(DmaAddr{kDma.raw() + offset}, bytes));
    return bytes;
  }
  static PhysRange at(std::size_t offset, std::size_t size_bytes) {
    return {PhysAddr{kCached.raw() + offset}, size_bytes};
  }

  PlainMachine machine_;
  DmaEngine device_{machine_, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* const cached_ = machine_.cpu_view({kCached, 0x1'0000});
  std::byte* const uncached_ = machine_.cpu_view({kUncached, 0x1'0000});
};

TEST_F(Plain, APlainStoreReachesTheDeviceOnlyWhenCleaned) {
  const Bytes data = pattern(100, 1);
  std::memcpy(cached_, data.data(), data.size());
  EXPECT_EQ(device_reads(0, 100), Bytes(100));
  machine_.clean(cached_, 100);
  EXPECT_EQ(device_reads(0, 100), data);
}

TEST_F(Plain, WhatTheDeviceWroteIsStaleUntilInvalidated) {
  machine_.invalidate(cached_, 100);
  device_writes(0, 100, 2);
  EXPECT_EQ(seen(0, 100), Bytes(100)) << "invalidated only before: fetched by speculation since";
  machine_.invalidate(cached_, 100);
  EXPECT_EQ(seen(0, 100), pattern(100, 2));
}

TEST_F(Plain, TheUncachedViewIsTheRam) {
  device_writes(0, 100, 2);
  EXPECT_EQ(in_ram(0, 100), pattern(100, 2));
  uncached_[3] = std::byte{0x5a};
  EXPECT_EQ(device_reads(3, 1), Bytes{std::byte{0x5a}});
}

TEST_F(Plain, ADirtyLineLandsOnWhatTheDeviceWrote) {
  cached_[31] = std::byte{0x5a};
  device_writes(0, 64, 2);
  Bytes expected = pattern(64, 2);
  std::ranges::fill(std::span{expected}.first(32), std::byte{0});
  expected[31] = std::byte{0x5a};
  EXPECT_EQ(in_ram(0, 64), expected);
}

TEST_F(Plain, AnInvalidateLosesANeighboursByteAndACleanKeepsIt) {
  cached_[0] = std::byte{1};
  cached_[32] = std::byte{2};
  machine_.invalidate(cached_ + 8, 8);
  machine_.clean_invalidate(cached_ + 40, 8);
  EXPECT_EQ(cached_[0], std::byte{0});
  EXPECT_EQ(cached_[32], std::byte{2});
}

TEST_F(Plain, ACleanOfACleanLineLeavesWhatTheDeviceWrote) {
  device_writes(0, 32, 2);
  machine_.clean(cached_, 32);
  EXPECT_EQ(in_ram(0, 32), pattern(32, 2));
}

struct QuietPlain : Plain {
  QuietPlain() : Plain{{.hardware = std::nullopt}} {}
};

TEST_F(QuietPlain, AnInvalidateBeforeIsEnoughWhereNothingIsFetchedBySpeculation) {
  machine_.invalidate(cached_, 64);
  device_writes(0, 64, 2);
  EXPECT_EQ(seen(0, 64), pattern(64, 2));
}

TEST_F(QuietPlain, ALineThatTheCpuWroteIsThereAndGoesStale) {
  cached_[0] = std::byte{1};
  machine_.clean(cached_, 1);
  device_writes(0, 64, 2);
  EXPECT_EQ(cached_[0], std::byte{1});
  EXPECT_EQ(in_ram(0, 64), pattern(64, 2)) << "and nothing is written back";
}

// ---- hardware by itself -------------------------------------------------------------------------

constexpr std::size_t kBuffer = 128;

/// A driver with plain pointers under hardware that is given: receives behind `dirty` bytes of a
/// neighbour that it stores into while the device writes.
struct Forgets {
  bool invalidate_after = false;
  bool clean_before = false;
};
Program receive(Forgets forgets) {
  return [forgets](Adversary& hardware) {
    PlainMachine machine{{.size_bytes = kPage, .hardware = std::nullopt}};
    machine.set_adversary(&hardware);
    DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
    std::byte* const buffer = machine.cpu_view({kCached, kBuffer});
    std::memset(buffer, 1, kBuffer);
    if (!forgets.clean_before) machine.clean_invalidate(buffer, kBuffer);
    EXPECT_TRUE(device.write(kDma, pattern(kBuffer, 2)));
    if (!forgets.invalidate_after) machine.invalidate(buffer, kBuffer);
    return std::memcmp(buffer, pattern(kBuffer, 2).data(), kBuffer) == 0;
  };
}

std::size_t failing_seeds(const Program& run) {
  std::size_t failing = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Adversary hardware = Adversary::seeded(seed);
    failing += run(hardware) ? 0U : 1U;
  }
  return failing;
}

TEST(PlainHardware, FindsAForgottenInvalidateBySeedAndNothingInTheRightDriver) {
  EXPECT_GT(failing_seeds(receive({.invalidate_after = true})), 50U);
  EXPECT_EQ(failing_seeds(receive({})), 0U);
}

TEST(PlainHardware, WritesADirtyLineBackOverADevicesDataBySeedAndAtTheWorst) {
  EXPECT_GT(failing_seeds(receive({.clean_before = true})), 100U);
  Adversary worst = Adversary::worst();
  EXPECT_FALSE(receive({.clean_before = true})(worst));
}

TEST(PlainHardware, ThatDoesNothingLetsAForgottenInvalidatePass) {
  Adversary nothing = Adversary::replaying({});
  EXPECT_TRUE(receive({.invalidate_after = true})(nothing));
}

TEST(PlainHardware, AFailureShrinksToTheOneLineThatWasFetched) {
  const auto failing = find_failure(receive({.invalidate_after = true}), 0);
  ASSERT_TRUE(failing);
  ASSERT_EQ(failing->shortest.size(), 1U);
  EXPECT_EQ(failing->shortest[0].action.what, Act::speculate);
}

TEST(PlainHardware, OneSeedIsOneRun) {
  const auto run = [](std::uint64_t seed) {
    Adversary hardware = Adversary::seeded(seed);
    static_cast<void>(receive({.invalidate_after = true})(hardware));
    return hardware.done();
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

TEST(PlainHardware, AnEvictionTakesAStoreToRamAndIsToldAsAStoreAllTheSame) {
  Adversary script = Adversary::replaying({{0, {Act::evict, 0, kCached}}});
  PlainMachine machine{{.size_bytes = kPage, .hardware = std::nullopt}};
  machine.set_adversary(&script);
  Checker checker{machine, {.callback = Checker::silent}};
  std::byte* const cached = machine.cpu_view({kCached, kPage});
  cached[3] = std::byte{9};
  machine.clean(cached + 2048, 1);  // the moment
  EXPECT_EQ(machine.cpu_view({kUncached, 8})[3], std::byte{9});
  DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  Bytes seen(8);
  ASSERT_TRUE(device.read(kDma, seen));
  EXPECT_EQ(seen[3], std::byte{9}) << "the hardware happened to write it back";
  EXPECT_EQ(checker.count(Mistake::missing_sync_before_device_reads), 1U);
}

TEST(PlainHardware, TakesWhatIsNotPossibleForNothing) {
  Adversary script = Adversary::replaying({{0, {Act::write_back, 0, kCached}},
                                           {0, {Act::evict, 0, kCached}},
                                           {0, {Act::drain, 0, kCached}},
                                           {0, {Act::load_early, 0, kCached}},
                                           {0, {Act::speculate, 1, kCached}},
                                           {0, {Act::speculate, 0, PhysAddr{0}}}});
  PlainMachine machine;
  machine.set_adversary(&script);
  machine.clean(machine.cpu_view({kCached, 64}), 64);
  EXPECT_TRUE(script.done().empty());
}

TEST(PlainHardware, OfTheFactsMayBeASeed) {
  const auto kept = [](std::uint64_t seed) {
    PlainMachine machine{{.size_bytes = kPage, .hardware = Adversary::seeded(seed)}};
    DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
    EXPECT_TRUE(device.write(kDma, pattern(kPage, 2)));
    const std::byte* const at = machine.cpu_view({kCached, kPage});
    return Bytes{at, at + kPage};
  };
  EXPECT_EQ(kept(1), kept(1));
  EXPECT_NE(kept(1), kept(2)) << "not the same lines were in the cache";
}

TEST_F(Plain, PointersAndAddressesAreThoseOfTheirViews) {
  EXPECT_EQ(machine_.phys_of(cached_ + 5, 10), PhysAddr{kCached.raw() + 5});
  EXPECT_EQ(machine_.phys_of(uncached_ + 5, 10), PhysAddr{kUncached.raw() + 5});
  EXPECT_EQ(machine_.phys_of(cached_ + 0xf'ffff, 2), std::nullopt);
  int mine = 0;
  EXPECT_EQ(machine_.phys_of(reinterpret_cast<std::byte*>(&mine), 1), std::nullopt);
  EXPECT_EQ(machine_.cpu_view({PhysAddr{kCached.raw() - 1}, 2}), nullptr);
  EXPECT_EQ(machine_.cpu_view({kCached, 0}), nullptr);
}

TEST_F(Plain, MaintenanceOfWhatIsNoCachedMemoryThrows) {
  int mine = 0;
  EXPECT_THROW(machine_.clean(reinterpret_cast<std::byte*>(&mine), 4), std::out_of_range);
  EXPECT_THROW(machine_.clean(uncached_, 4), std::invalid_argument);
}

TEST_F(Plain, ATouchOfWhatTheDeviceOwnsIsToldWithBothStacksAndGoesOn) {
  cached_[kPage + 3] = std::byte{0x42};
  carveout_test_gives_away(machine_, at(kPage, kPage), Direction::from_device);
  EXPECT_EQ(carveout_test_reads_too_early(cached_ + kPage + 3), 0x42);
  const auto touches = machine_.touches();
  ASSERT_EQ(touches.size(), 1U);
  const std::string& text = touches[0];
  const auto given = text.find("given to the device by");
  EXPECT_LT(text.find("carveout_test_reads_too_early"), given) << text;
  EXPECT_NE(text.find("carveout_test_gives_away", given), std::string::npos) << text;
}

TEST_F(Plain, AStoreToWhatTheDeviceOwnsIsDoneAllTheSame) {
  machine_.device_owns(at(kPage, kPage), Direction::bidirectional);
  carveout_test_writes_too_early(cached_ + kPage);
  EXPECT_EQ(machine_.touches().size(), 1U);
  machine_.cpu_owns(at(kPage, kPage));
  EXPECT_EQ(cached_[kPage], std::byte{0x77});
}

TEST_F(Plain, WhatTheDeviceOnlyReadsMayBeReadAndNotWritten) {
  machine_.device_owns(at(kPage, kPage), Direction::to_device);
  static_cast<void>(carveout_test_reads_too_early(cached_ + kPage));
  EXPECT_TRUE(machine_.touches().empty());
  carveout_test_writes_too_early(cached_ + kPage);
  EXPECT_EQ(machine_.touches().size(), 1U);
}

TEST_F(Plain, ThePagesThatABufferSharesStayTheCpus) {
  machine_.device_owns(at(kPage - 64, 2 * kPage), Direction::from_device);
  static_cast<void>(carveout_test_reads_too_early(cached_ + kPage - 1));
  static_cast<void>(carveout_test_reads_too_early(cached_ + 2 * kPage));
  EXPECT_TRUE(machine_.touches().empty());
  static_cast<void>(carveout_test_reads_too_early(cached_ + kPage));
  EXPECT_EQ(machine_.touches().size(), 1U);
}

TEST_F(Plain, WhatTheCpuOwnsAgainIsItsOwn) {
  machine_.device_owns(at(kPage, kPage), Direction::from_device);
  machine_.cpu_owns(at(kPage, kPage));
  static_cast<void>(carveout_test_reads_too_early(cached_ + kPage));
  EXPECT_TRUE(machine_.touches().empty());
}

TEST_F(Plain, APageIsTakenAwayAgainWhenTheDeviceActs) {
  machine_.device_owns(at(kPage, kPage), Direction::from_device);
  static_cast<void>(carveout_test_reads_too_early(cached_ + kPage));
  static_cast<void>(carveout_test_reads_too_early(cached_ + kPage));
  device_writes(kPage, 64, 2);
  static_cast<void>(carveout_test_reads_too_early(cached_ + kPage));
  EXPECT_EQ(machine_.touches().size(), 2U);
}

TEST_F(Plain, SeveralMachinesTellTheirTouchesApart) {
  PlainMachine other;
  std::byte* const theirs = other.cpu_view({kCached, kPage});
  other.device_owns(at(0, kPage), Direction::from_device);
  static_cast<void>(carveout_test_reads_too_early(theirs));
  EXPECT_TRUE(machine_.touches().empty());
  EXPECT_EQ(other.touches().size(), 1U);
}

TEST_F(Plain, AnotherThreadsTouchIsTold) {
  machine_.device_owns(at(0, kPage), Direction::from_device);
  std::thread{[&] { static_cast<void>(carveout_test_reads_too_early(cached_)); }}.join();
  EXPECT_EQ(machine_.touches().size(), 1U);
}

TEST_F(Plain, ATouchIsToldOnceAndWholeWhileAnotherThreadAsksForTouches) {
  constexpr std::size_t kPages = 16;
  for (int round = 0; round < 50; ++round) {
    machine_.device_owns(at(0, kPages * kPage), Direction::from_device);
    std::atomic<bool> done = false;
    std::thread cpu{[&] {
      for (std::size_t page = 0; page < kPages; ++page) {
        static_cast<void>(carveout_test_reads_too_early(cached_ + page * kPage));
      }
      done = true;
    }};
    std::vector<std::string> told;
    const auto ask = [&] {
      for (std::string& text : machine_.touches()) told.push_back(std::move(text));
    };
    while (!done) ask();
    cpu.join();
    ask();
    ASSERT_EQ(told.size(), kPages);
    for (const std::string& text : told) {
      ASSERT_NE(text.find("carveout_test_reads_too_early"), std::string::npos) << text;
    }
  }
}

TEST(PlainFactsCheck, RefuseWhatNoMachineIs) {
  EXPECT_THROW(PlainMachine{PlainFacts{.size_bytes = 100}}, std::invalid_argument);
  EXPECT_THROW(PlainMachine{PlainFacts{.line_bytes = 24}}, std::invalid_argument);
  EXPECT_THROW(PlainMachine{PlainFacts{.uncached = PhysAddr{0x3'5a00'1000}}},
               std::invalid_argument);
}

using PlainDeathTest = Plain;

TEST_F(PlainDeathTest, AFaultThatIsNotTheMachinesEndsTheProgramAsBefore) {
  EXPECT_DEATH(
      static_cast<void>(carveout_test_reads_too_early(cached_ + machine_.alias().size_bytes)), "");
}

sigjmp_buf back;

TEST(PlainFault, ThatIsNotTheMachinesGoesToTheHandlerFromBefore) {
  void* const nothing = ::mmap(nullptr, kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction mine{};
  struct sigaction former{};
  mine.sa_handler = [](int) { siglongjmp(back, 1); };
  ASSERT_EQ(::sigaction(SIGSEGV, &mine, &former), 0);
  bool came_back = false;
  {
    const PlainMachine machine;
    if (sigsetjmp(back, 1) == 0) {
      static_cast<void>(carveout_test_reads_too_early(static_cast<std::byte*>(nothing)));
    } else {
      came_back = true;
    }
  }
  EXPECT_TRUE(came_back);
  struct sigaction now{};
  ASSERT_EQ(::sigaction(SIGSEGV, &former, &now), 0);
  EXPECT_EQ(now.sa_handler, mine.sa_handler) << "put back with the last machine";
  ::munmap(nothing, kPage);
}

/// A driver with plain pointers, its mappings told to a checker.
class PlainDriver : public Plain {
 protected:
  Checker checker_{machine_, {.callback = Checker::silent}};
  Master eth_ = checker_.attach("eth");
  DmaEngine engine_{machine_, Translation::through(kWindows), DmaAddr{0xffff'ffff}, eth_};

  void receive(std::size_t offset, std::size_t count) {
    ASSERT_TRUE(engine_.write(DmaAddr{kDma.raw() + offset}, pattern(count, 3)));
  }
};

TEST_F(PlainDriver, ADoneRightIsSilent) {
  std::memset(cached_, 1, kPage);
  machine_.clean_invalidate(cached_, kPage);
  checker_.map(eth_, at(0, kPage), Direction::from_device);
  receive(0, 100);
  checker_.unmap(eth_, at(0, kPage), Direction::from_device);
  machine_.invalidate(cached_, kPage);
  EXPECT_EQ(seen(0, 100), pattern(100, 3));
  for (const Report& report : checker_.reports()) ADD_FAILURE() << report.text();
}

TEST_F(PlainDriver, ATouchWhileTheDeviceOwnsIsAReportWithBothStacks) {
  machine_.invalidate(cached_, kPage);
  checker_.map(eth_, at(0, kPage), Direction::from_device);
  carveout_test_writes_too_early(cached_ + 8);
  checker_.unmap(eth_, at(0, kPage), Direction::from_device);
  ASSERT_EQ(checker_.count(Mistake::touch_while_device_owns), 1U);
  const std::string text = checker_.reports()[0].text();
  EXPECT_NE(text.find("stores 0x35a000008"), std::string::npos) << text;
  EXPECT_NE(text.find("carveout_test_writes_too_early"), std::string::npos) << text;
  EXPECT_NE(text.find("given to the device by"), std::string::npos) << text;
}

TEST_F(PlainDriver, ADetachedDeviceHasNoMemoryAnyMore) {
  checker_.map(eth_, at(0, kPage), Direction::from_device);
  checker_.detach(eth_);
  static_cast<void>(carveout_test_reads_too_early(cached_));
  EXPECT_TRUE(machine_.touches().empty());
  EXPECT_EQ(checker_.count(Mistake::touch_while_device_owns), 0U);
  EXPECT_EQ(checker_.count(Mistake::leaked_mapping), 1U);
}

TEST_F(Plain, WhatWasMappedIsTheCpusWhenTheCheckerEnds) {
  {
    Checker checker{machine_, {.callback = Checker::silent}};
    checker.map(checker.attach("eth"), at(0, kPage), Direction::from_device);
  }
  static_cast<void>(carveout_test_reads_too_early(cached_));
  EXPECT_TRUE(machine_.touches().empty());
}

TEST_F(PlainDriver, AForgottenCleanIsFoundWhenTheDeviceReads) {
  cached_[5] = std::byte{1};
  checker_.map(eth_, at(0, kPage), Direction::to_device);
  Bytes seen(32);
  ASSERT_TRUE(engine_.read(kDma, seen));
  ASSERT_EQ(checker_.count(Mistake::missing_sync_before_device_reads), 1U);
  EXPECT_EQ(checker_.reports()[0].range, at(5, 1));
  EXPECT_EQ(checker_.count(), 1U) << checker_.reports().back().text();
}

TEST_F(PlainDriver, ADirtyLineUnderADevicesWriteIsFound) {
  cached_[5] = std::byte{1};
  checker_.map(eth_, at(0, kPage), Direction::from_device);
  receive(0, 100);
  EXPECT_EQ(checker_.count(Mistake::dirty_line_over_device_data), 1U);
  EXPECT_EQ(checker_.count(), 1U);
}

TEST_F(PlainDriver, AByteThatAnInvalidateLostIsNotSeenToBeReadWithPlainPointers) {
  cached_[0] = std::byte{1};
  machine_.invalidate(cached_ + 8, 8);
  EXPECT_EQ(cached_[0], std::byte{0}) << "the test of the driver sees it; the checker cannot";
  EXPECT_EQ(checker_.count(), 0U);
}

/// Carveout's verbs on it.
TEST(PlainSystem, GivesCoherentMemoryThatHasNothingOfItsTwin) {
  PlainMachine machine;
  PlainPort port{machine};
  std::vector<std::uint64_t> storage(8192);
  const std::array aliases{machine.alias()};
  auto system = System::create({.port = port, .aliases = aliases},
                               std::as_writable_bytes(std::span{storage}));
  ASSERT_TRUE(system);
  const PhysRange range{PhysAddr{kCached.raw() + 0x8000}, 0x4000};
  auto pool = (*system)->declare({.name = "dma", .chunks = std::span{&range, 1}});
  ASSERT_TRUE(pool);
  ASSERT_TRUE((*system)->set_default(Role::default_pool, **pool));
  auto device = (*system)->add_device({.name = "eth",
                                       .coherent_mask = DmaAddr{0xffff'ffff},
                                       .translation = Translation::through(kWindows)});
  ASSERT_TRUE(device);

  std::byte* const twin = machine.cpu_view(range);
  std::memset(twin, 0x5a, range.size_bytes);  // dirty lines of an earlier use
  const auto block = alloc_coherent(**device, 256);
  ASSERT_TRUE(block);
  DmaEngine engine{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  Bytes bytes(256, std::byte{1});
  ASSERT_TRUE(engine.read(block->dma, bytes));
  EXPECT_EQ(bytes, Bytes(256)) << "zeroed, and nothing old came down on it";
  ASSERT_TRUE(engine.write(block->dma, pattern(256, 4)));
  EXPECT_EQ(std::memcmp(block->cpu, pattern(256, 4).data(), 256), 0);
  EXPECT_TRUE(free_coherent(*block));
}

TEST(PlainSystem, TakesWhatItsVerbsLendAwayFromTheCpu) {
  PlainMachine machine;
  PlainPort port{machine};
  std::vector<std::uint64_t> storage(8192);
  const std::array aliases{machine.alias()};
  auto system = System::create({.port = port, .aliases = aliases},
                               std::as_writable_bytes(std::span{storage}));
  ASSERT_TRUE(system);
  auto device = (*system)->add_device({.name = "eth",
                                       .coherent_mask = DmaAddr{0xffff'ffff},
                                       .translation = Translation::through(kWindows)});
  ASSERT_TRUE(device);
  std::byte* const packet = machine.cpu_view({kCached, kPage});
  const auto mapped =
      map(**device, {.cpu = packet, .phys = kCached, .size_bytes = kPage}, Direction::from_device);
  ASSERT_TRUE(mapped);
  static_cast<void>(carveout_test_reads_too_early(packet));
  EXPECT_EQ(machine.touches().size(), 1U);
  ASSERT_TRUE(unmap(**device, *mapped));
  static_cast<void>(carveout_test_reads_too_early(packet));
  EXPECT_TRUE(machine.touches().empty());
}

}  // namespace
}  // namespace carveout::sim
