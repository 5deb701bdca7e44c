#include "carveout/device_tree/placement.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <pthread.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <tuple>
#include <vector>

#include "tests/support/tree_maker.hpp"

namespace carveout::device_tree {
namespace {

using test::OpenTree;
using test::TreeMaker;

class Placed {
 public:
  explicit Placed(const Tree& tree)
      : reserved_{tree},
        scratch_(Placement::measure(tree, reserved_)),
        placement_{Placement::work_out(tree, reserved_, scratch_).value()} {}

  [[nodiscard]] std::expected<PhysRange, PlacementFault> of(Node node) const {
    return placement_.of(node);
  }

 private:
  ReservedMemory reserved_;
  std::vector<std::byte> scratch_;
  Placement placement_;
};

TEST(Placement, SaysWhyARegionHasNoPlace) {
  const OpenTree tree{TreeMaker{}
                          .counts(1, 1)
                          .begin("memory")
                          .string("device_type", "memory")
                          .cells("reg", {0x10000, 0x10000})
                          .end()
                          .begin("reserved-memory")
                          .counts(1, 1)
                          .empty("ranges")
                          .begin("fixed")
                          .cells("reg", {0x10000, 0x1000})
                          .end()
                          .begin("ranges")
                          .cells("size", {1})
                          .cells("alloc-ranges", {1})
                          .end()
                          .begin("length")
                          .cells("size", {1})
                          .cells("alignment", {0, 1})
                          .end()
                          .begin("power")
                          .cells("size", {1})
                          .cells("alignment", {3})
                          .end()
                          .begin("large")
                          .cells("size", {0x10000})
                          .end()
                          .begin("empty")
                          .cells("size", {0})
                          .end()
                          .begin("sound")
                          .cells("size", {1})
                          .end()
                          .end()
                          .finish()};
  const Placed placed{tree};
  const auto fault = [&](std::uint32_t index) { return placed.of(Node{index}).error(); };
  EXPECT_EQ(fault(3), PlacementFault::not_applicable);
  EXPECT_EQ(fault(4), PlacementFault::malformed_alloc_ranges);
  EXPECT_EQ(fault(5), PlacementFault::malformed_alignment);
  EXPECT_EQ(fault(6), PlacementFault::alignment_no_power_of_two);
  EXPECT_EQ(fault(7), PlacementFault::does_not_fit);
  EXPECT_EQ(fault(8), PlacementFault::not_applicable);
  EXPECT_EQ(placed.of(Node{9}), (PhysRange{PhysAddr{0x1f000}, 1}));
  EXPECT_EQ(property_of(PlacementFault::malformed_alignment), "alignment");
}

TEST(Placement, SaysThatThereIsNoMemory) {
  const OpenTree tree{TreeMaker{}
                          .begin("reserved-memory")
                          .counts(2, 1)
                          .empty("ranges")
                          .begin("a")
                          .cells("size", {1})
                          .end()
                          .end()
                          .finish()};
  EXPECT_EQ(Placed{tree}.of(Node{2}).error(), PlacementFault::no_memory);
}

TEST(Placement, RefusesLessScratchThanItMeasured) {
  const OpenTree tree{TreeMaker{}
                          .begin("reserved-memory")
                          .counts(2, 1)
                          .empty("ranges")
                          .begin("a")
                          .cells("size", {1})
                          .end()
                          .end()
                          .finish()};
  const ReservedMemory reserved{tree};
  std::vector<std::byte> scratch(Placement::measure(tree, reserved) / 2);
  const auto placement = Placement::work_out(tree, reserved, scratch);
  ASSERT_FALSE(placement);
  EXPECT_EQ(placement.error().code, TreeError::Code::scratch_too_small);
}

// ---- against a model that knows each half page

constexpr std::uint32_t kUnit = 0x800;
constexpr std::uint32_t kUnits = 48;

struct Stretch {
  std::uint32_t first;  // in units
  std::uint32_t size;
};
struct Wish {
  std::uint32_t size;
  std::uint32_t align;           // in bytes; 0: not stated
  std::vector<Stretch> allowed;  // alloc-ranges; none: not stated
};

class Model {
 public:
  Model(std::vector<Stretch> memory, const std::vector<Stretch>& taken)
      : memory_{std::move(memory)} {
    for (const auto& stretches : {memory_, taken}) {
      for (const Stretch& each : stretches) units_ = std::max(units_, each.first + each.size);
    }
    taken_.resize(units_);
    take({0, 2});
    for (const Stretch& each : taken) take(each);
  }

