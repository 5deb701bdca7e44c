#include "carveout/device_tree/memory_region.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/tree_maker.hpp"

namespace carveout::device_tree {
namespace {

using test::OpenTree;
using test::TreeMaker;

TEST(MemoryRegions, PairEachPhandleWithTheNameAtItsPlace) {
  const OpenTree tree{TreeMaker{}
                          .begin("device")
                          .cells("memory-region", {1, 9, 1})
                          .bytes("memory-region-names", std::string_view{"ring\0\0", 6})
                          .end()
                          .begin("region")
                          .phandle(1)
                          .end()
                          .finish()};
  std::vector<Binding> bindings;
  for (const Binding& each : MemoryRegions{tree, Node{1}}) bindings.push_back(each);
  ASSERT_EQ(bindings.size(), 3U);
  EXPECT_EQ(bindings[0].region, Node{2});
  EXPECT_EQ(bindings[0].name, "ring");
  EXPECT_EQ(bindings[1].region, std::nullopt) << "the phandle dangles";
  EXPECT_EQ(bindings[1].phandle, 9U);
  EXPECT_EQ(bindings[1].name, "");
  EXPECT_EQ(bindings[2].index, 2U);
  EXPECT_EQ(bindings[2].region, Node{2});
  EXPECT_EQ(bindings[2].name, std::nullopt) << "the names are fewer";
}

TEST(MemoryRegions, AreNoneWithoutTheProperty) {
  const OpenTree tree{
      TreeMaker{}.begin("device").string("memory-region-names", "a").end().finish()};
  EXPECT_EQ(MemoryRegions(tree, Node{1}).size(), 0U);
  EXPECT_FALSE(tree->has_memory_region(Node{1}));
}

}  // namespace
}  // namespace carveout::device_tree
