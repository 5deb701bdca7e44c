// Coherent<T>: memory that gives itself back.
#include "carveout/ops/buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::must;
using test::ram;
using test::SimBoard;

struct Descriptor {
  std::uint32_t address;
  std::uint32_t length;
};

static_assert(!std::is_copy_constructible_v<Coherent<Descriptor>>);
static_assert(!std::is_copy_assignable_v<Coherent<Descriptor>>);
static_assert(!std::is_default_constructible_v<Coherent<Descriptor>>);
static_assert(std::is_nothrow_move_constructible_v<Coherent<Descriptor>>);
static_assert(DeviceVisible<Descriptor>);
static_assert(!DeviceVisible<std::unique_ptr<int>>);

class Owner : public testing::Test {
 protected:
  [[nodiscard]] std::uint64_t used() const { return pool_.usage().used_bytes; }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0, 0x1000));
  Device& device_ = board_.device("eth");
};

TEST_F(Owner, TakesMemoryForItsElements) {
  const auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  EXPECT_EQ(ring.size(), 16U);
  EXPECT_EQ(used(), 16 * sizeof(Descriptor));
}

TEST_F(Owner, GivesTheMemoryBackWhenItEnds) {
  {
    const auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  }
  EXPECT_EQ(used(), 0U);
}

TEST_F(Owner, IsAllZeroAtFirst) {
  board_.put_in_ram(ram(0, 1).base, test::pattern(0x1000));
  const auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  EXPECT_TRUE(std::ranges::all_of(
      ring.plain(), [](const Descriptor& one) { return one.address == 0 && one.length == 0; }));
}

TEST_F(Owner, HasTheDeviceAddressOfItsFirstElement) {
  auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  ring.store(0, {.address = 0, .length = 0x1234});
  std::uint32_t seen = 0;
  ASSERT_TRUE(board_.engine(device_).read(DmaAddr{ring.dma().raw() + 4},
                                          std::as_writable_bytes(std::span{&seen, 1})));
  EXPECT_EQ(seen, 0x1234U);
}

TEST_F(Owner, OfOneElementStoresAndLoadsItWhole) {
  auto one = must(alloc_coherent<Descriptor>(device_));
  one.store({.address = 3, .length = 7});
  EXPECT_EQ(one.load().address, 3U);
  EXPECT_EQ(one.load().length, 7U);
}

TEST_F(Owner, LoadsAndStoresElementsOfEveryAlignment) {
  struct Bytes {
    std::uint8_t at[5];
  };
  struct Halves {
    std::uint16_t at[3];
  };
  struct Doubles {
    std::uint64_t at[3];
  };
  const auto both_ways = [&](auto value) {
    using Element = decltype(value);
    const auto run = must(alloc_coherent<Element[]>(device_, 3));
    for (auto& at : value.at) at = 0x5a;
    run.store(1, value);
    const Element before = run.load(0);
    const Element got = run.load(1);
    EXPECT_TRUE(std::ranges::all_of(before.at, [](auto at) { return at == 0; }));
    EXPECT_TRUE(std::ranges::equal(got.at, value.at));
  };
  both_ways(Bytes{});
  both_ways(Halves{});
  both_ways(Doubles{});
}

TEST_F(Owner, PublishesAndObservesByThePortsBarriers) {
  const auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  const auto published = board_.port.count(sim::PortOp::publish_barrier);
  const auto observed = board_.port.count(sim::PortOp::observe_barrier);
  ring.publish();
  EXPECT_EQ(board_.port.count(sim::PortOp::publish_barrier), published + 1);
  ring.observe();
  EXPECT_EQ(board_.port.count(sim::PortOp::observe_barrier), observed + 1);
}

TEST_F(Owner, CannotOwnCacheableMemory) {
  EXPECT_EQ(
      error_of(alloc_coherent<Descriptor[]>(device_, 1, {.attributes = Attributes::non_coherent})),
      Error::no_uncached_view);
}

