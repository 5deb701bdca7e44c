// CPUs: what a store does by the cache's policy, what waits in a write buffer, which load may pass
// which, and that no CPU's cache knows of another's.
#include "carveout_sim/cpu.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

#include "bytes.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "carveout_sim/machine.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kCached{0x3'5a00'0000};
constexpr PhysAddr kUncached{0x7'1b40'0000};
constexpr Window kWindows[] = {kOddWindow};
constexpr LineState kAbsent{.valid = false, .dirty = false};
constexpr LineState kClean{.valid = true, .dirty = false};

/// A machine, a line of its RAM by both addresses, and a device.
struct World {
  explicit World(const MachineFacts& facts) : machine{facts} {}

  Machine machine;
  DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* cached = machine.cpu_view({kCached, 4096});
  std::byte* uncached = machine.cpu_view({kUncached, 4096});

  [[nodiscard]] std::byte in_ram(std::size_t offset = 0) const {
    return ram(machine, PhysAddr{kCached.raw() + offset}, 1)[0];
  }
  void device_stores(std::size_t offset, std::byte value) {
    ASSERT_TRUE(device.fill(DmaAddr{kOddWindow.dma.raw() + offset}, 1, value));
  }
};

MachineFacts with_cache(OnStore store, OnStoreMiss miss) {
  return {.cache = CacheGeometry{.on_store = store, .on_store_miss = miss}};
}

TEST(CachePolicy, WriteBackLeavesRamOldAndTheLineDirty) {
  World world{with_cache(OnStore::write_back, OnStoreMiss::allocate)};
  world.machine.store(world.cached, std::byte{7});
  EXPECT_EQ(world.in_ram(), std::byte{0});
  EXPECT_TRUE(world.machine.line(world.cached).dirty);
}

TEST(CachePolicy, WriteThroughGivesRamTheStoreAndTheLineStaysClean) {
  World world{with_cache(OnStore::write_through, OnStoreMiss::allocate)};
  world.machine.store(world.cached, std::byte{7});
  EXPECT_EQ(world.in_ram(), std::byte{7});
  EXPECT_EQ(world.machine.line(world.cached), kClean);
}

TEST(CachePolicy, WriteThroughStillReadsStaleWhatADeviceWrote) {
  World world{with_cache(OnStore::write_through, OnStoreMiss::allocate)};
  world.machine.store(world.cached, std::byte{7});
  world.device_stores(0, std::byte{9});
  EXPECT_EQ(world.machine.load(world.cached), std::byte{7});
}

TEST(CachePolicy, NoAllocatePutsAMissedStorePastTheCache) {
  World world{with_cache(OnStore::write_back, OnStoreMiss::no_allocate)};
  world.machine.store(world.cached, std::byte{7});
  EXPECT_EQ(world.in_ram(), std::byte{7});
  EXPECT_EQ(world.machine.line(world.cached), kAbsent);
}

TEST(CachePolicy, NoAllocateStillMakesALineDirtyThatIsThere) {
  World world{with_cache(OnStore::write_back, OnStoreMiss::no_allocate)};
  static_cast<void>(world.machine.load(world.cached));
  world.machine.store(world.cached, std::byte{7});
  EXPECT_EQ(world.in_ram(), std::byte{0});
  EXPECT_TRUE(world.machine.line(world.cached).dirty);
}

TEST(CachePolicy, AStoreAcrossTwoLinesIsJudgedLineByLine) {
  World world{with_cache(OnStore::write_back, OnStoreMiss::no_allocate)};
  static_cast<void>(world.machine.load(world.cached));  // the first line is there, the second not
  world.machine.store(reinterpret_cast<std::uint16_t*>(world.cached + 31), std::uint16_t{0x0202});
  EXPECT_EQ(world.in_ram(31), std::byte{0});
  EXPECT_EQ(world.in_ram(32), std::byte{2});
}

