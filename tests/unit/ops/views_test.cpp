// The same verbs where memory is not an uncached alias: ordinary memory, opaque memory, coherent
// devices, machines without a cache, and one address that an MPU made uncached.
#include <gtest/gtest.h>

#include <algorithm>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::error_of;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

constexpr Options kNonCoherent{.attributes = Attributes::non_coherent};
constexpr Options kNoMapping{.attributes = Attributes::no_cpu_mapping};

Bytes zeros(std::size_t count) { return Bytes(count); }

class OrdinaryMemory : public testing::Test {
 protected:
  static constexpr PhysRange kRange = ram(0x2000, 0x1000);

  OrdinaryMemory() {
    board_.default_pool("ram", kRange, Role::ordinary);
    board_.put_in_ram(kRange.base, pattern(kRange.size_bytes));
  }
  [[nodiscard]] Bytes read(const Block& block) {
    Bytes bytes(static_cast<std::size_t>(block.size_bytes));
    board_.machine.read(block.cpu, bytes);
    return bytes;
  }

  SimBoard board_;
  Device& device_ = board_.device("eth");
};

TEST_F(OrdinaryMemory, IsUsedThroughTheCachedView) {
  const Block block = must(alloc_coherent(device_, 0x100, kNonCoherent));
  EXPECT_EQ(block.cpu, board_.machine.cached_view({block.phys, 0x100}));
}

TEST_F(OrdinaryMemory, ReadsAsZero) {
  EXPECT_EQ(read(must(alloc_coherent(device_, 0x100, kNonCoherent))), zeros(0x100));
}

TEST_F(OrdinaryMemory, ReadsAsZeroAlsoWhereTheCacheHeldALineOfItBefore) {
  board_.machine.write(board_.machine.cached_view(kRange), pattern(0x100, 9));
  EXPECT_EQ(read(must(alloc_coherent(device_, 0x100, kNonCoherent))), zeros(0x100));
}

TEST_F(OrdinaryMemory, StaysZeroWhenTheCacheIsFilledWithOtherThings) {
  board_.machine.write(board_.machine.cached_view(kRange), pattern(0x100, 9));
  const Block block = must(alloc_coherent(device_, 0x100, kNonCoherent));
  board_.push_everything_out_of_the_cache(ram(0x8000, 0x1000));
  EXPECT_EQ(read(block), zeros(0x100));
}

TEST_F(OrdinaryMemory, HasItsDeviceAddressThroughTheWindow) {
  const Block block = must(alloc_coherent(device_, 0x100, kNonCoherent));
  EXPECT_EQ(block.dma, sim::kOddWindow.to_dma(block.phys));
}

TEST_F(OrdinaryMemory, IsNotForADeviceThatIsNotCoherentAndAskedForCoherentMemory) {
  EXPECT_EQ(error_of(alloc_coherent(device_, 0x100)), Error::no_pool);
}

TEST_F(OrdinaryMemory, OfADeviceWithAnOwnPoolIsSpentInsteadOfThatPool) {
  Pool& own = board_.pool("own", ram(0x6000, 0x1000));
  must(board_.system->bind(device_, own));
  must(alloc_coherent(device_, 0x100, kNonCoherent));
  EXPECT_EQ(own.usage().used_bytes, 0U);
}

class OpaqueMemory : public OrdinaryMemory {};

TEST_F(OpaqueMemory, HasNoCpuPointer) {
  EXPECT_EQ(must(alloc_coherent(device_, 0x100, kNoMapping)).cpu, nullptr);
}

TEST_F(OpaqueMemory, IsNotZeroed) {
  const Block block = must(alloc_coherent(device_, 0x100, kNoMapping));
  EXPECT_EQ(board_.in_ram({block.phys, 0x100}), board_.in_ram({kRange.base, 0x100}));
  EXPECT_NE(board_.in_ram({block.phys, 0x100}), zeros(0x100));
}

TEST_F(OpaqueMemory, LeavesNoLineThatCouldBeWrittenBackOverWhatTheDeviceWrites) {
  board_.machine.write(board_.machine.cached_view(kRange), pattern(0x100, 9));
  const Block block = must(alloc_coherent(device_, 0x100, kNoMapping));
  ASSERT_TRUE(board_.engine(device_).write(block.dma, pattern(0x100, 2)));
  board_.push_everything_out_of_the_cache(ram(0x8000, 0x1000));
  EXPECT_EQ(board_.in_ram({block.phys, 0x100}), pattern(0x100, 2));
}

