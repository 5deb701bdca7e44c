#include "carveout/pool/pool.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace carveout {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kGranule = 64;

static_assert(!std::movable<Pool>, "blocks point at their pool");
static_assert(std::is_trivially_copyable_v<Block>);

/// A port that has a lock and nothing else. What it finds wrong with the locking is counted.
struct LockPort {
  int locks = 0;
  int unlocks = 0;
  int mistakes = 0;
  bool held = false;
  std::function<void()> before_lock = nullptr;
  std::function<void()> after_unlock = nullptr;

  LockState lock(LockWord& word) noexcept {
    run(before_lock);
    if (held || word.word != 0) ++mistakes;
    held = true;
    word.word = 1;
    ++locks;
    return 0x5a5a;
  }
  void unlock(LockWord& word, LockState state) noexcept {
    if (!held || word.word != 1 || state != 0x5a5a) ++mistakes;
    word.word = 0;
    held = false;
    ++unlocks;
    run(after_unlock);
  }

  std::size_t cache_line_bytes() noexcept { return 64; }
  std::byte* cpu_view(PhysRange) noexcept { return nullptr; }
  void clean(std::byte*, std::size_t) noexcept {}
  void invalidate(std::byte*, std::size_t) noexcept {}
  void clean_invalidate(std::byte*, std::size_t) noexcept {}
  void publish_barrier() noexcept {}
  void observe_barrier() noexcept {}
  void full_barrier() noexcept {}

 private:
  /// Calls it once: what it does itself is not interrupted.
  static void run(std::function<void()>& interrupt) {
    if (!interrupt) return;
    const auto once = std::exchange(interrupt, nullptr);
    once();
  }
};

/// A pool with everything that it stands on. The memory is at 0x20000000, the devices have it at 0.
class Bench {
 public:
  explicit Bench(std::vector<Chunk> chunks, std::size_t blocks = 16)
      : chunks_{std::move(chunks)},
        storage_(RangeAllocator::storage_bytes(chunks_.size(), blocks)),
        pool_{{.name = "bench",
               .memory = Memory::coherent,
               .granule_bytes = kGranule,
               .chunks = chunks_},
              port_,
              over(chunks_, blocks, storage_)} {}

  Result<Block> take(const Need& need, View view = View::uncached) {
    return pool_.take(need, kReaches, view);
  }

  Pool& pool() { return pool_; }
  LockPort& port() { return port_; }

  static constexpr std::array kReaches{
      Reach{PhysAddr{0x20000000}, PhysAddr{0x2fffffff}, DmaAddr{0}}};

 private:
  static RangeAllocator over(const std::vector<Chunk>& chunks, std::size_t blocks,
                             std::span<std::byte> storage) {
    std::vector<PhysRange> ranges;
    for (const Chunk& chunk : chunks) ranges.push_back(chunk.range);
    return *RangeAllocator::create(ranges, kGranule, blocks, storage);
  }

  std::vector<Chunk> chunks_;
  std::vector<std::byte> storage_;
  LockPort port_;
  Pool pool_;
};

constexpr PhysRange phys(std::uint64_t base, std::uint64_t size_bytes) {
  return {PhysAddr{base}, size_bytes};
}

/// One chunk of 1 KiB without views.
Chunk plain() { return {phys(0x20000000, 1024), nullptr, nullptr}; }

// ---- take -------------------------------------------------------------------------------------

TEST(PoolTake, AnswersABlockWithEveryAddressOfTheSameByte) {
  std::array<std::byte, 1024> uncached{};
  std::array<std::byte, 1024> cached{};
  Bench bench{{{phys(0x20000000, 1024), uncached.data(), cached.data()}}};
  ASSERT_TRUE(bench.take({.size_bytes = 1}));
  const auto block = bench.take({.size_bytes = 65});
  ASSERT_TRUE(block);
  EXPECT_EQ(block->cpu, uncached.data() + 64);
  EXPECT_EQ(block->phys, PhysAddr{0x20000040});
  EXPECT_EQ(block->dma, DmaAddr{0x40});
  EXPECT_EQ(block->size_bytes, 128U);
  EXPECT_EQ(block->pool, &bench.pool());
  EXPECT_NE(block->serial, 0U);
}

