// Rows 16 to 18 and 36 to 39, 41 and 42: pools of one device.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/vectors/vector_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::in_place;
using test::must;
using test::Origin;
using test::Rows;
using test::VectorBoard;

/// One device with a pool of its own, which is all the RAM that the row touches.
struct OwnPool : VectorBoard {
  OwnPool(const std::string& tree, PhysRange pool, const Origin& origin)
      : VectorBoard{tree,
                    {in_place(pool.base.raw(), pool.size_bytes)},
                    {{.node = "/bus/dma@1000"}},
                    origin},
        range{pool} {}

  PhysRange range;
};

TEST_P(Rows, Row16_AlignmentIsAbsoluteAndOneGranuleUnlessAskedFor) {
  const OwnPool board{"row16", {PhysAddr{0xc1f0'1000}, 0x1'0000}, GetParam()};
  const Block block = must(board.alloc(0x4000));
  EXPECT_TRUE(board.range.contains(PhysRange{block.phys, 0x4000}));
  EXPECT_EQ(block.phys.raw() % 4096, 0U);
  EXPECT_EQ(block.dma.raw(), block.phys.raw());
}

TEST_P(Rows, Row17_OfThreePagesTwoAndOne) {
  const OwnPool board{"row17", {PhysAddr{0x1000}, 0x3000}, GetParam()};
  EXPECT_TRUE(board.alloc(8192));
  EXPECT_EQ(error_of(board.alloc(8192)), Error::exhausted);
  EXPECT_TRUE(board.alloc(4096));
}

TEST_P(Rows, Row18_AWrongSizeIsRefusedAndNobodysPageIsHandedOutTwice) {
  const OwnPool board{"row18", {PhysAddr{0x1000}, 0x4000}, GetParam()};
  const Block a = must(board.alloc(4096));
  const Block b = must(board.alloc(4096));
  Block longer = a;
  longer.size_bytes = 8192;
  EXPECT_EQ(error_of(free_coherent(longer)), Error::wrong_size);
  const Block next = must(board.alloc(8192));
  for (const Block& owned : {a, b}) {
    EXPECT_FALSE((PhysRange{next.phys, 8192}.overlaps({owned.phys, 4096})));
  }
}

struct Row36 : OwnPool {
  explicit Row36(const Origin& origin)
      : OwnPool{"row36", {PhysAddr{0x8000'0000}, 0x1'0000}, origin} {}
};

TEST_P(Rows, Row36_DeviceAddress0IsValid) {
  const Row36 board{GetParam()};
  const Block block = must(board.alloc(4096));
  EXPECT_EQ(block.phys, PhysAddr{0x8000'0000});
  EXPECT_EQ(block.dma, DmaAddr{0});
}

TEST_P(Rows, Row36_TheSecondPageFollows) {
  const Row36 board{GetParam()};
  must(board.alloc(4096));
  const Block block = must(board.alloc(4096));
  EXPECT_EQ(block.phys, PhysAddr{0x8000'1000});
  EXPECT_EQ(block.dma, DmaAddr{0x1000});
}

/// As the row says it, by code: declare(dev, phys 80000000, dma 0, 64 KiB).
struct DeclaredAtAnAddress {
  DeclaredAtAnAddress() {
    must(board.system->bind(device, pool,
                            {.window = Window{DmaAddr{0}, PhysAddr{0x8000'0000}, 0x1'0000}}));
  }

  test::SimBoard board{{.ram = {in_place(0x8000'0000, 0x1'0000)}},
                       [](Platform& platform) { platform.granule_bytes = 4096; }};
  Pool& pool = board.pool("pool", {PhysAddr{0x8000'0000}, 0x1'0000});
  Device& device = board.device("device", {.windows = {}});
};

TEST(Vectors, Row36_TheDeviceAddressMayBeDeclaredInstead) {
  const DeclaredAtAnAddress with;
  const Block first = must(alloc_coherent(with.device, 4096));
  const Block second = must(alloc_coherent(with.device, 4096));
  EXPECT_EQ(first.phys, PhysAddr{0x8000'0000});
  EXPECT_EQ(first.dma, DmaAddr{0});
  EXPECT_EQ(second.phys, PhysAddr{0x8000'1000});
  EXPECT_EQ(second.dma, DmaAddr{0x1000});
}

TEST_P(Rows, Row37_ASecondDeclarationIsRefusedAndTheFirstKept) {
  const Row36 board{GetParam()};
  const std::string_view name = "/reserved-memory/pool@80000000";
  const std::array chunk{PhysRange{PhysAddr{0x9000'0000}, 0x1'0000}};
  EXPECT_EQ(error_of(board.system->declare({.name = name, .chunks = chunk})),
            Error::already_declared);
  EXPECT_EQ(error_of(board.system->bind(*board.system->device(0), *board.system->find_pool(name))),
            Error::already_declared);
  EXPECT_EQ(must(board.alloc(4096)).phys, PhysAddr{0x8000'0000});
}

TEST_P(Rows, Row38_AnOwnPoolThatIsTooSmallIsFinal) {
  const OwnPool board{"row38", {PhysAddr{0x8000'0000}, 0x20'0000}, GetParam()};
  EXPECT_EQ(error_of(board.alloc(0x2'0000)), Error::exhausted);
  EXPECT_EQ(board.pool("/reserved-memory/global@80100000").usage().used_bytes, 0U);
}

TEST_P(Rows, Row39_FullContiguousMemoryOfTheDeviceIsFinal) {
  const OwnPool board{"row39", {PhysAddr{0x8040'0000}, 0x40'0000}, GetParam()};
  must(board.alloc(0x40'0000));
  EXPECT_EQ(error_of(board.alloc(4096)), Error::exhausted);
}

/// Linux rejects both regions, because they are no whole pageblocks. There are none here.
TEST_P(Rows, Row41_AReusableRegionOfAMebibyteServes) {
  const OwnPool board{"row41", {PhysAddr{0x6fc0'0000}, 0x10'0000}, GetParam()};
  EXPECT_EQ(must(board.alloc(0x10'0000)).phys, PhysAddr{0x6fc0'0000});
}

TEST_P(Rows, Row42_AReusableRegionThatIsNoMultipleOfTwoMebibytesServes) {
  const OwnPool board{"row42", {PhysAddr{0x4000'0000}, 0x4c'0000}, GetParam()};
  EXPECT_EQ(must(board.alloc(0x4c'0000)).phys, PhysAddr{0x4000'0000});
}

}  // namespace
}  // namespace carveout
