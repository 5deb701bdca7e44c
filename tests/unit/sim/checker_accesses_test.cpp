// Mistakes that follow from what CPUs and devices do to memory: each made once, and all but made.
#include "checker_world.hpp"

namespace carveout::sim {
namespace {

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
    {Mistake::missing_observe_barrier,
     [](World& w) {
       w.checker.flag(uncached_at(128, 4));
       w.device_writes(w.bare, 0, 64);
       w.device_writes(w.bare, 128, 4);
       w.load_past(128, 4);
       w.load_past(32, 4);
     },
     [](World& w) {
       w.checker.flag(at(128, 4));
       w.checker.flag(at(160, 4));
       w.device_writes(w.bare, 0, 64);
       w.device_writes(w.bare, 160, 4);
       w.device_writes(w.bare, 128, 4);
       w.load_past(128, 4);
       w.load_past(160, 4);  // the next flag: nothing follows from the one before
       w.machine.cpu(0).observe_barrier();
       w.load_past(32, 4);
       w.device_writes(w.bare, 0, 64);
       w.load_past(32, 4);  // no flag was loaded since
       w.load_past(128, 4);
       w.load_past(0, 4);  // it says nothing new
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
};
constexpr auto kFirst = static_cast<std::size_t>(Mistake::missing_sync_before_device_reads);
static_assert(has_each(kCases, kFirst, kMistakes), "each mistake has a case, in their order");

class CheckerAccess : public testing::TestWithParam<Case> {};

TEST_P(CheckerAccess, IsReportedOnceAndAlone) { expect_it_alone_and_once(GetParam()); }

TEST_P(CheckerAccess, IsNotReportedWhereItIsNotMade) { expect_silence(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, CheckerAccess, testing::ValuesIn(kCases));

TEST(CheckerAccessTest, ADeviceThatEmitsWhatLeadsNowhereIsOutsideItsWindow) {
  World w;
  Bytes bytes(2);
  EXPECT_FALSE(w.bare.read(dma(0xf'ffff), bytes));
  EXPECT_EQ(w.checker.count(Mistake::outside_window), 1U);
}

TEST(CheckerAccessTest, ADetachedDeviceIsAMistakeWhereItMovesBytes) {
  World w;
  w.checker.detach(w.eth);
  w.device_reads(w.engine, 0);
  EXPECT_EQ(w.checker.count(Mistake::use_after_detach), 1U);
}

TEST(CheckerAccessTest, ASyncOfAPartGivesTheCpuThatPartsLinesAndNoMore) {
  World w;
  w.checker.map(w.eth, at(0, 128), kFrom);
  w.checker.sync_for_cpu(w.eth, at(36, 4), kFrom);
  w.load(32, 32);
  EXPECT_EQ(w.checker.count(), 0U);
  w.load(64);
  EXPECT_EQ(w.checker.count(Mistake::touch_while_device_owns), 1U);
  EXPECT_NE(w.checker.reports()[0].buffer.find("but for a part that is the CPU's"),
            std::string::npos);
}

TEST(CheckerAccessTest, ASyncBackOfAPartTakesThatPartOnly) {
  World w;
  w.checker.map(w.eth, at(0, 128), kFrom);
  w.checker.sync_for_cpu(w.eth, at(0, 128), kFrom);
  w.checker.sync_for_device(w.eth, at(0, 32), kFrom);
  w.load(32, 96);
  EXPECT_EQ(w.checker.count(), 0U);
  w.load(0);
  EXPECT_EQ(w.checker.count(Mistake::touch_while_device_owns), 1U);
}

TEST(CheckerAccessTest, OneTransferMayMoveWhatTwoMappingsHaveTogether) {
  World w;
  w.checker.map(w.eth, at(0, 96), kFrom);
  w.checker.map(w.eth, at(96, 96), kFrom);
  w.device_writes(w.engine, 0, 192);
  EXPECT_EQ(w.checker.count(), 0U);
  w.device_writes(w.engine, 128, 65);
  EXPECT_EQ(w.checker.count(Mistake::device_access_unmapped), 1U);
}

TEST(CheckerAccessTest, AnObserveBarrierIsMissingEvenWhereTheLoadWasNotEarly) {
  // One descriptor: its flag is behind its data, and the device writes both in one burst.
  World w;
  w.checker.flag(at(12, 4));
  w.device_writes(w.bare, 0, 16);
  w.load_past(12, 4);
  w.load_past(0, 4);
  EXPECT_EQ(w.checker.count(Mistake::missing_observe_barrier), 1U);
}

TEST(CheckerAccessTest, TheFlagOfOneDeviceSaysNothingOfAnothersBytes) {
  World w;
  w.checker.flag(at(128, 4));
  w.device_writes(w.bare, 0, 64);
  w.checker.map(w.eth, at(128, 32), kFrom);
  w.device_writes(w.engine, 128, 4);
  w.checker.sync_for_cpu(w.eth, at(128, 32), kFrom);
  w.load_past(128, 4);
  w.load_past(0, 4);
  EXPECT_EQ(w.checker.count(), 0U);
}

TEST(CheckerAccessTest, AnInvalidateBeforeIsEnoughWhereNothingIsFetchedBySpeculation) {
  for (const Speculation speculation : {Speculation::may_happen, Speculation::never}) {
    World w{{.speculation = speculation}};
    w.load(0, 64);
    w.machine.invalidate(w.cached, 64);
    w.device_writes(w.bare, 0, 64);
    w.load(0, 64);
    EXPECT_EQ(w.checker.count(Mistake::missing_sync_after_device_wrote),
              speculation == Speculation::never ? 0U : 1U);
  }
}

TEST(CheckerAccessTest, WhatTheCpuItselfFetchedIsOldWithoutSpeculationToo) {
  for (const bool stores : {false, true}) {
    World w{{.speculation = Speculation::never}};
    if (stores) {
      w.store(33);
      w.machine.clean(w.cached + 32, 1);
    } else {
      w.load(33);
    }
    w.device_writes(w.bare, 0, 64);
    w.load(0, 32);
    EXPECT_EQ(w.checker.count(), 0U);
    w.load(32);
    EXPECT_EQ(w.checker.count(Mistake::missing_sync_after_device_wrote), 1U);
  }
}

}  // namespace
}  // namespace carveout::sim
