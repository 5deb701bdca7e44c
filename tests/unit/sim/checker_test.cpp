// The checker itself: what it says and how often, and that it finds the same under every seed. The
// mistakes: checker_calls_test.cpp, checker_accesses_test.cpp.
#include "carveout_sim/checker.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>

#include "carveout_sim/adversary.hpp"
#include "checker_world.hpp"

namespace carveout::sim {
namespace {

TEST(CheckerTest, SaysWhatWhichBufferItsHistoryWhyAndTheLineToAdd) {
  World world;
  world.checker.map(world.eth, at(0, 64), kFrom);
  world.device_writes(world.engine, 0, 64);
  world.checker.sync_for_cpu(world.eth, at(0, 64), kFrom);
  world.load(8, 4);
  ASSERT_EQ(world.checker.reports().size(), 1U);
  const std::string text = world.checker.reports()[0].text();
  for (const char* part :
       {"carveout: missing_sync_after_device_wrote", "what:   CPU 0 loads 0x35a000008 (4 bytes)",
        "buffer: 0x35a000000 (64 bytes), mapped from_device for \"eth\" at checker_test.cpp:",
        "owner: the CPU", "map from_device at checker_test.cpp:", "\"eth\" writes: 0x35a000000",
        "sync_for_cpu from_device at", "CPU 0 loads: 0x35a000008", "why:    the CPU may have",
        "add:    sync_for_cpu(buffer) after"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nnot in\n" << text;
  }
}

TEST(CheckerTest, TellsOfAMistakeAboutABufferOnceInTheBuffersLife) {
  World world;
  for (int life = 0; life < 2; ++life) {
    world.checker.map(world.eth, at(0, 64), kFrom);
    for (int i = 0; i < 5; ++i) world.load(0);
    world.checker.unmap(world.eth, at(0, 64), kFrom);
  }
  EXPECT_EQ(world.checker.count(Mistake::touch_while_device_owns), 2U);
}

TEST(CheckerTest, CallsBackAndGoesOn) {
  Machine machine;
  std::string seen;
  Checker checker{machine, {.callback = [&](const Report& report) { seen = report.text(); }}};
  checker.unmap(kAnyMaster, at(0, 64), kTo);
  EXPECT_NE(seen.find("unmap_unknown"), std::string::npos);
  EXPECT_EQ(checker.count(), 1U);
}

TEST(CheckerDeathTest, EndsTheProgramWhereItIsToldTo) {
  Machine machine;
  Checker checker{machine, {.then = OnReport::abort}};
  EXPECT_DEATH(checker.unmap(kAnyMaster, at(0, 64), kTo), "carveout: unmap_unknown");
}

TEST(CheckerTest, LeavesTheMachineToTheCheckerThatTookItsPlace) {
  Machine machine;
  auto checker = std::make_unique<Checker>(machine, Checker::Settings{.callback = Checker::silent});
  // As a fixture makes a new one: the old one ends last.
  checker = std::make_unique<Checker>(machine, Checker::Settings{.callback = Checker::silent});
  DmaEngine engine{machine, Translation::identity(), DmaAddr{UINT64_MAX}};
  const PhysAddr base{0x3'5a00'0000};
  machine.store(machine.cpu_view({base, 64}), std::byte{1});
  std::byte read{};
  std::ignore = engine.read(DmaAddr{base.raw()}, {&read, 1});
  EXPECT_EQ(checker->count(Mistake::missing_sync_before_device_reads), 1U);
}

TEST(CheckerTest, GoesOnWhereTheMachineIsReset) {
  World w;
  w.checker.map(w.eth, at(0, 64), kFrom);
  w.store(64, 32);
  w.machine.reset();
  w.load(0, 64);                   // nobody's since
  w.device_reads(w.bare, 64, 32);  // what was stored is gone
  w.checker.map(w.eth, at(0, 64), kFrom);
  EXPECT_EQ(w.checker.count(), 0U);
  w.load(0);
  EXPECT_EQ(w.checker.count(Mistake::touch_while_device_owns), 1U);
}

TEST(CheckerTest, AWindowMayStateEitherAddressOfTheRam) {
  World w;
  const Window past{DmaAddr{0x1000'0000}, kUncached, 0x1'0000};
  const Master dsp = w.checker.attach("dsp", {.translation = Translation::through({&past, 1})});
  w.checker.map(dsp, at(0, 64), kFrom);
  const std::array list{at(0x100, 64), uncached_at(0x200, 64)};
  w.checker.map_sg(dsp, list, kTo);
  EXPECT_EQ(w.checker.count(), 0U);
  w.checker.map(dsp, at(0x1'0000, 64), kTo);
  EXPECT_EQ(w.checker.count(Mistake::outside_window), 1U);
}

TEST(CheckerTest, ForbiddenMemoryOfNoBytesForbidsNothing) {
  World w;
  w.checker.forbid(at(0x1000, 0), Mistake::maps_stack);
  w.checker.map(w.eth, at(0x1000, 64), kTo);
  w.checker.map(w.eth, at(0x2000, 64), kTo);
  EXPECT_EQ(w.checker.count(), 0U);
}

TEST(CheckerTest, LetsGoOfTheMachineWhenItEnds) {
  Machine machine;
  {
    const Checker checker{machine};
  }
  EXPECT_EQ(machine.load(machine.cached_view(at(0, 1))), std::byte{0});
}

TEST(CheckerTest, FindsAForgottenSyncUnderEverySeed) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Adversary adversary = Adversary::seeded(seed);
    World world;
    world.machine.set_adversary(&adversary);
    world.store(0, 64);
    world.device_reads(world.bare, 0, 64);
    world.device_writes(world.bare, 128, 64);
    world.load(128);
    ASSERT_EQ(world.checker.count(Mistake::missing_sync_before_device_reads), 1U) << seed;
    ASSERT_EQ(world.checker.count(Mistake::missing_sync_after_device_wrote), 1U) << seed;
  }
}

TEST(CheckerTest, SeesEachCpusCacheByItself) {
  Machine machine{{.cpus = 2}};
  Checker checker{machine, {.callback = Checker::silent}};
  DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* const cached = machine.cached_view(at(0, 64));
  machine.cpu(0).store(cached, std::byte{1});
  machine.cpu(1).clean(cached, 1);
  Bytes seen(1);
  ASSERT_TRUE(device.read(dma(0), seen));
  EXPECT_EQ(checker.count(Mistake::missing_sync_before_device_reads), 1U);
}

}  // namespace
}  // namespace carveout::sim
