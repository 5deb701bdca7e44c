// Each barrier of ops by what CPU and device see without it: on a machine whose stores past the
// cache wait and whose loads come early, at its worst and by seed. tools/mutate.sh takes the
// barriers out and runs these tests, and tests/unicorn for what the library itself loads and
// stores.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "carveout/ops/handover.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout_sim/adversary.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::must;
using test::pattern;
using test::ram;

constexpr std::size_t kBytes = 48;  // fewer stores than may wait

sim::Adversary adversary_of(std::uint64_t seed) {
  return seed == 0 ? sim::Adversary::worst() : sim::Adversary::seeded(seed);
}

/// The parameter is a seed; 0 is hardware at its worst.
class Ordering : public testing::TestWithParam<std::uint64_t> {
 protected:
  Ordering() { board_.machine.set_adversary(&adversary_); }
  ~Ordering() override { board_.machine.set_adversary(nullptr); }

  [[nodiscard]] MappedBytes mapped(Direction direction) {
    return must(map(device_, bytes_, direction));
  }
  [[nodiscard]] Bytes device_reads(DmaAddr at) {
    Bytes bytes(kBytes);
    EXPECT_TRUE(engine_.read(at, bytes));
    return bytes;
  }
  /// What a device does when it is done: data, and behind it a flag, which the CPU then sees.
  void device_is_done(DmaAddr at) {
    EXPECT_TRUE(engine_.write(at, pattern(kBytes, 2)));
    EXPECT_TRUE(engine_.fill(flag_dma_, 1, std::byte{1}));
    for (int tries = 0; board_.machine.load(flag_.cpu) != std::byte{1}; ++tries) {
      ASSERT_LT(tries, 100);
    }
  }
  [[nodiscard]] Bytes cpu_reads() { return board_.load(bytes_.cpu, kBytes); }

  sim::Adversary adversary_ = adversary_of(GetParam());
  // Without a cache: what a caller maps is past it, and no cache work orders anything.
  test::SimBoard board_{{.cache = std::nullopt, .write_buffer_stores = 8, .early_loads = 32}};
  Device& device_ = board_.device("eth");
  sim::DmaEngine engine_ = board_.engine(device_);
  CpuBytes bytes_ = board_.cpu_bytes(ram(0x2000, kBytes));
  CpuBytes flag_ = board_.cpu_bytes(ram(0x3000, 1));
  DmaAddr flag_dma_{sim::kOddWindow.dma.raw() + 0x3000};
};

INSTANTIATE_TEST_SUITE_P(WorstAndSeeds, Ordering, testing::Range<std::uint64_t>(0, 16));

TEST_P(Ordering, WhatTheCpuStoredIsThereForADeviceThatReads) {
  board_.store(bytes_.cpu, pattern(kBytes));
  EXPECT_EQ(device_reads(mapped(Direction::to_device).dma), pattern(kBytes));
}

TEST_P(Ordering, WhatTheCpuStoredIsThereForADeviceThatReadsAndWrites) {
  board_.store(bytes_.cpu, pattern(kBytes));
  EXPECT_EQ(device_reads(mapped(Direction::bidirectional).dma), pattern(kBytes));
}

TEST_P(Ordering, WhatTheCpuStoredInItsTurnIsThereForTheDevice) {
  const MappedBytes mapped = this->mapped(Direction::to_device);
  must(sync_for_cpu(device_, mapped));
  board_.store(bytes_.cpu, pattern(kBytes));
  must(sync_for_device(device_, mapped));
  EXPECT_EQ(device_reads(mapped.dma), pattern(kBytes));
}

TEST_P(Ordering, WhatTheCpuStoredIsThereForADeviceThatIsGivenAList) {
  board_.store(bytes_.cpu, pattern(kBytes));
  std::optional<MappedBytes> mapped;
  must(map_each(device_, {&bytes_, 1}, Direction::to_device, {&mapped, 1}));
  EXPECT_EQ(device_reads(mapped->dma), pattern(kBytes));
}

TEST_P(Ordering, AnUnmapReadsNothingBeforeTheDeviceSaidThatItIsDone) {
  const MappedBytes mapped = this->mapped(Direction::from_device);
  device_is_done(mapped.dma);
  must(unmap(device_, mapped));
  EXPECT_EQ(cpu_reads(), pattern(kBytes, 2));
}

TEST_P(Ordering, ASyncReadsNothingBeforeTheDeviceSaidThatItIsDone) {
  const MappedBytes mapped = this->mapped(Direction::from_device);
  device_is_done(mapped.dma);
  must(sync_for_cpu(device_, mapped));
  EXPECT_EQ(cpu_reads(), pattern(kBytes, 2));
}

TEST_P(Ordering, AnUnmapOfAListReadsNothingBeforeTheDeviceSaidThatItIsDone) {
  std::optional<MappedBytes> mapped;
  must(map_each(device_, {&bytes_, 1}, Direction::from_device, {&mapped, 1}));
  device_is_done(mapped->dma);
  must(unmap_each(device_, {&mapped, 1}));
  EXPECT_EQ(cpu_reads(), pattern(kBytes, 2));
}

TEST_P(Ordering, ATakeOverReadsNothingBeforeTheOtherProgramSaidThatItIsDone) {
  Pool& pool = board_.pool("d", ram(0x2000, 0x400));
  device_is_done(DmaAddr{sim::kOddWindow.dma.raw() + 0x2000});
  take_over(pool);
  EXPECT_EQ(cpu_reads(), pattern(kBytes, 2));
}

/// The model's port, on which another program looks at memory while lines are being written back.
class PortWithAnotherProgram : public sim::HostPort {
 public:
  using HostPort::HostPort;
  void clean_invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    HostPort::clean_invalidate(at, size_bytes);
    looks();
  }

  std::function<void()> looks;
};

TEST_P(Ordering, AHandoverHasWhatIsPastTheCacheInMemoryBeforeWhatIsInIt) {
  sim::Adversary adversary = adversary_of(GetParam());
  sim::Machine machine{{.write_buffer_stores = 8}};
  PortWithAnotherProgram port{machine};
  std::array<std::uint64_t, 1024> storage{};
  System& system = *must(System::create({.port = port, .aliases = machine.aliases()},
                                        std::as_writable_bytes(std::span{storage})));
  const PhysRange range = ram(0x2000, 0x400);
  Pool& pool = *must(system.declare({.name = "d", .chunks = {&range, 1}}));
  const PhysRange elsewhere{PhysAddr{test::kUncachedRam.raw() + 0x6000}, kBytes};
  Bytes seen(kBytes);
  port.looks = [&] { machine.bus_read(elsewhere.base, seen); };

  machine.set_adversary(&adversary);
  machine.write(machine.cpu_view(elsewhere), pattern(kBytes));
  machine.store(machine.cached_view(range), std::byte{1});  // says that it is there
  clean_for_handover(pool);
  EXPECT_EQ(seen, pattern(kBytes));
  machine.set_adversary(nullptr);
}

}  // namespace
}  // namespace carveout
