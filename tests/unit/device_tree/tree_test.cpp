#include "carveout/device_tree/tree.hpp"

#include <gtest/gtest.h>
#include <libfdt.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/tree_maker.hpp"

namespace carveout::device_tree {
namespace {

using Code = TreeError::Code;
using test::OpenTree;
using test::TreeMaker;
using Blob = std::vector<std::byte>;

/// What measure() says of a blob; open() must say the same.
std::optional<Code> refusal(Bytes blob) {
  const auto measured = Tree::measure(blob);
  std::vector<std::byte> scratch(measured.value_or(0));
  const auto opened = Tree::open(blob, scratch);
  EXPECT_EQ(measured.has_value(), opened.has_value());
  if (measured) return std::nullopt;
  EXPECT_EQ(measured.error().code, opened.error().code);
  return measured.error().code;
}

void store(Blob& blob, std::size_t at, std::uint32_t value) { fdt32_st(blob.data() + at, value); }

std::size_t structure(const Blob& blob) { return fdt_off_dt_struct(blob.data()); }

Blob with_property() { return TreeMaker{}.cells("x", {1}).finish(); }

// ---- what is refused

TEST(TreeOpen, RefusesWhatIsNoTree) {
  EXPECT_EQ(refusal(Bytes{}), Code::not_a_tree);
  EXPECT_EQ(refusal(Blob(3)), Code::not_a_tree);
  EXPECT_EQ(refusal(Blob(100'000)), Code::not_a_tree);
}

TEST(TreeOpen, RefusesABlobThatDoesNotStartAtAMultipleOfEight) {
  const Blob blob = with_property();
  Blob moved(blob.size() + 4);
  std::memcpy(moved.data() + 4, blob.data(), blob.size());
  EXPECT_EQ(refusal(Bytes{moved}.subspan(4)), Code::misaligned);
}

TEST(TreeOpen, RefusesEveryBlobThatIsCutShort) {
  const Blob blob = TreeMaker{{{1, 2}}}.cells("x", {1}).begin("n").string("y", "z").end().finish();
  for (std::size_t size = 4; size < blob.size(); ++size) {
    // A copy of exactly that size, so that a sanitizer sees a read past its end.
    const Blob cut(blob.begin(), blob.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(refusal(cut), Code::truncated) << size;
  }
}

TEST(TreeOpen, TakesABlobWithBytesBehindIt) {
  Blob blob = with_property();
  blob.resize(blob.size() + 1000);
  EXPECT_EQ(refusal(blob), std::nullopt);
}

TEST(TreeOpen, RefusesAVersionOfTheFuture) {
  Blob blob = with_property();
  store(blob, offsetof(fdt_header, version), 18);
  store(blob, offsetof(fdt_header, last_comp_version), 18);
  EXPECT_EQ(refusal(blob), Code::unsupported_version);
}

TEST(TreeOpen, ReadsPathsForNamesAndPaddedValuesBeforeVersion16) {
  Blob blob = TreeMaker{}.cells("x", {0, 1, 2}).begin("/n").begin("/n/m@1").end().end().finish();
  store(blob, offsetof(fdt_header, version), 3);
  store(blob, offsetof(fdt_header, last_comp_version), 2);
  store(blob, structure(blob) + 12, 8);  // the first cell is padding up to a multiple of eight
  const OpenTree tree{blob};
  EXPECT_EQ(tree.path(Node{2}), "/n/m@1");
  const CellList x{*tree->property(Tree::root(), "x")};
  ASSERT_EQ(x.size(), 2U);
  EXPECT_EQ(x[0], 1U);
}

TEST(TreeOpen, RefusesAPropertyThatRunsPastTheEnd) {
  for (const std::uint32_t length :
       {0x20U, 0x7fff'ffffU, 0x8000'0000U, 0xffff'fff0U, 0xffff'ffffU}) {
    Blob blob = with_property();
    store(blob, structure(blob) + 12, length);
    EXPECT_EQ(refusal(blob), Code::bad_property) << length;
  }
}

TEST(TreeOpen, RefusesThePropertyLengthOnWhichLibfdtNeverReturns) {
  Blob blob = with_property();
  store(blob, structure(blob) + 12, 0xffff'fff4);
  EXPECT_EQ(refusal(blob), Code::bad_property);
}

TEST(TreeOpen, RefusesANameOutsideTheStrings) {
  Blob blob = with_property();
  store(blob, structure(blob) + 16, 100);
  EXPECT_EQ(refusal(blob), Code::bad_property_name);
}

TEST(TreeOpen, RefusesANameWithoutItsZero) {
  Blob blob = with_property();
  blob[fdt_off_dt_strings(blob.data()) + 1] = std::byte{'y'};
  EXPECT_EQ(refusal(blob), Code::bad_property_name);
}

TEST(TreeOpen, RefusesStructureThatDoesNotNest) {
  const auto of = [](std::initializer_list<std::uint32_t> tokens) {
    Blob blob = TreeMaker{}.bytes("x", std::string(100, '\0')).finish();
    std::size_t at = structure(blob);
    for (const std::uint32_t token : tokens) {
      store(blob, at, token);
      at += 4;
    }
    return refusal(blob);
  };
  constexpr std::uint32_t kBegin = FDT_BEGIN_NODE;
  EXPECT_EQ(of({kBegin, 0, FDT_END_NODE, FDT_END}), std::nullopt);
  EXPECT_EQ(of({FDT_NOP, kBegin, 0, FDT_NOP, FDT_END_NODE, FDT_NOP, FDT_END}), std::nullopt);
  EXPECT_EQ(of({FDT_END}), Code::bad_structure) << "no root";
  EXPECT_EQ(of({FDT_END_NODE}), Code::bad_structure);
  EXPECT_EQ(of({kBegin, 0, FDT_END}), Code::bad_structure) << "the root is not closed";
  EXPECT_EQ(of({kBegin, 0, FDT_END_NODE, kBegin, 0, FDT_END_NODE, FDT_END}), Code::bad_structure)
      << "two roots";
  EXPECT_EQ(of({kBegin, 0, FDT_END_NODE, FDT_PROP, 0, 0, FDT_END}), Code::bad_structure)
      << "a property of no node";
  EXPECT_EQ(of({kBegin, 0x61000000, FDT_END_NODE, FDT_END}), Code::bad_structure)
      << "a root with a name";
  EXPECT_EQ(of({kBegin, 0, 77, FDT_END_NODE, FDT_END}), Code::bad_structure) << "an unknown token";
}

TEST(TreeOpen, RefusesReservationsWithoutTheirEnd) {
  Blob blob = with_property();
  for (std::size_t at = fdt_off_mem_rsvmap(blob.data()); at < blob.size(); ++at)
    blob[at] = std::byte{1};
  EXPECT_EQ(refusal(blob), Code::bad_reservations);
}

TEST(TreeOpen, RefusesDepthOver64) {
  const auto of_depth = [](unsigned depth) {
    TreeMaker tree;
    for (unsigned i = 0; i < depth; ++i) tree.begin("n");
    for (unsigned i = 0; i < depth; ++i) tree.end();
    return tree.finish();
  };
  EXPECT_EQ(refusal(of_depth(64)), std::nullopt);
  EXPECT_EQ(refusal(of_depth(65)), Code::too_deep);
  EXPECT_EQ(refusal(of_depth(3000)), Code::too_deep);
}

TEST(TreeOpen, RefusesAPathOver4096Bytes) {
  const auto with_path = [](std::size_t bytes) {
    return TreeMaker{}
        .begin(std::string(2000, 'a'))
        .begin(std::string(bytes - 2002, 'b'))
        .end()
        .end()
        .finish();
  };
  EXPECT_EQ(refusal(with_path(4096)), std::nullopt);
  EXPECT_EQ(refusal(with_path(4097)), Code::path_too_long);
}

TEST(TreeOpen, SaysWhereInTheBlob) {
  Blob blob = with_property();
  store(blob, structure(blob) + 12, 0x1000);
  const auto measured = Tree::measure(blob);
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().offset_bytes, structure(blob) + 8);
  std::array<char, 40> buffer{};
  Text text{buffer};
  TreeError{Code::bad_property, 0x1c4}.where(text);
  EXPECT_EQ(text.view(), "byte 0x1c4");
}

TEST(TreeOpen, RefusesLessScratchThanItMeasured) {
  const Blob blob = TreeMaker{}.begin("n").phandle(1).end().finish();
  std::vector<std::byte> scratch(*Tree::measure(blob) - 8);
  const auto tree = Tree::open(blob, scratch);
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().code, Code::scratch_too_small);
}

TEST(TreeOpen, TakesScratchOfAnyAlignment) {
  const Blob blob = TreeMaker{}.begin("n").phandle(1).end().finish();
  for (std::size_t offset = 0; offset < 8; ++offset) {
    std::vector<std::byte> scratch(*Tree::measure(blob) + offset);
    const auto tree = Tree::open(blob, std::span{scratch}.subspan(offset));
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->by_phandle(1), Node{1});
  }
}

/// Whatever bytes are changed: a refusal, or a tree in which everything can be read.
RC_GTEST_PROP(TreeOpen, ReadsNothingOutsideADamagedBlob, ()) {
  Blob blob = TreeMaker{{{1, 2}, {3, 4}}}
                  .counts(1, 1)
                  .cells("interconnects", {1, 2})
                  .begin("a@1")
                  .phandle(1)
                  .string("compatible", "b")
                  .end()
                  .begin("c")
                  .string("interconnect-names", "dma-mem")
                  .cells("interconnects", {1})
                  .cells("dma-ranges", {1, 2, 3})
                  .end()
                  .finish();
  const auto changes =
      *rc::gen::container<std::vector<std::pair<std::size_t, std::byte>>>(rc::gen::pair(
          rc::gen::inRange<std::size_t>(0, blob.size()),
          rc::gen::map(rc::gen::inRange(0, 256), [](int v) { return static_cast<std::byte>(v); })));
  for (const auto& [at, value] : changes) blob[at] = value;
  const auto measured = Tree::measure(blob);
  if (!measured) return;
  std::vector<std::byte> scratch(*measured);
  const auto tree = Tree::open(blob, scratch);
  RC_ASSERT(tree.has_value());
  std::string path(kMaxPathBytes, ' ');
  for (const Node node : tree->nodes()) {
    tree->path(node, path);
    tree->for_each_property(node, [](const PropertyName& name, Bytes bytes) {
      RC_ASSERT(name.text().size() + bytes.size() < 10'000U);
    });
  }
}

// ---- nodes

TEST(Tree, WalksNodesInTreeOrderAndChildrenInTheirs) {
  const OpenTree tree{
      TreeMaker{}.begin("a").begin("b").end().begin("c").end().end().begin("d").end().finish()};
  std::string all;
  for (const Node node : tree->nodes()) all += tree.path(node) + " ";
  EXPECT_EQ(all, "/ /a /a/b /a/c /d ");
  std::string children;
  for (const Node node : tree->children(Tree::root())) children += tree.path(node) + " ";
  EXPECT_EQ(children, "/a /d ");
  EXPECT_EQ(tree->children(tree.at("/d")).begin(), tree->children(tree.at("/d")).end());
}

TEST(Tree, CutsAPathToTheBufferItIsGiven) {
  const OpenTree tree{TreeMaker{}.begin("abc").begin("def").end().end().finish()};
  std::array<char, 6> buffer{};
  EXPECT_EQ(tree->path(tree.at("/abc/def"), buffer), "/abc/d");
}

TEST(Tree, FindsANodeByItsPath) {
  const OpenTree tree{
      TreeMaker{}.begin("a@1").end().begin("a@2").begin("b").end().end().begin("a").end().finish()};
  EXPECT_EQ(tree->find("/"), Tree::root());
  EXPECT_EQ(tree->find("/a@2/b"), Node{3});
  EXPECT_EQ(tree->find("//a@2//b/"), Node{3});
  EXPECT_EQ(tree->find("/a"), Node{4}) << "the exact name before one with a unit address";
  EXPECT_EQ(tree->find("/b"), std::nullopt);
  EXPECT_EQ(tree->find("a@1"), std::nullopt);
  EXPECT_EQ(tree->find(""), std::nullopt);
}

TEST(Tree, FindsTheFirstNodeOfANameWithoutItsUnitAddress) {
  const OpenTree tree{
      TreeMaker{}.begin("ab@1").end().begin("a@1").end().begin("a@2").end().finish()};
  EXPECT_EQ(tree->find("/a"), Node{2});
}

TEST(Tree, OfTwoNodesWithOnePhandleTheFirstCounts) {
  const OpenTree tree{TreeMaker{}
                          .begin("a")
                          .phandle(7)
                          .end()
                          .begin("b")
                          .phandle(7)
                          .end()
                          .begin("c")
                          .phandle(3)
                          .end()
                          .finish()};
  EXPECT_EQ(tree->by_phandle(7), Node{1});
  EXPECT_EQ(tree->by_phandle(3), Node{3});
  EXPECT_EQ(tree->by_phandle(8), std::nullopt);
}

TEST(Tree, KnowsNoPhandleThatIsNone) {
  const OpenTree tree{TreeMaker{}
                          .begin("zero")
                          .phandle(0)
                          .end()
                          .begin("ones")
                          .phandle(0xffff'ffff)
                          .end()
                          .begin("short")
                          .bytes("phandle", "abc")
                          .end()
                          .begin("old")
                          .cells("linux,phandle", {5})
                          .end()
                          .begin("both")
                          .phandle(6)
                          .cells("linux,phandle", {9})
                          .end()
                          .finish()};
  EXPECT_EQ(tree->by_phandle(0), std::nullopt);
  EXPECT_EQ(tree->by_phandle(0xffff'ffff), std::nullopt);
  EXPECT_EQ(tree->by_phandle(5), Node{4});
  EXPECT_EQ(tree->by_phandle(6), Node{5});
  EXPECT_EQ(tree->by_phandle(9), std::nullopt);
}

// ---- properties

TEST(Tree, OfTwoPropertiesOfOneNameTheFirstCounts) {
  const OpenTree tree{TreeMaker{}
                          .cells("x", {1})
                          .cells("x", {2})
                          .begin("a")
                          .string("status", "disabled")
                          .string("status", "okay")
                          .end()
                          .begin("b")
                          .bytes("#address-cells", "ab")
                          .cells("#address-cells", {1})
                          .end()
                          .finish()};
  EXPECT_EQ(load_cell(*tree->property(Tree::root(), "x"), 0), 1U);
  EXPECT_FALSE(tree->okay(Node{1}));
  EXPECT_FALSE(tree->states_address_cells(Node{2}));
}

TEST(Tree, DoesNotSeeAPropertyBehindAChild) {
  Blob blob = TreeMaker{}.begin("a").cells("x", {1}).end().begin("b").end().finish();
  // The child's end moves before its property: the property is now the root's, behind a child.
  const std::size_t at = structure(blob) + 8 + 8;  // behind two nodes that begin
  std::array<std::byte, 16> property{};
  std::memcpy(property.data(), blob.data() + at, property.size());
  std::memcpy(blob.data() + at, blob.data() + at + 16, 4);
  std::memcpy(blob.data() + at + 4, property.data(), property.size());
  const OpenTree tree{blob};
  EXPECT_FALSE(tree->has(Tree::root(), "x"));
  EXPECT_FALSE(tree->has(Node{1}, "x"));
  EXPECT_EQ(tree->node_count(), 3U);
}

TEST(Tree, ComparesWholeNamesOfProperties) {
  const OpenTree tree{TreeMaker{}.empty("regular").empty("re").finish()};
  EXPECT_FALSE(tree->has(Tree::root(), "reg"));
  EXPECT_TRUE(tree->has(Tree::root(), "re"));
}

TEST(Tree, InheritsCellsThatANodeDoesNotState) {
  const OpenTree tree{
      TreeMaker{}.begin("a").cells("#size-cells", {3}).begin("b").end().end().finish()};
  EXPECT_EQ(tree->cells(Tree::root()), (CellCounts{2, 1}));
  EXPECT_EQ(tree->cells(Node{2}), (CellCounts{2, 3}));
  EXPECT_FALSE(tree->states_size_cells(Node{2}));
}

TEST(Tree, ReservationsRunToTheirZeroEnd) {
  const OpenTree tree{TreeMaker{{{0x1000, 0}, {0, 5}, {7, 8}}}.finish()};
  ASSERT_EQ(tree->reservations().size(), 3U);
  EXPECT_EQ(tree->reservations()[0], (PhysRange{PhysAddr{0x1000}, 0}));
  EXPECT_EQ(tree->reservations()[2], (PhysRange{PhysAddr{7}, 8}));
}

}  // namespace
}  // namespace carveout::device_tree
