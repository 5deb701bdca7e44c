// Two contexts, one pool: SysTick allocates and frees while the main context does.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "board.hpp"
#include "carveout/ops/coherent.hpp"
#include "checks.hpp"
#include "exceptions.hpp"
#include "registers.hpp"
#include "tables.hpp"

namespace an500 {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;

/// Numbers without a library: the same in every run.
struct Random {
  std::uint32_t state;
  std::uint32_t below(std::uint32_t bound) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % bound;
  }
};

/// What one context does to the pool: it takes blocks, marks them as its own, and gives them back
/// after it has found every mark as it was.
class User {
 public:
  User(const Device& device, std::uint32_t seed) : device_{device}, random_{seed} {}

  /// One allocation or one free.
  void step(std::uint32_t longest, bool marked) {
    Slot& slot = slots_[random_.below(kSlots)];
    if (slot.block) return give_back(slot);
    const std::uint32_t size = 1 + random_.below(longest);
    in_a_verb_ = true;
    const auto block =
        alloc_coherent(device_, size,
                       {.attributes = marked ? Attributes::none : Attributes::uninitialized,
                        .context = Context::must_not_wait});
    in_a_verb_ = false;
    if (!block) {
      if (block.error().code == Error::exhausted) {
        exhausted_ = exhausted_ + 1;
      } else {
        wrong(block.error().code);
      }
      return;
    }
    allocated_ = allocated_ + 1;
    slot = {.block = *block, .marked = marked};
    if (!marked) return;
    if (!holds(*block, 0)) wrong_bytes_ = wrong_bytes_ + 1;
    fill(*block, mark(*block));
  }

  void give_back_all() {
    for (Slot& slot : slots_) {
      if (slot.block) give_back(slot);
    }
  }

  [[nodiscard]] std::uint32_t freed() const { return freed_; }
  [[nodiscard]] std::uint32_t live() const { return allocated_ - freed_; }

  /// For the other context: whether it came in the middle of this one's allocation or free.
  [[nodiscard]] bool in_a_verb() const { return in_a_verb_; }

  void report(std::string_view who) const {
    board::write(who);
    board::count("  blocks taken", allocated_);
    board::count("  refused as exhausted", exhausted_);
    check(allocated_ > 0 && allocated_ == freed_, "  gave back every block that it took");
    check(!unexpected_, "  was never refused for another reason");
    if (unexpected_) board::write(name_of(*unexpected_));
    check_equal(wrong_bytes_, 0, "  got zeroed memory, and found its marks untouched");
  }

 private:
  static constexpr std::uint32_t kSlots = 6;
  struct Slot {
    std::optional<Block> block;
    bool marked;
  };

  static std::uint32_t mark(const Block& block) {
    return 0xa500'0000U ^ block.serial ^ block.tag << 16;
  }
  static std::span<volatile std::uint32_t> words(const Block& block) {
    return {static_cast<volatile std::uint32_t*>(static_cast<void*>(block.cpu)),
            static_cast<std::size_t>(block.size_bytes) / sizeof(std::uint32_t)};
  }
  static void fill(const Block& block, std::uint32_t value) {
    for (volatile std::uint32_t& word : words(block)) word = value;
  }
  static bool holds(const Block& block, std::uint32_t value) {
    for (const volatile std::uint32_t& word : words(block)) {
      if (word != value) return false;
    }
    return true;
  }

  void give_back(Slot& slot) {
    if (slot.marked && !holds(*slot.block, mark(*slot.block))) wrong_bytes_ = wrong_bytes_ + 1;
    in_a_verb_ = true;
    const auto freed = free_coherent(*slot.block);
    in_a_verb_ = false;
    if (freed) {
      freed_ = freed_ + 1;
    } else {
      wrong(freed.error().code);
    }
    slot.block.reset();
  }
  void wrong(Error code) {
    if (!unexpected_) unexpected_ = code;
  }

  const Device& device_;
  Random random_;
  std::array<Slot, kSlots> slots_{};
  std::uint32_t allocated_ = 0;
  std::uint32_t freed_ = 0;
  std::uint32_t exhausted_ = 0;
  std::uint32_t wrong_bytes_ = 0;
  std::optional<Error> unexpected_;
  volatile bool in_a_verb_ = false;
};

