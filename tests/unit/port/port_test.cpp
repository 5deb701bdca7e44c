#include "carveout/port/port.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace carveout {
namespace {

/// Writes down what it is told.
struct RecordingPort {
  std::vector<std::string> calls;
  std::byte* at = nullptr;
  std::size_t size_bytes = 0;
  PhysRange range{PhysAddr{0}, 0};
  LockWord* word = nullptr;
  LockState state = 0;
  std::array<std::byte, 4> memory{};

  std::size_t cache_line_bytes() noexcept {
    calls.emplace_back("cache_line_bytes");
    return 48;
  }
  std::byte* cpu_view(PhysRange seen) noexcept {
    calls.emplace_back("cpu_view");
    range = seen;
    return memory.data();
  }
  void clean(std::byte* from, std::size_t size) noexcept { cache("clean", from, size); }
  void invalidate(std::byte* from, std::size_t size) noexcept { cache("invalidate", from, size); }
  void clean_invalidate(std::byte* from, std::size_t size) noexcept {
    cache("clean_invalidate", from, size);
  }
  void publish_barrier() noexcept { calls.emplace_back("publish_barrier"); }
  void observe_barrier() noexcept { calls.emplace_back("observe_barrier"); }
  void full_barrier() noexcept { calls.emplace_back("full_barrier"); }
  LockState lock(LockWord& locked) noexcept {
    calls.emplace_back("lock");
    word = &locked;
    return 77;
  }
  void unlock(LockWord& locked, LockState before) noexcept {
    calls.emplace_back("unlock");
    word = &locked;
    state = before;
  }

  void cache(const char* what, std::byte* from, std::size_t size) {
    calls.emplace_back(what);
    at = from;
    size_bytes = size;
  }
};

using Calls = std::vector<std::string>;

// What the concept accepts and what it refuses.
static_assert(Port<RecordingPort>);
static_assert(!Port<int>);

struct ThatMayThrow : RecordingPort {
  void clean(std::byte*, std::size_t) {}
};
static_assert(!Port<ThatMayThrow>, "an exception in the middle of cache work has nowhere to go");

struct WithoutInvalidate : RecordingPort {
 private:
  using RecordingPort::invalidate;
};
static_assert(!Port<WithoutInvalidate>);

struct ThatForgetsTheInterruptMask : RecordingPort {
  void lock(LockWord&) noexcept {}
};
static_assert(!Port<ThatForgetsTheInterruptMask>);

struct ThatSeesAddressesAsPointers : RecordingPort {
  std::byte* cpu_view(const void*) noexcept { return nullptr; }
};
static_assert(!Port<ThatSeesAddressesAsPointers>);

static_assert(!Port<const RecordingPort>);
static_assert(!std::is_constructible_v<PortRef, int&>);
static_assert(!std::is_constructible_v<PortRef, RecordingPort>, "a reference to a temporary port");
static_assert(std::is_trivially_copyable_v<PortRef>);
static_assert(!std::is_copy_constructible_v<LockGuard>);

TEST(PortRef, CallsTheFunctionOfTheSameName) {
  RecordingPort port;
  const PortRef ref{port};
  std::byte* const at = port.memory.data();
  static_cast<void>(ref.cache_line_bytes());
  static_cast<void>(ref.cpu_view({PhysAddr{0}, 1}));
  ref.clean(at, 1);
  ref.invalidate(at, 1);
  ref.clean_invalidate(at, 1);
  ref.publish_barrier();
  ref.observe_barrier();
  ref.full_barrier();
  LockWord word;
  ref.unlock(word, ref.lock(word));
  EXPECT_EQ(port.calls,
            (Calls{"cache_line_bytes", "cpu_view", "clean", "invalidate", "clean_invalidate",
                   "publish_barrier", "observe_barrier", "full_barrier", "lock", "unlock"}));
}

TEST(PortRef, PassesArgumentsAndResultsUnchanged) {
  RecordingPort port;
  const PortRef ref{port};
  EXPECT_EQ(ref.cache_line_bytes(), 48U);

  const PhysRange range{PhysAddr{0x1234}, 0x56};
  EXPECT_EQ(ref.cpu_view(range), port.memory.data());
  EXPECT_EQ(port.range, range);

  ref.clean(port.memory.data() + 1, 3);
  EXPECT_EQ(port.at, port.memory.data() + 1);
  EXPECT_EQ(port.size_bytes, 3U);

  LockWord word;
  EXPECT_EQ(ref.lock(word), 77U);
  EXPECT_EQ(port.word, &word);
  ref.unlock(word, 99);
  EXPECT_EQ(port.state, 99U);
}

TEST(PortRef, RefersToThePortItWasMadeOf) {
  RecordingPort one;
  RecordingPort other;
  const PortRef ref_to_one{one};
  const PortRef ref_to_other{other};
  const PortRef copy = ref_to_one;  // NOLINT(performance-unnecessary-copy-initialization)
  copy.publish_barrier();
  ref_to_other.full_barrier();
  EXPECT_EQ(one.calls, Calls{"publish_barrier"});
  EXPECT_EQ(other.calls, Calls{"full_barrier"});
}

/// A port that offers what it may.
struct GenerousPort : RecordingPort {
  const SyncTable& sync_table() noexcept { return sync_tables::mips_not_speculating; }
  std::optional<PhysAddr> phys_of(const std::byte* from, std::size_t size) noexcept {
    if (size != 7) return std::nullopt;
    return from == memory.data() ? std::optional{PhysAddr{0x1234}} : std::nullopt;
  }
  void copy(std::byte* to, const std::byte* from, std::size_t size) noexcept {
    cache("copy", to, size);
    copied_from = from;
  }
  const std::byte* copied_from = nullptr;
};

TEST(PortRef, PassesOnWhatAPortOffers) {
  GenerousPort port;
  const PortRef ref{port};
  EXPECT_EQ(ref.sync_table(), sync_tables::mips_not_speculating);
  EXPECT_EQ(ref.phys_of(port.memory.data(), 7), PhysAddr{0x1234});
  EXPECT_EQ(ref.phys_of(port.memory.data(), 8), std::nullopt);
  const std::byte from{};
  ref.copy(port.memory.data() + 2, &from, 1);
  EXPECT_EQ(port.at, port.memory.data() + 2);
  EXPECT_EQ(port.copied_from, &from);
  EXPECT_EQ(port.size_bytes, 1U);
}

TEST(PortRef, OfAPortThatOffersNothingHasTheSafeTableAndNoAddressesAndCopiesByItself) {
  RecordingPort port;
  const PortRef ref{port};
  EXPECT_EQ(ref.sync_table(), sync_tables::safe);
  EXPECT_EQ(ref.phys_of(port.memory.data(), 1), std::nullopt);
  const std::array from{std::byte{1}, std::byte{2}};
  ref.copy(port.memory.data() + 1, from.data(), 2);
  EXPECT_EQ(port.memory, (std::array{std::byte{0}, std::byte{1}, std::byte{2}, std::byte{0}}));
}

TEST(LockGuard, HoldsTheLockForItsScopeAndGivesBackTheState) {
  RecordingPort port;
  LockWord word;
  {
    const LockGuard guard{port, word};
    EXPECT_EQ(port.calls, Calls{"lock"});
    EXPECT_EQ(port.word, &word);
  }
  EXPECT_EQ(port.calls, (Calls{"lock", "unlock"}));
  EXPECT_EQ(port.state, 77U);
}

}  // namespace
}  // namespace carveout
