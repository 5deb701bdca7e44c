#include "carveout/device_tree/placement.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
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
      : memory_{std::move(memory)}, taken_(2 * kUnits) {
    take({0, 2});
    for (const Stretch& each : taken) take(each);
  }

  std::optional<std::uint32_t> place(const Wish& wish) {
    const std::uint32_t align = std::max(wish.align, 0x1000U) / kUnit;
    const std::vector anywhere{Stretch{0, 2 * kUnits}};
    for (const Stretch& allowed : wish.allowed.empty() ? anywhere : wish.allowed) {
      std::optional<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>
          best;  // end, start, base
      for (const Stretch& pair : memory_) {
        // Each free piece of the pair, inside what is allowed.
        for (std::uint32_t start = 0; start < 2 * kUnits; ++start) {
          const auto is_free = [&](std::uint32_t unit) {
            return unit < 2 * kUnits && !taken_[unit] && unit >= pair.first &&
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
  std::vector<bool> taken_;
};

std::vector<std::uint32_t> cells_of(const std::vector<Stretch>& stretches) {
  std::vector<std::uint32_t> cells;
  for (const Stretch& each : stretches)
    cells.insert(cells.end(), {each.first * kUnit, each.size * kUnit});
  return cells;
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
  const OpenTree tree{maker.end().end().finish()};

  std::vector<Stretch> taken = fixed;
  taken.insert(taken.end(), reserved.begin(), reserved.end());
  Model model{memory, taken};
  const Placed placed{tree};
  for (std::uint32_t i = 0; i < wishes.size(); ++i) {
    const auto expected = model.place(wishes[i]);
    const auto actual = placed.of(Node{3 + i});
    RC_ASSERT(actual.has_value() == expected.has_value());
    if (expected) RC_ASSERT(actual->base.raw() == *expected);
  }
}

}  // namespace
}  // namespace carveout::device_tree