TEST_F(OpaqueMemory, IsGivenBackLikeAnyOther) {
  EXPECT_TRUE(free_coherent(must(alloc_coherent(device_, 0x100, kNoMapping))));
}

TEST_F(OpaqueMemory, IsNotReadableByTheNextOwner) {
  const Block opaque = must(alloc_coherent(device_, 0x1000, kNoMapping));
  ASSERT_TRUE(board_.engine(device_).write(opaque.dma, pattern(0x1000, 2)));
  must(free_coherent(opaque));
  EXPECT_EQ(read(must(alloc_coherent(device_, 0x1000, kNonCoherent))), zeros(0x1000));
}

TEST(OpaqueMemoryWithoutAView, MayComeFromAPoolThatTheCpuCannotReach) {
  SimBoard board;
  const PhysRange nowhere{PhysAddr{0x9'0000'0000}, 0x1000};
  board.default_pool("unmapped", nowhere, Role::ordinary);
  Device& device = board.device("eth", {.windows = {{DmaAddr{0x100}, nowhere.base, 0x1000}}});
  const auto block = alloc_coherent(device, 0x100, kNoMapping);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->cpu, nullptr);
  EXPECT_EQ(block->dma, DmaAddr{0x100});
}

/// Coherent means that nobody can see the cache: in the model, RAM that is never cached.
class CoherentDevice : public testing::Test {
 protected:
  static constexpr PhysAddr kBase{0x5'0030'0000};