TEST(PoolTake, PointsIntoTheViewThatWasAskedFor) {
  std::array<std::byte, 1024> uncached{};
  std::array<std::byte, 1024> cached{};
  Bench bench{{{phys(0x20000000, 1024), uncached.data(), cached.data()}}};
  const auto block = bench.take({.size_bytes = 1}, View::cached);
  EXPECT_EQ(block->cpu, cached.data());
  EXPECT_EQ(bench.pool().pointer(*block, View::uncached), uncached.data());
  EXPECT_EQ(bench.pool().pointer(*block, View::cached), cached.data());
}

TEST(PoolTake, HasNoPointerWhereThePoolHasNoSuchView) {
  std::array<std::byte, 1024> cached{};
  Bench bench{{{phys(0x20000000, 1024), nullptr, cached.data()}}};
  ASSERT_TRUE(bench.take({.size_bytes = 1}));
  const auto block = bench.take({.size_bytes = 1});
  EXPECT_EQ(block->cpu, nullptr);
  EXPECT_EQ(bench.pool().pointer(*block, View::uncached), nullptr);
  EXPECT_EQ(bench.pool().pointer(*block, View::cached), cached.data() + 64);
}

TEST(PoolTake, CountsFromTheChunkThatItTookFrom) {
  std::array<std::byte, 64> first{};
  std::array<std::byte, 128> second{};
  Bench bench{{{phys(0x20000000, 64), first.data(), nullptr},
               {phys(0x20008000, 128), second.data(), nullptr}}};
  EXPECT_EQ(bench.take({.size_bytes = 64})->cpu, first.data());
  EXPECT_EQ(bench.take({.size_bytes = 64})->cpu, second.data());
  const auto last = bench.take({.size_bytes = 64});
  EXPECT_EQ(last->cpu, second.data() + 64);
  EXPECT_EQ(last->dma, DmaAddr{0x8040});
  EXPECT_EQ(bench.pool().pointer(*last, View::uncached), second.data() + 64);
}

TEST(PoolTake, AFailureSaysWhatWasAskedInGranulesAndWhatIsThere) {
  Bench bench{{plain(), {phys(0x20001000, 128), nullptr, nullptr}}};
  ASSERT_TRUE(bench.take({.size_bytes = 64, .fit = Fit::first}));
  const auto refused = bench.take({.size_bytes = 1001});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Failure{.code = Error::exhausted,
                                      .pool = "bench",
                                      .asked_bytes = 1024,
                                      .free_bytes = 1024 - 64 + 128,
                                      .largest_run_bytes = 1024 - 64}));
}

/// Runs of 17 to 18 granules share a class, and the one that is looked at last is the longest.
TEST(PoolTake, AFailureOfWhoMustNotWaitSaysTheLongestRunToASixteenth) {
  Bench bench{{{phys(0x20000000, 64 * 2048), nullptr, nullptr}}, 128};
  const auto take = [&](std::uint64_t granules) {
    return *bench.take({.size_bytes = granules * kGranule, .fit = Fit::first});
  };
  std::vector<Block> runs{take(18)};
  for (int i = 0; i < 12; ++i) {
    static_cast<void>(take(1));
    runs.push_back(take(17));
  }
  while (bench.take({.size_bytes = kGranule * 64})) {
  }
  while (bench.take({.size_bytes = kGranule})) {
  }
  for (const Block& run : runs) ASSERT_TRUE(bench.pool().give_back(run));
  const std::uint64_t exact = bench.take({.size_bytes = kGranule * 40}).error().largest_run_bytes;
  const std::uint64_t about =
      bench.take({.size_bytes = kGranule * 40, .context = Context::must_not_wait})
          .error()
          .largest_run_bytes;
  EXPECT_EQ(exact, 18 * kGranule);
  EXPECT_GE(about, 17 * kGranule);
  EXPECT_LE(about, exact);
}

