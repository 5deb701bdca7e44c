// The facts themselves are tested by tests/trees; here are the reasons beside them.
#include "carveout/device_tree/reserved_memory.hpp"

#include <gtest/gtest.h>

#include "tests/support/tree_maker.hpp"

namespace carveout::device_tree {
namespace {

using test::OpenTree;
using test::TreeMaker;
using Fault = ReservedMemoryFault;

Fault fault_of(TreeMaker& tree) {
  const OpenTree open{tree.end().finish()};
  return ReservedMemory{open}.fault();
}

TreeMaker node() {
  TreeMaker tree;
  tree.begin("reserved-memory");
  return tree;
}

TEST(ReservedMemory, NamesTheFirstReasonForWhichItsRegionsAreDisabled) {
  TreeMaker sound = node();
  EXPECT_EQ(fault_of(sound.counts(2, 1).empty("ranges")), Fault::none);
  TreeMaker disabled = node();
  EXPECT_EQ(fault_of(disabled.counts(2, 1).empty("ranges").string("status", "no")),
            Fault::disabled);
  TreeMaker no_address = node();
  EXPECT_EQ(fault_of(no_address.cells("#size-cells", {1}).empty("ranges")),
            Fault::no_address_cells);
  TreeMaker no_size = node();
  EXPECT_EQ(fault_of(no_size.cells("#address-cells", {2}).empty("ranges")), Fault::no_size_cells);
  TreeMaker address = node();
  EXPECT_EQ(fault_of(address.counts(1, 1).empty("ranges")), Fault::address_cells_differ);
  TreeMaker size = node();
  EXPECT_EQ(fault_of(size.counts(2, 2).empty("ranges")), Fault::size_cells_differ);
  TreeMaker no_ranges = node();
  EXPECT_EQ(fault_of(no_ranges.counts(2, 1)), Fault::no_ranges);
}

TEST(ReservedMemory, IsAbsentFromATreeWithoutIt) {
  const OpenTree tree{TreeMaker{}.begin("reserved-memoryx").end().finish()};
  EXPECT_EQ(ReservedMemory{tree}.node(), std::nullopt);
  EXPECT_EQ(ReservedMemory{tree}.fault(), Fault::none);
}

TEST(ReservedMemory, HoldsItsChildrenAndNotTheirs) {
  const OpenTree tree{
      TreeMaker{}.begin("reserved-memory").begin("a").begin("b").end().end().end().finish()};
  const ReservedMemory reserved{tree};
  EXPECT_TRUE(reserved.holds(tree, Node{2}));
  EXPECT_FALSE(reserved.holds(tree, Node{3}));
  EXPECT_FALSE(reserved.holds(tree, Node{1}));
  EXPECT_FALSE(reserved.holds(tree, Tree::root()));
}

TEST(ReservedRegion, SaysWhichPropertyDoesNotPlaceIt) {
  TreeMaker maker = node();
  maker.counts(2, 1).empty("ranges");
  maker.begin("reg").cells("reg", {0, 1}).cells("size", {0x1000}).end();
  maker.begin("size").cells("size", {0, 0x1000}).end();
  maker.begin("neither").end();
  maker.begin("sound").cells("reg", {0, 1, 2}).end();
  const OpenTree tree{maker.end().finish()};
  const ReservedMemory reserved{tree};
  const auto fault = [&](std::uint32_t index) {
    return ReservedRegion::read(tree, reserved, Node{index}).fault;
  };
  EXPECT_EQ(fault(2), RegionFault::malformed_reg);
  EXPECT_EQ(fault(3), RegionFault::malformed_size);
  EXPECT_EQ(fault(4), RegionFault::neither_reg_nor_size);
  EXPECT_EQ(fault(5), RegionFault::none);
  EXPECT_EQ(property_of(RegionFault::malformed_size), "size");
}

TEST(ReservedRegion, TellsARegionThatIsDisabledFromOneInADisabledNode) {
  TreeMaker maker = node();
  maker.counts(2, 1);
  maker.begin("okay").cells("reg", {0, 1, 2}).end();
  maker.begin("off").cells("reg", {0, 1, 2}).string("status", "disabled").end();
  const OpenTree tree{maker.end().finish()};
  const ReservedMemory reserved{tree};
  EXPECT_TRUE(ReservedRegion::read(tree, reserved, Node{2}).okay);
  EXPECT_FALSE(ReservedRegion::read(tree, reserved, Node{2}).enabled);
  EXPECT_FALSE(ReservedRegion::read(tree, reserved, Node{3}).okay);
}

}  // namespace
}  // namespace carveout::device_tree