TEST_F(Owner, WhoseElementsTheBusMovesAwayFromTheirAlignmentIsRefusedAndKeepsNothing) {
  struct alignas(512) Page {
    std::uint8_t bytes[512];
  };
  const std::array windows{
      Window{DmaAddr{0x4c80'0000}, PhysAddr{ram(0, 1).base.raw() + 0x40}, 0xf00}};
  Device& askew = *must(board_.system->add_device({.name = "askew",
                                                   .coherent_mask = DmaAddr{0xffff'ffff},
                                                   .translation = Translation::through(windows)}));
  EXPECT_EQ(error_of(alloc_coherent<Page[]>(askew, 1, Options{})), Error::bad_alignment);
  EXPECT_EQ(used(), 0U);
}

TEST_F(Owner, PassesOptionsOn) {
  const auto ring = must(alloc_coherent<Descriptor[]>(device_, 16, {.align_bytes = 1024}));
  EXPECT_EQ(ring.dma().raw() % 1024, 0U);
}

TEST_F(Owner, RefusesAnAlignmentThatIsNoPowerOfTwo) {
  EXPECT_EQ(error_of(alloc_coherent<Descriptor[]>(device_, 16, {.align_bytes = 3})),
            Error::bad_alignment);
}

TEST_F(Owner, MovedFromGivesNothingBack) {
  auto first = must(alloc_coherent<Descriptor[]>(device_, 16));
  const auto second = std::move(first);
  EXPECT_EQ(first.size(), 0U);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(second.size(), 16U);
  EXPECT_EQ(pool_.usage().blocks, 1U);
}

TEST_F(Owner, MovedToKeepsTheBytes) {
  auto first = must(alloc_coherent<Descriptor[]>(device_, 16));
  first.store(3, {.address = 0, .length = 99});
  const auto second = std::move(first);
  EXPECT_EQ(second.load(3).length, 99U);
}

TEST_F(Owner, AssignedToGivesBackWhatItHad) {
  auto first = must(alloc_coherent<Descriptor[]>(device_, 16));
  first = must(alloc_coherent<Descriptor[]>(device_, 4));
  EXPECT_EQ(first.size(), 4U);
  EXPECT_EQ(pool_.usage().blocks, 1U);
}

TEST_F(Owner, AssignedToItselfKeepsWhatItHad) {
  auto first = must(alloc_coherent<Descriptor[]>(device_, 16));
  auto& same = first;
  first = std::move(same);
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(pool_.usage().blocks, 1U);
}

TEST_F(Owner, ReleasedGivesNothingBack) {
  auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  const Block block = std::move(ring).release();
  {
    const auto ended = std::move(ring);
  }  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(pool_.usage().blocks, 1U);
  EXPECT_TRUE(free_coherent(block));
}

TEST_F(Owner, KeepsItsPoolFromBeingReleased) {
  const auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  EXPECT_EQ(error_of(board_.system->release(pool_)), Error::in_use);
}

TEST_F(Owner, OfNoElementsIsRefused) {
  EXPECT_EQ(error_of(alloc_coherent<Descriptor[]>(device_, 0)), Error::zero_size);
}

TEST_F(Owner, OfMoreThanASizeHoldsIsAnOverflow) {
  // A size has 64 bits: on a machine of 32, every number of elements has one.
  constexpr Error kRefused = sizeof(std::size_t) == 8 ? Error::size_overflow : Error::exhausted;
  EXPECT_EQ(error_of(alloc_coherent<Descriptor[]>(device_, ~std::size_t{0})), kRefused);
}

TEST_F(Owner, OfMoreThanThePoolIsExhaustedAndSaysSo) {
  const auto ring = alloc_coherent<Descriptor[]>(device_, 0x1000);
  ASSERT_EQ(error_of(ring), Error::exhausted);
  EXPECT_EQ(ring.error().pool, "d");
}

TEST_F(Owner, CannotOwnMemoryWithoutACpuMapping) {
  EXPECT_EQ(error_of(alloc_coherent<Descriptor[]>(device_, 1,
                                                  {.attributes = Attributes::no_cpu_mapping})),
            Error::no_uncached_view);
}

using OwnerDeathTest = Owner;

TEST_F(OwnerDeathTest, AnIndexBehindTheEndTraps) {
  auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  EXPECT_DEATH(ring.store(16, {}), "");
  EXPECT_DEATH(std::ignore = ring.load(16), "");
}

TEST_F(OwnerDeathTest, TheLastIndexDoesNotTrap) {
  auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  ring.store(15, {.address = 0, .length = 1});
  EXPECT_EQ(ring.load(15).length, 1U);
}

TEST_F(OwnerDeathTest, FreeingTheBlockBehindTheOwnersBackTraps) {
  EXPECT_DEATH(
      {
        const auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
        must(free_coherent(ring.block()));
      },
      "");
}

}  // namespace
}  // namespace carveout