  std::optional<std::uint32_t> place(const Wish& wish) {
    const std::uint32_t align = std::max(wish.align, 0x1000U) / kUnit;
    const std::vector anywhere{Stretch{0, units_}};
    for (const Stretch& allowed : wish.allowed.empty() ? anywhere : wish.allowed) {
      std::optional<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>
          best;  // end, start, base
      for (const Stretch& pair : memory_) {
        // Each free piece of the pair, inside what is allowed.
        for (std::uint32_t start = std::max(pair.first, allowed.first);
             start < std::min(pair.first + pair.size, allowed.first + allowed.size); ++start) {
          const auto is_free = [&](std::uint32_t unit) {
            return unit < units_ && !taken_[unit] && unit >= pair.first &&
                   unit - pair.first < pair.size && unit >= allowed.first &&
                   unit - allowed.first < allowed.size;
          };
          if (!is_free(start) || (start > 0 && is_free(start - 1))) continue;
          std::uint32_t end = start;
          while (is_free(end)) ++end;
          if (end < wish.size) continue;
          const std::uint32_t base = (end - wish.size) / align * align;
          if (base >= start && (!best || std::tuple{end, start, base} > *best))
            best = {end, start, base};
        }
      }
      if (best) {
        take({std::get<2>(*best), wish.size});
        return std::get<2>(*best) * kUnit;
      }
    }
    return std::nullopt;
  }

 private:
  void take(Stretch stretch) {
    for (std::uint32_t i = 0; i < stretch.size; ++i) taken_[stretch.first + i] = true;
  }

  std::vector<Stretch> memory_;
  std::uint32_t units_ = 2;
  std::vector<bool> taken_;
};

std::vector<std::uint32_t> cells_of(const std::vector<Stretch>& stretches) {
  std::vector<std::uint32_t> cells;
  for (const Stretch& each : stretches)
    cells.insert(cells.end(), {each.first * kUnit, each.size * kUnit});
  return cells;
}

/// The regions, in the order of the wishes, are the nodes from 3 on.
std::vector<std::byte> tree_of(const std::vector<Stretch>& memory,
                               const std::vector<Stretch>& fixed,
                               const std::vector<Stretch>& reserved,
                               const std::vector<Wish>& wishes) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> reservations;
  for (const Stretch& each : reserved) {
    reservations.emplace_back(std::uint64_t{each.first} * kUnit, std::uint64_t{each.size} * kUnit);
  }
  TreeMaker maker{reservations};
  maker.counts(1, 1)
      .begin("memory")
      .string("device_type", "memory")
      .cells("reg", cells_of(memory))
      .end();
  maker.begin("reserved-memory").counts(1, 1).empty("ranges");
  for (const Wish& wish : wishes) {
    maker.begin("r").cells("size", {wish.size * kUnit});
    if (wish.align != 0) maker.cells("alignment", {wish.align});
    if (!wish.allowed.empty()) maker.cells("alloc-ranges", cells_of(wish.allowed));
    maker.end();
  }
  maker.begin("fixed");
  if (!fixed.empty()) maker.cells("reg", cells_of(fixed));
  return maker.end().end().finish();
}

/// The first wish for whose region the model has another answer.
std::optional<std::size_t> first_difference(Model model, const std::vector<Wish>& wishes,
                                            const Placed& placed) {
  for (std::uint32_t i = 0; i < wishes.size(); ++i) {
    const auto expected = model.place(wishes[i]);
    const auto actual = placed.of(Node{3 + i});
    if (actual.has_value() != expected.has_value()) return i;
    if (expected && actual->base.raw() != *expected) return i;
  }
  return std::nullopt;
}

RC_GTEST_PROP(Placement, PutsEachRegionWhereTheRulesSay, ()) {
  const auto number = [](std::uint32_t from, std::uint32_t to) {
    return rc::gen::inRange(from, to);
  };
  const auto stretches = rc::gen::container<std::vector<Stretch>>(
      rc::gen::construct<Stretch>(number(0, kUnits / 2), number(1, kUnits / 2)));
  const auto small = rc::gen::container<std::vector<Stretch>>(
      rc::gen::construct<Stretch>(number(0, kUnits), number(1, 6)));
  const auto memory = *rc::gen::nonEmpty(stretches);
  const auto fixed = *small;
  const auto reserved = *small;
  const auto wishes =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<Wish>>(rc::gen::construct<Wish>(
          number(1, 12), rc::gen::element(0U, 0U, 0x1000U, 0x2000U, 0x4000U, 0x8000U), stretches)));