TEST(PoolTake, AFailureOfAHostileSizeSaysTheLargestNumberAndDoesNotWrap) {
  Bench bench{{plain()}};
  EXPECT_EQ(bench.take({.size_bytes = kTop}).error().asked_bytes, kTop);
  EXPECT_EQ(bench.take({.size_bytes = kTop}).error().code, Error::size_overflow);
}

TEST(PoolTake, PassesOnTheAllocatorsReasons) {
  Bench bench{{plain()}};
  EXPECT_EQ(bench.take({.size_bytes = 0}).error().code, Error::zero_size);
  EXPECT_EQ(bench.take({.size_bytes = 1, .align_bytes = 3}).error().code, Error::bad_alignment);
  EXPECT_EQ(bench.pool().take({.size_bytes = 1}, {}, View::uncached).error().code,
            Error::unreachable);
}

// ---- give_back --------------------------------------------------------------------------------

TEST(PoolGiveBack, TakesABlockOnceAndCallsItsCopyADoubleFree) {
  Bench bench{{plain()}};
  const Block block = *bench.take({.size_bytes = 100});
  const Block copy = block;
  EXPECT_TRUE(bench.pool().give_back(block));
  const auto again = bench.pool().give_back(copy);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(),
            (Failure{.code = Error::double_free, .pool = "bench", .asked_bytes = 128}));
}

TEST(PoolGiveBack, RefusesABlockOfAnotherPoolThoughAllElseAgrees) {
  Bench bench{{plain()}};
  Bench other{{plain()}};
  const Block ours = *bench.take({.size_bytes = 64});
  const Block theirs = *other.take({.size_bytes = 64});
  ASSERT_EQ(ours.tag, theirs.tag);
  ASSERT_EQ(ours.serial, theirs.serial);
  EXPECT_EQ(bench.pool().give_back(theirs).error().code, Error::foreign_block);
  EXPECT_EQ(bench.pool().usage().blocks, 1U);
}

TEST(PoolGiveBack, PassesOnTheAllocatorsReasonsAndChangesNothing) {
  Bench bench{{plain()}};
  const Block old = *bench.take({.size_bytes = 64});
  ASSERT_TRUE(bench.pool().give_back(old));
  Block block = *bench.take({.size_bytes = 64});
  EXPECT_EQ(bench.pool().give_back(old).error().code, Error::stale_block);
  block.phys = PhysAddr{0x20000040};
  EXPECT_EQ(bench.pool().give_back(block).error().code, Error::wrong_address);
  block.phys = PhysAddr{0x20000000};
  block.size_bytes = 128;
  EXPECT_EQ(bench.pool().give_back(block).error().code, Error::wrong_size);
  block.size_bytes = 64;
  EXPECT_TRUE(bench.pool().give_back(block));
}

// ---- close ------------------------------------------------------------------------------------

TEST(PoolStatistics, SayWhoHoldsWhat) {
  Bench bench{{plain()}};
  const Block first = *bench.take({.size_bytes = 64, .holder = 7, .fit = Fit::first});
  const Block second = *bench.take({.size_bytes = 200, .holder = 9, .fit = Fit::first});
  std::vector<Held> held;
  bench.pool().visit([&](const Held& one) { held.push_back(one); });
  ASSERT_EQ(held.size(), 2U);
  EXPECT_EQ(held[0].range, (PhysRange{first.phys, 64}));
  EXPECT_EQ(held[0].holder, 7U);
  EXPECT_EQ(held[1].range, (PhysRange{second.phys, 256}));
  EXPECT_EQ(held[1].holder, 9U);
}

