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

struct Seen {
  Simulation simulation;
  Moments moments;
};

/// @param lines  of a trace in CSV, below its header.
Seen seen(const std::string& lines) {
  const Board board = read_board(kArtPi, {});
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

const Moment& marked(const Moments& moments, std::string_view mark) {
  const auto found = std::ranges::find(moments.moments, mark, &Moment::mark);
  if (found == moments.moments.end()) throw std::runtime_error("no such moment");
  return *found;
}

TEST(SimulateMoments, AreTheStepsThePeakAndTheFirstFailure) {
  const Moments moments = seen(kRefused).moments;
  EXPECT_EQ(moments.moments.size(), kSteps + 1 + 2);
  EXPECT_EQ(marked(moments, "peak of /reserved-memory/linux,cma").line, 3U);
  EXPECT_EQ(marked(moments, "first refused").line, 4U);
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
  const PoolMoment& at_failure = marked(all.moments, "first refused").pools.at(0);
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
  EXPECT_EQ(marked(all.moments, "peak of /reserved-memory/linux,cma").pools.at(0).used_bytes,
            all.simulation.pools.at(0).ours.peak_bytes);
}

TEST(SimulateMoments, ShowWhereInThePoolItIsHeld) {
  // 1 MiB in 128 cells of 8 KiB: 400 KiB are 50 cells.
  const Seen all = seen(kRefused);
  const std::vector<HeldCells>& cells = marked(all.moments, "first refused").pools.at(0).cells;
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
  EXPECT_EQ(timeline.moments.at(timeline.shown), "2 s, line 4: first refused");
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
