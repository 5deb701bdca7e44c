// The steps of src/pool/parking.hpp under weak memory: the checker runs them in every order that
// threads and memory may bring about, as far as its search goes. The orders are those of that file;
// and then weaker ones, of which it must find the fault, or it would find none in the file either.
#include <array>
#include <cstdint>
#include <cstdio>
#include <ostream>
#include <string_view>

#include "src/pool/parking.hpp"

// Last: it defines macros.
#include <relacy/relacy.hpp>

namespace {

using carveout::tables::is;
using carveout::tables::Life;
using carveout::tables::Order;
using carveout::tables::Parking;

using Tag = std::uint32_t;

/// What memory is told instead of the orders of the file.
enum class Orders {
  as_written,
  no_total_order,  ///< acquire and release where it says sequentially consistent
  no_acquire,      ///< relaxed where it says acquire
};

template <Orders orders, Order order>
constexpr rl::memory_order kLoad =
    order == Order::seq_cst ? (orders == Orders::no_total_order ? rl::mo_acquire : rl::mo_seq_cst)
    : order == Order::acquire && orders != Orders::no_acquire ? rl::mo_acquire
                                                              : rl::mo_relaxed;
template <Orders orders, Order order>
constexpr rl::memory_order kExchange =
    order == Order::seq_cst && orders == Orders::no_total_order ? rl::mo_acq_rel
                                                                : kLoad<orders, order>;

constexpr std::uint32_t kTags = 3;  // and one behind them that never names a block
constexpr std::uint32_t kSlots = 1;

/// A pool without sizes: a block is a tag and what its owner writes there.
template <Orders orders>
struct Pool {
  struct Words {
    Pool* pool;

    template <Order order>
    std::uint32_t serial(Tag tag) const {
      return pool->serials[tag].load(kLoad<orders, order>, $);
    }
    template <Order order>
    Tag slot(std::uint32_t index) const {
      return pool->slots[index].load(kLoad<orders, order>, $);
    }
    template <Order order>
    bool claim(Tag tag, std::uint32_t from, std::uint32_t to) const {
      return pool->serials[tag].compare_exchange_strong(from, to, kExchange<orders, order>, $,
                                                        rl::mo_relaxed, $);
    }
    template <Order order>
    Tag swap(std::uint32_t index, Tag tag) const {
      return pool->slots[index].exchange(tag, kExchange<orders, order>, $);
    }
  };

  struct Block {
    Tag tag;
    std::uint32_t serial;
  };

  std::array<rl::atomic<std::uint32_t>, kTags + 1> serials;
  std::array<rl::atomic<Tag>, kSlots> slots;
  rl::mutex mutex;
  std::array<rl::var<bool>, kTags> in_tables;
  std::array<rl::var<int>, kTags> bytes;  ///< what an owner writes: races are found here

  Parking<Words> parking() { return Parking<Words>{Words{this}}; }

  void clear() {
    for (auto& serial : serials) serial.store(0, rl::mo_relaxed, $);
    for (auto& slot : slots) slot.store(kTags, rl::mo_relaxed, $);
    for (auto& there : in_tables) there($) = true;
    for (auto& byte : bytes) byte($) = 0;
  }

  template <class Critical>
  void locked(Critical critical) {
    mutex.lock($);
    critical();
    mutex.unlock($);
  }
  void release(Tag tag) {
    RL_ASSERT(is(Life::none, serials[tag].load(rl::mo_relaxed, $)));
    RL_ASSERT(!static_cast<bool>(in_tables[tag]($)));
    in_tables[tag]($) = true;
  }

  Block take(std::uint32_t slot) {
    const auto taken = parking().take(slot, [](Tag) { return true; });
    if (taken.serial != 0) return {taken.tag, taken.serial};
    Block block{kTags, 0};
    locked([&] {
      for (std::uint32_t i = 0; i < kSlots; ++i) {
        parking().collect(i, [&](Tag out) { release(out); });
      }
      for (Tag tag = 0; tag < kTags; ++tag) {
        if (!static_cast<bool>(in_tables[tag]($))) continue;
        in_tables[tag]($) = false;
        const std::uint32_t serial = serials[tag].load(rl::mo_relaxed, $) + 1;
        serials[tag].store(serial, rl::mo_relaxed, $);
        block = {tag, serial};
        return;
      }
    });
    return block;
  }

  bool give_back(std::uint32_t slot, Block block) {
    if (serials[block.tag].load(rl::mo_relaxed, $) != block.serial) return false;
    if (!parking().end(block.tag, block.serial, Life::parked)) return false;
    parking().park(
        slot, block.tag, [&](auto critical) { locked(critical); }, [&](Tag out) { release(out); });
    return true;
  }