TEST(PoolStatistics, CountFreeRunsByTheirLengthAndWhatIsParkedWithThem) {
  Bench bench{{{phys(0x20000000, 64 * 1024), nullptr, nullptr}}};
  const Block first = *bench.take({.size_bytes = 64, .fit = Fit::first});
  static_cast<void>(bench.take({.size_bytes = 64, .fit = Fit::first}));
  ASSERT_TRUE(bench.pool().give_back(first));
  FreeRuns expected{};
  expected[0] = 1;  // 1 granule
  expected[9] = 1;  // 1022
  EXPECT_EQ(bench.pool().free_runs(), expected);
}

TEST(PoolStatistics, AreReadUnderTheLock) {
  Bench bench{{plain()}};
  bench.pool().visit([&](const Held&) { EXPECT_TRUE(bench.port().held); });
  static_cast<void>(bench.pool().free_runs());
  EXPECT_EQ(bench.port().locks, 2);
  EXPECT_EQ(bench.port().mistakes, 0);
}

TEST(PoolClose, IsRefusedWhileABlockLivesAndThePoolGoesOn) {
  Bench bench{{plain()}};
  const Block block = *bench.take({.size_bytes = 64, .holder = 3});
  EXPECT_EQ(bench.pool().close().error(),
            (Failure{.code = Error::in_use, .pool = "bench", .asked_bytes = 64}));
  EXPECT_EQ(bench.pool().any_holder(), 3U);
  EXPECT_FALSE(bench.pool().closed());
  EXPECT_TRUE(bench.pool().give_back(block));
  EXPECT_EQ(bench.pool().any_holder(), std::nullopt);
  EXPECT_TRUE(bench.pool().close());
  EXPECT_TRUE(bench.pool().closed());
}

TEST(PoolClose, MakesEveryLaterCallPoolGone) {
  Bench bench{{plain()}};
  const Block block = *bench.take({.size_bytes = 64});
  ASSERT_TRUE(bench.pool().give_back(block));
  ASSERT_TRUE(bench.pool().close());
  EXPECT_EQ(bench.pool().close().error().code, Error::pool_gone);
  EXPECT_EQ(bench.pool().give_back(block).error().code, Error::pool_gone);
  EXPECT_EQ(bench.take({.size_bytes = 64}).error().code, Error::pool_gone);
}

// ---- views ------------------------------------------------------------------------------------

TEST(PoolViews, AreHadOnlyIfEveryChunkHasThem) {
  std::array<std::byte, 1024> bytes{};
  Bench both{{{phys(0x20000000, 64), bytes.data(), bytes.data() + 512},
              {phys(0x20001000, 64), bytes.data() + 64, nullptr}}};
  EXPECT_TRUE(both.pool().has(View::uncached));
  EXPECT_FALSE(both.pool().has(View::cached));
}

TEST(PoolViews, OfABlockOutsideThePoolAreNone) {
  std::array<std::byte, 1024> bytes{};
  Bench bench{{{phys(0x20000000, 1024), bytes.data(), bytes.data()}}};
  Block block = *bench.take({.size_bytes = 64});
  block.phys = PhysAddr{0x20000400};
  EXPECT_EQ(bench.pool().pointer(block, View::uncached), nullptr);
}

// ---- the lock ---------------------------------------------------------------------------------

TEST(PoolLock, IsTakenAndReleasedExactlyOncePerCallGrantedOrRefused) {
  Bench bench{{plain()}};
  int calls = 0;
  const auto expect_one_pair = [&](const char* what) {
    ++calls;
    EXPECT_EQ(bench.port().locks, calls) << what;
    EXPECT_EQ(bench.port().unlocks, calls) << what;
    EXPECT_FALSE(bench.port().held) << what;
    EXPECT_EQ(bench.port().mistakes, 0) << what;
  };
  const Block block = *bench.take({.size_bytes = 64});
  expect_one_pair("take");
  EXPECT_FALSE(bench.take({.size_bytes = 4096}));
  expect_one_pair("take, exhausted");
  EXPECT_FALSE(bench.take({.size_bytes = 0}));
  expect_one_pair("take, zero_size");
  static_cast<void>(bench.pool().usage());
  expect_one_pair("usage");
  static_cast<void>(bench.pool().any_holder());
  expect_one_pair("any_holder");
  EXPECT_FALSE(bench.pool().close());
  expect_one_pair("close, in_use");
  EXPECT_TRUE(bench.pool().give_back(block));
  expect_one_pair("give_back");
  EXPECT_FALSE(bench.pool().give_back(block));
  expect_one_pair("give_back, double_free");
  EXPECT_TRUE(bench.pool().close());
  expect_one_pair("close");
  EXPECT_TRUE(bench.pool().closed());
  expect_one_pair("closed");
  EXPECT_FALSE(bench.take({.size_bytes = 64}));
  expect_one_pair("take, pool_gone");
  EXPECT_FALSE(bench.pool().give_back(block));
  expect_one_pair("give_back, pool_gone");
}

