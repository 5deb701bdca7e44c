#include "carveout/device_tree/dma_ranges.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <vector>

#include "tests/support/tree_maker.hpp"

namespace carveout::device_tree {
namespace {

using test::OpenTree;
using test::TreeMaker;

const Window kNoWindow{DmaAddr{0}, PhysAddr{0}, 0};

/// A DmaRanges with room for everything, and what it answers.
class Asked {
 public:
  explicit Asked(const Tree& tree, std::size_t memo_bytes = 1 << 20, std::size_t room = kMaxWindows)
      : memo_(memo_bytes), windows_(room, kNoWindow), ranges_{tree, memo_} {}

  DmaView bus(Node node) { return ranges_.of_bus(node, windows_).value(); }
  DmaView device(Node node) { return ranges_.of_device(node, windows_).value(); }

 private:
  std::vector<std::byte> memo_;
  std::vector<Window> windows_;
  DmaRanges ranges_;
};

std::vector<Window> list(const DmaView& view) {
  const auto windows = view.translation.windows();
  return {windows.begin(), windows.end()};
}

Window window(std::uint64_t dma, std::uint64_t cpu, std::uint64_t size) {
  return {DmaAddr{dma}, PhysAddr{cpu}, size};
}

std::vector<std::uint32_t> entries(std::uint32_t count) {
  std::vector<std::uint32_t> cells;
  for (std::uint32_t i = 0; i < count; ++i) cells.insert(cells.end(), {i * 2, i, 1});
  return cells;
}

OpenTree bus_of(std::uint32_t windows) {
  return OpenTree{TreeMaker{}
                      .counts(1, 1)
                      .begin("bus")
                      .counts(1, 1)
                      .cells("dma-ranges", entries(windows))
                      .begin("inner")
                      .cells("dma-ranges", {0x100, 4, 1})
                      .end()
                      .end()
                      .finish()};
}

TEST(DmaRanges, HaveAtMost1024Windows) {
  const OpenTree most = bus_of(1024);
  EXPECT_EQ(list(Asked{most}.bus(Node{1})).size(), 1024U);
  const OpenTree too_many = bus_of(1025);
  EXPECT_EQ(Asked{too_many}.bus(Node{1}).fault, DmaFault::too_many_windows);
  EXPECT_EQ(Asked{too_many}.bus(Node{1}).translation.kind(), Translation::Kind::invalid);
}

TEST(DmaRanges, OfTooManyWindowsStillTranslateForABusBelow) {
  // Only one that is malformed maps nothing.
  const OpenTree tree = bus_of(1025);
  EXPECT_EQ(list(Asked{tree}.bus(Node{2})), (std::vector{window(0x100, 2, 1)}));
}

TEST(DmaRanges, CountWindowsAfterTheyAreJoined) {
  std::vector<std::uint32_t> cells;
  for (std::uint32_t i = 0; i < 3000; ++i) cells.insert(cells.end(), {i, 0x1000 + i, 1});
  const OpenTree tree{
      TreeMaker{}.counts(1, 1).begin("bus").cells("dma-ranges", cells).end().finish()};
  EXPECT_EQ(list(Asked{tree}.bus(Node{1})), (std::vector{window(0, 0x1000, 3000)}));
}

TEST(DmaRanges, SayWhyATranslationIsInvalid) {
  const OpenTree tree{TreeMaker{}
                          .counts(1, 1)
                          .begin("malformed")
                          .cells("dma-ranges", {1, 2})
                          .end()
                          .begin("empty-entry")
                          .cells("dma-ranges", {1, 2, 0})
                          .end()
                          .begin("sound")
                          .cells("dma-ranges", {1, 2, 3})
                          .end()
                          .finish()};
  EXPECT_EQ(Asked{tree}.bus(Node{1}).fault, DmaFault::malformed);
  EXPECT_EQ(Asked{tree}.bus(Node{2}).fault, DmaFault::nothing_left);
  EXPECT_EQ(Asked{tree}.bus(Node{3}).fault, DmaFault::none);
}

TEST(DmaRanges, TellTooLittleRoomFromTooManyWindows) {
  const OpenTree tree = bus_of(3);
  EXPECT_EQ((Asked{tree, 0, 2}.bus(Node{1}).fault), DmaFault::no_room);
  EXPECT_EQ((Asked{tree, 0, 3}.bus(Node{1}).fault), DmaFault::none);
  const OpenTree too_many = bus_of(1025);
  EXPECT_EQ((Asked{too_many, 0, 2}.bus(Node{1}).fault), DmaFault::too_many_windows);
}

TEST(DmaRanges, NameTheBusThatTranslatesForADevice) {
  const OpenTree tree{TreeMaker{}
                          .counts(1, 1)
                          .begin("bus")
                          .counts(1, 1)
                          .cells("dma-ranges", {1, 2, 3})
                          .begin("bridge")
                          .empty("dma-ranges")
                          .begin("device")
                          .end()
                          .end()
                          .end()
                          .begin("other")
                          .end()
                          .finish()};
  EXPECT_EQ(Asked{tree}.device(Node{3}).bus, Node{1});
  EXPECT_EQ(Asked{tree}.device(Node{4}).bus, std::nullopt);
  EXPECT_EQ(Asked{tree}.device(Node{4}).translation.kind(), Translation::Kind::identity);
}

TEST(DmaRanges, DoNotJoinTwoHalvesOfTheAddressSpace) {
  // Together they are 2^64 bytes, which no size can say.
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  const OpenTree tree{TreeMaker{}
                          .counts(2, 2)
                          .begin("bus")
                          .wide("dma-ranges", {0, 0, kHalf, kHalf, kHalf, kHalf})
                          .end()
                          .finish()};
  EXPECT_EQ(list(Asked{tree}.bus(Node{1})),
            (std::vector{window(0, 0, kHalf), window(kHalf, kHalf, kHalf)}));
}

// ---- against a model that knows single addresses

struct Entry {
  std::uint32_t child;
  std::uint32_t parent;
  std::uint32_t size;
};
using Level = std::vector<Entry>;
constexpr std::uint32_t kSpace = 48;

struct Step {
  std::uint64_t dma;
  std::uint64_t cpu;
  bool operator==(const Step&) const = default;
};

/// Each address of each entry of the innermost level, in order, through all levels.
std::vector<Step> model(const std::vector<Level>& inner_to_outer) {
  std::vector<Step> steps;
  for (const Entry& entry : inner_to_outer.front()) {
    for (std::uint32_t i = 0; i < entry.size; ++i) {
      std::optional<std::uint32_t> at = entry.parent + i;
      for (std::size_t level = 1; level < inner_to_outer.size() && at; ++level) {
        std::optional<std::uint32_t> next;
        for (const Entry& outer : inner_to_outer[level]) {
          if (!next && *at >= outer.child && *at - outer.child < outer.size) {
            next = outer.parent + (*at - outer.child);
          }
        }
        at = next;
      }
      if (at) steps.push_back({entry.child + i, *at});
    }
  }
  return steps;
}

std::vector<Step> steps_of(std::span<const Window> windows) {
  std::vector<Step> steps;
  for (const Window& each : windows) {
    for (std::uint64_t i = 0; i < each.size_bytes; ++i)
      steps.push_back({each.dma.raw() + i, each.cpu.raw() + i});
  }
  return steps;
}

OpenTree nest(const std::vector<Level>& inner_to_outer) {
  TreeMaker tree;
  tree.counts(1, 1);
  for (auto level = inner_to_outer.rbegin(); level != inner_to_outer.rend(); ++level) {
    std::vector<std::uint32_t> cells;
    for (const Entry& entry : *level)
      cells.insert(cells.end(), {entry.child, entry.parent, entry.size});
    tree.begin("bus").cells("dma-ranges", cells);
  }
  for (std::size_t i = 0; i < inner_to_outer.size(); ++i) tree.end();
  return OpenTree{tree.finish()};
}

RC_GTEST_PROP(DmaRanges, TranslateEachAddressAsItsEntriesSay, ()) {
  const auto number = [](std::uint32_t most) { return rc::gen::inRange<std::uint32_t>(0, most); };
  const auto entry = rc::gen::construct<Entry>(number(kSpace), number(kSpace), number(kSpace / 2));
  const auto levels = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<Level>>(rc::gen::nonEmpty(rc::gen::container<Level>(entry))));
  RC_PRE(levels.size() <= 10U);
  const OpenTree tree = nest(levels);
  const Node bus{static_cast<std::uint32_t>(levels.size())};
  const std::vector<Step> expected = model(levels);

