// Containers in a device's memory.
#include "carveout/hosted/memory_resource.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <list>
#include <new>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "carveout/ops/buffer.hpp"
#include "tests/support/sim_board.hpp"

namespace {
bool heap_is_full = false;
}

// The heap of this program, which a test may fill.
void* operator new(std::size_t size) {
  void* const at = heap_is_full ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (at == nullptr) throw std::bad_alloc{};
  return at;
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t /*size*/) noexcept { std::free(at); }

namespace carveout {
namespace {

using hosted::DeviceAllocator;
using hosted::DeviceMemory;
using test::must;
using test::ram;
using test::SimBoard;

class Hosted : public testing::Test {
 protected:
  [[nodiscard]] std::uint64_t used() const { return pool_.usage().used_bytes; }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("d", ram(0x2000, 0x1000));
  Device& device_ = board_.device("eth");
};

TEST_F(Hosted, APmrVectorLiesInThePoolAndTheDeviceReadsIt) {
  DeviceMemory memory{device_};
  std::pmr::vector<std::uint8_t> samples{&memory};
  samples.assign({1, 2, 3, 4});
  EXPECT_GT(used(), 0U);
  std::array<std::byte, 4> seen{};
  ASSERT_TRUE(board_.engine(device_).read(*memory.dma_of(samples.data()), seen));
  EXPECT_EQ(seen, (std::array{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}));
  EXPECT_EQ(memory.dma_of(&samples[2])->raw(), memory.dma_of(samples.data())->raw() + 2);
}

TEST_F(Hosted, WhatAContainerGivesUpIsGivenBack) {
  DeviceMemory memory{device_};
  {
    const std::pmr::vector<int> numbers(100, &memory);
    const std::pmr::list<int> nodes{{1, 2, 3}, &memory};
  }
  EXPECT_EQ(used(), 0U);
}

TEST_F(Hosted, WhatDoesNotFitIsBadAllocAndTheResourceSaysWhy) {
  DeviceMemory memory{device_};
  std::pmr::vector<std::byte> bytes{&memory};
  EXPECT_THROW(bytes.resize(0x2000), std::bad_alloc);
  EXPECT_EQ(memory.why()->code, Error::exhausted);
  EXPECT_EQ(used(), 0U);
}

TEST_F(Hosted, AnAddressOfElsewhereHasNoDeviceAddress) {
  DeviceMemory memory{device_};
  const std::pmr::vector<std::byte> bytes(64, &memory);
  EXPECT_FALSE(memory.dma_of(this));
  EXPECT_FALSE(memory.dma_of(bytes.data() + 64));
  EXPECT_FALSE(memory.dma_of(bytes.data() - 1));
}

TEST_F(Hosted, MemoryThatTheCpuDoesNotSeeHoldsNoContainer) {
  DeviceMemory memory{device_, {.attributes = Attributes::no_cpu_mapping}};
  EXPECT_THROW(static_cast<void>(memory.allocate(16)), std::bad_alloc);
  EXPECT_EQ(memory.why()->code, Error::no_uncached_view);
  EXPECT_EQ(used(), 0U);
}

TEST_F(Hosted, ABlockThatTheHeapCannotListIsGivenBack) {
  DeviceMemory memory{device_};
  board_.under_checker.stop();
  heap_is_full = true;
  try {
    static_cast<void>(memory.allocate(16));
  } catch (const std::bad_alloc&) {
    heap_is_full = false;
  }
  EXPECT_FALSE(heap_is_full);  // it was thrown
  EXPECT_FALSE(memory.why());
  EXPECT_EQ(used(), 0U);
}

TEST_F(Hosted, WhatIsLeftIsGivenBackWhenTheResourceEnds) {
  {
    DeviceMemory memory{device_};
    static_cast<void>(memory.allocate(16));
    static_cast<void>(memory.allocate(0));
  }
  EXPECT_EQ(used(), 0U);
}

TEST_F(Hosted, AnOrdinaryVectorTakesTheAllocator) {
  DeviceMemory memory{device_};
  using Floats = std::vector<float, DeviceAllocator<float>>;
  Floats one(8, 1.5F, {memory});
  Floats two{std::move(one)};
  EXPECT_EQ(std::accumulate(two.begin(), two.end(), 0.0F), 12.0F);
  EXPECT_TRUE(memory.dma_of(two.data()));
  const std::list<float, DeviceAllocator<float>> nodes{{1.0F, 2.0F}, {memory}};
  EXPECT_EQ(DeviceAllocator<int>{memory}, DeviceAllocator<float>{memory});
  EXPECT_THROW(static_cast<void>(DeviceAllocator<float>{memory}.allocate(SIZE_MAX / 2)),
               std::bad_array_new_length);
}

/// A driver: its buffers are members, and go when it goes.
class Driver {
 public:
  explicit Driver(const Device& device, DeviceMemory& memory)
      : table_{must(alloc_coherent<std::uint32_t[]>(device, 8))}, log_{&memory} {
    std::uint32_t next = 0;
    for (std::uint32_t& entry : table_.plain()) entry = next++;
    log_.assign(3, 'x');
  }
  [[nodiscard]] std::uint32_t sum() const {
    const auto table = table_.plain();
    return std::accumulate(table.begin(), table.end(), 0U);
  }

 private:
  Coherent<std::uint32_t[]> table_;
  std::pmr::string log_;
};

TEST_F(Hosted, BuffersAreMembersOfADriver) {
  DeviceMemory memory{device_};
  {
    const Driver driver{device_, memory};
    EXPECT_EQ(driver.sum(), 28U);
    EXPECT_GT(used(), 0U);
  }
  EXPECT_EQ(used(), 0U);
}

}  // namespace
}  // namespace carveout
