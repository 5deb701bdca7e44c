// The picture of a failing run: what it shows, what it leaves out, and that it is only a picture.
#include "carveout_sim/timeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bytes.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"
#include "carveout_sim/plain_machine.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kCached{0x3'5a00'0000};
constexpr PhysAddr kUncached{0x7'1b40'0000};
constexpr Window kWindows[] = {kOddWindow};
constexpr std::size_t kPacket = 64;

/// A machine with a device that a checker knows.
template <class M>
struct Bench {
  explicit Bench(Adversary& adversary, const char* name = "eth")
      : checker{machine, {.callback = Checker::silent}}, device{checker.attach(name)} {
    machine.set_adversary(&adversary);
  }
  M machine;
  Checker checker;
  Master device;
  DmaEngine engine{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}, device};
  std::byte* bytes = machine.cpu_view({kCached, 0x1'0000});

  void receive() {
    machine.invalidate(bytes, kPacket);
    checker.map(device, {kCached, kPacket}, Direction::from_device);
    EXPECT_TRUE(engine.fill(kOddWindow.dma, kPacket, std::byte{0x2a}));
    checker.unmap(device, {kCached, kPacket}, Direction::from_device);
  }
};

/// The buffer is invalidated before the transfer only.
bool receives(Adversary& adversary) {
  Bench<Machine> bench{adversary};
  bench.receive();
  return bench.machine.load(bench.bytes) == std::byte{0x2a};
}

bool sends(Adversary& adversary) {
  Bench<Machine> bench{adversary};
  for (std::size_t i = 0; i < 8; ++i) bench.machine.store(bench.bytes + i, std::byte{0x17});
  bench.checker.map(bench.device, {kCached, kPacket}, Direction::to_device);
  Bytes seen(kPacket);
  EXPECT_TRUE(bench.engine.read(kOddWindow.dma, seen));
  bench.checker.unmap(bench.device, {kCached, kPacket}, Direction::to_device);
  return seen[0] == std::byte{0x17};
}

/// The record of the shortest failing run, and whether the run failed as it does without one.
void follow(RunRecord& record, const Program& run) {
  const auto failing = find_failure(run, 100);
  ASSERT_TRUE(failing);
  Adversary again = Adversary::replaying(failing->shortest);
  again.show_to(record);
  EXPECT_FALSE(run(again));
  EXPECT_EQ(again.done(), failing->shortest) << "who looks on changes nothing";
}

std::string svg_of(const Program& run) {
  RunRecord record;
  follow(record, run);
  return to_svg(record);
}

std::string page_of(const Program& run) {
  RunRecord record;
  follow(record, run);
  return to_html(record, "fails so");
}

std::size_t count_of(std::string_view part, std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

testing::AssertionResult has(std::string_view text, std::string_view part) {
  if (text.contains(part)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << part << "\" in:\n" << text;
}

TEST(Timeline, SaysWhatTheCpuSawAndWhatRamHeld) {
  const std::string svg = svg_of(receives);
  EXPECT_TRUE(has(svg, ">sees 00<"));
  EXPECT_TRUE(has(svg, "at 0x35a000000 CPU 0 saw 00, and RAM held 2a"));
}

TEST(Timeline, SaysWhatADeviceSawAndWhatTheCacheHeld) {
  EXPECT_TRUE(has(svg_of(sends), "eth saw 00, and the cache of CPU 0 held 17"));
}

TEST(Timeline, MarksTheMomentOfTheMistakeWithTheReport) {
  const std::string svg = svg_of(receives);
  EXPECT_EQ(count_of("class=\"band\"", svg), 1U);
  EXPECT_TRUE(has(svg, "missing_sync_after_device_wrote</title>"));
  EXPECT_TRUE(has(svg, ">why: the CPU may have fetched the line"));
  EXPECT_TRUE(has(svg, ">add: sync_for_cpu(buffer)"));
}

TEST(Timeline, DrawsWhatHardwareDidByItselfOtherwiseThanWhatTheProgramDid) {
  const std::string svg = svg_of(receives);
  // Beside the legend's: one fetch; an invalidate, a load and the buffer's owner, twice.
  EXPECT_EQ(count_of("class=\"self\"", svg), 2U);
  EXPECT_EQ(count_of("class=\"cpu\"", svg), 5U);
}

TEST(Timeline, CountsMomentsAsTheScheduleDoes) {
  RunRecord record;
  follow(record, receives);
  const auto failing = find_failure(receives, 0);
  ASSERT_TRUE(failing);
  const auto fetch = std::ranges::find(record.steps(), Actor::hardware, &Step::actor);
  ASSERT_NE(fetch, record.steps().end());
  EXPECT_EQ(fetch->moment, failing->shortest.front().moment);
}

TEST(Timeline, ShowsALineThatIsNotWhatRamHoldsAsStale) {
  EXPECT_EQ(count_of("class=\"stale\"", svg_of(receives)), 3U) << "legend, before, mistake";
}

TEST(Timeline, TellsWhoseTheMemoryIs) {
  const std::string page = page_of(receives);
  EXPECT_TRUE(has(page, "<td>the driver</td><td>lends to the device, from_device, 0x35a000000"));
  EXPECT_TRUE(has(page, "<td>eth</td><td>writes 0x35a000000, 64 bytes</td><td>the device: from"));
  EXPECT_TRUE(has(page, "takes back 0x35a000000, 64 bytes</td><td>the CPU</td>"));
}

TEST(Timeline, ThePageHasTheFactsOfTheImageAsATable) {
  const std::string page = page_of(receives);
  EXPECT_TRUE(has(page, "<pre>fails so</pre>"));
  EXPECT_TRUE(has(page,
                  "<td>writes 0x35a000000, 64 bytes</td><td>the device: from_device</td>"
                  "<td>stale 00 00 00 00</td><td>2a 2a 2a 2a</td>"));
  EXPECT_EQ(count_of("<tr class=\"mistake\">", page), 1U);
  EXPECT_EQ(count_of("<tr class=\"itself\">", page), 1U);
}

TEST(Timeline, JoinsStepsThatGoOnWhereTheLastOneEnded) {
  const std::string page = page_of(sends);
  EXPECT_TRUE(has(page, "<td>stores 0x35a000000, 8 bytes; the cache fills the line</td>"));
}

TEST(Timeline, LeavesOutWhatTouchesOtherLines) {
  const std::string page = page_of([](Adversary& adversary) {
    Bench<Machine> bench{adversary};
    bench.receive();
    for (std::size_t i = 0; i < 7; ++i) {
      static_cast<void>(bench.machine.load(bench.bytes + 0x10a0 + i * 0x100));
    }
    return bench.machine.load(bench.bytes) == std::byte{0x2a};
  });
  EXPECT_TRUE(has(page, "<td>7 steps elsewhere</td>"));
  EXPECT_FALSE(page.contains("0x35a0010a0"));
}

/// Sees its stale byte only after a long time.
bool looks_late(Adversary& adversary) {
  Bench<Machine> bench{adversary};
  for (std::size_t i = 0; i < 200; ++i) {
    bench.machine.store(bench.bytes + (i % 2) * 40, std::byte{static_cast<unsigned char>(i)});
  }
  bench.machine.clean(bench.bytes, kPacket);
  bench.receive();
  return bench.machine.load(bench.bytes) == std::byte{0x2a};
}

TEST(Timeline, ShowsAtMostSixtyStepsAndTheMistakeAmongThem) {
  const std::string page = page_of(looks_late);
  const std::size_t rows = count_of("<tr", page);
  EXPECT_LE(rows, 1 + 60U);
  EXPECT_GT(rows, 10U);
  EXPECT_EQ(count_of("<tr class=\"mistake\">", page), 1U);
  EXPECT_TRUE(has(page, " steps elsewhere</td>"));
}

TEST(Timeline, TellsAccessesOfOneLineInALongRunAsOneStep) {
  const std::string page = page_of([](Adversary& adversary) {
    Bench<Machine> bench{adversary};
    for (std::size_t i = 0; i < 200; ++i) {
      bench.machine.store(bench.bytes + (i % 2) * 8, std::byte{static_cast<unsigned char>(i)});
    }
    bench.machine.clean(bench.bytes, kPacket);
    bench.receive();
    return bench.machine.load(bench.bytes) == std::byte{0x2a};
  });
  EXPECT_TRUE(has(page, "stores 0x35a000000, 9 bytes, 200 times"));
}

TEST(Timeline, ANameIsOnlyText) {
  const Program run = [](Adversary& adversary) {
    Bench<Machine> bench{adversary, "<script>'\"&\xff\x01"};
    bench.receive();
    return bench.machine.load(bench.bytes) == std::byte{0x2a};
  };
  const std::string page = page_of(run);
  EXPECT_FALSE(page.contains("<script"));
  EXPECT_TRUE(has(page, "&#60;script&#62;&#39;&#34;&#38;\\xff\\x01"));
}

TEST(Timeline, WithoutACheckerTheLastReadOfAStaleByteIsTheMistake) {
  const Program run = [](Adversary& adversary) {
    Machine machine;
    machine.set_adversary(&adversary);
    DmaEngine engine{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
    std::byte* const at = machine.cached_view({kCached, kPacket});
    static_cast<void>(machine.load(at));
    EXPECT_TRUE(engine.fill(kOddWindow.dma, kPacket, std::byte{0x2a}));
    return machine.load(at) == std::byte{0x2a};
  };
  const std::string svg = svg_of(run);
  EXPECT_TRUE(has(svg, "CPU 0 saw 00, and RAM held 2a"));
  EXPECT_EQ(count_of("class=\"band\"", svg), 1U);
}

TEST(Timeline, SaysThatALoadFillsALineAndPutsAnotherOut) {
  const Program run = [](Adversary& adversary) {
    Machine machine;
    machine.set_adversary(&adversary);
    std::byte* const at = machine.cached_view({kCached, 0x1'0000});
    machine.store(at, std::byte{1});
    const std::size_t stride = CacheGeometry{}.set_stride_bytes();
    for (std::size_t way = 1; way <= 2; ++way) {
      static_cast<void>(machine.load(at + way * stride));
    }
    return machine.line(at).dirty;
  };
  const std::string page = page_of(run);
  EXPECT_TRUE(has(page, "stores 0x35a000000, 1 byte; the cache fills the line"));
  EXPECT_TRUE(has(page, "fills a line, evicts another"));
}

TEST(Timeline, ShowsAStoreThatWaits) {
  const Program run = [](Adversary& adversary) {
    MachineFacts facts;
    facts.write_buffer_stores = 4;
    Machine machine{facts};
    machine.set_adversary(&adversary);
    DmaEngine engine{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
    machine.store(machine.cpu_view({kUncached, 8}), std::byte{1});
    Bytes seen(1);
    EXPECT_TRUE(engine.read(kOddWindow.dma, seen));
    return seen[0] == std::byte{1};
  };
  EXPECT_TRUE(has(svg_of(run), ">a store waits<"));
}

TEST(Timeline, ShowsARunWithPlainPointersToItsEnd) {
  const Program run = [](Adversary& adversary) {
    Bench<PlainMachine> bench{adversary};
    bench.bytes[0] = std::byte{4};
    bench.machine.clean(bench.bytes, kPacket);
    bench.receive();
    return bench.bytes[0] == std::byte{0x2a};
  };
  const std::string svg = svg_of(run);
  EXPECT_TRUE(has(svg, ">stored, some<"));
  EXPECT_TRUE(has(svg, "the cache of CPU 0 holds 04 in the end, and RAM 2a"));
}

TEST(RunRecordTest, AStepThatAReportIsNotAboutIsNotMarked) {
  RunRecord record;
  Adversary nothing = Adversary::replaying({});
  nothing.show_to(record);
  {
    Bench<Machine> bench{nothing};
    bench.machine.store(bench.bytes, std::byte{1});
    bench.checker.unmap(bench.device, {kCached, kPacket}, Direction::from_device);
  }
  ASSERT_EQ(record.reports().size(), 1U);
  EXPECT_FALSE(record.steps().front().report);
  EXPECT_EQ(record.steps().back().actor, Actor::checker);
  EXPECT_EQ(record.steps().back().report, 0U);
}

TEST(RunRecordTest, HasALineAsItWasAfterEachStep) {
  RunRecord record;
  Adversary nothing = Adversary::replaying({});
  nothing.show_to(record);
  {
    Machine machine;
    machine.set_adversary(&nothing);
    std::byte* const at = machine.cached_view({kCached, 64});
    machine.store(at, std::byte{7});
    machine.clean(at, 1);
  }
  ASSERT_EQ(record.steps().size(), 2U);
  const auto cached = [&](std::size_t after) { return record.line(kCached, after)->cpus[0].state; };
  EXPECT_EQ(cached(0), (LineState{.valid = false, .dirty = false}));
  EXPECT_EQ(cached(1), (LineState{.valid = true, .dirty = true}));
  EXPECT_EQ(cached(2), (LineState{.valid = true, .dirty = false}));
  EXPECT_EQ(record.line(kCached, 1)->ram[0], std::byte{0});
  EXPECT_EQ(record.line(kCached, 2)->ram[0], std::byte{7});
}

TEST(WriteTimeline, WritesAnImageOrAPageAsTheFilesNameSays) {
  const auto failing = find_failure(receives, 0);
  ASSERT_TRUE(failing);
  const auto written = [&](const char* name) {
    const auto to = std::filesystem::path{testing::TempDir()} / name;
    write_timeline(to, receives, *failing);
    std::ostringstream text;
    text << std::ifstream{to}.rdbuf();
    std::filesystem::remove(to);
    return text.str();
  };
  EXPECT_TRUE(written("carveout-timeline.svg").starts_with("<svg "));
  EXPECT_TRUE(written("carveout-timeline.html").starts_with("<!doctype html>"));
  EXPECT_THROW(write_timeline("/no/such/folder/x.svg", receives, *failing), std::ios_base::failure);
}

TEST(TimelineOfMachineThatLivesOn, LeavesItWithNobodyToTell) {
  Machine machine;
  const Program program = [&](Adversary& adversary) {
    machine.reset();
    machine.set_adversary(&adversary);
    DmaEngine engine{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
    std::byte* const bytes = machine.cpu_view({kCached, kPacket});
    machine.invalidate(bytes, kPacket);
    EXPECT_TRUE(engine.fill(kOddWindow.dma, kPacket, std::byte{0x2a}));
    return machine.load(bytes) == std::byte{0x2a};
  };
  const auto failing = find_failure(program, 0);
  ASSERT_TRUE(failing);
  const auto file = std::filesystem::path{testing::TempDir()} / "lives_on.html";
  write_timeline(file, program, *failing);
  EXPECT_GT(std::filesystem::file_size(file), 0U);
  // The search's adversaries and the timeline's are gone: the hardware does nothing by itself.
  std::byte* const other = machine.cpu_view({PhysAddr{kCached.raw() + kPacket}, kPacket});
  machine.store(other, std::byte{1});
  EXPECT_EQ(machine.load(other), std::byte{1});
  machine.reset();
}

}  // namespace
}  // namespace carveout::sim
