// Each mistake, made once: its report comes. The same done rightly: silence.
#include "carveout_sim/checker.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "bytes.hpp"
#include "carveout_sim/adversary.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kCached{0x3'5a00'0000};
constexpr PhysAddr kUncached{0x7'1b40'0000};
constexpr Window kWindows[] = {kOddWindow};
constexpr std::size_t kLine = 32;
constexpr auto kTo = Direction::to_device;
constexpr auto kFrom = Direction::from_device;
constexpr auto kBoth = Direction::bidirectional;

PhysRange at(std::size_t offset, std::size_t size_bytes) {
  return {PhysAddr{kCached.raw() + offset}, size_bytes};
}
DmaAddr dma(std::size_t offset) { return DmaAddr{kOddWindow.dma.raw() + offset}; }

/// A machine that is watched, with two devices.
struct World {
  Machine machine{{.write_buffer_stores = 8}};
  Checker checker{machine, {.callback = Checker::silent}};
  Master eth = checker.attach("eth");
  Master usb = checker.attach("usb");
  DmaEngine engine{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}, eth};
  DmaEngine poller{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}, kAnyMaster,
                   Started::by_itself};
  /// A device that the checker knows no mappings of.
  DmaEngine bare{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* cached = machine.cached_view({kCached, 0x1'0000});
  std::byte* uncached = machine.cpu_view({kUncached, 0x1'0000});

  void store(std::size_t offset, std::size_t count = 1) {
    machine.write(cached + offset, pattern(count, 1));
  }
  void load(std::size_t offset, std::size_t count = 1) {
    static_cast<void>(read(machine, cached + offset, count));
  }
  void device_reads(DmaEngine& device, std::size_t offset, std::size_t count = 1) {
    Bytes bytes(count);
    ASSERT_TRUE(device.read(dma(offset), bytes));
  }
  void device_writes(DmaEngine& device, std::size_t offset, std::size_t count = 1) {
    ASSERT_TRUE(device.write(dma(offset), pattern(count, 2)));
  }
};

struct Case {
  Mistake mistake;
  void (*wrong)(World&);
  void (*right)(World&);
};
void PrintTo(const Case& test, std::ostream* out) { *out << name_of(test.mistake); }

constexpr Case kCases[] = {
    {Mistake::missing_sync_before_device_reads,
     [](World& w) {
       w.store(0, 64);
       w.device_reads(w.bare, 60, 4);
     },
     [](World& w) {
       w.store(0, 64);
       w.machine.clean(w.cached, 64);
       w.device_reads(w.bare, 60, 8);
       w.store(68, 4);  // behind what the device reads, in the same line
       w.device_reads(w.bare, 60, 8);
     }},
    {Mistake::missing_sync_after_device_wrote,
     [](World& w) {
       w.machine.invalidate(w.cached, 64);
       w.device_writes(w.bare, 0, 64);
       w.load(63);
     },
     [](World& w) {
       w.device_writes(w.bare, 0, 64);
       w.load(64);
       w.machine.invalidate(w.cached, 64);
       w.load(0, 65);
     }},
    {Mistake::dirty_line_over_device_data,
     [](World& w) {
       w.store(0, 4);
       w.device_writes(w.bare, 0, 64);
     },
     [](World& w) {
       w.store(0, 4);
       w.machine.clean(w.cached, 4);
       w.store(64, 4);
       w.device_writes(w.bare, 0, 64);
     }},
    {Mistake::line_shared,
     [](World& w) {
       w.store(60);
       w.device_writes(w.bare, 0, 48);
     },
     [](World& w) {
       w.store(64);
       w.device_writes(w.bare, 0, 48);
     }},
    {Mistake::store_lost_by_invalidate,
     [](World& w) {
       w.store(0);
       w.machine.invalidate(w.cached + 16, 16);
       w.load(0);
     },
     [](World& w) {
       w.store(0);
       w.machine.clean(w.cached, 1);
       w.machine.invalidate(w.cached + 16, 16);
       w.load(0);
       w.store(64);
       w.machine.invalidate(w.cached + 64, 1);  // its old bytes are not wanted
       w.store(64);
       w.load(64);
     }},
    {Mistake::touch_while_device_owns,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.load(63);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.load(64);
       w.checker.sync_for_cpu(w.eth, at(0, 64), kFrom);
       w.load(63);
       w.checker.unmap(w.eth, at(0, 64), kFrom);
       w.checker.map(w.eth, at(0, 64), kTo);
       w.load(63);  // the device only reads
     }},
    {Mistake::cached_twin,
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.load(0);
     },
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.load(64);
       static_cast<void>(w.machine.load(w.uncached));
     }},
    {Mistake::overrun,
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 60}, 64);
       w.machine.store(w.uncached + 60, std::byte{1});
     },
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 60}, 64);
       w.machine.store(w.uncached + 59, std::byte{1});
       w.machine.store(w.uncached + 64, std::byte{1});
     }},
    {Mistake::missing_publish_barrier,
     [](World& w) {
       w.machine.store(w.uncached, std::byte{1});
       w.device_reads(w.bare, 0, 4);
     },
     [](World& w) {
       w.machine.store(w.uncached, std::byte{1});
       w.machine.cpu(0).publish_barrier();
       w.machine.store(w.uncached + 4, std::byte{1});
       w.device_reads(w.bare, 0, 4);
     }},
    {Mistake::published_before_data,
     [](World& w) {
       w.machine.store(w.uncached, std::byte{1});
       w.machine.store(w.uncached + 64, std::byte{1});
       w.device_reads(w.poller, 64);
       w.device_reads(w.poller, 0);
     },
     [](World& w) {
       w.machine.store(w.uncached, std::byte{1});
       w.machine.cpu(0).publish_barrier();
       w.machine.store(w.uncached + 64, std::byte{1});
       w.device_reads(w.poller, 64);
       w.device_reads(w.poller, 0);
     }},
    {Mistake::device_access_unmapped,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.device_writes(w.engine, 60, 5);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.device_writes(w.engine, 60, 4);
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
     }},
    {Mistake::device_write_to_read_only,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.device_writes(w.engine, 0);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.device_reads(w.engine, 0);
       w.checker.map(w.eth, at(64, 64), kBoth);
       w.device_writes(w.engine, 64);
     }},
    {Mistake::outside_window,
     [](World& w) {
       Bytes bytes(2);
       ASSERT_FALSE(w.bare.read(dma(0xf'ffff), bytes));
     },
     [](World& w) { w.device_reads(w.bare, 0xf'ffff); }},
    {Mistake::use_after_detach,
     [](World& w) {
       w.checker.detach(w.eth);
       w.device_reads(w.engine, 0);
     },
     [](World& w) {
       w.checker.detach(w.usb);
       w.checker.map(w.eth, at(0, 4), kTo);
       w.device_reads(w.engine, 0);
     }},
    {Mistake::partial_line, [](World& w) { w.checker.map(w.eth, at(0, 33), kFrom); },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.map(w.eth, at(0x107, 33), kTo);
     }},
    {Mistake::map_overlap,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.map(w.usb, at(32, 32), kFrom);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.map(w.usb, at(32, 32), kTo);
       w.checker.map(w.usb, at(64, 32), kFrom);
     }},
    {Mistake::unmap_unknown,
     [](World& w) {
       w.checker.map(w.usb, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     }},
    {Mistake::double_unmap,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     },
     [](World& w) {
       for (int i = 0; i < 2; ++i) {
         w.checker.map(w.eth, at(0, 64), kTo);
         w.checker.unmap(w.eth, at(0, 64), kTo);
       }
     }},
    {Mistake::wrong_size_at_unmap,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 32), kTo);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, {kUncached, 64}, kTo);  // the same bytes by their other address
     }},
    {Mistake::wrong_direction_at_unmap,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.unmap(w.eth, at(0, 64), kFrom);
     }},
    {Mistake::sync_unknown,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.unmap(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(0, 64), kFrom);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(32, 32), kFrom);
     }},
    {Mistake::sync_outside_range,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(32, 33), kFrom);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(32, 32), kFrom);
       w.checker.sync_for_device(w.eth, at(0, 64), kFrom);
     }},
    {Mistake::wrong_direction_at_sync,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kBoth);
       w.checker.sync_for_device(w.eth, at(0, 64), kFrom);
     },
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kBoth);
       w.checker.sync_for_device(w.eth, at(0, 64), kBoth);
     }},
    {Mistake::leaked_mapping,
     [](World& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.detach(w.eth);
     },
     [](World& w) {
       w.checker.map(w.usb, at(0, 64), kTo);
       w.checker.detach(w.eth);
     }},
    {Mistake::leaked_block,
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.detach(w.eth);
     },
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.free(w.eth, {kUncached, 64});
       w.checker.detach(w.eth);
     }},
    {Mistake::free_unknown,
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.free(w.eth, at(32, 32));
     },
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.free(w.eth, at(0, 64));
     }},
    {Mistake::double_free,
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.free(w.eth, {kUncached, 64});
       w.checker.free(w.eth, {kUncached, 64});
     },
     [](World& w) {
       for (int i = 0; i < 2; ++i) {
         w.checker.alloc(w.eth, {kUncached, 64}, 64);
         w.checker.free(w.eth, {kUncached, 64});
       }
     }},
    {Mistake::wrong_size_at_free,
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 60}, 64);
       w.checker.free(w.eth, {kUncached, 64});
     },
     [](World& w) {
       w.checker.alloc(w.eth, {kUncached, 60}, 64);
       w.checker.free(w.eth, {kUncached, 60});
     }},
};
static_assert(std::size(kCases) == kMistakes);

class CheckerCase : public testing::TestWithParam<Case> {};

TEST_P(CheckerCase, IsReportedOnceAndAlone) {
  World world;
  GetParam().wrong(world);
  EXPECT_EQ(world.checker.count(GetParam().mistake), 1U);
  for (const Report& report : world.checker.reports()) {
    EXPECT_EQ(name_of(report.mistake), name_of(GetParam().mistake)) << report.text();
  }
}

TEST_P(CheckerCase, IsNotReportedWhereItIsNotMade) {
  World world;
  GetParam().right(world);
  for (const Report& report : world.checker.reports()) ADD_FAILURE() << report.text();
}

INSTANTIATE_TEST_SUITE_P(All, CheckerCase, testing::ValuesIn(kCases));

TEST(CheckerTest, HasACaseForEachMistake) {
  std::set<Mistake> cases;
  for (const Case& test : kCases) cases.insert(test.mistake);
  EXPECT_EQ(cases.size(), kMistakes);
}

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