  // No memo; one that is soon full; one that holds everything. Asked from the outside in, the
  // tables are made one by one; asked for the innermost first, in one go.
  for (const std::size_t memo_bytes : {0U, 400U, 1000U, 1U << 20}) {
    Asked asked{tree, memo_bytes};
    const auto windows = list(asked.bus(bus));
    RC_ASSERT(steps_of(windows) == expected);
    for (std::size_t i = 1; i < windows.size(); ++i) {
      const bool continues =
          windows[i - 1].dma.raw() + windows[i - 1].size_bytes == windows[i].dma.raw() &&
          windows[i - 1].cpu.raw() + windows[i - 1].size_bytes == windows[i].cpu.raw();
      RC_ASSERT(!continues);
    }
    Asked outside_in{tree, memo_bytes};
    for (std::uint32_t i = 1; i < bus.index(); ++i) static_cast<void>(outside_in.bus(Node{i}));
    RC_ASSERT(list(outside_in.bus(bus)) == windows);
  }
}

/// Buses whose DMA parents are anything, cycles included.
RC_GTEST_PROP(DmaRanges, FollowDmaParentsUntilOneWasVisited, ()) {
  struct Bus {
    std::uint32_t parent;  // 0: the root
    std::uint32_t kind;    // 0: no dma-ranges, 1: an empty one, else one that translates
    Level entries;
  };
  const auto count = *rc::gen::inRange<std::uint32_t>(1, 8);
  const auto number = [](std::uint32_t most) { return rc::gen::inRange<std::uint32_t>(0, most); };
  const auto entry =
      rc::gen::construct<Entry>(number(16), number(16), rc::gen::inRange<std::uint32_t>(1, 16));
  std::vector<Bus> buses;
  for (std::uint32_t i = 0; i < count; ++i) {
    buses.push_back(
        {*number(count + 1), *number(4), *rc::gen::nonEmpty(rc::gen::container<Level>(entry))});
  }
  TreeMaker maker;
  maker.counts(1, 1);
  for (std::uint32_t i = 0; i < count; ++i) {
    maker.begin("bus").phandle(i + 1).cells("#interconnect-cells", {0});
    if (buses[i].parent != 0) {
      maker.cells("interconnects", {buses[i].parent}).string("interconnect-names", "dma-mem");
    }
    std::vector<std::uint32_t> cells;
    for (const Entry& e : buses[i].entries) cells.insert(cells.end(), {e.child, e.parent, e.size});
    if (buses[i].kind == 1) maker.empty("dma-ranges");
    if (buses[i].kind > 1) maker.cells("dma-ranges", cells);
    maker.end();
  }
  const OpenTree tree{maker.finish()};

  for (const std::size_t memo_bytes : {0U, 1U << 20}) {
    Asked asked{tree, memo_bytes};
    for (std::uint32_t device = 1; device <= count; ++device) {
      std::vector<Level> levels;
      std::vector<bool> visited(count + 1);
      std::uint32_t at = device;
      for (bool first = true;; first = false) {
        visited[at] = true;
        at = buses[at - 1].parent;
        if (at == 0 || visited[at]) break;
        const Bus& bus = buses[at - 1];
        if (bus.kind > 1) levels.push_back(bus.entries);
        if (bus.kind == 0 && levels.empty() && !first) break;
      }
      const DmaView view = asked.device(Node{device});
      if (levels.empty()) {
        RC_ASSERT(view.translation.kind() == Translation::Kind::identity);
      } else {
        RC_ASSERT(view.translation.kind() != Translation::Kind::identity);
        RC_ASSERT(steps_of(view.translation.windows()) == model(levels));
      }
    }
  }
}

}  // namespace
}  // namespace carveout::device_tree
