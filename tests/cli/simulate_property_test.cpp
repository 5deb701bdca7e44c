// Random traces, replayed, and judged by models that share no code with the replay: Linux's bitmap
// page by page, sums over what lives, and every size of a pool in turn.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "carveout/pool/range_allocator.hpp"
#include "input.hpp"
#include "program.hpp"
#include "simulate/simulation.hpp"

namespace carveout::cli {
namespace {

constexpr std::uint64_t kPage = 4096;

struct Event {
  bool is_alloc;
  int id;
  std::uint64_t size;
};

/// A trace of one device, and its text.
struct Play {
  std::vector<Event> events;
  std::string csv = "time,op,id,device,size,align\n";
};

Play play_of(unsigned seed) {
  std::mt19937 random{seed};
  Play play;
  std::vector<Event> live;
  for (int i = 0; i < 120; ++i) {
    Event event{true, i, 1 + random() % (random() % 3 == 0 ? 60000 : 9000)};
    if (live.size() > 3 && random() % 9 < 4) {
      const std::size_t which = random() % live.size();
      event = live[which];
      event.is_alloc = false;
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
    } else {
      live.push_back(event);
    }
    play.events.push_back(event);
    play.csv += std::to_string(i) + (event.is_alloc ? ",alloc," : ",free,") +
                std::to_string(event.id) + ",serial0," + std::to_string(event.size) + ",\n";
  }
  return play;
}

Simulation simulated(const Board& board, const Play& play) {
  Trace trace{TraceText{"t", play.csv}};
  return simulate(board, trace, {});
}

/// What Linux grants of a trace in a pool of so many pages, and the line of its first refusal.
struct LinuxVerdict {
  std::uint64_t granted = 0;
  std::uint64_t first_refused_line = 0;
};

LinuxVerdict linux_verdict(const Play& play, std::size_t pages) {
  std::vector<bool> taken(pages);
  std::map<int, std::size_t> at;
  LinuxVerdict verdict;
  const auto mark = [&](std::size_t first, std::size_t count, bool value) {
    for (std::size_t page = first; page < first + count; ++page) taken[page] = value;
  };
  for (std::size_t line = 0; line < play.events.size(); ++line) {
    const Event& event = play.events[line];
    std::size_t count = 1;
    while (count * kPage < event.size) count *= 2;
    if (!event.is_alloc) {
      if (at.contains(event.id)) mark(at[event.id], count, false);
      at.erase(event.id);
      continue;
    }
    bool found = false;
    for (std::size_t first = 0; first + count <= pages && !found; first += count) {
      found = std::none_of(taken.begin() + static_cast<std::ptrdiff_t>(first),
                           taken.begin() + static_cast<std::ptrdiff_t>(first + count),
                           [](bool is_taken) { return is_taken; });
      if (!found) continue;
      mark(first, count, true);
      at[event.id] = first;
      ++verdict.granted;
    }
    if (!found && verdict.first_refused_line == 0) verdict.first_refused_line = line + 2;
  }
  return verdict;
}

/// Whether a pool of that size, alone, grants all of a trace.
bool serves(const Play& play, std::uint64_t base, std::uint64_t bytes) {
  const PhysRange range{PhysAddr{base}, bytes};
  std::vector<std::uint64_t> storage(RangeAllocator::storage_bytes(1, 200) / 8 + 1);
  auto allocator = RangeAllocator::create(std::span{&range, 1}, kPage, 200,
                                          std::as_writable_bytes(std::span{storage}));
  if (!allocator) return false;
  const Reach everything = Reach::everything();
  std::map<int, Grant> grants;
  for (const Event& event : play.events) {
    if (event.is_alloc) {
      const auto grant = allocator->take({.size_bytes = event.size}, std::span{&everything, 1});
      if (!grant) return false;
      grants.emplace(event.id, *grant);
    } else {
      const Grant& grant = grants.at(event.id);
      EXPECT_TRUE(allocator->give_back(grant.range, grant.tag, grant.serial));
      grants.erase(event.id);
    }
  }
  return true;
}

class SimulatedTraces : public testing::Test {
 protected:
  /// A default pool at an address that devices see elsewhere.
  static Board board_with(std::uint64_t pool_bytes) {
    const test::TemporaryFolder folder;
    return read_board(
        folder.write("board.dts",
                     "/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;\n"
                     "memory@0 { device_type = \"memory\"; reg = <0x0 0x20000000>; };\n"
                     "reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;\n"
                     "pool@10001000 { compatible = \"shared-dma-pool\"; no-map;\n"
                     "linux,dma-default; reg = <0x10001000 " +
                         std::to_string(pool_bytes) +
                         ">; }; };\n"
                         "soc { #address-cells = <1>; #size-cells = <1>; ranges;\n"
                         "dma-ranges = <0xc0000000 0x0 0x20000000>;\n"
                         "serial0@1000 { reg = <0x1000 0x100>; }; }; };\n"),
        {});
  }
  static constexpr std::uint64_t kBase = 0x10001000;
};

TEST_F(SimulatedTraces, LinuxsPartIsWhatABitmapSays) {
  constexpr std::uint64_t kBytes = 0x60000;
  const Board board = board_with(kBytes);
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Play play = play_of(seed);
    const Simulation result = simulated(board, play);
    const LinuxVerdict verdict = linux_verdict(play, kBytes / kPage);
    const PoolRecord& pool = result.pools[0];
    ASSERT_TRUE(pool.in_linux);
    EXPECT_EQ(pool.in_linux->granted, verdict.granted) << seed;
    EXPECT_EQ(pool.linux_refusal ? pool.linux_refusal->line : 0, verdict.first_refused_line)
        << seed;
  }
}

TEST_F(SimulatedTraces, ARefusalIsWhereNoRunIsLongEnough) {
  constexpr std::uint64_t kBytes = 0x60000;
  const Board board = board_with(kBytes);
  int refused = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Simulation result = simulated(board, play_of(seed));
    if (!result.first_failure) continue;
    ++refused;
    const FirstFailure& first = *result.first_failure;
    std::uint64_t from = kBase;
    std::uint64_t longest = 0;
    std::uint64_t used = 0;
    for (const HeldBlock& block : first.blocks) {
      ASSERT_GE(block.phys, from) << "blocks overlap, seed " << seed;
      longest = std::max(longest, block.phys - from);
      from = block.phys + block.size_bytes;
      used += block.size_bytes;
      EXPECT_EQ(block.size_bytes, (block.asked_bytes + kPage - 1) / kPage * kPage);
    }
    ASSERT_LE(from, kBase + kBytes);
    longest = std::max(longest, kBase + kBytes - from);
    EXPECT_LT(longest, first.refused.asked_bytes) << seed;
    EXPECT_EQ(first.refused.largest_run_bytes, longest) << seed;
    EXPECT_EQ(first.refused.free_bytes, kBytes - used) << seed;
  }
  EXPECT_GT(refused, 10);
}

