// The usual locks, for a port to put behind its lock() and unlock(). Which one a board needs
// follows from who may use a pool at the same time:
//
//   nobody else                                       NoLock
//   interrupts of the one processor                   InterruptsOff
//   other processors and interrupts                   SpinLock
//   threads; interrupts are refused or find a slot    Mutex
#pragma once

#include <concepts>
#include <cstdint>

#include "carveout/port/port.hpp"

namespace carveout {

/// What masks the interrupts of this processor. A hosted program has none: NoInterrupts.
///
/// Both functions are barriers for the compiler: no access to memory is moved out of what stands
/// between them. An `asm volatile` with a "memory" clobber is one; a write to a volatile register
/// alone is none. On one processor nothing else keeps the tables of a pool from a handler that
/// comes a moment too early.
template <class I>
concept Interrupts = requires(I& interrupts, LockState state) {
  { interrupts.mask_interrupts() } noexcept -> std::convertible_to<LockState>;
  { interrupts.restore_interrupts(state) } noexcept -> std::same_as<void>;
};

struct NoInterrupts {
  static LockState mask_interrupts() noexcept { return 0; }
  static void restore_interrupts(LockState /*state*/) noexcept {}
};

/// For a program with one thread that uses its pools in no interrupt.
struct NoLock {
  [[nodiscard]] static LockState lock(LockWord& /*word*/) noexcept { return 0; }
  static void unlock(LockWord& /*word*/, LockState /*state*/) noexcept {}
};

/// For one processor, with or without atomics. Nothing that it could wait for is ever held when an
/// interrupt runs, so a pool serves every handler that the mask holds off.
template <Interrupts I>
class InterruptsOff {
 public:
  explicit InterruptsOff(I& interrupts) : interrupts_{&interrupts} {}

  [[nodiscard]] LockState lock(LockWord& /*word*/) noexcept {
    return interrupts_->mask_interrupts();
  }
  void unlock(LockWord& /*word*/, LockState state) noexcept {
    interrupts_->restore_interrupts(state);
  }

 private:
  I* interrupts_;
};

/// For several processors. Interrupts are masked before the lock is waited for, so that none comes
/// while this processor has it.
template <Interrupts I>
class SpinLock {
 public:
  explicit SpinLock(I& interrupts) : interrupts_{&interrupts} {}

  [[nodiscard]] LockState lock(LockWord& word) noexcept {
    const LockState state = interrupts_->mask_interrupts();
    while (__atomic_exchange_n(&word.word, 1, __ATOMIC_ACQUIRE) != 0) {
      // Read until it is free: an exchange would take the line from whoever is about to free it.
      while (__atomic_load_n(&word.word, __ATOMIC_RELAXED) != 0) {
      }
    }
    return state;
  }
  void unlock(LockWord& word, LockState state) noexcept {
    __atomic_store_n(&word.word, 0, __ATOMIC_RELEASE);
    interrupts_->restore_interrupts(state);
  }

 private:
  I* interrupts_;
};

/// What a system has for threads, and its knowledge of whether this is one.
template <class M>
concept ThreadMutex = requires(M& mutex) {
  mutex.lock();
  mutex.unlock();
  { mutex.in_interrupt() } noexcept -> std::same_as<bool>;
};

/// For threads. One mutex for all pools of the port. A port hands may_lock() on, too: an interrupt
/// is then served from a processor's slot, or refused.
template <ThreadMutex M>
class Mutex {
 public:
  explicit Mutex(M& mutex) : mutex_{&mutex} {}

  [[nodiscard]] LockState lock(LockWord& /*word*/) noexcept {
    mutex_->lock();
    return 0;
  }
  void unlock(LockWord& /*word*/, LockState /*state*/) noexcept { mutex_->unlock(); }
  [[nodiscard]] bool may_lock() const noexcept { return !mutex_->in_interrupt(); }

 private:
  M* mutex_;
};

}  // namespace carveout
