// Rows 16 to 18 and 36 to 38: pools that code declares for one device.
#include <gtest/gtest.h>

#include <array>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"
#include "tests/vectors/vector_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::in_place;
using test::must;
using test::SimBoard;

void four_kib_granules(Platform& platform) { platform.granule_bytes = 4096; }

/// A machine with so much RAM at an address, one pool in all of it, and one device without windows
/// that has the pool.
class Declared {
 public:
  Declared(std::uint64_t base, std::uint64_t size_bytes)
      : range{PhysAddr{base}, size_bytes},
        board{{.ram = {in_place(base, size_bytes)}}, four_kib_granules},
        pool{board.pool("pool", range)},
        device{board.device("device", {.windows = {}})} {}

  [[nodiscard]] Result<Block> alloc(std::uint64_t size_bytes) const {
    return alloc_coherent(device, size_bytes);
  }

  PhysRange range;
  SimBoard board;
  Pool& pool;
  Device& device;
};

TEST(Vectors, Row16_AlignmentIsAbsoluteAndOneGranuleUnlessAskedFor) {
  Declared with{0xc1f0'1000, 0x1'0000};
  must(with.board.system->bind(with.device, with.pool));
  const Block block = must(with.alloc(0x4000));
  EXPECT_TRUE(with.range.contains(PhysRange{block.phys, 0x4000}));
  EXPECT_EQ(block.phys.raw() % 4096, 0U);
  EXPECT_EQ(block.dma.raw(), block.phys.raw());
}

TEST(Vectors, Row17_OfThreePagesTwoAndOne) {
  Declared with{0x1000, 0x3000};
  must(with.board.system->bind(with.device, with.pool));
  EXPECT_TRUE(with.alloc(8192));
  EXPECT_EQ(error_of(with.alloc(8192)), Error::exhausted);
  EXPECT_TRUE(with.alloc(4096));
}

TEST(Vectors, Row18_AWrongSizeIsRefusedAndNobodysPageIsHandedOutTwice) {
  Declared with{0x1000, 0x4000};
  must(with.board.system->bind(with.device, with.pool));
  const Block a = must(with.alloc(4096));
  const Block b = must(with.alloc(4096));
  Block longer = a;
  longer.size_bytes = 8192;
  EXPECT_EQ(error_of(free_coherent(longer)), Error::wrong_size);
  const Block next = must(with.alloc(8192));
  for (const Block& owned : {a, b}) {
    EXPECT_FALSE((PhysRange{next.phys, 8192}.overlaps({owned.phys, 4096})));
  }
}

/// declare(dev, phys 80000000, dma 0, 64 KiB).
struct Row36 : Declared {
  static constexpr Window kWindow{DmaAddr{0}, PhysAddr{0x8000'0000}, 0x1'0000};

  Row36() : Declared{0x8000'0000, 0x1'0000} {
    must(board.system->bind(device, pool, {.window = kWindow}));
  }
};

TEST(Vectors, Row36_DeviceAddress0IsValid) {
  const Row36 with;
  const Block block = must(with.alloc(4096));
  EXPECT_EQ(block.phys, PhysAddr{0x8000'0000});
  EXPECT_EQ(block.dma, DmaAddr{0});
}

TEST(Vectors, Row36_TheSecondPageFollows) {
  const Row36 with;
  must(with.alloc(4096));
  const Block block = must(with.alloc(4096));
  EXPECT_EQ(block.phys, PhysAddr{0x8000'1000});
  EXPECT_EQ(block.dma, DmaAddr{0x1000});
}

TEST(Vectors, Row37_ASecondDeclarationIsRefusedAndTheFirstKept) {
  const Row36 with;
  const std::array chunk{PhysRange{PhysAddr{0x9000'0000}, 0x1'0000}};
  EXPECT_EQ(error_of(with.board.system->declare({.name = "pool", .chunks = chunk})),
            Error::already_declared);
  EXPECT_EQ(error_of(with.board.system->bind(with.device, with.pool, {.window = Row36::kWindow})),
            Error::already_declared);
  EXPECT_EQ(must(with.alloc(4096)).pool, &with.pool);
}

TEST(Vectors, Row38_AnOwnPoolThatIsTooSmallIsFinal) {
  SimBoard board{{}, four_kib_granules};
  Pool& own = board.pool("own", test::ram(0, 0x1'0000));
  Pool& global = board.default_pool("global", test::ram(0x1'0000, 0x4'0000));
  Device& device = board.device("device");
  must(board.system->bind(device, own));
  EXPECT_EQ(error_of(alloc_coherent(device, 0x2'0000)), Error::exhausted);
  EXPECT_EQ(global.usage().used_bytes, 0U);
}

}  // namespace
}  // namespace carveout