TEST(PoolLock, GuardsEverythingThatATakeReads) {
  Bench bench{{plain()}};
  Result<Block> interrupts = refuse(Error::no_pool);
  bench.port().before_lock = [&] { interrupts = bench.take({.size_bytes = 64}); };
  const auto block = bench.take({.size_bytes = 64});
  ASSERT_TRUE(block && interrupts);
  EXPECT_EQ(interrupts->phys, PhysAddr{0x20000000});
  EXPECT_EQ(block->phys, PhysAddr{0x20000040}) << "what the interrupt took was seen";
}

TEST(PoolLock, GuardsTheFiguresOfAFailureToo) {
  Bench bench{{plain()}};
  const Block block = *bench.take({.size_bytes = 1024});
  bench.port().after_unlock = [&] { EXPECT_TRUE(bench.pool().give_back(block)); };
  EXPECT_EQ(bench.take({.size_bytes = 64}).error().free_bytes, 0U);
  EXPECT_EQ(bench.pool().usage().blocks, 0U);
}

TEST(PoolLock, IsReleasedBeforeAnInterruptThatClosesThePool) {
  Bench bench{{plain()}};
  bench.port().before_lock = [&] { EXPECT_TRUE(bench.pool().close()); };
  EXPECT_EQ(bench.take({.size_bytes = 64}).error().code, Error::pool_gone);
}

/// A port whose lock is a mutex, for real threads.
struct MutexPort : LockPort {
  std::mutex mutex;
  LockState lock(LockWord&) noexcept {
    mutex.lock();
    return 0;
  }
  void unlock(LockWord&, LockState) noexcept { mutex.unlock(); }
};

TEST(PoolLock, KeepsThreadsFromOneAnothersBytes) {
  std::vector<std::byte> memory(64 * kGranule);
  const std::array chunks{Chunk{phys(0x20000000, memory.size()), memory.data(), nullptr}};
  const std::array ranges{chunks[0].range};
  std::vector<std::byte> storage(RangeAllocator::storage_bytes(1, 32));
  MutexPort port;
  Pool pool{
      {.name = "threads", .memory = Memory::coherent, .granule_bytes = kGranule, .chunks = chunks},
      port,
      *RangeAllocator::create(ranges, kGranule, 32, storage)};

  const auto work = [&](unsigned char mark, int& overwritten) {
    std::mt19937 random{mark};
    std::vector<Block> blocks;
    for (int i = 0; i < 2000; ++i) {
      if (blocks.size() < 8) {
        const auto block =
            pool.take({.size_bytes = 1 + random() % 200}, Bench::kReaches, View::uncached);
        if (block) {
          std::fill_n(block->cpu, block->size_bytes, std::byte{mark});
          blocks.push_back(*block);
        }
      }
      if (!blocks.empty() && random() % 2 == 0) {
        const std::size_t chosen = random() % blocks.size();
        for (const std::byte byte :
             std::span{blocks[chosen].cpu, static_cast<std::size_t>(blocks[chosen].size_bytes)}) {
          if (byte != std::byte{mark}) ++overwritten;
        }
        if (!pool.give_back(blocks[chosen])) ++overwritten;
        blocks[chosen] = blocks.back();
        blocks.pop_back();
      }
    }
    for (const Block& block : blocks) {
      if (!pool.give_back(block)) ++overwritten;
    }
  };
  std::array<int, 4> overwritten{};
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < overwritten.size(); ++i) {
      threads.emplace_back(work, static_cast<unsigned char>(i + 1), std::ref(overwritten[i]));
    }
  }
  EXPECT_EQ(overwritten, (std::array<int, 4>{}));
  EXPECT_EQ(pool.usage().used_bytes, 0U);
  EXPECT_EQ(pool.usage().largest_run_bytes, memory.size());
}