/// What SysTick does.
struct Interrupt {
  User* user;
  const User* interrupted;
  std::uint32_t longest;
  bool marked;
  std::uint32_t shortest_period;  ///< in ticks of 40 instructions
  Random random{0x1234'5678};
};
Interrupt* interrupt;
volatile std::uint32_t ticks;
volatile std::uint32_t ticks_inside_a_verb;

/// Lets both contexts use the pool at once until the interrupt has had so many turns. `work` is
/// what the main context does besides.
template <class Work>
void contend(Interrupt& shared, User& main, std::uint32_t turns, Work work) {
  constexpr std::uint32_t kOn = 7;  // the core's clock, interrupt, enable
  const std::uint32_t end = ticks + turns;
  interrupt = &shared;
  armv7m::at(armv7m::kSystRvr) = shared.shortest_period;
  armv7m::at(armv7m::kSystCvr) = 0;
  armv7m::barrier();
  armv7m::at(armv7m::kSystCsr) = kOn;
  while (ticks < end) {
    main.step(shared.longest, shared.marked);
    work();
  }
  armv7m::at(armv7m::kSystCsr) = 0;
  armv7m::barrier();
}

}  // namespace

void check_contention(const System& system, Pool& pool) {
  User in_main{*system.device(kEthernet), 0x0bad'5eed};
  User in_interrupt{*system.device(kCamera), 0x5eed'0bad};

  // Long blocks, each byte looked at: what overlaps, or is not zeroed, shows in the marks.
  Interrupt slow{.user = &in_interrupt,
                 .interrupted = &in_main,
                 .longest = 16000,
                 .marked = true,
                 .shortest_period = 700};
  contend(slow, in_main, 300, [] {});
  // Short blocks and nothing but the pool's own work, interrupted all the time: what the lock does
  // not guard shows in the tables.
  Interrupt fast{.user = &in_interrupt,
                 .interrupted = &in_main,
                 .longest = 400,
                 .marked = false,
                 .shortest_period = 30};
  contend(fast, in_main, 5000, [] {});

  board::count("interrupts", ticks);
  board::count("of them in the middle of an allocation or a free", ticks_inside_a_verb);
  check(in_interrupt.freed() > 1000, "the interrupt allocated and freed");
  check(ticks_inside_a_verb > 1000, "and came in the middle of the main context's verbs");
  check_equal(pool.usage().blocks, in_main.live() + in_interrupt.live(),
              "the pool counts the blocks that both contexts hold");
  in_main.give_back_all();
  in_interrupt.give_back_all();  // taken in the interrupt, given back outside of it
  in_main.report("the main context");
  in_interrupt.report("the interrupt");
}

void check_atomic(System& system, const Pool& whole) {
  const auto carved = system.carve_atomic(kAtomic);
  if (!carved) return board::fail(carved.error(), "an atomic pool out of the default pool");
  User in_main{*system.device(kEthernet), 0x0bad'5eed};
  User in_interrupt{*system.device(kCamera), 0x5eed'0bad};
  Interrupt shared{.user = &in_interrupt,
                   .interrupted = &in_main,
                   .longest = 1500,
                   .marked = true,
                   .shortest_period = 200};
  // When the pool runs dry depends on what both draw, and on every instruction in between.
  std::uint32_t grown = 0;
  for (int round = 0; round < 20 && grown < kAtomic.most_pieces - 1; ++round) {
    contend(shared, in_main, 1000, [&] {
      const auto more = system.grow_atomic();
      if (more && *more != 0) ++grown;
    });
  }
  check_equal(grown, kAtomic.most_pieces - 1, "it grew while the interrupt used it");
  check_equal(whole.usage().blocks, kAtomic.most_pieces,
              "each piece is a block of the default pool");
  in_main.give_back_all();
  in_interrupt.give_back_all();
  in_interrupt.report("the interrupt, from the atomic pool");
  while (Pool* const piece = system.roles().of(Role::atomic)) {
    if (!check(system.release(*piece).has_value(), "a piece goes back")) return;
  }
  check_equal(whole.usage().blocks, 0, "nothing of the default pool is left in them");
}

}  // namespace an500

void on_tick() {
  an500::ticks = an500::ticks + 1;
  an500::Interrupt& shared = *an500::interrupt;
  if (shared.interrupted->in_a_verb()) an500::ticks_inside_a_verb = an500::ticks_inside_a_verb + 1;
  // Another period each time, so that each interrupt finds the main context somewhere else.
  armv7m::at(armv7m::kSystRvr) =
      shared.shortest_period + shared.random.below(shared.shortest_period);
  shared.user->step(shared.longest, shared.marked);
}
