// How a block that was given back waits for the next request of its length where several processors
// share a pool: the steps that take no lock, and the order of memory that each of them needs.
//
// A block's serial alone says who may have it. It is changed by compare-exchange, so of several one
// wins. A slot only hints at a block that may be parked; a hint that is wrong costs a look. What
// must never be is a parked block at which no slot hints. Whoever parks a block changes its serial
// and then looks at the slot; whoever replaces a hint changes the slot and then looks at the serial
// of what was hinted at. These four are sequentially consistent, so one sees the other.
//
// tests/model checks this file under weak memory: with these orders, and with weaker ones, which it
// must find.
#pragma once

#include <cstdint>

#include "carveout/pool/life.hpp"

namespace carveout::tables {

/// Orders of memory, in words that the compiler's atomics share with a model checker's.
enum class Order : std::uint8_t { relaxed, acquire, seq_cst };

/// `Words` is where serials and slots are, and how they are read and written:
///   serial<Order>(tag), slot<Order>(index)     load
///   claim<Order>(tag, from, to)                compare-exchange of a serial: whether it was `from`
///   swap<Order>(index, tag)                    exchange of a slot: what it hinted at
/// A slot always hints at a tag; where nothing was parked yet, at one that never names a block.
template <class Words>
class Parking {
 public:
  using Tag = std::uint32_t;

  explicit Parking(Words words) : words_{words} {}

  /// Takes the block that is parked in a slot, where `fits(tag)` says so. What it reads of the
  /// block may be of another one; then the serial is another, too, and nothing is taken.
  template <class Fits>
  [[nodiscard]] BlockName take(std::uint32_t slot, Fits fits) {
    const Tag tag = words_.template slot<Order::relaxed>(slot);
    const std::uint32_t serial = words_.template serial<Order::acquire>(tag);
    if (!is(Life::parked, serial) || !fits(tag)) return {tag, 0};
    const std::uint32_t live = next(Life::parked, Life::live, serial);
    const bool won = words_.template claim<Order::acquire>(tag, serial, live);
    return {tag, won ? live : 0};  // the hint stays: the block comes back here, as a rule
  }

  /// Ends the life of a block. Of several who try, one succeeds.
  ///
  /// @param serial  says that the block lives.
  /// @param life  parked: park() follows. none: its memory is made free.
  [[nodiscard]] bool end(Tag tag, std::uint32_t serial, Life life) {
    return words_.template claim<Order::seq_cst>(tag, serial, next(Life::live, life, serial));
  }

  /// Puts a block whose life was ended so into a slot.
  ///
  /// @param locked  calls what it is given with the pool's lock held.
  /// @param release  makes the memory of a tag free; the lock is held.
  template <class Locked, class Release>
  void park(std::uint32_t slot, Tag tag, Locked locked, Release release) {
    const Tag before = words_.template slot<Order::seq_cst>(slot);
    if (before != tag) replace(words_, slot, before, tag, locked, release);
  }

  /// Makes free what is parked in a slot. The lock is held.
  template <class Release>
  void collect(std::uint32_t slot, Release release) {
    const Tag tag = words_.template slot<Order::seq_cst>(slot);
    if (claim_parked(words_, tag)) release(tag);
  }

 private:
  // Not inlined, and all by value: the block comes back to its slot, as a rule, and then these
  // steps are none.
  template <class Locked, class Release>
  [[gnu::noinline]] static void replace(Words words, std::uint32_t slot, Tag before, Tag tag,
                                        Locked locked, Release release) {
    const auto swap = [&] { return words.template swap<Order::seq_cst>(slot, tag); };
    if (is(Life::parked, words.template serial<Order::relaxed>(before))) {
      // Under the lock, so that who holds it misses nothing that was given back before.
      locked([&] {
        const Tag out = swap();
        if (claim_parked(words, out)) release(out);
      });
    } else if (const Tag out = swap(); claim_parked(words, out)) {
      locked([&] { release(out); });  // parked since the look
    }
  }

  [[nodiscard]] static bool claim_parked(Words words, Tag tag) {
    const std::uint32_t serial = words.template serial<Order::seq_cst>(tag);
    return is(Life::parked, serial) && words.template claim<Order::acquire>(
                                           tag, serial, next(Life::parked, Life::none, serial));
  }

  Words words_;
};

}  // namespace carveout::tables