TEST_F(SimulatedTraces, PeaksAreSumsOverWhatLives) {
  const Board board = board_with(0x400000);
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Play play = play_of(seed);
    std::uint64_t used = 0;
    std::uint64_t peak = 0;
    for (const Event& event : play.events) {
      const std::uint64_t bytes = (event.size + kPage - 1) / kPage * kPage;
      used += event.is_alloc ? bytes : 0 - bytes;
      peak = std::max(peak, used);
    }
    const Simulation result = simulated(board, play);
    EXPECT_EQ(result.failures, 0U);
    EXPECT_EQ(result.pools[0].ours.peak_bytes, peak);
    EXPECT_EQ(result.pools[0].ours.used_bytes, used);
    EXPECT_EQ(result.pools[0].smallest->at_least_bytes, peak);
  }
}

TEST_F(SimulatedTraces, TheSmallestDoesAndOneGranuleLessDoesNot) {
  const Board board = board_with(0x60000);
  int above_the_peak = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Play play = play_of(seed);
    const Simulation result = simulated(board, play);
    const Smallest& smallest = *result.pools[0].smallest;
    ASSERT_TRUE(smallest.bytes) << seed;
    EXPECT_TRUE(serves(play, kBase, *smallest.bytes)) << seed;
    EXPECT_FALSE(serves(play, kBase, *smallest.bytes - kPage)) << seed;
    if (*smallest.bytes > smallest.at_least_bytes) ++above_the_peak;
    const Smallest& in_linux = *result.pools[0].linux_smallest;
    ASSERT_TRUE(in_linux.bytes) << seed;
    const auto pages = static_cast<std::size_t>(*in_linux.bytes / kPage);
    EXPECT_EQ(linux_verdict(play, pages).first_refused_line, 0U) << seed;
    EXPECT_NE(linux_verdict(play, pages - 1).first_refused_line, 0U) << seed;
  }
  EXPECT_GT(above_the_peak, 5);
}

}  // namespace
}  // namespace carveout::cli
