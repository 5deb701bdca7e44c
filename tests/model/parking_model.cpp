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

/// What memory is told instead of the orders of the file. Each but the first is a fault to be
/// found.
enum class Orders {
  as_written,
  weak_end,     ///< the compare-exchange that ends a life is acquire and release only
  weak_look,    ///< the look at the slot behind it is acquire only
  weak_swap,    ///< the exchange of a slot is acquire and release only
  weak_second,  ///< the look at a serial behind that is acquire only
  no_acquire,   ///< relaxed where it says acquire
};

/// What a step is told, where one of the orders makes it weaker.
template <Orders orders, Order order, Orders weakens>
constexpr rl::memory_order kLoad =
    order == Order::seq_cst ? (orders == weakens ? rl::mo_acquire : rl::mo_seq_cst)
    : order == Order::acquire && orders != Orders::no_acquire ? rl::mo_acquire
                                                              : rl::mo_relaxed;
template <Orders orders, Order order, Orders weakens>
constexpr rl::memory_order kExchange =
    order == Order::seq_cst && orders == weakens ? rl::mo_acq_rel : kLoad<orders, order, weakens>;

constexpr std::uint32_t kTags = 3;  // and one behind them that never names a block
constexpr std::uint32_t kSlots = 2;

/// A pool of blocks of two lengths: a block is a tag, its length, and what its owner writes there.
template <Orders orders>
struct Pool {
  struct Words {
    Pool* pool;

    template <Order order>
    std::uint32_t serial(Tag tag) const {
      return pool->serials[tag].load(kLoad<orders, order, Orders::weak_second>, $);
    }
    template <Order order>
    Tag slot(std::uint32_t index) const {
      return pool->slots[index].load(kLoad<orders, order, Orders::weak_look>, $);
    }
    template <Order order>
    bool claim(Tag tag, std::uint32_t from, std::uint32_t to) const {
      return pool->serials[tag].compare_exchange_strong(
          from, to, kExchange<orders, order, Orders::weak_end>, $, rl::mo_relaxed, $);
    }
    template <Order order>
    Tag swap(std::uint32_t index, Tag tag) const {
      return pool->slots[index].exchange(tag, kExchange<orders, order, Orders::weak_swap>, $);
    }
  };

  struct Block {
    Tag tag;
    std::uint32_t serial;
  };

  std::array<rl::atomic<std::uint32_t>, kTags + 1> serials;
  std::array<rl::atomic<Tag>, kSlots> slots;
  std::array<rl::atomic<std::uint32_t>, kTags + 1> lengths;  ///< another one in each life
  rl::mutex mutex;
  std::array<rl::var<bool>, kTags> in_tables;
  std::array<rl::var<int>, kTags> bytes;  ///< what an owner writes: races are found here

  Parking<Words> parking() { return Parking<Words>{Words{this}}; }

  void clear() {
    for (auto& serial : serials) serial.store(0, rl::mo_relaxed, $);
    for (auto& slot : slots) slot.store(kTags, rl::mo_relaxed, $);
    for (auto& length : lengths) length.store(0, rl::mo_relaxed, $);
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

  Block take(std::uint32_t slot, std::uint32_t length) {
    const auto length_of = [this](Tag tag) { return lengths[tag].load(rl::mo_relaxed, $); };
    const auto taken = parking().take(slot, [&](Tag tag) { return length_of(tag) == length; });
    if (taken.serial != 0) {
      RL_ASSERT(length_of(taken.tag) == length);
      return {taken.tag, taken.serial};
    }
    Block block{kTags, 0};
    locked([&] {
      for (std::uint32_t i = 0; i < kSlots; ++i) {
        parking().collect(i, [&](Tag out) { release(out); });
      }
      for (Tag tag = 0; tag < kTags; ++tag) {
        if (!static_cast<bool>(in_tables[tag]($))) continue;
        in_tables[tag]($) = false;
        lengths[tag].store(length, rl::mo_relaxed, $);
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

/// Threads take, use and give back blocks of two lengths; three blocks are enough for both.
///
/// @tparam processors  1: both on one, which shares its slot. 2: one on each.
template <Orders orders, unsigned processors>
struct TakeAndGiveBack : rl::test_suite<TakeAndGiveBack<orders, processors>, 2> {
  Pool<orders> pool;

  void before() { pool.clear(); }
  void thread(unsigned index) {
    const unsigned slot = index % processors;
    for (unsigned i = 0; i < 2; ++i) {
      const auto block = pool.take(slot, 1 + (index + i) % 2);
      RL_ASSERT(block.tag != kTags);
      pool.use(block.tag, static_cast<int>(index) + 1);
      RL_ASSERT(pool.give_back(slot, block));
    }
  }
  void after() { pool.expect_all_free(); }
};

/// A block to which both slots hint is given back on one processor, and both want one of its
/// length.
template <Orders orders>
struct HintsOfTwoSlots : rl::test_suite<HintsOfTwoSlots<orders>, 2> {
  Pool<orders> pool;

  void before() {
    pool.clear();
    const auto block = pool.take(0, 1);
    pool.give_back(0, block);
    pool.give_back(1, pool.take(0, 1));
  }
  void thread(unsigned index) {
    const auto block = pool.take(index, 1);
    RL_ASSERT(block.tag != kTags);
    pool.use(block.tag, static_cast<int>(index) + 1);
    RL_ASSERT(pool.give_back(1 - index, block));
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
    blocks[0] = pool.take(0, 1);
    pool.give_back(0, blocks[0]);
    blocks[0] = pool.take(0, 1);
    blocks[1] = pool.take(0, 2);
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
    block = pool.take(0, 1);
  }
  void thread(unsigned index) {
    done[index]($) = pool.give_back(0, block);
    if (index == 0) {
      const auto other = pool.take(0, 1);
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
  expect(result_of<TakeAndGiveBack<as_written, 1>>(kRandom, kRuns), kHolds,
         "take and give back, one processor");
  expect(result_of<TakeAndGiveBack<as_written, 2>>(kRandom, kRuns), kHolds,
         "take and give back, two processors");
  expect(result_of<HintsOfTwoSlots<as_written>>(kRandom, kRuns), kHolds, "hints of two slots");
  expect(result_of<TwoIntoOneSlot<as_written>>(kRandom, kRuns), kHolds, "two into one slot");
  expect(result_of<TwoIntoOneSlot<as_written>>(kBound, kRuns), kHolds,
         "the same, three switches at most");
  expect(result_of<DoubleFree<as_written>>(kRandom, kRuns), kHolds, "double free");

  constexpr auto kLost = rl::test_result_user_assert_failed;
  expect(result_of<TwoIntoOneSlot<weak_end>>(kRandom, kRuns), kLost, "a weaker end loses a block");
  expect(result_of<TwoIntoOneSlot<weak_look>>(kRandom, kRuns), kLost,
         "a weaker look at the slot loses a block");
  expect(result_of<TwoIntoOneSlot<weak_swap>>(kRandom, kRuns), kLost,
         "a weaker exchange of the slot loses a block");
  expect(result_of<TwoIntoOneSlot<weak_second>>(kRandom, kRuns), kLost,
         "a weaker look at the serial loses a block");
  expect(result_of<TakeAndGiveBack<no_acquire, 1>>(kRandom, kRuns), rl::test_result_data_race,
         "without acquire two owners' bytes race");
  return wrong == 0 ? 0 : 1;
}
