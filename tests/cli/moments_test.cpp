// Who holds what of a pool over a trace's time, and how a page shows it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "picture/html.hpp"
#include "picture/layout.hpp"
#include "picture/timeline.hpp"
#include "program.hpp"
#include "simulate/moments.hpp"

namespace carveout::cli {
namespace {

constexpr std::string_view kArtPi = CARVEOUT_CLI_TESTS "/../../examples/boards/art-pi.dts";
constexpr std::string_view kVision = CARVEOUT_CLI_TESTS "/../../examples/boards/vision.dts";
constexpr std::string_view kRefusedPools = CARVEOUT_CLI_TESTS "/trees/refused-pools.dts";

struct Seen {
  Simulation simulation;
  Moments moments;
};

/// @param lines  of a trace in CSV, below its header.
Seen seen(const std::string& lines, std::string_view file = kArtPi) {
  const Board board = read_board(file, {});
  Trace trace{TraceText{"trace", "time,op,id,device,size,align\n" + lines}};
  Seen result{simulate(board, trace, {}), {}};
  result.moments = moments_of(board, trace, {}, result.simulation);
  return result;
}

const std::string kRefused =
    "0,alloc,a,serial0,400K,\n"
    "1,alloc,b,serial0,400K,\n"
    "2,alloc,c,/soc/mmc@48022400,400K,\n"
    "3,free,a,,,\n"
    "4,alloc,d,/soc/mmc@48022400,8K,\n";

const Moment& moment_of(const Moments& moments, EventOf event) {
  const auto found = std::ranges::find_if(moments.moments, [&](const Moment& moment) {
    return std::ranges::find(moment.events, event) != moment.events.end();
  });
  if (found == moments.moments.end()) throw std::runtime_error("no such moment");
  return *found;
}

constexpr EventOf kFirstFailure{Event::first_failure};
constexpr EventOf kPeak{Event::peak, 0};

TEST(SimulateMoments, AreTheStepsThePeakAndTheFirstFailure) {
  const Moments moments = seen(kRefused).moments;
  EXPECT_EQ(moments.moments.size(), kSteps + 1 + 2);
  EXPECT_EQ(moment_of(moments, kPeak).line, 3U);
  EXPECT_EQ(moment_of(moments, kFirstFailure).line, 4U);
  EXPECT_TRUE(std::ranges::is_sorted(moments.moments, {}, &Moment::time_ns));
  EXPECT_EQ(moments.moments.front().time_ns, 0U);
  EXPECT_EQ(moments.moments.back().time_ns, 4'000'000'000U);
}

TEST(SimulateMoments, StayAsManyHoweverLongTheTrace) {
  std::string lines;
  for (int i = 0; i < 5000; ++i) {
    const std::string at = std::to_string(i);
    lines += at + ",alloc,x,serial0,4K,\n" + at + ",free,x,,,\n";
  }
  EXPECT_EQ(seen(lines).moments.moments.size(), kSteps + 1 + 1);
}

TEST(SimulateMoments, SayWhoHoldsHowMuch) {
  const Seen all = seen(kRefused);
  const PoolMoment& at_failure = moment_of(all.moments, kFirstFailure).pools.at(0);
  EXPECT_EQ(at_failure.used_bytes, 800U << 10);
  EXPECT_EQ(at_failure.longest_run_bytes, 224U << 10);
  ASSERT_EQ(at_failure.shares.size(), 1U);
  EXPECT_EQ(all.moments.askers[at_failure.shares[0].asker], "/soc/serial@40004c00");
  EXPECT_EQ(at_failure.shares[0].blocks, 2U);
  const PoolMoment& at_end = all.moments.moments.back().pools.at(0);
  ASSERT_EQ(at_end.shares.size(), 2U);
  EXPECT_EQ(all.moments.askers[at_end.shares[1].asker], "/soc/mmc@48022400");
  EXPECT_EQ(at_end.shares[1].bytes, 8U << 10);
}

TEST(SimulateMoments, AgreeWithTheRecordAtThePeak) {
  const Seen all = seen(kRefused);
  EXPECT_EQ(moment_of(all.moments, kPeak).pools.at(0).used_bytes,
            all.simulation.pools.at(0).ours.peak_bytes);
}

TEST(SimulateMoments, ShowWhereInThePoolItIsHeld) {
  // 1 MiB in 128 cells of 8 KiB: 400 KiB are 50 cells.
  const Seen all = seen(kRefused);
  const std::vector<HeldCells>& cells = moment_of(all.moments, kFirstFailure).pools.at(0).cells;
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells[0].first, 0U);
  EXPECT_EQ(cells[0].count, 100U);
  EXPECT_TRUE(cells[0].mostly);
}

TEST(SimulateMoments, TellACellThatIsHardlyHeldFromAFullOne) {
  const Seen all = seen("0,alloc,a,serial0,1K,\n1,alloc,b,serial0,1K,\n");
  const std::vector<HeldCells>& cells = all.moments.moments.back().pools.at(0).cells;
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells[0].count, 1U);
  EXPECT_FALSE(cells[0].mostly);
}

TEST(SimulateMoments, CutAPoolIntoAtMostAHundredAndTwentyEightCells) {
  for (const std::uint64_t size : {1ULL, 127ULL, 128ULL, 129ULL, 1052672ULL, 1ULL << 40}) {
    EXPECT_GE(cells_of(size), 1U);
    EXPECT_LE(cells_of(size), kMaxCells);
  }
  EXPECT_EQ(cells_of(1 << 20), kMaxCells);
}

TEST(PictureTimeline, ShowsTheFirstFailureFirst) {
  const Seen all = seen(kRefused);
  const picture::Timeline timeline = picture::timeline_of(all.simulation, all.moments);
  EXPECT_EQ(timeline.moments.at(timeline.shown).words(), "2 s, line 4: first refused");
  ASSERT_EQ(timeline.pools.size(), 1U);
  EXPECT_EQ(timeline.pools[0].state,
            "800 KiB of 1 MiB held, 224 KiB free, longest free run 224 KiB");
  ASSERT_EQ(timeline.pools[0].held.size(), 1U);
  EXPECT_EQ(timeline.holders.at(timeline.pools[0].held[0].holder), "/soc/serial@40004c00");
  ASSERT_TRUE(timeline.pools[0].peak);
  EXPECT_EQ(timeline.pools[0].peak->at, 250);
  ASSERT_TRUE(timeline.pools[0].refused);
  EXPECT_EQ(timeline.pools[0].refused->at, 500);
}

/// Two devices with pools of their own: the camera is refused first, and later the signal
/// processor.
const std::string kTwoRefusals =
    "0,alloc,a,camera0,64M,\n"
    "1,alloc,b,dsp0,256K,\n"
    "2,alloc,c,camera0,1G,\n"
    "3,alloc,d,dsp0,512M,\n"
    "4,alloc,e,dsp0,1G,\n";

TEST(SimulateMoments, AreThoseOfEachPoolsFirstRefusalToo) {
  const Moments moments = seen(kTwoRefusals, kVision).moments;
  EXPECT_EQ(moment_of(moments, kFirstFailure).line, 4U);
  EXPECT_EQ(moment_of(moments, {Event::refused, 1}).line, 5U);
}

TEST(PictureTimeline, ShowsOfEachPoolWhatItRefusedFirst) {
  const Seen all = seen(kTwoRefusals, kVision);
  const picture::Timeline timeline = picture::timeline_of(all.simulation, all.moments);
  ASSERT_EQ(timeline.pools.size(), 2U);
  for (const picture::TimedPool& pool : timeline.pools) ASSERT_TRUE(pool.refused) << pool.name;
  EXPECT_EQ(timeline.pools[0].refused->at, 500);
  EXPECT_EQ(timeline.pools[0].refused->words, "first refused: 1 GiB at 2 s");
  EXPECT_EQ(timeline.pools[1].refused->at, 750);
  EXPECT_EQ(timeline.pools[1].refused->words, "first refused: 512 MiB at 3 s");
  EXPECT_EQ(timeline.elsewhere, "");
}

TEST(PictureTimeline, SaysWhatNoPoolOfItRefused) {
  picture::Scene scene = picture::scene_of(read_board(kRefusedPools, {}));
  const Seen all = seen("0,alloc,a,/soc/display@1000,4K,\n", kRefusedPools);
  scene.timeline = picture::timeline_of(all.simulation, all.moments);
  EXPECT_TRUE(scene.timeline->pools.empty());
  const std::string words =
      "refused at 0 s, line 2: 4 KiB, overlaps of /reserved-memory/frames@88000000";
  EXPECT_EQ(scene.timeline->elsewhere, words);
  const picture::Layout layout = picture::layout_of(scene);
  EXPECT_EQ(std::ranges::count(layout.header, words, &picture::Label::text), 1);
}

TEST(SimulateMoments, CountTheHoldersThatAreNotListed) {
  std::string board =
      "/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;"
      "memory@80000000 { device_type = \"memory\"; reg = <0x80000000 0x1000000>; };"
      "reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges; pool@80100000 {"
      "compatible = \"shared-dma-pool\"; reg = <0x80100000 0x100000>; no-map;"
      "linux,dma-default; }; };";
  std::string trace;
  for (std::size_t i = 0; i < kMaxShares + 3; ++i) {
    const std::string number = std::to_string(i);
    board += "d" + number + " { };";
    // Those that hold less are the last ones, with two blocks each.
    for (const char* const block : {"a", "b"}) {
      trace +=
          "0,alloc," + number + block + ",/d" + number + (i < kMaxShares ? ",8K,\n" : ",4K,\n");
    }
  }
  const test::TemporaryFolder folder;
  const Seen all = seen(trace, folder.write("board.dts", board + "};"));
  const PoolMoment& at_end = all.moments.moments.back().pools.at(0);
  EXPECT_EQ(at_end.shares.size(), kMaxShares);
  EXPECT_EQ(at_end.more_holders, 3U);
  EXPECT_EQ(at_end.more_blocks, 6U);
  EXPECT_EQ(at_end.more_bytes, 24U << 10);
  const picture::Timeline timeline = picture::timeline_of(all.simulation, all.moments);
  EXPECT_NE(timeline.data.find(R"(["and 3 more",6,"24 KiB"])"), std::string::npos);
}

TEST(PictureTimeline, IsDrawnWithoutALabelOverAnother) {
  picture::Scene scene = picture::scene_of(read_board(kArtPi, {}));
  const Seen all = seen(kRefused);
  scene.timeline = picture::timeline_of(all.simulation, all.moments);
  scene.timeline->holders.assign(picture::kMaxHolders, std::string(200, 'w'));
  scene.timeline->pools.assign(20, scene.timeline->pools.at(0));
  const picture::Layout layout = picture::layout_of(scene);
  const auto labels = picture::labels_of(layout);
  for (const picture::Label* a : labels) {
    EXPECT_LE(a->box.right(), layout.width);
    EXPECT_LE(a->box.bottom(), layout.height);
    for (const picture::Label* b : labels) {
      if (a == b) continue;
      EXPECT_FALSE(a->box.x < b->box.right() && b->box.x < a->box.right() &&
                   a->box.y < b->box.bottom() && b->box.y < a->box.bottom())
          << a->text << " | " << b->text;
    }
  }
}

TEST(PictureTimeline, HasNoWayOutOfItsScript) {
  Seen all = seen(kRefused);
  for (std::string& asker : all.moments.askers) asker = "</script><script>";
  const picture::Timeline timeline = picture::timeline_of(all.simulation, all.moments);
  EXPECT_EQ(timeline.data.find('<'), std::string::npos);
  EXPECT_NE(timeline.data.find("\\u003c/script>"), std::string::npos);
}

TEST(SimulatePage, IsWrittenBesideTheText) {
  const test::TemporaryFolder folder;
  const std::string html = folder.path("time.html");
  const std::vector<std::string> arguments{"simulate", "../../examples/boards/art-pi.dts",
                                           "--trace", "traces/art-pi.csv"};
  std::vector<std::string> more = arguments;
  more.insert(more.end(), {"--html", html});
  const test::Outcome run = test::carveout(more);
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.out, test::carveout(arguments).out);
  const std::string page = test::contents(html);
  EXPECT_NE(page.find("type=\"range\""), std::string::npos);
  EXPECT_NE(page.find("first refused: 400 KiB at 0.002 s"), std::string::npos);
}

TEST(SimulatePage, IsRefusedWhereThereIsNothingToShow) {
  for (const std::string& other : {std::string{"--csv"}, std::string{"--json"}}) {
    const test::Outcome run =
        test::carveout({"simulate", "../../examples/boards/art-pi.dts", "--trace",
                        "traces/art-pi.csv", other, "--html", "-"});
    EXPECT_EQ(run.status, 2) << other;
    EXPECT_TRUE(test::is_refusal(run.err)) << run.err;
  }
}

}  // namespace
}  // namespace carveout::cli