  const OpenTree tree{tree_of(memory, fixed, reserved, wishes)};
  std::vector<Stretch> taken = fixed;
  taken.insert(taken.end(), reserved.begin(), reserved.end());
  RC_ASSERT(!first_difference(Model{memory, taken}, wishes, Placed{tree}));
}

// ---- against whoever knows how the pieces are kept

/// Calls it on a thread with this much stack.
template <class Call>
void with_stack(std::size_t bytes, Call call) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
  const auto run = [](void* argument) -> void* {
    (*static_cast<Call*>(argument))();
    return nullptr;
  };
  pthread_t thread{};
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &call), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
}

/// A region for each pair of memory, in this order; then regions that go anywhere, up to more than
/// there is room for. A structure that the order of insertions can make a list becomes one as long
/// as there are pairs, and a recursion along it takes more stack than it is given.
void expect_shallow(const std::vector<std::uint32_t>& order) {
  std::vector<Stretch> memory;
  for (std::uint32_t i = 0; i < order.size(); ++i) memory.push_back({8 * (i + 1), 6});
  std::vector<Wish> wishes;
  for (const std::uint32_t pair : order) wishes.push_back({2, 0, {{8 * (pair + 1), 6}}});
  for (const std::uint32_t size : {4U, 1U, 6U, 1U}) {
    for (std::uint32_t i = 0; i < 10; ++i) wishes.push_back({size, size == 1 ? 0x4000U : 0U, {}});
  }
  const OpenTree tree{tree_of(memory, {}, {}, wishes)};
  std::optional<Placed> placed;
  with_stack(std::size_t{256} << 10, [&] { placed.emplace(tree); });
  ASSERT_TRUE(placed);
  EXPECT_EQ(first_difference(Model{memory, {}}, wishes, *placed), std::nullopt);
}

class HostileOrder : public testing::Test {
 protected:
  static constexpr std::uint32_t kPairs = 4000;

  HostileOrder() : order_(kPairs) { std::iota(order_.begin(), order_.end(), 0U); }
  std::vector<std::uint32_t> order_;
};

TEST_F(HostileOrder, Ascending) { expect_shallow(order_); }

TEST_F(HostileOrder, Descending) {
  std::reverse(order_.begin(), order_.end());
  expect_shallow(order_);
}

TEST_F(HostileOrder, FromBothEndsInwards) {
  for (std::uint32_t i = 0; i < kPairs; ++i) order_[i] = i % 2 == 0 ? i / 2 : kPairs - 1 - i / 2;
  expect_shallow(order_);
}

/// The pieces once were a treap, whose priorities were a hash of how many pieces came before: the
/// piece that the n-th region leaves went where this one says.
TEST_F(HostileOrder, OfAFixedHash) {
  const auto priority = [](std::uint32_t region) {
    std::uint32_t mixed = (kPairs + region + 1) * 0x9e37'79b9U;
    mixed ^= mixed >> 15;
    mixed *= 0x85eb'ca6bU;
    return mixed ^ (mixed >> 13);
  };
  std::vector<std::uint32_t> regions = order_;
  std::ranges::sort(regions, {}, priority);
  for (std::uint32_t i = 0; i < kPairs; ++i) order_[regions[i]] = i;
  expect_shallow(order_);
}

}  // namespace
}  // namespace carveout::device_tree
