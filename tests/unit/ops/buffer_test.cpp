// Coherent<T>: memory that gives itself back.
#include "carveout/ops/buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
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
      ring.span(), [](const Descriptor& one) { return one.address == 0 && one.length == 0; }));
}

TEST_F(Owner, HasTheDeviceAddressOfItsFirstElement) {
  auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  ring[0].length = 0x1234;
  std::uint32_t seen = 0;
  ASSERT_TRUE(board_.engine(device_).read(DmaAddr{ring.dma().raw() + 4},
                                          std::as_writable_bytes(std::span{&seen, 1})));
  EXPECT_EQ(seen, 0x1234U);
}

TEST_F(Owner, OfOneElementIsUsedLikeAPointer) {
  auto one = must(alloc_coherent<Descriptor>(device_));
  one->length = 7;
  EXPECT_EQ((*one).length, 7U);
  EXPECT_EQ(one.get()->length, 7U);
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
  first[3].length = 99;
  const auto second = std::move(first);
  EXPECT_EQ(second[3].length, 99U);
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

TEST_F(Owner, OfMoreThanTheAddressSpaceIsExhausted) {
  EXPECT_EQ(error_of(alloc_coherent<Descriptor[]>(device_, ~std::size_t{0})), Error::exhausted);
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
  EXPECT_DEATH(ring[16].length = 1, "");
}

TEST_F(OwnerDeathTest, TheLastIndexDoesNotTrap) {
  auto ring = must(alloc_coherent<Descriptor[]>(device_, 16));
  ring[15].length = 1;
  EXPECT_EQ(ring[15].length, 1U);
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
