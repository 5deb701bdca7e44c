// Mistakes that follow from what CPUs and devices do to memory: each made once, and all but made.
#include "checker_world.hpp"

namespace carveout::sim {
namespace {

constexpr Case kCases[] = {
    {Mistake::missing_sync_before_device_reads,
     [](auto& w) {
       w.store(0, 64);
       w.device_reads(w.bare, 60, 4);
     },
     [](auto& w) {
       w.store(0, 64);
       w.clean(0, 64);
       w.device_reads(w.bare, 60, 8);
       w.store(68, 4);  // behind what the device reads, in the same line
       w.device_reads(w.bare, 60, 8);
     }},
    {Mistake::missing_sync_after_device_wrote,
     [](auto& w) {
       w.invalidate(0, 64);
       w.device_writes(w.bare, 0, 64);
       w.load(63);
     },
     [](auto& w) {
       w.device_writes(w.bare, 0, 64);
       w.load(64);
       w.invalidate(0, 64);
       w.load(0, 65);
     },
     WithPlainPointers::does_not_show},
    {Mistake::dirty_line_over_device_data,
     [](auto& w) {
       w.store(0, 4);
       w.device_writes(w.bare, 0, 64);
     },
     [](auto& w) {
       w.store(0, 4);
       w.clean(0, 4);
       w.store(64, 4);
       w.device_writes(w.bare, 0, 64);
       w.invalidate(0, 64);
       w.store(0, 4);  // over what was received
       w.load(0, 64);
     }},
    {Mistake::line_shared,
     [](auto& w) {
       w.store(60);
       w.device_writes(w.bare, 0, 48);
     },
     [](auto& w) {
       w.store(64);
       w.device_writes(w.bare, 0, 48);
     }},
    {Mistake::store_lost_by_invalidate,
     [](auto& w) {
       w.store(0);
       w.invalidate(16, 16);
       w.load(0);
     },
     [](auto& w) {
       w.store(0);
       w.clean(0, 1);
       w.invalidate(16, 16);
       w.load(0);
       w.store(64);
       w.invalidate(64, 1);  // its old bytes are not wanted
       w.store(64);
       w.load(64);
     },
     WithPlainPointers::does_not_show},
    {Mistake::touch_while_device_owns,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 4096), kFrom);
       w.load(4095);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 4096), kFrom);
       w.load(4096);
       w.checker.sync_for_cpu(w.eth, at(0, 4096), kFrom);
       w.load(4095);
       w.checker.unmap(w.eth, at(0, 4096), kFrom);
       w.checker.map(w.eth, at(0, 4096), kTo);
       w.load(4095);  // the device only reads
     }},
    {Mistake::cached_twin,
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.load(0);
     },
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.load(64);
       w.load_past(0);
     },
     WithPlainPointers::does_not_show},
    {Mistake::overrun,
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 60}, 64);
       w.store_past(60);
     },
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 60}, 64);
       w.store_past(59);
       w.store_past(64);
     },
     WithPlainPointers::does_not_show},
    {Mistake::missing_publish_barrier,
     [](auto& w) {
       w.store_past(0);
       w.device_reads(w.bare, 0, 4);
     },
     [](auto& w) {
       w.store_past(0);
       w.publish();
       w.store_past(4);
       w.device_reads(w.bare, 0, 4);
     },
     WithPlainPointers::does_not_show},
    {Mistake::published_before_data,
     [](auto& w) {
       w.store_past(0);
       w.store_past(64);
       w.device_reads(w.poller, 64);
       w.device_reads(w.poller, 0);
     },
     [](auto& w) {
       w.store_past(0);
       w.publish();
       w.store_past(64);
       w.device_reads(w.poller, 64);
       w.device_reads(w.poller, 0);
       w.store_past(128);
       w.store_past(192);
       w.device_reads(w.poller, 192);
       w.device_reads(w.other_poller, 128);  // which does not know what the first one saw
     },
     WithPlainPointers::does_not_show},
    {Mistake::missing_observe_barrier,
     [](auto& w) {
       w.checker.flag(uncached_at(128, 4));
       w.device_writes(w.bare, 0, 64);
       w.device_writes(w.bare, 128, 4);
       w.load_past(128, 4);
       w.load_past(32, 4);
     },
     [](auto& w) {
       w.checker.flag(at(128, 4));
       w.checker.flag(at(160, 4));
       w.device_writes(w.bare, 0, 64);
       w.device_writes(w.bare, 160, 4);
       w.device_writes(w.bare, 128, 4);
       w.load_past(128, 4);
       w.load_past(160, 4);  // the next flag: nothing follows from the one before
       w.observe();
       w.load_past(32, 4);
       w.device_writes(w.bare, 0, 64);
       w.load_past(32, 4);  // no flag was loaded since
       w.load_past(128, 4);
       w.load_past(0, 4);  // it says nothing new
     },
     WithPlainPointers::does_not_show},
    {Mistake::device_access_unmapped,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.device_writes(w.engine, 60, 5);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.device_writes(w.engine, 60, 4);
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
     }},
    {Mistake::device_write_to_read_only,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.device_writes(w.engine, 0);
     },
     [](auto& w) {
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

TEST_P(CheckerAccess, IsReportedWithPlainPointersWhereTheTableSaysSo) {
  expect_it_where_plain_pointers_show_it(GetParam());
}

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

TEST(CheckerAccessTest, AStoreThatGoesThroughKeepsNoLineFromADeviceAndIsNewInTheCache) {
  World w{{.on_store = OnStore::write_through}};
  w.device_writes(w.bare, 0, 64);
  w.store(0, 4);
  w.load(0, 4);
  EXPECT_EQ(w.checker.count(), 0U) << "the CPU's own bytes";
  w.load(0, 8);
  EXPECT_EQ(w.checker.count(Mistake::missing_sync_after_device_wrote), 1U);
}

TEST(CheckerAccessTest, AStoreThatMayComeLaterThanTheDevicesIsReported) {
  for (const OnStore on_store : {OnStore::write_back, OnStore::write_through}) {
    World w{{.on_store = on_store}};
    if (on_store == OnStore::write_back) {
      w.store_past(0, 4);
    } else {
      w.store(0, 4);
    }
    w.device_writes(w.poller, 64, 4);
    EXPECT_EQ(w.checker.count(), 0U) << "other bytes";
    w.device_writes(w.bare, 0, 4);
    EXPECT_EQ(w.checker.count(Mistake::missing_publish_barrier), 1U);
  }
}

TEST(CheckerAccessTest, ACleanLineByLineIsACleanOfAll) {
  World w{{.on_store = OnStore::write_through}};
  w.store(0, 64);
  w.clean(0, 32);
  w.device_reads(w.bare, 0, 32);
  EXPECT_EQ(w.checker.count(), 0U);
  w.clean(32, 32);
  w.device_reads(w.bare, 0, 64);
  EXPECT_EQ(w.checker.count(), 0U);
}

TEST(CheckerAccessTest, ACleanOfTheCachedAddressSendsNoStoreOnThatWentPastTheCache) {
  World w;
  w.store_past(0, 4);
  w.clean(0, 32);
  w.device_reads(w.bare, 0, 4);
  EXPECT_EQ(w.checker.count(Mistake::missing_publish_barrier), 1U);
}

TEST(CheckerAccessTest, WhatWasStoredAnewIsNotLost) {
  World w;
  w.store(0);
  w.invalidate(0, 32);
  w.store_past(0);
  w.publish();
  w.invalidate(0, 32);
  w.load(0);
  EXPECT_EQ(w.checker.count(), 0U);
}

TEST(CheckerAccessTest, WhatAnotherCpuStoredAnewIsNotLost) {
  Machine machine{{.cpus = 2}};
  const Checker checker{machine, {.callback = Checker::silent}};
  std::byte* const at = machine.cached_view({kCached, 64});
  machine.store(at, std::byte{1});
  machine.invalidate(at, 32);
  machine.cpu(1).store(at, std::byte{2});
  machine.cpu(1).clean(at, 32);
  machine.invalidate(at, 32);
  EXPECT_EQ(machine.load(at), std::byte{2});
  EXPECT_EQ(checker.count(), 0U);
}

TEST(CheckerAccessTest, ALineThatAStoreDidNotBringInStaysOut) {
  for (const OnStoreMiss on_miss : {OnStoreMiss::allocate, OnStoreMiss::no_allocate}) {
    World w{{.speculation = Speculation::never,
             .on_store = OnStore::write_through,
             .on_store_miss = on_miss}};
    w.invalidate(0, 32);
    w.store(0, 4);
    w.publish();
    w.device_writes(w.bare, 0, 32);
    w.load(0, 32);
    EXPECT_EQ(w.checker.count(Mistake::missing_sync_after_device_wrote),
              on_miss == OnStoreMiss::allocate ? 1U : 0U);
  }
}

TEST(CheckerAccessTest, AResourceIsNobodysToTouchOrNot) {
  World w;
  w.checker.map_resource(w.eth, uncached_at(0, 64), kBoth);
  w.load_past(0);
  w.store_past(0);
  EXPECT_EQ(w.checker.count(), 0U);
}

TEST(CheckerAccessTest, OneBurstOverTwoMappingsIsHeldAgainstEach) {
  for (const bool second : {false, true}) {
    World w;
    w.checker.map(w.eth, at(second ? 0 : 32, 32), kFrom);
    w.checker.map(w.eth, at(second ? 32 : 0, 32), kTo);
    w.device_writes(w.engine, 0, 64);
    EXPECT_EQ(w.checker.count(Mistake::device_write_to_read_only), 1U);
  }
}

TEST(CheckerAccessTest, ANeighboursBytesAndTheBuffersOwnAreTwoMistakes) {
  for (const bool touching : {false, true}) {
    World w;
    w.store(0, touching ? 32 : 1);
    w.store(20);
    w.device_writes(w.bare, 16, 16);
    EXPECT_EQ(w.checker.count(Mistake::line_shared), 1U);
    EXPECT_EQ(w.checker.count(Mistake::dirty_line_over_device_data), 1U);
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