  SimBoard board_{{.ram = {{.size_bytes = 0x1'0000, .cached = std::nullopt, .uncached = kBase}}}};
  Device& device_ =
      board_.device("eth", {.windows = {{DmaAddr{0x70'0000}, kBase, 0x1'0000}}, .coherent = true});
};

TEST_F(CoherentDevice, GetsOrdinaryMemoryZeroed) {
  board_.put_in_ram(kBase, pattern(0x1000));
  board_.default_pool("ram", {kBase, 0x1000}, Role::ordinary);
  const Block block = must(alloc_coherent(device_, 0x100));
  EXPECT_EQ(board_.in_ram({block.phys, 0x100}), zeros(0x100));
}

TEST_F(CoherentDevice, CausesNoCacheWork) {
  board_.default_pool("ram", {kBase, 0x1000}, Role::ordinary);
  must(alloc_coherent(device_, 0x100));
  EXPECT_EQ(board_.port.count(sim::PortOp::clean), 0U);
  EXPECT_EQ(board_.port.count(sim::PortOp::invalidate), 0U);
  EXPECT_EQ(board_.port.count(sim::PortOp::clean_invalidate), 0U);
}

TEST_F(CoherentDevice, IsServedFromAnOwnPoolThatHasNoUncachedView) {
  Pool& own = board_.pool("own", {kBase, 0x1000});
  EXPECT_TRUE(board_.system->bind(device_, own));
  EXPECT_TRUE(alloc_coherent(device_, 0x100));
}

class WithoutACache : public testing::Test {
 protected:
  static constexpr PhysAddr kBase{0x5'0030'0000};

  SimBoard board_{{.ram = {{.size_bytes = 0x1'0000, .cached = kBase, .uncached = std::nullopt}},
                   .cache = std::nullopt}};
  Device& device_ = board_.device("eth", {.windows = {{DmaAddr{0x70'0000}, kBase, 0x1'0000}}});
};

TEST_F(WithoutACache, EveryDeviceIsCoherent) { EXPECT_TRUE(device_.coherent); }

TEST_F(WithoutACache, ADeviceThatSaysOtherwiseIsCoherentToo) {
  EXPECT_TRUE(board_.device("usb", {.coherent = false}).coherent);
}

TEST_F(WithoutACache, TheDefaultPoolNeedsNoAlias) {
  EXPECT_TRUE(board_.system->set_default(Role::default_pool, board_.pool("d", {kBase, 0x1000})));
}

TEST_F(WithoutACache, MemoryIsZeroed) {
  board_.put_in_ram(kBase, pattern(0x1000));
  board_.default_pool("d", {kBase, 0x1000});
  const Block block = must(alloc_coherent(device_, 0x100));
  EXPECT_EQ((Bytes{block.cpu, block.cpu + 0x100}), zeros(0x100));
}

TEST_F(WithoutACache, TheGranuleIsAtLeastAMachineWord) {
  EXPECT_EQ(board_.pool("d", {kBase, 0x1000}).granule_bytes(), sizeof(std::uintptr_t));
}

/// Cortex-M7: one address, which an MPU made uncached. The cache holds lines from before.
class InPlace : public testing::Test {
 protected:
  static constexpr PhysAddr kBase{0x5'0030'0000};
  static constexpr PhysRange kPool{kBase, 0x1000};

  InPlace() { board_.default_pool("d", kPool); }

  SimBoard board_{{.ram = {{.size_bytes = 0x1'0000, .cached = kBase, .uncached = kBase}}}};
  Device& device_ = board_.device("eth", {.windows = {{DmaAddr{0x70'0000}, kBase, 0x1'0000}}});
};

TEST_F(InPlace, LinesFromBeforeTheMpuAreNotWrittenBackOverWhatTheDeviceWrote) {
  board_.machine.write(board_.machine.cached_view(kPool), pattern(0x80, 7));
  const Block block = must(alloc_coherent(device_, 0x80));
  ASSERT_EQ(block.phys, kPool.base);
  ASSERT_TRUE(board_.engine(device_).write(block.dma, pattern(0x80, 5)));
  board_.push_everything_out_of_the_cache({PhysAddr{kBase.raw() + 0x8000}, 0x1000});
  EXPECT_EQ((Bytes{block.cpu, block.cpu + 0x80}), pattern(0x80, 5));
}

TEST_F(InPlace, MemoryIsZeroed) {
  board_.put_in_ram(kBase, pattern(0x1000));
  const Block block = must(alloc_coherent(device_, 0x80));
  EXPECT_EQ(board_.in_ram({block.phys, 0x80}), zeros(0x80));
}

TEST_F(InPlace, ThePointerIsThePlainOne) {
  const Block block = must(alloc_coherent(device_, 0x80));
  EXPECT_EQ(block.cpu, board_.machine.cpu_view({block.phys, 0x80}));
}

/// RAM that the CPU sees through its cache only.
TEST(CachedOnly, ContiguousMemoryIsNotForADeviceThatIsNotCoherent) {
  SimBoard board{
      {.ram = {
           {.size_bytes = 0x1'0000, .cached = PhysAddr{0x5'0030'0000}, .uncached = std::nullopt}}}};
  board.default_pool("cma", {PhysAddr{0x5'0030'0000}, 0x1000}, Role::contiguous_default);
  Device& device = board.device("eth", {.windows = {}, .mask = test::kAnyAddress});
  EXPECT_FALSE(alloc_coherent(device, 0x100));
}

TEST(CachedOnly, OpaqueMemoryLeavesNoLineToBeWrittenBackOverWhatTheDeviceWrites) {
  constexpr PhysAddr kBase{0x5'0030'0000};
  SimBoard board{{.ram = {{.size_bytes = 0x1'0000, .cached = kBase, .uncached = std::nullopt}}}};
  board.default_pool("ram", {kBase, 0x1000}, Role::ordinary);
  Device& device = board.device("eth", {.windows = {}, .mask = test::kAnyAddress});
  board.machine.write(board.machine.cached_view({kBase, 0x100}), pattern(0x100, 9));
  const Block block = must(alloc_coherent(device, 0x100, kNoMapping));
  ASSERT_EQ(block.phys, kBase);
  ASSERT_TRUE(board.engine(device).write(block.dma, pattern(0x100, 2)));
  board.push_everything_out_of_the_cache({PhysAddr{kBase.raw() + 0x8000}, 0x1000});
  EXPECT_EQ(board.in_ram({kBase, 0x100}), pattern(0x100, 2));
}

/// A CPU that speculates: what was just dropped from the cache is fetched again at once.
class SpeculatingPort {
 public:
  explicit SpeculatingPort(sim::Machine& machine) : machine_{machine}, port_{machine} {}

  std::size_t cache_line_bytes() noexcept { return port_.cache_line_bytes(); }
  std::byte* cpu_view(PhysRange range) noexcept { return port_.cpu_view(range); }
  void clean(std::byte* at, std::size_t size_bytes) noexcept { port_.clean(at, size_bytes); }
  void invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    port_.invalidate(at, size_bytes);
  }
  void clean_invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    port_.clean_invalidate(at, size_bytes);
    Bytes fetched(size_bytes);
    machine_.read(at, fetched);
  }
  void publish_barrier() noexcept {}
  void observe_barrier() noexcept {}
  void full_barrier() noexcept {}
  LockState lock(LockWord& word) noexcept { return port_.lock(word); }
  void unlock(LockWord& word, LockState state) noexcept { port_.unlock(word, state); }

 private:
  sim::Machine& machine_;
  sim::HostPort port_;
};

TEST_F(OrdinaryMemory, ReadsAsZeroAlsoOnACpuThatSpeculates) {
  SpeculatingPort port{board_.machine};
  std::vector<std::uint64_t> storage(1024);
  System* const system = must(System::create({.port = port, .aliases = board_.machine.aliases()},
                                             std::as_writable_bytes(std::span{storage})));
  const PhysRange range = ram(0x8000, 0x100);
  board_.put_in_ram(range.base, pattern(0x100, 4));
  Pool* const pool = must(
      system->declare({.name = "ram", .memory = Memory::ordinary, .chunks = std::span{&range, 1}}));
  must(system->set_default(Role::ordinary, *pool));
  Device* const device = must(
      system->add_device({.name = "eth",
                          .coherent_mask = test::k32Bits,
                          .translation = Translation::through(std::span{&sim::kOddWindow, 1})}));
  EXPECT_EQ(read(must(alloc_coherent(*device, 0x100, kNonCoherent))), zeros(0x100));
}

TEST(CachedOnly, OwnContiguousMemoryServesWhoAskedForCacheableMemory) {
  SimBoard board{
      {.ram = {
           {.size_bytes = 0x1'0000, .cached = PhysAddr{0x5'0030'0000}, .uncached = std::nullopt}}}};
  Pool& cma = board.pool("cma", {PhysAddr{0x5'0030'0000}, 0x1000}, Memory::contiguous);
  Device& device = board.device("eth", {.windows = {}, .mask = test::kAnyAddress});
  ASSERT_TRUE(board.system->bind(device, cma));
  constexpr auto kAttributes =
      Attributes::non_coherent | Attributes::force_contiguous | Attributes::uninitialized;
  EXPECT_TRUE(alloc_coherent(device, 0x100, {.attributes = kAttributes}));
}

/// The model has no plain stores through its cache, so the dirty lines are an earlier owner's.
TEST(CachedOnly, LeavesNoDirtyLineForASyncTableThatDoesNothingBeforeADeviceWrites) {
  constexpr PhysAddr kBase{0x5'0030'0000};
  SimBoard board{{.ram = {{.size_bytes = 0x1'0000, .cached = kBase, .uncached = std::nullopt}}}};
  board.port.use(sync_tables::xtensa);
  board.default_pool("ram", {kBase, 0x1000}, Role::ordinary);
  Device& device = board.device("eth", {.windows = {}, .mask = test::kAnyAddress});
  board.machine.write(board.machine.cached_view({kBase, 0x100}), pattern(0x100, 9));
  constexpr Attributes kAsItIs = Attributes::non_coherent | Attributes::uninitialized;
  const Block block = must(alloc_coherent(device, 0x100, {.attributes = kAsItIs}));
  const MappedBytes mapped = must(map(device, bytes_of(block, 0x100), Direction::from_device));
  ASSERT_TRUE(board.engine(device).write(mapped.dma, pattern(0x100, 2)));
  board.push_everything_out_of_the_cache({PhysAddr{kBase.raw() + 0x8000}, 0x1000});
  must(unmap(device, mapped));
  EXPECT_EQ(board.load(block.cpu, 0x100), pattern(0x100, 2));
}

}  // namespace
}  // namespace carveout