  void use(Tag tag, int owner) {
    bytes[tag]($) = owner;
    RL_ASSERT(static_cast<int>(bytes[tag]($)) == owner);
  }

  /// No block lives: all of them are free, or parked where they are found.
  void expect_all_free() {
    for (std::uint32_t i = 0; i < kSlots; ++i) {
      parking().collect(i, [&](Tag out) { release(out); });
    }
    for (auto& there : in_tables) RL_ASSERT(static_cast<bool>(there($)));
  }
};

/// Threads of one processor take, use and give back; three blocks are enough for both.
template <Orders orders>
struct TakeAndGiveBack : rl::test_suite<TakeAndGiveBack<orders>, 2> {
  Pool<orders> pool;

  void before() { pool.clear(); }
  void thread(unsigned index) {
    for (int i = 0; i < 2; ++i) {
      const auto block = pool.take(0);
      RL_ASSERT(block.tag != kTags);
      pool.use(block.tag, static_cast<int>(index) + 1);
      RL_ASSERT(pool.give_back(0, block));
    }
  }
  void after() { pool.expect_all_free(); }
};

/// One gives back a block at which the slot hints, another one at which it does not.
template <Orders orders>
struct TwoIntoOneSlot : rl::test_suite<TwoIntoOneSlot<orders>, 2> {
  Pool<orders> pool;
  std::array<typename Pool<orders>::Block, 2> blocks;

  void before() {
    pool.clear();
    blocks[0] = pool.take(0);
    pool.give_back(0, blocks[0]);
    blocks[0] = pool.take(0);
    for (;;) {
      blocks[1] = pool.take(0);
      if (blocks[1].tag != blocks[0].tag) break;
    }
  }
  void thread(unsigned index) { RL_ASSERT(pool.give_back(0, blocks[index])); }
  void after() { pool.expect_all_free(); }
};

/// Two give back one block, and one of them takes another at once.
template <Orders orders>
struct DoubleFree : rl::test_suite<DoubleFree<orders>, 2> {
  Pool<orders> pool;
  typename Pool<orders>::Block block;
  std::array<rl::var<bool>, 2> done;

  void before() {
    pool.clear();
    block = pool.take(0);
  }
  void thread(unsigned index) {
    done[index]($) = pool.give_back(0, block);
    if (index == 0) {
      const auto other = pool.take(0);
      pool.use(other.tag, 1);
      RL_ASSERT(pool.give_back(0, other));
    }
  }
  void after() {
    RL_ASSERT(static_cast<bool>(done[0]($)) != static_cast<bool>(done[1]($)));
    pool.expect_all_free();
  }
};

template <class Suite>
rl::test_result_e result_of(rl::scheduler_type_e search, rl::iteration_t runs) {
  std::ostream said{nullptr};  // the checker counts what a stream would allocate
  rl::test_params parameters;
  parameters.search_type = search;
  parameters.iteration_count = runs;
  parameters.output_stream = &said;
  parameters.progress_stream = &said;
  parameters.context_bound = 3;
  parameters.execution_depth_limit = 10'000;
  rl::simulate<Suite>(parameters);
  return parameters.test_result;
}

int wrong = 0;

void expect(rl::test_result_e result, rl::test_result_e expected, std::string_view what) {
  const bool right = result == expected;
  std::printf("%-50.*s %s: %s\n", static_cast<int>(what.size()), what.data(),
              right ? "right" : "WRONG", rl::test_result_str(result));
  if (!right) ++wrong;
}

}  // namespace

int main() {
  constexpr auto kRandom = rl::random_scheduler_type;
  constexpr auto kBound = rl::fair_context_bound_scheduler_type;
  constexpr rl::iteration_t kRuns = 200'000;
  constexpr auto kHolds = rl::test_result_success;
  using enum Orders;
  expect(result_of<TakeAndGiveBack<as_written>>(kRandom, kRuns), kHolds, "take and give back");
  expect(result_of<TwoIntoOneSlot<as_written>>(kRandom, kRuns), kHolds, "two into one slot");
  expect(result_of<TwoIntoOneSlot<as_written>>(kBound, kRuns), kHolds,
         "the same, three switches at most");
  expect(result_of<DoubleFree<as_written>>(kRandom, kRuns), kHolds, "double free");
  expect(result_of<TwoIntoOneSlot<no_total_order>>(kRandom, kRuns),
         rl::test_result_user_assert_failed, "without a total order a block is lost");
  expect(result_of<TakeAndGiveBack<no_acquire>>(kRandom, kRuns), rl::test_result_data_race,
         "without acquire two owners' bytes race");
  return wrong == 0 ? 0 : 1;
}