TEST(SeveralCpus, DoNotSeeWhatAnotherHasInItsCache) {
  World world{{.cpus = 2}};
  Cpu& one = world.machine.cpu(0);
  Cpu& two = world.machine.cpu(1);
  one.store(world.cached, std::byte{7});

  EXPECT_EQ(two.load(world.cached), std::byte{0});
  one.clean(world.cached, 1);
  EXPECT_EQ(two.load(world.cached), std::byte{0}) << "two has a line of its own by now";
  two.invalidate(world.cached, 1);
  EXPECT_EQ(two.load(world.cached), std::byte{7});
}

TEST(SeveralCpus, MaintainNobodyElsesCache) {
  World world{{.cpus = 2}};
  world.machine.cpu(0).store(world.cached, std::byte{7});
  world.machine.cpu(1).clean_invalidate(world.cached, 1);
  EXPECT_EQ(world.in_ram(), std::byte{0});
  EXPECT_TRUE(world.machine.cpu(0).line(world.cached).dirty);
}

TEST(SeveralCpus, TheMachinesOwnFunctionsAreTheFirstOnes) {
  World world{{.cpus = 2}};
  world.machine.store(world.cached, std::byte{7});
  EXPECT_EQ(world.machine.cpu(0).load(world.cached), std::byte{7});
  EXPECT_EQ(world.machine.cpu(1).load(world.cached), std::byte{0});
}

TEST(SeveralCpus, HaveEachAPort) {
  World world{{.cpus = 2}};
  HostPort second{world.machine, 1};
  world.machine.cpu(1).store(world.cached, std::byte{7});
  second.clean(world.cached, 1);
  EXPECT_EQ(world.in_ram(), std::byte{7});
}

TEST(SeveralCpus, AreOneOrMore) {
  EXPECT_THROW(Machine{MachineFacts{.cpus = 0}}, std::invalid_argument);
}

constexpr MachineFacts buffered(std::size_t stores) { return {.write_buffer_stores = stores}; }

TEST(WriteBuffer, KeepsAStoreFromDevicesUntilABarrier) {
  World world{buffered(4)};
  world.machine.store(world.uncached, std::byte{7});
  EXPECT_EQ(world.in_ram(), std::byte{0});
  HostPort{world.machine}.publish_barrier();
  EXPECT_EQ(world.in_ram(), std::byte{7});
}

TEST(WriteBuffer, IsEmptiedByAFullBarrierAndNotByAnObserveBarrier) {
  World world{buffered(4)};
  HostPort port{world.machine};
  world.machine.store(world.uncached, std::byte{7});
  port.observe_barrier();
  EXPECT_EQ(world.in_ram(), std::byte{0});
  port.full_barrier();
  EXPECT_EQ(world.in_ram(), std::byte{7});
}

