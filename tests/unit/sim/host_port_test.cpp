// The port over the model: each operation does its own thing, and is told to the test.
#include "carveout_sim/host_port.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "bytes.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kCached{0x3'5a00'0000};
constexpr PhysAddr kUncached{0x7'1b40'0000};

class HostPortTest : public testing::Test {
 protected:
  Machine machine_;
  HostPort port_{machine_};
  std::byte* const cached_ = port_.cpu_view({kCached, 64});
  std::byte* const uncached_ = port_.cpu_view({kUncached, 64});
};

TEST_F(HostPortTest, CleanWritesBackAndKeepsTheLine) {
  machine_.store(cached_, std::byte{1});
  port_.clean(cached_, 1);
  EXPECT_EQ(*uncached_, std::byte{1});
  EXPECT_TRUE(machine_.line(cached_).valid);
}

TEST_F(HostPortTest, InvalidateLosesWhatWasDirty) {
  machine_.store(cached_, std::byte{1});
  port_.invalidate(cached_, 1);
  EXPECT_EQ(*uncached_, std::byte{0});
  EXPECT_FALSE(machine_.line(cached_).valid);
}

TEST_F(HostPortTest, CleanInvalidateWritesBackAndDropsTheLine) {
  machine_.store(cached_, std::byte{1});
  port_.clean_invalidate(cached_, 1);
  EXPECT_EQ(*uncached_, std::byte{1});
  EXPECT_FALSE(machine_.line(cached_).valid);
}

TEST_F(HostPortTest, TellsWherePointersLieByTheAddressThatTheCpuEmits) {
  EXPECT_EQ(port_.phys_of(cached_ + 5, 8), PhysAddr{kCached.raw() + 5});
  EXPECT_EQ(port_.phys_of(uncached_ + 5, 8), PhysAddr{kUncached.raw() + 5});
  const std::byte elsewhere{};
  EXPECT_EQ(port_.phys_of(&elsewhere, 1), std::nullopt);
}

TEST_F(HostPortTest, CopiesAsTheCpuThroughTheViewsOfThePointers) {
  machine_.store(cached_, std::byte{7});  // in the cache only
  port_.copy(uncached_ + 64, cached_, 1);
  EXPECT_EQ(uncached_[64], std::byte{7});
  uncached_[0] = std::byte{9};
  port_.copy(cached_ + 128, uncached_, 1);
  EXPECT_EQ(machine_.load(cached_ + 128), std::byte{9});
  EXPECT_EQ(uncached_[128], std::byte{0}) << "it is dirty in the cache";
  EXPECT_EQ(port_.count(PortOp::copy), 2U);
}

TEST_F(HostPortTest, HasTheSafeTableUntilItIsAnotherCpu) {
  EXPECT_EQ(port_.sync_table(), sync_tables::safe);
  port_.use(sync_tables::mips_not_speculating);
  EXPECT_EQ(port_.sync_table(), sync_tables::mips_not_speculating);
}

TEST_F(HostPortTest, TellsTheMachinesLine) {
  EXPECT_EQ(port_.cache_line_bytes(), 32U);
  Machine without{{.cache = std::nullopt}};
  EXPECT_EQ(HostPort{without}.cache_line_bytes(), 1U);
}

TEST_F(HostPortTest, TellsWhatItWasAskedInOrder) {
  LockWord word;
  port_.clean(cached_, 1);
  EXPECT_TRUE(port_.recorded().empty()) << "nobody asked for a list";
  port_.record();
  port_.unlock(word, port_.lock(word));
  port_.clean(cached_, 32);
  port_.invalidate(cached_ + 32, 16);
  port_.clean_invalidate(cached_, 0);
  port_.publish_barrier();
  port_.observe_barrier();
  port_.full_barrier();

  const std::vector<PortCall> expected{
      {PortOp::lock},
      {PortOp::unlock},
      {PortOp::clean, cached_, 32},
      {PortOp::invalidate, cached_ + 32, 16},
      {PortOp::clean_invalidate, cached_, 0},
      {PortOp::publish_barrier},
      {PortOp::observe_barrier},
      {PortOp::full_barrier},
  };
  EXPECT_EQ(port_.recorded(), expected);

  port_.record();
  EXPECT_TRUE(port_.recorded().empty());
}

TEST_F(HostPortTest, CountsEachOperation) {
  port_.clean(cached_, 1);
  port_.clean(cached_, 1);
  port_.publish_barrier();
  EXPECT_EQ(port_.count(PortOp::clean), 2U);
  EXPECT_EQ(port_.count(PortOp::publish_barrier), 1U);
  EXPECT_EQ(port_.count(PortOp::invalidate), 0U);
}

TEST_F(HostPortTest, LockKeepsAnotherThreadOutUntilUnlocked) {
  using namespace std::chrono_literals;
  LockWord word;
  std::atomic<bool> inside = false;
  const LockState state = port_.lock(word);
  std::thread other{[&] {
    const LockGuard guard{port_, word};
    inside = true;
  }};
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(inside);
  port_.unlock(word, state);
  other.join();
  EXPECT_TRUE(inside);
  EXPECT_EQ(word.word, 0U);
}

TEST_F(HostPortTest, LocksOfDifferentPoolsDoNotExcludeEachOther) {
  LockWord one;
  LockWord other;
  const LockGuard first{port_, one};
  const LockGuard second{port_, other};
  EXPECT_NE(one.word, 0U);
  EXPECT_NE(other.word, 0U);
}

TEST_F(HostPortTest, ThreadsMayUseTheMachineAtTheSameTime) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 500; ++round) {
        std::byte* const mine = machine_.cpu_view({PhysAddr{kCached.raw() + i * 32}, 32});
        machine_.store(mine, static_cast<std::byte>(i + 1));
        port_.clean_invalidate(mine, 32);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(ram(machine_, PhysAddr{kCached.raw() + i * 32}, 1)[0], static_cast<std::byte>(i + 1));
  }
}

using HostPortDeathTest = HostPortTest;

TEST_F(HostPortDeathTest, MaintenanceOfWhatIsNoViewEndsTheProgramAndSaysWhy) {
  std::byte elsewhere{};
  EXPECT_DEATH(port_.clean(&elsewhere, 1), "do not lie in one view");
}

TEST_F(HostPortDeathTest, MaintenanceThroughAnUncachedAliasEndsTheProgramAndSaysWhy) {
  EXPECT_DEATH(port_.invalidate(uncached_, 32), "through an uncached alias does nothing");
}

}  // namespace
}  // namespace carveout::sim