// ---- a hostile device -------------------------------------------------------------------------

/// Takes and gives back at random and writes down what it got.
std::vector<std::uint64_t> played(Bench& bench, const std::function<void()>& device) {
  std::mt19937 random{11};
  std::vector<Block> blocks;
  std::vector<std::uint64_t> places;
  for (int i = 0; i < 3000; ++i) {
    device();
    if (random() % 5 < 3) {
      const auto block = bench.take({.size_bytes = 1 + random() % 700, .fit = Fit::best});
      places.push_back(block ? block->phys.raw() : static_cast<std::uint64_t>(block.error().code));
      if (block) blocks.push_back(*block);
    } else if (!blocks.empty()) {
      const std::size_t chosen = random() % blocks.size();
      EXPECT_TRUE(bench.pool().give_back(blocks[chosen]));
      EXPECT_FALSE(bench.pool().give_back(blocks[chosen]));
      blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    places.push_back(bench.pool().usage().largest_run_bytes);
  }
  return places;
}

constexpr std::size_t kPoolBytes = 16384;

TEST(HostileDevice, ThatFillsThePoolChangesNothingThatTheAllocatorDoes) {
  std::vector<std::byte> memory(kPoolBytes);
  Bench attacked{{{phys(0x20000000, kPoolBytes), memory.data(), memory.data()}}, 64};
  Bench left_alone{{{phys(0x20000000, kPoolBytes), nullptr, nullptr}}, 64};
  const auto with = played(attacked, [&] { std::ranges::fill(memory, std::byte{0xff}); });
  const auto without = played(left_alone, [] {});
  EXPECT_EQ(with, without);
  for (const std::byte byte : memory) ASSERT_EQ(byte, std::byte{0xff});
}

TEST(HostileDevice, WouldFindNothingInThePoolBecauseTheAllocatorNeverTouchesIt) {
  void* const inaccessible =
      ::mmap(nullptr, kPoolBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(inaccessible, MAP_FAILED);
  auto* const memory = static_cast<std::byte*>(inaccessible);
  Bench bench{{{phys(0x20000000, kPoolBytes), memory, memory}}, 64};
  EXPECT_FALSE(played(bench, [] {}).empty()) << "and a touch would have ended this program";
  ::munmap(inaccessible, kPoolBytes);
}

// ---- preconditions ----------------------------------------------------------------------------

TEST(PoolDeathTest, TrapsWhereItsChunksAreNotThoseOfTheAllocator) {
  const std::array chunks{plain()};
  const std::array other{phys(0x20000000, 512)};
  std::vector<std::byte> storage(RangeAllocator::storage_bytes(1, 4));
  LockPort port;
  const auto make = [&](std::uint64_t granule_bytes, std::span<const Chunk> stated,
                        std::span<const PhysRange> ranges) {
    const Pool pool{
        {.name = "p", .memory = Memory::coherent, .granule_bytes = granule_bytes, .chunks = stated},
        port,
        *RangeAllocator::create(ranges, kGranule, 4, storage)};
  };
  const std::array same{chunks[0].range};
  make(kGranule, chunks, same);
  EXPECT_DEATH(make(kGranule, chunks, other), "");
  EXPECT_DEATH(make(kGranule, {}, same), "");
  EXPECT_DEATH(make(kGranule / 2, chunks, same), "");
}

}  // namespace
}  // namespace carveout