TEST(WriteBuffer, AnswersItsOwnCpusLoadsAndNoOthers) {
  MachineFacts facts = buffered(4);
  facts.cpus = 2;
  World world{facts};
  world.machine.cpu(0).store(world.uncached + 2, std::byte{7});
  EXPECT_EQ(world.machine.cpu(0).load(reinterpret_cast<std::uint32_t*>(world.uncached)),
            0x0007'0000U);
  EXPECT_EQ(world.machine.cpu(1).load(world.uncached + 2), std::byte{0});
}

TEST(WriteBuffer, LetsTheOldestGoWhenItIsFull) {
  World world{buffered(2)};
  for (std::size_t i = 0; i < 3; ++i) world.machine.store(world.uncached + 8 * i, std::byte{7});
  EXPECT_EQ(world.in_ram(0), std::byte{7});
  EXPECT_EQ(world.in_ram(8), std::byte{0});
  EXPECT_EQ(world.machine.cpu(0).stores_waiting(), 2U);
}

TEST(WriteBuffer, HoldsWhatIsWrittenThroughACacheToo) {
  MachineFacts facts = with_cache(OnStore::write_through, OnStoreMiss::no_allocate);
  facts.write_buffer_stores = 4;
  World world{facts};
  world.machine.store(world.cached, std::byte{7});
  EXPECT_EQ(world.in_ram(), std::byte{0});
  EXPECT_EQ(world.machine.load(world.cached), std::byte{7}) << "the line that comes in has it";
}

TEST(WriteBuffer, ACleanIsCompleteWhenItReturns) {
  MachineFacts facts = with_cache(OnStore::write_through, OnStoreMiss::allocate);
  facts.write_buffer_stores = 4;
  World world{facts};
  world.machine.store(world.cached, std::byte{7});
  world.machine.clean(world.cached, 1);
  EXPECT_EQ(world.in_ram(), std::byte{7});
}

TEST(WriteBuffer, NothingOldLandsOnADirtyLineThatWentOut) {
  MachineFacts facts = with_cache(OnStore::write_back, OnStoreMiss::no_allocate);
  facts.write_buffer_stores = 4;
  World world{facts};
  world.machine.store(world.cached, std::byte{1});  // misses, and waits
  static_cast<void>(world.machine.load(world.cached));
  world.machine.store(world.cached, std::byte{2});  // hits
  world.machine.clean(world.cached, 1);
  world.machine.cpu(0).publish_barrier();
  EXPECT_EQ(world.in_ram(), std::byte{2});
}

/// Lets stores go, at every moment, newest first.
struct NewestFirst final : Watcher {
  void at(const Moment& /*moment*/, Hands& hands) override {
    if (const auto waiting = hands.waiting(0); waiting.size() > 1) {
      hands.act({Act::drain, 0, waiting.back().base});
    }
  }
};

TEST(WriteBuffer, MayLetALaterStoreGoBeforeAnEarlierOne) {
  World world{buffered(4)};
  NewestFirst hardware;
  world.machine.set_adversary(&hardware);
  world.machine.store(world.uncached, std::byte{1});
  world.machine.store(world.uncached + 8, std::byte{2});
  static_cast<void>(world.machine.load(world.uncached + 64));
  EXPECT_EQ(world.in_ram(0), std::byte{0});
  EXPECT_EQ(world.in_ram(8), std::byte{2});
}

TEST(WriteBuffer, NeverChangesTheOrderOfStoresToOneByte) {
  World world{buffered(4)};
  NewestFirst hardware;
  world.machine.set_adversary(&hardware);
  world.machine.store(world.uncached, std::byte{1});
  world.machine.store(reinterpret_cast<std::uint16_t*>(world.uncached), std::uint16_t{0x0202});
  static_cast<void>(world.machine.load(world.uncached + 64));
  world.machine.cpu(0).publish_barrier();
  EXPECT_EQ(world.in_ram(0), std::byte{2});
}

RC_GTEST_PROP(WriteBufferProperty, TheCpuAloneAlwaysReadsWhatItWrote, ()) {
  World world{{.cache = CacheGeometry{.sets = 2,
                                      .ways = 1,
                                      .on_store = *rc::gen::element(OnStore::write_back,
                                                                    OnStore::write_through),
                                      .on_store_miss = *rc::gen::element(OnStoreMiss::allocate,
                                                                         OnStoreMiss::no_allocate)},
               .write_buffer_stores = *rc::gen::inRange<std::size_t>(0, 6)}};
  NewestFirst hardware;
  world.machine.set_adversary(&hardware);
  constexpr std::size_t kBytes = 256;
  std::byte* const view = *rc::gen::element(world.cached, world.uncached);
  Bytes naive(kBytes);
  const int steps = *rc::gen::inRange(1, 100);
  for (int step = 0; step < steps; ++step) {
    const auto offset = *rc::gen::inRange<std::size_t>(0, kBytes);
    const auto length =
        *rc::gen::inRange<std::size_t>(1, std::min<std::size_t>(20, kBytes - offset) + 1);
    const Bytes data = pattern(length, static_cast<std::uint8_t>(step));
    world.machine.write(view + offset, data);
    std::ranges::copy(data, naive.begin() + static_cast<std::ptrdiff_t>(offset));
    RC_ASSERT(read(world.machine, view, kBytes) == naive);
  }
  if (view == world.cached) world.machine.clean(view, kBytes);
  world.machine.cpu(0).publish_barrier();
  RC_ASSERT(ram(world.machine, kCached, kBytes) == naive);
}

/// Makes every load early that can be.
struct Early final : Watcher {
  void at(const Moment& moment, Hands& hands) override {
    if (moment.kind == MomentKind::load) hands.act({Act::load_early, moment.cpu, PhysAddr{0}});
  }
};

class EarlyLoad : public testing::Test {
 protected:
  void SetUp() override { world_.machine.set_adversary(&hardware_); }
  [[nodiscard]] std::byte load(std::size_t offset) {
    return world_.machine.load(world_.uncached + offset);
  }

  static constexpr std::size_t kData = 0;
  static constexpr std::size_t kFlag = 64;
  Early hardware_;
  World world_{{.early_loads = 16}};
};

TEST_F(EarlyLoad, PassesTheLoadOfTheFlagThatStoodBeforeIt) {
  world_.device_stores(kData, std::byte{7});
  world_.device_stores(kFlag, std::byte{1});
  ASSERT_EQ(load(kFlag), std::byte{1});
  EXPECT_EQ(load(kData), std::byte{0});
}

TEST_F(EarlyLoad, DoesNotPassAnObserveBarrier) {
  world_.device_stores(kData, std::byte{7});
  world_.device_stores(kFlag, std::byte{1});
  ASSERT_EQ(load(kFlag), std::byte{1});
  world_.machine.cpu(0).observe_barrier();
  EXPECT_EQ(load(kData), std::byte{7});
}

TEST_F(EarlyLoad, DoesNotPassAFullBarrierAndPassesAPublishBarrier) {
  world_.device_stores(kData, std::byte{7});
  world_.device_stores(kFlag, std::byte{1});
  ASSERT_EQ(load(kFlag), std::byte{1});
  world_.machine.cpu(0).publish_barrier();
  EXPECT_EQ(load(kData), std::byte{0});
  world_.device_stores(kData, std::byte{8});
  ASSERT_EQ(load(kFlag), std::byte{1});
  world_.machine.cpu(0).full_barrier();
  EXPECT_EQ(load(kData), std::byte{8});
}

TEST_F(EarlyLoad, HasALoadToPassOrIsNotEarly) {
  world_.device_stores(kFlag, std::byte{1});
  EXPECT_EQ(load(kFlag), std::byte{1}) << "the first load after the device, as in an interrupt";
}

TEST_F(EarlyLoad, NeverMakesAByteOlderThanTheCpuSawIt) {
  world_.device_stores(kData, std::byte{7});
  ASSERT_EQ(load(kData), std::byte{7});
  ASSERT_EQ(load(kFlag), std::byte{0});
  EXPECT_EQ(load(kData), std::byte{7});
}

TEST_F(EarlyLoad, NeverMissesWhatTheCpuItselfStored) {
  world_.device_stores(kData, std::byte{7});
  world_.device_stores(kFlag, std::byte{1});
  world_.machine.store(world_.uncached + kData, std::byte{9});
  ASSERT_EQ(load(kFlag), std::byte{1});
  EXPECT_EQ(load(kData), std::byte{9});
}

TEST_F(EarlyLoad, GoesNoFurtherBackThanTheMachineSays) {
  world_.device_stores(kData, std::byte{7});
  for (std::size_t i = 0; i < 16; ++i) world_.device_stores(kFlag, std::byte{1});
  ASSERT_EQ(load(kFlag), std::byte{1});
  EXPECT_EQ(load(kData), std::byte{7});
}

TEST_F(EarlyLoad, NeedsAnAdversary) {
  world_.machine.set_adversary(nullptr);
  world_.device_stores(kData, std::byte{7});
  world_.device_stores(kFlag, std::byte{1});
  ASSERT_EQ(load(kFlag), std::byte{1});
  EXPECT_EQ(load(kData), std::byte{7});
}

}  // namespace
}  // namespace carveout::sim
